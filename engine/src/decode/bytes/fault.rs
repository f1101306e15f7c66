//! Errors of the engine on their way through readers, and the faults that concern a file as a whole.

use std::io;

use crate::error::Error;

/// An error of the engine as a reader's.
pub(super) fn as_io(error: Error) -> io::Error {
    io::Error::other(error)
}

/// A reader's error as the engine's; one that was the engine's comes back as it was.
pub(super) fn from_io(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(other) => Error::runtime("the source could not be read").because(other),
    }
}

/// Whether a reader's error is the engine's.
pub(super) fn is_ours(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Error>())
}

/// The compressed file ends within a member or frame.
pub(super) fn cut_off(format: &str, at: u64) -> io::Error {
    let message = format!("the {format} file is cut off: it ends at byte {at}, in the middle of its data");
    as_io(
        Error::data("source_corrupt", message)
            .hint("the transfer may have been incomplete; fetch or write the file again"),
    )
}

/// The compressed file cannot be decompressed from about byte `at` on.
pub(super) fn damaged(format: &str, at: u64, reason: &str) -> io::Error {
    let message = format!("the {format} file is damaged at about byte {at} of the compressed file: {reason}");
    as_io(Error::data("source_corrupt", message).hint(format!(
        "test it with `{format} -t FILE`; fetch or write the file again"
    )))
}

/// Something else follows the last member or frame.
pub(super) fn trailing(format: &str, at: u64) -> io::Error {
    let message =
        format!("from byte {at} of the compressed file on stands something that is not {format} data");
    let hint = "nothing is passed over silently: if the rest is no data, cut it off with `head -c`; \
                if it is, write the file again";
    as_io(Error::data("source_corrupt", message).hint(hint))
}
