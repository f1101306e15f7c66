//! A kept record read again: for messages, and for `raw`.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;

use super::csv::{Dialect, End, fields};
use super::json::{JsonSplitter, TextTable};
use super::layout::RAW_BYTES;
use super::parquet::row_json;
use crate::error::Result;

/// The bytes of these records of a staged batch; a row of a typed file is the JSON of its columns.
///
/// # Errors
/// A batch without records, or a row of a type that is none.
pub fn record_bytes<'a>(batch: &'a RecordBatch, rows: &[usize]) -> Result<Vec<Cow<'a, [u8]>>> {
    let records = batch.column(batch.schema_ref().index_of(RAW_BYTES)?);
    Ok(match records.as_struct_opt() {
        Some(typed) => {
            let columns = RecordBatch::try_new_with_options(
                Arc::new(Schema::new(typed.fields().clone())),
                typed.columns().to_vec(),
                &RecordBatchOptions::new().with_row_count(Some(typed.len())),
            )?;
            row_json(&columns, rows)?.into_iter().map(Cow::Owned).collect()
        }
        None => {
            let bytes = records.as_binary_view();
            rows.iter().map(|row| Cow::Borrowed(bytes.value(*row))).collect()
        }
    })
}

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
