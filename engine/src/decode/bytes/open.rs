//! From a source file to blocks.

use std::io::{Cursor, Read};
use std::sync::Arc;

use super::block::{Blocks, Cut};
use super::compression::Compression;
use super::encoding::{Encoding, bom};
use super::fault;
use super::fetched::FetchedBlocks;
use super::footer::{Footer, WithoutFooter};
use super::gunzip::Gunzip;
use super::limits::{Guard, Limits};
use super::plain::PlainFile;
use super::stored::Stored;
use super::stream::{Feed, StreamBlocks};
use super::transcode::Transcoding;
use super::unzstd::Unzstd;
use crate::error::{Error, Result};
use crate::source::SourceFile;

/// Bytes that are looked at to tell what a file is.
const SNIFFED_BYTES: usize = 4096;
/// Blocks that wait to be taken: enough that neither side waits for the other, few enough to stay in cache.
const READY_BLOCKS: usize = 2;

/// What a file was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// How it is compressed.
    pub compression: Compression,
    /// The encoding it is decoded from; never plain [`Encoding::Utf16`].
    pub encoding: Encoding,
    /// The encoding whose byte order mark it begins with. The mark is part of the stream, as U+FEFF if that is the
    /// encoding.
    pub mark: Option<Encoding>,
}

/// Opens `file` as blocks of its decoded stream without `footer`.
///
/// # Errors
/// The file cannot be read. `source_corrupt`: it is in a format that is not read, its byte order mark contradicts
/// `encoding`, or its first bytes cannot be decompressed. Damage further on is an error of [`Blocks::next`].
pub fn open(
    file: &SourceFile,
    encoding: Encoding,
    limits: &Limits,
    footer: Footer,
    cut: Cut,
) -> Result<(Arc<dyn Blocks>, Opened)> {
    let mut decoded = Decoded::open(file, encoding, limits)?;
    let opened = decoded.opened;
    if footer.num_lines > 0 {
        decoded.feed.reader = Box::new(WithoutFooter::new(decoded.feed.reader, footer));
    }
    let is_plain = decoded.is_stored_as_read() && footer.num_lines == 0;
    let (shown, size_bytes) = (&file.url, file.version.size_bytes);
    let blocks: Arc<dyn Blocks> = match (file.local(), file.parts(cut.start)) {
        (Some(local), _) if is_plain => Arc::new(PlainFile::new(Arc::clone(local), shown, size_bytes, cut)),
        (_, Some(parts)) if is_plain => Arc::new(FetchedBlocks::new(parts, shown, cut)),
        _ => Arc::new(StreamBlocks::start(decoded.feed, cut, READY_BLOCKS)?),
    };
    Ok((blocks, opened))
}

/// The beginning of a stream.
#[derive(Debug, Clone)]
pub struct Head {
    /// The first bytes.
    pub bytes: Vec<u8>,
    /// Whether the stream has no more.
    pub is_whole: bool,
    /// What the file was found to be.
    pub opened: Opened,
}

/// The first `max_bytes` of the decoded stream, fewer if it is shorter.
///
/// # Errors
/// As [`open`], and damage within these bytes.
pub fn head(file: &SourceFile, encoding: Encoding, limits: &Limits, max_bytes: usize) -> Result<Head> {
    let decoded = Decoded::open(file, encoding, limits)?;
    let opened = decoded.opened;
    let mut bytes = Vec::new();
    decoded
        .feed
        .reader
        .take(max_bytes as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| fault::from_io(error).in_file(decoded.feed.file))?;
    let is_whole = bytes.len() <= max_bytes;
    bytes.truncate(max_bytes);
    Ok(Head {
        bytes,
        is_whole,
        opened,
    })
}

/// The first `max_bytes` of a file, decompressed and in its own encoding: what is looked at to tell the encoding.
///
/// # Errors
/// The file cannot be opened, or not be decompressed.
pub fn raw_head(file: &SourceFile, limits: &Limits, max_bytes: usize) -> Result<RawHead> {
    let read = || {
        let (plain, compression) = decompressed(file, limits)?;
        let mut bytes = Vec::new();
        plain
            .take(max_bytes as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(fault::from_io)?;
        let is_whole = bytes.len() <= max_bytes;
        bytes.truncate(max_bytes);
        Ok(RawHead {
            bytes,
            is_whole,
            compression,
        })
    };
    read().map_err(|error: Error| error.in_file(&file.url))
}

/// The beginning of a file, not decoded.
#[derive(Debug, Clone)]
pub struct RawHead {
    /// The first bytes.
    pub bytes: Vec<u8>,
    /// Whether there are no more.
    pub is_whole: bool,
    /// How the file is compressed.
    pub compression: Compression,
}

/// A file whose decoded stream can be read.
struct Decoded {
    feed: Feed,
    opened: Opened,
}

/// A decompressed stream, not yet decoded.
type Plain = Box<dyn Read + Send>;

impl Decoded {
    fn open(file: &SourceFile, encoding: Encoding, limits: &Limits) -> Result<Self> {
        Self::build(file, encoding, limits).map_err(|error| error.in_file(&file.url))
    }

    fn build(file: &SourceFile, encoding: Encoding, limits: &Limits) -> Result<Self> {
        let (stored, compression) = stored(file)?;
        let stored_bytes = stored.counter();
        let mut plain = decompress(stored, compression, file.version.size_bytes, limits)?;
        let plain_head = read_head(&mut plain)?;
        if compression != Compression::None {
            check_packed_once(compression, Compression::of(&plain_head))?;
        }
        let encoding = encoding.resolve(&plain_head)?;
        let mark = bom(&plain_head);
        let plain: Plain = Box::new(Cursor::new(plain_head).chain(plain));
        let reader = match encoding {
            Encoding::Utf8 => plain,
            _ => Box::new(Transcoding::new(plain, encoding)),
        };
        Ok(Self {
            feed: Feed {
                reader,
                stored_bytes,
                file: file.url.clone(),
            },
            opened: Opened {
                compression,
                encoding,
                mark,
            },
        })
    }

    /// Whether the stream is the file, byte for byte.
    fn is_stored_as_read(&self) -> bool {
        self.opened.compression == Compression::None && self.opened.encoding == Encoding::Utf8
    }
}

/// The bytes as they are stored.
type StoredFile = Stored<Box<dyn Read + Send>>;

fn stored(file: &SourceFile) -> Result<(StoredFile, Compression)> {
    let compression = Compression::of(&file.head(SNIFFED_BYTES)?);
    Ok((Stored::new(file.reader()?, file.version.size_bytes), compression))
}

fn decompressed(file: &SourceFile, limits: &Limits) -> Result<(Plain, Compression)> {
    let (stored, compression) = stored(file)?;
    let plain = decompress(stored, compression, file.version.size_bytes, limits)?;
    Ok((plain, compression))
}

fn decompress(
    stored: StoredFile,
    compression: Compression,
    size_bytes: u64,
    limits: &Limits,
) -> Result<Plain> {
    Ok(match compression {
        Compression::None => Box::new(stored),
        Compression::Gzip => Box::new(Guard::new(Gunzip::new(stored), size_bytes, limits)),
        Compression::Zstd => Box::new(Guard::new(Unzstd::new(stored, limits)?, size_bytes, limits)),
        Compression::Unsupported(name) => {
            let message = format!("the file is in the format {name}, which is not read");
            return Err(Error::data("source_corrupt", message).hint(compression.remedy()));
        }
    })
}

fn read_head(plain: &mut Plain) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    plain
        .take(SNIFFED_BYTES as u64)
        .read_to_end(&mut head)
        .map_err(fault::from_io)?;
    Ok(head)
}

/// Fails when what was decompressed is packed once more.
fn check_packed_once(outer: Compression, inner: Compression) -> Result<()> {
    if inner == Compression::None {
        return Ok(());
    }
    let message = format!(
        "the {} file holds a {} file, not text",
        outer.name(),
        inner.name()
    );
    Err(Error::data("source_corrupt", message).hint("unpack it until the text itself is left"))
}

#[cfg(test)]
mod tests;
