//! Decode: bytes to typed Arrow batches, at most one copy of a cell.
//!
//! ```text
//!   file ─▶ OpenFile (header, dialect) ─▶ chunks ─▶ csv::Splitter ─▶ Chunk { bytes, positions }
//!                                                                       │
//!             Decoded { incoming: typed rows + raw texts, malformed } ◀─┘ ChunkDecoder
//! ```
//!
//! [`csv`] is pure: chunk in, positions out. [`cell`] parses one text. [`ChunkDecoder`] puts both into Arrow arrays:
//! texts are views into the chunk. [`Layout`] says, as plain data, which columns are wanted and of what type.

pub mod bytes;
mod cast;
pub mod cell;
mod cell_view;
mod chunk;
pub mod csv;
mod feed;
pub mod json;
mod kept;
pub mod layout;
mod open;
pub mod parquet;
mod record;
mod stream;
mod suspicious;
mod views;

pub use cast::cast;
pub use chunk::{Chunk, ChunkDecoder, Decoded, RowChunk, TextChunk};
pub use kept::{KEPT_RAW, Kept, KeptChunk};
pub use layout::{Blanks, CellColumn, CellKind, Layout, Strip};
pub use open::{ColumnNames, Content, FileFormat, Header, OpenFile, ReadOptions};
pub use record::{RecordReader, record_bytes};
pub use stream::{LoadMeter, process};
