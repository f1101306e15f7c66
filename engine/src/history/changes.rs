//! What one run changed, a line for each customer.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, RecordBatch, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::empty::EmptyTable;

use super::align::{align, comparing, derived_table};
use super::cells::Aligned;
use super::diff::columns_of;
use super::difference::Difference;
use super::timeline::Timeline;
use super::versions::{in_log, not_in_log};
use crate::error::Result;
use crate::table::TableLog;
use crate::table::schemas::CUSTOMER_ID;

/// The columns of changes.
#[must_use]
pub fn changes_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new(CUSTOMER_ID, DataType::Utf8View, false),
        Field::new("change", DataType::Utf8, true),
        Field::new("attributes", DataType::new_list(DataType::Utf8, true), true),
    ]))
}

/// The customers that a run or a rollback inserted, updated or removed, with the names of the attributes whose values
/// changed. One that committed nothing changed nothing.
///
/// # Errors
/// Its versions are no longer in the log, or were vacuumed.
pub async fn changes(log: &TableLog, session: &dyn Session, run_id: &str) -> Result<Arc<dyn TableProvider>> {
    let timeline = Timeline::back_to(log, |commit| commit.run_id() == Some(run_id)).await?;
    let Some(commit) = timeline.of_run(run_id) else {
        return Ok(Arc::new(EmptyTable::new(changes_schema())));
    };
    let before = commit.version.checked_sub(1).ok_or_else(|| not_in_log(0))?;
    let (before, after) = (in_log(log, before).await?, in_log(log, commit.version).await?);
    let columns = columns_of(commit, &after);
    let difference = Difference::of(log, &before, &after).await?;
    let frame = align(&comparing(session), &after, &difference, &columns)?;
    derived_table(
        frame,
        changes_schema(),
        Arc::new(move |batch| lines(batch, &columns)),
    )
}

fn lines(batch: &RecordBatch, columns: &[String]) -> Result<RecordBatch> {
    let differing = Aligned::new(batch)?.differing()?;
    let aligned = Aligned::new(&differing)?;
    let rows = 0..differing.num_rows();
    let words: StringArray = rows.clone().map(|row| Some(aligned.change(row).word())).collect();
    let changed = (0..columns.len())
        .map(|attribute| aligned.changed(attribute))
        .collect::<Result<Vec<_>>>()?;
    let mut names = ListBuilder::new(StringBuilder::new());
    for row in rows {
        for (name, cells) in columns.iter().zip(&changed) {
            if cells.value(row) {
                names.values().append_value(name);
            }
        }
        names.append(true);
    }
    let made: Vec<ArrayRef> = vec![
        cast(aligned.keys(), &DataType::Utf8View)?,
        Arc::new(words),
        Arc::new(names.finish()),
    ];
    Ok(RecordBatch::try_new(changes_schema(), made)?)
}
