//! Parquet to the same columns of texts that delimited files give.
//!
//! ```text
//!  file ─▶ ParquetFile (columns, row groups) ─▶ Batches of 8,192 rows ─▶ texts ─▶ the casts of every source
//!                                                        └─▶ row_json ─▶ `raw` of the rows asked for
//! ```
//!
//! A typed value becomes the text that [`cell`](super::cell) reads back without loss, if the wanted type can hold
//! it at all: a price of `5.00` is `5` and fits an `int`, a time with nanoseconds has nine decimals and fits no
//! `timestamp`. Start with [`ParquetFile`]; [`texts`](fn@texts) and [`row_json`](fn@row_json) are pure. `number` and
//! `calendar` write single values, `json` writes what is nested.

mod access;
mod calendar;
mod fault;
mod json;
mod number;
mod reader;
mod row_json;
mod texts;

#[cfg(test)]
mod tests;

pub use reader::{BATCH_ROWS, Batches, ParquetFile, RowGroup};
pub use row_json::row_json;
pub use texts::{TextColumn, texts, texts_of};
