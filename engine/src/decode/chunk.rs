//! One split chunk to record batches: the well-formed records typed, the malformed ones with their reason.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{
    ArrayRef, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder, StructArray, new_null_array,
};
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;

use super::cast::cast;
use super::csv::{Dialect, RecordTable, Shape};
use super::layout::{self, Layout};
use super::views::{ChunkEncoding, raw_bytes, texts};
use crate::error::Result;

/// A chunk of a file and where its records lie.
#[derive(Debug)]
pub struct Chunk {
    /// The bytes; it begins at a record.
    pub bytes: Buffer,
    /// The records.
    pub records: RecordTable,
    /// Where the table goes when the chunk is done with.
    pub pool: TablePool,
}

/// Record tables to be used again: a table is larger than its chunk, and fresh memory is dear.
#[derive(Debug, Clone, Default)]
pub struct TablePool(Arc<Mutex<Vec<RecordTable>>>);

impl TablePool {
    /// An empty table, a used one if there is one.
    #[must_use]
    pub fn take(&self) -> RecordTable {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
            .unwrap_or_default()
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let mut table = std::mem::take(&mut self.records);
        table.clear();
        self.pool
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(table);
    }
}

/// What a chunk decodes to.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// Well-formed records, in the schema that rules see.
    pub incoming: RecordBatch,
    /// Malformed records; `None` when there are none.
    pub malformed: Option<RecordBatch>,
}

/// Turns chunks into batches; plain data, shared by all tasks of a load.
#[derive(Debug, Clone)]
pub struct ChunkDecoder {
    layout: Layout,
    dialect: Dialect,
    /// Columns of `raw`; the splitter keeps exactly these fields, in this order.
    raw_columns: Vec<String>,
    /// For each column of the layout, its place among the raw columns.
    slots: Vec<usize>,
    /// Fields a record must have.
    expected_fields: usize,
    schema: SchemaRef,
}

impl ChunkDecoder {
    /// Decodes `layout` from records of which `raw_columns` were kept.
    #[must_use]
    pub fn new(layout: Layout, dialect: Dialect, raw_columns: Vec<String>, expected_fields: usize) -> Self {
        let slot = |source: &str| raw_columns.iter().position(|c| c == source).unwrap_or(usize::MAX);
        let slots = layout.columns().map(|column| slot(&column.source)).collect();
        let schema = layout.rule_schema(&raw_columns);
        Self {
            layout,
            dialect,
            raw_columns,
            slots,
            expected_fields,
            schema,
        }
    }

    /// The schema of [`Decoded::incoming`].
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Decodes one chunk.
    ///
    /// # Errors
    /// Only what arrow refuses to build; bad data is rows, not an error.
    pub fn decode(&self, chunk: &Chunk) -> Result<Decoded> {
        let records = &chunk.records;
        let is_good = |row: &usize| records.shape.get(*row) == Some(&Shape::WellFormed);
        let (good, bad): (Vec<usize>, Vec<usize>) = (0..records.len()).partition(is_good);
        let malformed = if bad.is_empty() {
            None
        } else {
            Some(self.malformed(chunk, &bad)?)
        };
        Ok(Decoded {
            incoming: self.incoming(chunk, &good)?,
            malformed,
        })
    }

    fn incoming(&self, chunk: &Chunk, rows: &[usize]) -> Result<RecordBatch> {
        let encoding = ChunkEncoding::of(chunk.bytes.as_slice());
        let mut raw: Vec<ArrayRef> = Vec::with_capacity(self.raw_columns.len());
        let mut faults: Vec<(usize, &str)> = Vec::new();
        for (slot, name) in self.raw_columns.iter().enumerate() {
            let column = texts(&chunk.bytes, &chunk.records, rows, slot, &self.dialect, encoding)?;
            if self.slots.contains(&slot) {
                faults.extend(column.invalid_rows.iter().map(|row| (*row, name.as_str())));
            }
            raw.push(Arc::new(column.texts));
        }
        let mut columns = positions(&chunk.records, rows);
        columns.push(raw_bytes(&chunk.bytes, &chunk.records, rows)?);
        columns.push(encoding_faults(rows.len(), &mut faults));
        for (column, slot) in self.layout.columns().zip(&self.slots) {
            columns.push(match raw.get(*slot) {
                Some(texts) => cast(arrow::array::AsArray::as_string_view(texts), column)?,
                None => new_null_array(&column.data_type(), rows.len()),
            });
        }
        let fields = layout::raw_fields(&self.raw_columns);
        columns.push(Arc::new(StructArray::try_new_with_length(
            fields,
            raw,
            None,
            rows.len(),
        )?));
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    fn malformed(&self, chunk: &Chunk, rows: &[usize]) -> Result<RecordBatch> {
        let mut columns = positions(&chunk.records, rows);
        columns.push(raw_bytes(&chunk.bytes, &chunk.records, rows)?);
        let reasons = rows
            .iter()
            .filter_map(|row| chunk.records.shape.get(*row))
            .map(|shape| reason(*shape, self.expected_fields, &self.dialect));
        columns.push(Arc::new(StringArray::from_iter_values(reasons)));
        Ok(RecordBatch::try_new(layout::malformed_schema(), columns)?)
    }
}

/// Why a record of this shape is malformed.
pub(super) fn reason(shape: Shape, expected_fields: usize, dialect: &Dialect) -> String {
    match shape {
        Shape::WellFormed => String::new(),
        Shape::FieldCount { found } => {
            let fields = if found == 1 { "field" } else { "fields" };
            format!("field count: {found} {fields} where the header has {expected_fields}")
        }
        Shape::StrayQuote => {
            "stray quote: a quote stands inside a field, or text follows a closing quote".to_owned()
        }
        Shape::UnterminatedQuote => "unterminated quote: a quoted field does not end".to_owned(),
        Shape::Oversized => {
            format!(
                "oversized: the record has more than {} bytes; its first part is kept",
                dialect.record_bytes
            )
        }
    }
}

fn positions(records: &RecordTable, rows: &[usize]) -> Vec<ArrayRef> {
    let column = |values: &[u64]| -> ArrayRef {
        let picked = rows
            .iter()
            .map(|row| values.get(*row).copied().unwrap_or_default() as i64);
        Arc::new(Int64Array::from_iter_values(picked))
    };
    vec![
        column(&records.record_no),
        column(&records.line),
        column(&records.byte_start),
        column(&records.byte_len),
    ]
}

/// One list of column names a row; NULL where all is well.
fn encoding_faults(num_rows: usize, faults: &mut [(usize, &str)]) -> ArrayRef {
    if faults.is_empty() {
        return new_null_array(layout::invalid_encoding_field().data_type(), num_rows);
    }
    faults.sort_by_key(|(row, _)| *row);
    let mut builder = ListBuilder::new(StringBuilder::new());
    let mut rest = &*faults;
    for row in 0..num_rows {
        let here = rest.iter().take_while(|(at, _)| *at == row).count();
        let (names, after) = rest.split_at(here);
        names
            .iter()
            .for_each(|(_, name)| builder.values().append_value(name));
        builder.append(here > 0);
        rest = after;
    }
    Arc::new(builder.finish())
}
