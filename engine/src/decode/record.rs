//! A kept record read again: for messages, and for `raw`.

use std::borrow::Cow;

use super::csv::{Dialect, End, fields};
use super::json::{JsonSplitter, TextTable};

/// How the records of a file are written.
#[derive(Debug, Clone)]
pub enum RecordReader {
    /// Delimited text.
    Csv(Dialect),
    /// A JSON object; its columns are these keys.
    Json(Box<JsonSplitter>),
}

impl RecordReader {
    /// The reader of JSON objects with these columns.
    #[must_use]
    pub fn json(columns: &[String]) -> Self {
        Self::Json(Box::new(JsonSplitter::new(columns, u64::MAX)))
    }

    /// The cells of a record, in the order of the file's columns; of a malformed one as far as they can be told.
    #[must_use]
    pub fn cells<'a>(&self, record: &'a [u8]) -> Vec<Cow<'a, [u8]>> {
        match self {
            Self::Csv(dialect) => fields(record, dialect),
            Self::Json(splitter) => {
                let mut table = TextTable::default();
                let _ = splitter
                    .as_ref()
                    .clone()
                    .split(record, record.len(), End::Last, &mut table);
                let num_columns = if table.num_rows() == 1 {
                    table.columns.len()
                } else {
                    0
                };
                (0..num_columns)
                    .map(|column| Cow::Owned(table.cell(column, 0, record)))
                    .collect()
            }
        }
    }
}
