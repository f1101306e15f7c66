//! The bytes of a file, decompressed and in UTF-8, block by block.
//!
//! ```text
//!   UTF-8, uncompressed, here ────────────────────────────────▶ PlainFile ─────┐  (pread)
//!   UTF-8, uncompressed, elsewhere ───────────────────────────▶ FetchedBlocks ─┼─▶ Blocks ─▶ Block, Block, ...
//!   Stored ─▶ Gunzip, Unzstd ─▶ Guard ─▶ Transcoding ─▶ Cutter ─▶ StreamBlocks ─┘
//!   (any)     decompress        limits   to UTF-8       blocks    (thread)
//! ```
//!
//! Start with [`open()`]: it looks at the content, builds the shortest way that serves, and gives [`Blocks`], which any
//! number of threads may ask. [`head()`] gives the first bytes alone. A [`Block`] has a look-ahead, so that a record
//! that straddles a cut is whole in the block it starts in. What [`Encoding`] cannot decode stays recognisable:
//! [`Encoding::restore`] gives the original bytes of any text of the stream.

mod block;
mod compression;
mod cutter;
pub mod encoding;
mod failure;
mod fault;
mod fetched;
mod footer;
mod gunzip;
pub mod limits;
mod open;
mod plain;
mod pool;
mod stored;
mod stream;
#[cfg(test)]
mod testing;
mod transcode;
mod unzstd;

pub use block::{Block, Blocks, Cut, PADDING_BYTES};
pub use compression::Compression;
pub use encoding::{Encoding, bom};
pub use footer::Footer;
pub use limits::Limits;
pub use open::{Head, Opened, RawHead, head, open, raw_head};
pub use plain::PlainFile;
pub use stream::{Feed, StreamBlocks};
pub use transcode::{CutOff, Transcoder, Transcoding};
