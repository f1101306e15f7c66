//! The customers to set back, staged in key order with their values before and after.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::prelude::{SessionContext, col};
use futures::TryStreamExt;

use crate::error::Result;
use crate::history::align::{align, comparing};
use crate::history::cells::{Aligned, THERE_AFTER, THERE_BEFORE};
use crate::history::difference::Difference;
use crate::merge::{ChangeSet, Columns, NullCells};
use crate::stage::{BatchStore, StageBudget, compact};
use crate::table::schemas::CUSTOMER_ID;
use crate::table::{KeyRange, Snapshot};

/// What is undone, as rows: `customer_id, record_no, there_before, there_after, before..., after...`. The record
/// numbers are counted here; they name a row in sets.
pub(super) struct Undo {
    /// The rows, sorted.
    pub rows: ChangeSet,
    /// The attributes.
    pub columns: Vec<String>,
}

impl Undo {
    /// Stages the customers that differ.
    ///
    /// # Errors
    /// A file cannot be read, or the disk is full.
    pub async fn stage(
        ctx: &SessionContext,
        budget: &StageBudget,
        base: &Snapshot,
        difference: &Difference,
        columns: Vec<String>,
    ) -> Result<Self> {
        let schema = schema(base, &columns)?;
        let mut store = BatchStore::new(Arc::clone(&schema), budget.clone());
        let mut ranges = Vec::new();
        let sorted = align(&comparing(&ctx.state()), base, difference, &columns)?
            .sort(vec![col(CUSTOMER_ID).sort(true, false)])?;
        let mut batches = sorted.execute_stream().await?;
        while let Some(batch) = batches.try_next().await? {
            let differing = Aligned::new(&batch)?.differing()?;
            let numbered = numbered(&differing, &schema, store.num_rows())?;
            if let Some(range) = key_range(&numbered) {
                ranges.push(range);
                store.push(compact(&numbered)?)?;
            }
        }
        let rows = ChangeSet::new(
            Arc::new(store),
            ranges,
            Columns {
                attributes: Vec::new(),
            },
        );
        Ok(Self { rows, columns })
    }

    /// One stored batch.
    ///
    /// # Errors
    /// The disk failed.
    pub fn batch(&self, number: usize) -> Result<RecordBatch> {
        self.rows.batch(number)
    }
}

/// Rows of an [`Undo`] as the pure algorithms take them: without their numbers.
///
/// # Errors
/// Rows of something else.
pub(super) fn without_numbers(rows: &RecordBatch) -> Result<RecordBatch> {
    let columns: Vec<usize> = std::iter::once(0).chain(2..rows.num_columns()).collect();
    Ok(rows.project(&columns)?)
}

fn schema(base: &Snapshot, columns: &[String]) -> Result<SchemaRef> {
    let mut fields: Vec<FieldRef> = vec![
        Arc::new(Field::new(CUSTOMER_ID, DataType::Utf8View, false)),
        Arc::new(Field::new("record_no", DataType::Int64, false)),
        Arc::new(Field::new(THERE_BEFORE, DataType::Boolean, false)),
        Arc::new(Field::new(THERE_AFTER, DataType::Boolean, false)),
    ];
    for prefix in ["b", "a"] {
        for (i, column) in columns.iter().enumerate() {
            let field = base.schema.field_with_name(column)?;
            fields.push(Arc::new(Field::new(
                format!("{prefix}{i}"),
                field.data_type().clone(),
                true,
            )));
        }
    }
    Ok(Arc::new(Schema::new(fields)))
}

fn numbered(differing: &RecordBatch, schema: &SchemaRef, numbered_rows: usize) -> Result<RecordBatch> {
    let first = numbered_rows as i64 + 1;
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(
        first..first + differing.num_rows() as i64,
    ));
    let mut columns = differing.columns().to_vec();
    columns.insert(1, numbers);
    let columns = columns
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| Ok(cast(column, field.data_type())?))
        .collect::<Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// Smallest and largest key of a sorted batch.
pub(super) fn key_range(batch: &RecordBatch) -> Option<KeyRange> {
    let keys = batch.column(0).as_string_view_opt()?;
    let last = keys.len().checked_sub(1)?;
    Some(KeyRange {
        min: keys.value(0).to_owned(),
        max: keys.value(last).to_owned(),
    })
}

/// Attributes of a change set whose NULLs clear: it sets what was, and nothing is a value too.
pub(super) fn clearing<'a>(names: impl IntoIterator<Item = &'a String>) -> Columns {
    Columns {
        attributes: names
            .into_iter()
            .map(|name| (name.clone(), NullCells::Clear))
            .collect(),
    }
}
