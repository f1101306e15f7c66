//! What is wrong with a Parquet file, and what to do about it.

use parquet::basic::Compression;

use crate::error::Error;

/// First and last bytes of a file.
pub(super) const MAGIC: &[u8] = b"PAR1";
/// Last bytes of a file whose footer is encrypted.
pub(super) const ENCRYPTED_MAGIC: &[u8] = b"PARE";

/// Bytes of the shortest file: two times the magic, and the length of the footer.
pub(super) const MIN_BYTES: u64 = 12;

/// What the tail of a file says is wrong with it.
pub(super) fn of_tail(tail: &[u8]) -> Option<Error> {
    if tail == MAGIC {
        return None;
    }
    let error = if tail == ENCRYPTED_MAGIC {
        Error::data("source_corrupt", "the Parquet file is encrypted")
            .hint("write it without encryption; the store or the disk can encrypt the file as a whole")
    } else {
        Error::data(
            "source_corrupt",
            "the file is not Parquet, or its end is missing: it does not end in PAR1",
        )
        .hint("check `format` in [source] of the process; if it is right, transfer the file again")
    };
    Some(error)
}

/// A file without bytes.
pub(super) fn empty() -> Error {
    Error::data("file_empty", "the file has no bytes")
        .hint("an upload may have been cut off; a Parquet file without rows has a footer at least")
}

/// What could not be read of `file`.
pub(super) fn of_read(file: &str, codecs: &[Compression], cause: impl std::error::Error) -> Error {
    let cause = cause.to_string();
    // The reader has no error kind for a codec that it was built without.
    let is_codec = cause.contains("Disabled feature") || cause.contains("codec type");
    let error = if is_codec {
        let names: Vec<String> = codecs.iter().map(|codec| format!("{codec:?}")).collect();
        let message = format!(
            "the columns are compressed with {}, which is not supported: {cause}",
            names.join(", ")
        );
        Error::data("source_corrupt", message)
            .hint("write the file with ZSTD, SNAPPY, GZIP, BROTLI, LZ4_RAW or UNCOMPRESSED")
    } else {
        Error::data("source_corrupt", format!("the Parquet file is damaged: {cause}"))
            .hint("transfer or write the file again; columns must not be encrypted")
    };
    error.in_file(file)
}
