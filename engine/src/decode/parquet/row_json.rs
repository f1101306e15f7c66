//! Whole rows as JSON, for those that are rejected.
//!
//! ```text
//!  id Int64, price Decimal(9,2), name Utf8, tags List      7, 5.10, Ann, [a]
//!  {"id":7,"price":5.1,"name":"Ann","tags":["a"]}          read as NDJSON: the very texts of the columns
//! ```

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::compute::{cast, take_record_batch};
use arrow::datatypes::{DataType, Field};

use super::json::{push_bare_or_string, push_string};
use super::texts::{JsonForm, TextColumn, texts};
use crate::error::{Error, Result};

/// These rows of `batch`, each as one object of all columns in their order. What a column says of a row here is what
/// [`texts_of`](fn@super::texts_of) says of it; NULL is `null`, bytes that are no text stay none.
///
/// # Errors
/// A row that `batch` has not, or what [`texts`](fn@texts) fails at.
pub fn row_json(batch: &RecordBatch, rows: &[usize]) -> Result<Vec<Vec<u8>>> {
    if let Some(row) = rows.iter().find(|row| **row >= batch.num_rows()) {
        return Err(Error::runtime(format!(
            "row {row} of a batch of {} was asked for",
            batch.num_rows()
        )));
    }
    let rows: UInt64Array = rows.iter().map(|row| *row as u64).collect();
    let batch = take_record_batch(batch, &rows)?;
    let mut objects = vec![vec![b'{']; batch.num_rows()];
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        let column = Column::new(field, column)?;
        for (row, object) in objects.iter_mut().enumerate() {
            if object.len() > 1 {
                object.push(b',');
            }
            push_string(object, field.name().as_bytes());
            object.push(b':');
            column.push(object, row);
        }
    }
    objects.iter_mut().for_each(|object| object.push(b'}'));
    Ok(objects)
}

/// A column and how it stands in JSON.
struct Column {
    values: TextColumn,
    form: JsonForm,
    /// The values themselves, where some are no text.
    bytes: Option<ArrayRef>,
}

impl Column {
    fn new(field: &Field, column: &ArrayRef) -> Result<Self> {
        let values = texts(column)?;
        let bytes = if values.invalid_rows.is_empty() {
            None
        } else {
            Some(binary(column)?)
        };
        Ok(Self {
            values,
            form: JsonForm::of(field),
            bytes,
        })
    }

    fn push(&self, object: &mut Vec<u8>, row: usize) {
        let texts = &self.values.texts;
        match (self.form, &self.bytes) {
            (_, Some(bytes)) if bytes.is_valid(row) => push_string(object, bytes.as_binary_view().value(row)),
            _ if texts.is_null(row) => object.extend_from_slice(b"null"),
            (JsonForm::Number, _) => push_bare_or_string(object, texts.value(row)),
            (JsonForm::Bare, _) => object.extend_from_slice(texts.value(row).as_bytes()),
            (JsonForm::String, _) => push_string(object, texts.value(row).as_bytes()),
        }
    }
}

fn binary(column: &ArrayRef) -> Result<ArrayRef> {
    match column.data_type() {
        DataType::Dictionary(_, values) => binary(&cast(column, values)?),
        _ => Ok(cast(column, &DataType::BinaryView)?),
    }
}
