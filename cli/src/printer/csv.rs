//! Comma separated values as RFC 4180 has them, with LF.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;

use super::cell::Cells;
use super::sink::{Next, Sink, drain};

/// Writes a header, then a record a row. NULL is the empty field, the empty text is `""`.
pub struct CsvSink<W> {
    out: W,
    text: String,
    cell: String,
}

impl<W: Write> CsvSink<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// The writer's.
    pub fn new(schema: &Schema, out: W) -> Result<Self, ArrowError> {
        let mut sink = Self {
            out,
            text: String::new(),
            cell: String::new(),
        };
        for (number, field) in schema.fields().iter().enumerate() {
            divide(number, &mut sink.text);
            push_field(field.name(), &mut sink.text);
        }
        sink.text.push('\n');
        drain(&mut sink.text, &mut sink.out)?;
        Ok(sink)
    }
}

impl<W: Write> Sink for CsvSink<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<Next, ArrowError> {
        let columns = batch
            .columns()
            .iter()
            .map(Cells::of)
            .collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            for (number, cells) in columns.iter().enumerate() {
                divide(number, &mut self.text);
                // A record of one empty field would be a line of no bytes, which is no record.
                if cells.is_null(row) && columns.len() > 1 {
                    continue;
                }
                self.cell.clear();
                cells.write_text(row, &mut self.cell)?;
                push_field(&self.cell, &mut self.text);
            }
            self.text.push('\n');
            drain(&mut self.text, &mut self.out)?;
        }
        Ok(Next::More)
    }

    fn finish(&mut self) -> Result<(), ArrowError> {
        Ok(self.out.flush()?)
    }
}

fn divide(number: usize, text: &mut String) {
    if number > 0 {
        text.push(',');
    }
}

fn push_field(field: &str, text: &mut String) {
    if !field.is_empty() && !field.contains([',', '"', '\n', '\r']) {
        text.push_str(field);
        return;
    }
    text.push('"');
    for c in field.chars() {
        if c == '"' {
            text.push('"');
        }
        text.push(c);
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    fn csv(columns: Vec<(&str, ArrayRef)>) -> String {
        let batch =
            RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
        let mut bytes = Vec::new();
        let mut sink = CsvSink::new(batch.schema_ref(), &mut bytes).unwrap();
        assert_eq!(sink.write(&batch).unwrap(), Next::More);
        sink.finish().unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn null_is_the_empty_field_and_the_empty_text_is_quoted() {
        let notes: ArrayRef = Arc::new(StringArray::from(vec![None, Some(""), Some("x")]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]));
        assert_eq!(
            csv(vec![("n", numbers), ("note", notes)]),
            "n,note\n1,\n,\"\"\n3,x\n"
        );
    }

    #[test]
    fn a_null_alone_in_its_record_leaves_no_blank_line() {
        let notes: ArrayRef = Arc::new(StringArray::from(vec![None, Some("x")]));
        assert_eq!(csv(vec![("note", notes)]), "note\n\"\"\nx\n");
    }

    #[test]
    fn what_would_divide_is_quoted_and_quotes_are_doubled() {
        let notes: ArrayRef = Arc::new(StringArray::from(vec![
            "a,b",
            "say \"no\"",
            "two\nlines",
            "cr\r",
            " plain ",
        ]));
        let expected = "\"a,b\"\n\"a,b\"\n\"say \"\"no\"\"\"\n\"two\nlines\"\n\"cr\r\"\n plain \n";
        assert_eq!(csv(vec![("a,b", notes)]), expected);
    }
}
