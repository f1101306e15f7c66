//! Rejected records as rows of the `rejects` table.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BinaryArray, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder,
    StructBuilder, TimestampMicrosecondArray, UInt32Array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field};

use super::Verdicts;
use crate::decode::bytes::Encoding;
use crate::decode::layout::MALFORMED;
use crate::decode::{RecordReader, record_bytes};
use crate::error::Result;
use crate::table::schemas::{self, CUSTOMER_ID};
use crate::validate::{Check, Rule};

/// Characters of a cell that a reason shows.
const VALUE_CHARACTERS: usize = 256;

/// What all rejects of a run share.
#[derive(Debug, Clone)]
pub struct RejectOrigin {
    /// The run.
    pub run_id: String,
    /// Its process.
    pub process: String,
    /// The source file's full name.
    pub source_file: String,
    /// When the run rejected them, UTC microseconds.
    pub rejected_at_micros: i64,
}

/// Builds rows of `rejects` from staged and malformed batches.
#[derive(Debug)]
pub struct RejectBuilder {
    /// What all rows share.
    pub origin: RejectOrigin,
    /// How the source is written: cells are read again from the record's bytes.
    pub reader: RecordReader,
    /// The source's columns.
    pub columns: Vec<String>,
    /// The encoding that `raw` is given back in.
    pub encoding: Encoding,
}

/// The rules that one rejected row broke.
struct Broken {
    row: usize,
    rules: Vec<u16>,
}

impl RejectBuilder {
    /// The rejected rows of a staged batch; `None` when there are none.
    ///
    /// # Errors
    /// A batch that was not staged by a run.
    pub fn from_staged(&self, batch: &RecordBatch, verdicts: &Verdicts) -> Result<Option<RecordBatch>> {
        let mut broken = Vec::new();
        verdicts.each_broken(batch, |row, _, rules| {
            if verdicts.rejects(rules) {
                broken.push(Broken {
                    row,
                    rules: rules.to_vec(),
                });
            }
            Ok(())
        })?;
        if broken.is_empty() {
            return Ok(None);
        }
        let customer_id = Arc::clone(batch.column(batch.schema().index_of(CUSTOMER_ID)?));
        let rows: Vec<usize> = broken.iter().map(|b| b.row).collect();
        let records = record_bytes(batch, &rows)?;
        let (mut rules, mut reasons) = builders();
        for (Broken { rules: numbers, .. }, record) in broken.iter().zip(&records) {
            let rejecting = numbers.iter().filter_map(|n| verdicts.rules.get(*n as usize));
            let rejecting: Vec<&Rule> = rejecting
                .filter(|rule| rule.severity == crate::validate::Severity::Reject)
                .collect();
            self.append(&mut rules, &mut reasons, &rejecting, record, None);
        }
        let rows = UInt32Array::from_iter_values(rows.iter().map(|row| *row as u32));
        let customer_id = arrow::compute::cast(&take(&customer_id, &rows, None)?, &DataType::Utf8)?;
        Ok(Some(self.finish(
            batch,
            &rows,
            &records,
            customer_id,
            rules,
            reasons,
        )?))
    }

    /// All rows of a malformed batch.
    ///
    /// # Errors
    /// A batch that was not made by the decoder.
    pub fn from_malformed(&self, batch: &RecordBatch, rules: &[Rule]) -> Result<RecordBatch> {
        let messages = batch
            .column(batch.schema().index_of(MALFORMED)?)
            .as_string::<i32>();
        let malformed: Vec<&Rule> = rules
            .iter()
            .filter(|rule| rule.check == Check::Malformed)
            .collect();
        let (mut names, mut reasons) = builders();
        for message in messages {
            self.append(&mut names, &mut reasons, &malformed, &[], message);
        }
        let all: Vec<usize> = (0..batch.num_rows()).collect();
        let records = record_bytes(batch, &all)?;
        let rows = UInt32Array::from_iter_values(0..batch.num_rows() as u32);
        let customer_id = arrow::array::new_null_array(&DataType::Utf8, batch.num_rows());
        self.finish(batch, &rows, &records, customer_id, names, reasons)
    }

    fn append(
        &self,
        names: &mut ListBuilder<StringBuilder>,
        reasons: &mut ListBuilder<StructBuilder>,
        broken: &[&Rule],
        record: &[u8],
        message: Option<&str>,
    ) {
        let cells = if broken.iter().any(|rule| rule.column.is_some()) {
            self.reader.cells(record)
        } else {
            Vec::new()
        };
        let mut last = "";
        for rule in broken {
            if rule.id != last {
                names.values().append_value(&rule.id);
                last = &rule.id;
            }
            let position = rule
                .column
                .as_ref()
                .and_then(|name| self.columns.iter().position(|c| c == name));
            let cell = position.and_then(|position| cells.get(position));
            let value = cell.map(|cell| {
                String::from_utf8_lossy(cell)
                    .chars()
                    .take(VALUE_CHARACTERS)
                    .collect::<String>()
            });
            let texts = [
                Some(rule.id.as_str()),
                rule.column.as_deref(),
                value.as_deref(),
                Some(message.unwrap_or(&rule.message)),
            ];
            for (field, text) in texts.into_iter().enumerate() {
                if let Some(builder) = reasons.values().field_builder::<StringBuilder>(field) {
                    builder.append_option(text);
                }
            }
            reasons.values().append(true);
        }
        names.append(true);
        reasons.append(true);
    }

    fn finish(
        &self,
        batch: &RecordBatch,
        rows: &UInt32Array,
        records: &[Cow<'_, [u8]>],
        customer_id: ArrayRef,
        mut rules: ListBuilder<StringBuilder>,
        mut reasons: ListBuilder<StructBuilder>,
    ) -> Result<RecordBatch> {
        let all = |text: &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n(
                text,
                rows.len(),
            )))
        };
        let as_written = |record| match self.encoding {
            Encoding::Utf8 => Cow::Borrowed(record),
            encoding => Cow::Owned(encoding.restore(record)),
        };
        let raw: BinaryArray = records
            .iter()
            .map(|record| Some(as_written(record.as_ref())))
            .collect();
        let mut columns = vec![
            all(&self.origin.run_id),
            all(&self.origin.process),
            all(&self.origin.source_file),
        ];
        for position in 0..4 {
            columns.push(take(batch.column(position), rows, None)?);
        }
        let at = Int64Array::from(vec![self.origin.rejected_at_micros; rows.len()]);
        let at = TimestampMicrosecondArray::new(at.values().clone(), None).with_timezone("UTC");
        columns.extend::<[ArrayRef; 5]>([
            customer_id,
            Arc::new(rules.finish()),
            Arc::new(reasons.finish()),
            Arc::new(raw),
            Arc::new(at),
        ]);
        Ok(RecordBatch::try_new(schemas::rejects(), columns)?)
    }
}

fn builders() -> (ListBuilder<StringBuilder>, ListBuilder<StructBuilder>) {
    let element = |data_type| Field::new("element", data_type, true);
    let reason = StructBuilder::from_fields(schemas::reason_fields(), 64);
    (
        ListBuilder::new(StringBuilder::new()).with_field(element(DataType::Utf8)),
        ListBuilder::new(reason).with_field(element(DataType::Struct(schemas::reason_fields()))),
    )
}
