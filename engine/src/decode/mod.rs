//! Decode: bytes to typed Arrow batches, at most one copy of a cell.
//!
//! ```text
//!   file ─▶ CsvFile (header, dialect) ─▶ chunks ─▶ csv::Splitter ─▶ Chunk { bytes, positions }
//!                                                                       │
//!             Decoded { incoming: typed rows + raw texts, malformed } ◀─┘ ChunkDecoder
//! ```
//!
//! [`csv`] is pure: chunk in, positions out. [`cell`] parses one text. [`ChunkDecoder`] puts both into Arrow arrays:
//! texts are views into the chunk. [`Layout`] says, as plain data, which columns are wanted and of what type.

mod cast;
pub mod cell;
mod chunk;
pub mod csv;
pub mod layout;
mod open;
mod stream;
mod views;

pub use cast::cast;
pub use chunk::{Chunk, ChunkDecoder, Decoded};
pub use layout::{Blanks, CellColumn, CellKind, Layout, Strip};
pub use open::{CsvFile, CsvOptions, Header};
pub use stream::{LoadMeter, chunks, decoded};
