//! Data to stdout.
//!
//! A query's batches go through a [`Sink`], one file a format. All of them read cells through [`cell::Cells`], so that
//! a value looks alike in every format: text in `table` and `csv`, the same text or a bare number in JSON. Start with
//! [`print`]; [`Object`] prints what is one object and no table, as the report of a run.

mod cell;
mod csv;
mod escape;
mod format;
mod json;
mod object;
mod parquet;
mod sink;
mod table;

pub use cell::Cells;
pub use csv::CsvSink;
pub use format::OutputFormat;
pub use object::Object;
pub use sink::{Next, Printed, Sink, print, print_batch};
