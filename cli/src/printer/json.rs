//! JSON: one array, or one object a line.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;

use super::cell::{Cells, write_object};
use super::sink::{Next, Sink, drain};

/// How rows stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// As one array.
    Array,
    /// As one object a line.
    Lines,
}

/// Writes an object a row, its names in the order of the columns.
pub struct JsonSink<W> {
    layout: Layout,
    out: W,
    text: String,
    rows: u64,
}

impl<W: Write> JsonSink<W> {
    /// Nothing written yet.
    pub fn new(layout: Layout, out: W) -> Self {
        Self {
            layout,
            out,
            text: String::new(),
            rows: 0,
        }
    }

    fn begin_row(&mut self) {
        match (self.layout, self.rows) {
            (Layout::Array, 0) => self.text.push('['),
            (Layout::Array, _) => self.text.push_str(",\n"),
            (Layout::Lines, _) => {}
        }
        self.rows += 1;
    }
}

impl<W: Write> Sink for JsonSink<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<Next, ArrowError> {
        let schema = batch.schema_ref();
        let named = schema.fields().iter().zip(batch.columns());
        let fields = named.map(|(field, column)| Ok((field.name().as_str(), Cells::of(column)?)));
        let fields: Vec<_> = fields.collect::<Result<_, ArrowError>>()?;
        for row in 0..batch.num_rows() {
            self.begin_row();
            write_object(&fields, row, &mut self.text)?;
            if self.layout == Layout::Lines {
                self.text.push('\n');
            }
            drain(&mut self.text, &mut self.out)?;
        }
        Ok(Next::More)
    }

    fn finish(&mut self) -> Result<(), ArrowError> {
        match (self.layout, self.rows) {
            (Layout::Array, 0) => self.out.write_all(b"[]\n")?,
            (Layout::Array, _) => self.out.write_all(b"]\n")?,
            (Layout::Lines, _) => {}
        }
        Ok(self.out.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array};

    use super::*;

    fn json(layout: Layout, batches: &[Vec<i64>]) -> String {
        let mut bytes = Vec::new();
        let mut sink = JsonSink::new(layout, &mut bytes);
        for numbers in batches {
            let column: ArrayRef = Arc::new(Int64Array::from(numbers.clone()));
            let batch = RecordBatch::try_from_iter([("n", column)]).unwrap();
            assert_eq!(sink.write(&batch).unwrap(), Next::More);
        }
        sink.finish().unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_rows_of_all_batches_are_one_array() {
        assert_eq!(
            json(Layout::Array, &[vec![1, 2], vec![], vec![3]]),
            "[{\"n\":1},\n{\"n\":2},\n{\"n\":3}]\n"
        );
    }

    #[test]
    fn no_row_is_an_empty_array_or_no_line() {
        assert_eq!(json(Layout::Array, &[]), "[]\n");
        assert_eq!(json(Layout::Lines, &[]), "");
    }

    #[test]
    fn a_line_is_an_object() {
        assert_eq!(json(Layout::Lines, &[vec![1], vec![2]]), "{\"n\":1}\n{\"n\":2}\n");
    }
}
