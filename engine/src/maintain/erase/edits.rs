//! What becomes of rows. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, RecordBatch, StringArray, StructArray, make_array,
    new_null_array,
};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{and_not, cast, filter_record_batch, not};
use arrow::datatypes::{DataType, Int64Type};

use super::needle::Needle;
use crate::error::{Error, Result};
use crate::table::schemas::CUSTOMER_ID;

/// Rejects that left, by process and run.
pub(super) type Left = BTreeMap<(String, String), Vec<i64>>;

/// What a reject loses that stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payload {
    /// Values and bytes: they name somebody else.
    Content,
    /// These and the customer.
    Whole,
}

/// The rows of a batch of rejects that go, and those that stay without their payload.
#[derive(Debug, Clone)]
pub(super) struct RejectRows {
    /// They go.
    pub gone: BooleanArray,
    /// They lose their payload.
    pub blanked: BooleanArray,
    /// How much of it.
    pub payload: Payload,
}

impl RejectRows {
    /// Of a batch with any of the columns of `rejects`: the records of the customer go, and those of nobody that name
    /// it; other records that name it lose their payload.
    ///
    /// # Errors
    /// None but what arrow refuses.
    pub fn naming(batch: &RecordBatch, needle: &Needle) -> Result<Self> {
        let keys = texts(batch, CUSTOMER_ID)?;
        let raw = cast(column(batch, "raw")?, &DataType::BinaryView)?;
        let raw = raw.as_binary_view();
        let values = reason_values(batch, needle)?;
        let names = |row: usize| raw.is_valid(row) && needle.is_named_in_record(raw.value(row));
        let of_nobody = |row: usize| raw.is_valid(row) && needle.is_word_of_record(raw.value(row));
        let rows = 0..batch.num_rows();
        let gone: BooleanArray = rows
            .clone()
            .map(|row| {
                Some(match keys.is_valid(row) {
                    true => keys.value(row) == needle.id(),
                    false => of_nobody(row),
                })
            })
            .collect();
        let named: BooleanArray = rows.map(|row| Some(values[row] || names(row))).collect();
        Ok(Self {
            blanked: and_not(&named, &gone)?,
            gone,
            payload: Payload::Content,
        })
    }

    /// Whether every row stays as it is.
    pub fn is_none(&self) -> bool {
        self.gone.true_count() == 0 && self.blanked.true_count() == 0
    }

    /// The rows that stay; those that go are added to `left`.
    ///
    /// # Errors
    /// Rows of something else.
    pub fn apply(&self, batch: &RecordBatch, left: &mut Left) -> Result<RecordBatch> {
        let (processes, runs) = (texts(batch, "process")?, texts(batch, "run_id")?);
        let records = column(batch, "record_no")?.as_primitive::<Int64Type>();
        for row in self.gone.values().set_indices() {
            let of = (processes.value(row).to_owned(), runs.value(row).to_owned());
            left.entry(of).or_default().push(records.value(row));
        }
        Ok(filter_record_batch(&self.blank(batch)?, &not(&self.gone)?)?)
    }

    /// The same rows, some without their payload.
    fn blank(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        if self.blanked.true_count() == 0 {
            return Ok(batch.clone());
        }
        let mut columns = batch.columns().to_vec();
        let lost = match self.payload {
            Payload::Content => vec!["raw"],
            Payload::Whole => vec![CUSTOMER_ID, "raw"],
        };
        for name in lost {
            let position = batch.schema().index_of(name)?;
            columns[position] = without(&self.blanked, &columns[position])?;
        }
        let position = batch.schema().index_of("reasons")?;
        columns[position] = self.without_values(&columns[position])?;
        Ok(RecordBatch::try_new(batch.schema(), columns)?)
    }

    fn without_values(&self, reasons: &ArrayRef) -> Result<ArrayRef> {
        let list: &ListArray = reasons
            .as_list_opt()
            .ok_or_else(|| Error::runtime("the reasons of rejects are no lists"))?;
        let items = list.values().as_struct();
        let mut blanked = vec![false; items.len()];
        for row in self.blanked.values().set_indices() {
            let (from, to) = (
                list.value_offsets()[row] as usize,
                list.value_offsets()[row + 1] as usize,
            );
            if let Some(items) = blanked.get_mut(from..to) {
                items.fill(true);
            }
        }
        let blanked = BooleanArray::from(blanked);
        let mut children = items.columns().to_vec();
        if let Some((position, _)) = items.fields().find("value") {
            children[position] = without(&blanked, &children[position])?;
        }
        let items = StructArray::try_new(items.fields().clone(), children, items.nulls().cloned())?;
        let DataType::List(field) = list.data_type() else {
            return Ok(make_array(list.to_data()));
        };
        Ok(Arc::new(ListArray::try_new(
            Arc::clone(field),
            list.offsets().clone(),
            Arc::new(items),
            list.nulls().cloned(),
        )?))
    }
}

/// The column with NULL where `rows` is true.
fn without(rows: &BooleanArray, of: &ArrayRef) -> Result<ArrayRef> {
    let none = new_null_array(of.data_type(), of.len());
    Ok(zip(rows, &none, of)?)
}

/// For each row, whether a value that its reasons show names the customer.
fn reason_values(batch: &RecordBatch, needle: &Needle) -> Result<Vec<bool>> {
    let list: &ListArray = column(batch, "reasons")?
        .as_list_opt()
        .ok_or_else(|| Error::runtime("the reasons of rejects are no lists"))?;
    let values = list.values().as_struct().column_by_name("value");
    let values = values
        .map(|values| cast(values, &DataType::Utf8View))
        .transpose()?;
    let Some(values) = values else {
        return Ok(vec![false; batch.num_rows()]);
    };
    let values = values.as_string_view();
    let names = |row: usize| {
        let items = list.value_offsets()[row] as usize..list.value_offsets()[row + 1] as usize;
        items
            .into_iter()
            .any(|item| values.is_valid(item) && needle.is_named_in(values.value(item)))
    };
    Ok((0..batch.num_rows()).map(names).collect())
}

/// The batch with the id taken out of these columns of text.
///
/// # Errors
/// None but what arrow refuses.
pub(super) fn scrubbed(batch: &RecordBatch, names: &[&str], needle: &Needle) -> Result<RecordBatch> {
    let mut columns = batch.columns().to_vec();
    for name in names {
        let position = batch.schema().index_of(name)?;
        let old = texts(batch, name)?;
        let new: StringArray = old
            .as_string_view()
            .iter()
            .map(|text| text.map(|text| needle.taken_out_of(text)))
            .collect();
        columns[position] = cast(&new, columns[position].data_type())?;
    }
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

/// Whether one of these columns of text names the customer.
///
/// # Errors
/// None but what arrow refuses.
pub(super) fn is_named(batch: &RecordBatch, names: &[&str], needle: &Needle) -> Result<bool> {
    for name in names {
        let mut texts = texts(batch, name)?;
        if texts.next_named(needle) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The customers of a batch but one.
///
/// # Errors
/// A batch without customers.
pub(super) fn without_customer(batch: &RecordBatch, needle: &Needle) -> Result<RecordBatch> {
    let keys = texts(batch, CUSTOMER_ID)?;
    let stays: BooleanArray = keys
        .as_string_view()
        .iter()
        .map(|key| Some(key != Some(needle.id())))
        .collect();
    Ok(filter_record_batch(batch, &stays)?)
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    batch
        .column_by_name(name)
        .ok_or_else(|| Error::runtime(format!("a file has no column {name}")))
}

/// A column of texts, whatever their type.
pub(super) struct Texts(ArrayRef);

pub(super) fn texts(batch: &RecordBatch, name: &str) -> Result<Texts> {
    Ok(Texts(cast(column(batch, name)?, &DataType::Utf8View)?))
}

impl Texts {
    pub fn is_valid(&self, row: usize) -> bool {
        self.0.is_valid(row)
    }

    pub fn value(&self, row: usize) -> &str {
        self.0.as_string_view().value(row)
    }

    fn as_string_view(&self) -> &arrow::array::StringViewArray {
        self.0.as_string_view()
    }

    fn next_named(&mut self, needle: &Needle) -> bool {
        let mut texts = self.as_string_view().iter().flatten();
        texts.any(|text| needle.is_named_in(text))
    }
}
