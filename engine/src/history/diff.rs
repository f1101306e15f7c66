//! What differs between two versions, a line for each cell.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder, UInt32Array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};

use super::align::{align, comparing, derived_table};
use super::cells::{Aligned, Texts};
use super::difference::Difference;
use super::timeline::{Commit, CommitKind, Timeline};
use super::versions::in_log;
use crate::error::Result;
use crate::plan::owner_of;
use crate::table::schemas::CUSTOMER_ID;
use crate::table::{Snapshot, TableLog};

/// The columns of a diff.
#[must_use]
pub fn diff_schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    Arc::new(Schema::new(vec![
        Field::new(CUSTOMER_ID, DataType::Utf8View, false),
        text("change"),
        text("attribute"),
        text("before"),
        text("after"),
    ]))
}

/// The customers and cells in which version `to` differs from version `from`, which may be the later one.
///
/// # Errors
/// A version that is not there or was vacuumed.
pub async fn diff(
    log: &TableLog,
    session: &dyn Session,
    from: u64,
    to: u64,
) -> Result<Arc<dyn TableProvider>> {
    let (before, after) = (in_log(log, from).await?, in_log(log, to).await?);
    let newer = if from > to { &before } else { &after };
    let columns = columns_between(log, newer, from.min(to)).await?;
    let difference = Difference::of(log, &before, &after).await?;
    let frame = align(&comparing(session), newer, &difference, &columns)?;
    derived_table(
        frame,
        diff_schema(),
        Arc::new(move |batch| lines(batch, &columns)),
    )
}

/// The attributes that a commit after `oldest` may have changed, in the order of the table.
///
/// # Errors
/// The log cannot be read.
pub async fn columns_between(log: &TableLog, newest: &Snapshot, oldest: u64) -> Result<Vec<String>> {
    let timeline = Timeline::back_to(log, |commit| commit.version == oldest + 1).await?;
    let mut columns = attributes(newest);
    let commits = timeline.commits();
    if commits.first().is_none_or(|first| first.version > oldest + 1) {
        return Ok(columns);
    }
    let mut wanted = BTreeSet::new();
    for commit in commits.iter().filter(|commit| commit.version <= newest.version) {
        if !matches!(commit.kind, CommitKind::Optimize | CommitKind::Settled) {
            wanted.extend(columns_of(commit, newest));
        }
    }
    columns.retain(|column| wanted.contains(column));
    Ok(columns)
}

/// The attributes that a commit may have changed: a run those of its process, anything else all.
#[must_use]
pub fn columns_of(commit: &Commit, base: &Snapshot) -> Vec<String> {
    let mut columns = attributes(base);
    if let (CommitKind::Run, Some(process)) = (commit.kind, commit.process()) {
        columns.retain(|column| owner_of(base, column).as_deref() == Some(process));
    }
    columns
}

/// All columns but the key.
fn attributes(base: &Snapshot) -> Vec<String> {
    let names = base.schema.fields().iter().map(|field| field.name().clone());
    names.filter(|name| name != CUSTOMER_ID).collect()
}

fn lines(batch: &RecordBatch, columns: &[String]) -> Result<RecordBatch> {
    let aligned = Aligned::new(batch)?;
    let all = 0..columns.len();
    let before = all
        .clone()
        .map(|i| Texts::of(aligned.before(i)))
        .collect::<Result<Vec<_>>>()?;
    let after = all
        .map(|i| Texts::of(aligned.after(i)))
        .collect::<Result<Vec<_>>>()?;
    let mut rows = Vec::new();
    let mut parts: [StringBuilder; 4] = std::array::from_fn(|_| StringBuilder::new());
    aligned.each_cell(|row, attribute| {
        rows.push(row as u32);
        let cell = |side: &[Texts<'_>]| match attribute.and_then(|i| side.get(i)) {
            Some(texts) => texts.get(row),
            None => Ok(None),
        };
        let [change, name, old, new] = &mut parts;
        change.append_value(aligned.change(row).word());
        name.append_option(attribute.and_then(|i| columns.get(i)));
        old.append_option(cell(&before)?);
        new.append_option(cell(&after)?);
        Ok(())
    })?;
    let keys = take(aligned.keys(), &UInt32Array::from(rows), None)?;
    let mut made: Vec<ArrayRef> = vec![cast(&keys, &DataType::Utf8View)?];
    made.extend(
        parts
            .iter_mut()
            .map(|part| -> ArrayRef { Arc::new(part.finish()) }),
    );
    Ok(RecordBatch::try_new(diff_schema(), made)?)
}
