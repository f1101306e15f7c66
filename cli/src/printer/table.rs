//! A table for people.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::pretty::pretty_format_batches_with_schema;

use super::cell::Cells;
use super::escape::for_terminal;
use super::sink::{Next, Sink};

/// Rows a table shows. Its columns are as wide as their widest cell, so all rows are held until the last is known.
const TABLE_ROWS: usize = 10_000;

/// Gathers rows as text and draws them at the end.
pub struct TableSink<W> {
    out: W,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    rows: usize,
}

impl<W: Write> TableSink<W> {
    /// Nothing gathered yet.
    pub fn new(schema: SchemaRef, out: W) -> Self {
        let fields = schema
            .fields()
            .iter()
            .map(|field| Field::new(field.name(), DataType::Utf8, true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Self {
            out,
            schema,
            batches: Vec::new(),
            rows: 0,
        }
    }
}

impl<W: Write> Sink for TableSink<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<Next, ArrowError> {
        let shown = batch.num_rows().min(TABLE_ROWS - self.rows);
        let columns = batch
            .columns()
            .iter()
            .map(|column| texts(column, shown))
            .collect::<Result<Vec<_>, _>>()?;
        if !columns.is_empty() {
            self.batches
                .push(RecordBatch::try_new(Arc::clone(&self.schema), columns)?);
        }
        self.rows += shown;
        Ok(if shown < batch.num_rows() {
            Next::Enough
        } else {
            Next::More
        })
    }

    fn finish(&mut self) -> Result<(), ArrowError> {
        let table = pretty_format_batches_with_schema(Arc::clone(&self.schema), &self.batches)?;
        writeln!(self.out, "{table}")?;
        Ok(self.out.flush()?)
    }
}

fn texts(column: &ArrayRef, rows: usize) -> Result<ArrayRef, ArrowError> {
    let cells = Cells::of(column)?;
    let texts = (0..rows).map(|row| cells.text(row).map(for_terminal));
    Ok(Arc::new(StringArray::from_iter_values(
        texts.collect::<Result<Vec<_>, _>>()?,
    )))
}

#[cfg(test)]
mod tests {
    use arrow::array::{BinaryArray, Int64Array};

    use super::*;

    fn drawn(batch: &RecordBatch) -> (String, Next) {
        let mut bytes = Vec::new();
        let mut sink = TableSink::new(batch.schema(), &mut bytes);
        let next = sink.write(batch).unwrap();
        sink.finish().unwrap();
        (String::from_utf8(bytes).unwrap(), next)
    }

    #[test]
    fn a_table_shows_null_as_nothing_and_bytes_as_text() {
        let lines: ArrayRef = Arc::new(Int64Array::from(vec![Some(2), None]));
        let raw: ArrayRef = Arc::new(BinaryArray::from(vec![b"a\xFF".as_slice(), b"\x1B[31m"]));
        let batch =
            RecordBatch::try_from_iter_with_nullable([("line", lines, true), ("raw", raw, true)]).unwrap();
        let expected = "\
+------+------------+
| line | raw        |
+------+------------+
| 2    | a\\xFF      |
|      | \\u{1b}[31m |
+------+------------+
";
        assert_eq!(drawn(&batch).0, expected);
    }

    #[test]
    fn a_table_without_rows_still_names_its_columns() {
        let none: ArrayRef = Arc::new(Int64Array::from(Vec::<i64>::new()));
        let (table, next) = drawn(&RecordBatch::try_from_iter([("run_no", none)]).unwrap());
        assert!(table.contains("| run_no |"), "{table}");
        assert_eq!(next, Next::More);
    }

    #[test]
    fn a_table_asks_for_no_more_rows_than_it_shows() {
        let many: ArrayRef = Arc::new(Int64Array::from_iter_values(0..TABLE_ROWS as i64 + 1));
        let (table, next) = drawn(&RecordBatch::try_from_iter([("n", many)]).unwrap());
        assert_eq!(next, Next::Enough);
        assert_eq!(table.lines().count(), TABLE_ROWS + 4);
    }
}
