//! Delimited text, from bytes to positions. No I/O, no Arrow: every function here is pure.
//!
//! ```text
//!  chunk ──▶ Splitter ──▶ RecordTable ──▶ FieldSpan::bytes, unescape ──▶ values
//!              ▲               └─ malformed rows ──▶ raw ──▶ fields ──▶ messages
//!           Dialect
//! ```
//!
//! Start with [`Splitter`]: it finds the records of a file whatever way the file is cut into chunks, and keeps
//! the damage of a record from its neighbours. [`parse_header`] and [`suspect_delimiter`] judge the first
//! record; [`fields`](fn@fields) reads a single record again, well-formed or not.

pub mod dialect;
pub mod fields;
pub mod header;
pub mod split;

pub use dialect::{DEFAULT_RECORD_BYTES, Delimiter, Dialect, MAX_DELIMITER_BYTES, MAX_RECORD_BYTES, Newline};
pub use fields::{fields, unescape};
pub use header::{Header, InvalidName, SAMPLE_RECORDS, parse_header, suspect_delimiter};
pub use split::{
    End, FieldSelection, HEAD_BYTES, Linked, Linker, Malformed, Piece, Position, RecordTable, Shape,
    Speculation, Splitter, bom_len,
};
