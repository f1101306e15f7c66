//! From undone customers to what changes in the table.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::{and, filter_record_batch, is_null};
use arrow::datatypes::{Field, FieldRef, Int64Type, Schema, SchemaRef};
use datafusion::prelude::{SessionContext, col};
use futures::TryStreamExt;

use super::edit::TableEdit;
use super::later::Later;
use super::request::Conflict;
use super::resolving::Resolving;
use super::undo::{Undo, clearing, key_range, without_numbers};
use crate::error::Result;
use crate::history::cells::{Aligned, Change};
use crate::merge::{AttributeCells, ChangeSet};
use crate::stage::{BatchStore, StageBudget, StageTable, compact};
use crate::table::Snapshot;
use crate::table::schemas::CUSTOMER_ID;
use crate::validate::RecordSet;

/// What a rollback would change, counted.
pub(super) struct Draft {
    pub edit: TableEdit,
    pub cells: Vec<AttributeCells>,
    pub rows_kept: u64,
    pub rows_gone: u64,
    pub conflicts: Vec<Conflict>,
}

/// Position of the first value before in the rows of an undo.
const FIRST_BEFORE: usize = 4;

/// The whole way back to a version: the values before are what the table gets.
///
/// # Errors
/// The stage cannot be read or written.
pub(super) fn of_version(undo: &Undo, budget: &StageBudget) -> Result<Draft> {
    let mut cells = vec![(0, 0); undo.columns.len()];
    for number in 0..undo.rows.num_batches() {
        count_cells(&undo.batch(number)?, &mut cells)?;
    }
    let active = active(&cells);
    let all: Vec<usize> = (0..undo.columns.len()).collect();
    Ok(Draft {
        edit: TableEdit {
            updates: pick(undo, budget, &active, |_, change| change == Change::Updated)?,
            inserts: pick(undo, budget, &all, |_, change| change == Change::Removed)?,
            leaving: pick(undo, budget, &[], |_, change| change == Change::Inserted)?,
        },
        cells: named(undo, &cells),
        rows_kept: 0,
        rows_gone: 0,
        conflicts: Vec::new(),
    })
}

/// Counts the cells that differ of customers that are on both sides.
fn count_cells(rows: &RecordBatch, cells: &mut [(u64, u64)]) -> Result<()> {
    let rows = without_numbers(rows)?;
    let aligned = Aligned::new(&rows)?;
    let both: BooleanArray = (0..rows.num_rows())
        .map(|row| Some(aligned.change(row) == Change::Updated))
        .collect();
    for (attribute, total) in cells.iter_mut().enumerate() {
        let changed = and(&aligned.changed(attribute)?, &both)?;
        let cleared = and(&changed, &is_null(aligned.before(attribute))?)?;
        total.0 += changed.true_count() as u64;
        total.1 += cleared.true_count() as u64;
    }
    Ok(())
}

/// What undoing one run reads.
pub(super) struct OfRun<'a> {
    pub undo: Arc<Undo>,
    pub later: Later,
    pub base: &'a Arc<Snapshot>,
    pub ctx: &'a SessionContext,
    pub budget: &'a StageBudget,
    pub threads: usize,
}

impl OfRun<'_> {
    /// One run: its cells go back, all others stay as they are now.
    ///
    /// # Errors
    /// The table or the stage cannot be read or written.
    pub async fn draft(self) -> Result<Draft> {
        let undo = Arc::clone(&self.undo);
        let all: Vec<usize> = (0..undo.columns.len()).collect();
        let schema = change_schema(&undo, &all)?;
        let mut updates = BatchStore::new(Arc::clone(&schema), self.budget.clone());
        let mut cells = vec![(0, 0); undo.columns.len()];
        let [mut found, mut leaving, mut moved] = [(); 3].map(|()| RecordSet::default());
        let mut rows_kept = 0;
        let resolving = Resolving {
            undo: Arc::clone(&undo),
            base: Arc::clone(self.base),
            touched: Arc::new(self.later.touched.clone()),
            state: self.ctx.state(),
        };
        resolving
            .run(self.threads, |file| {
                insert_all(&mut found, &file.found);
                for resolved in &file.resolved {
                    insert_all(&mut leaving, &resolved.leaving);
                    insert_all(&mut moved, &resolved.moved);
                    rows_kept += resolved.kept.len() as u64;
                    for (total, (changed, cleared)) in cells.iter_mut().zip(&resolved.cells) {
                        *total = (total.0 + changed, total.1 + cleared);
                    }
                    if let Some(batch) = resolved.updates(&schema)? {
                        updates.push(compact(&batch)?)?;
                    }
                }
                Ok(())
            })
            .await?;
        let inserts = pick(&undo, self.budget, &all, |number, change| {
            change == Change::Removed && !found.contains(number)
        })?;
        let rows_gone = count(&undo.rows)? - found.len() - count(&inserts)?;
        let mut conflicts = self.later.conflicts;
        conflicts.extend(by_another(&undo, &moved.without(&self.later.conflicted))?);
        Ok(Draft {
            edit: TableEdit {
                updates: sorted(self.ctx, self.budget, updates, &undo, &active(&cells)).await?,
                leaving: pick(&undo, self.budget, &[], |number, _| leaving.contains(number))?,
                inserts,
            },
            cells: named(&undo, &cells),
            rows_kept,
            rows_gone,
            conflicts,
        })
    }
}

fn insert_all(set: &mut RecordSet, numbers: &[u64]) {
    for number in numbers {
        set.insert(*number);
    }
}

/// Cells that are not as the run left them, though no run of ours is seen to have written them.
fn by_another(undo: &Undo, moved: &RecordSet) -> Result<Option<Conflict>> {
    if moved.is_empty() {
        return Ok(None);
    }
    let mut conflict = Conflict::default();
    for number in 0..undo.rows.num_batches() {
        let batch = undo.batch(number)?;
        let keys = batch.column(0).as_string_view();
        let numbers = batch.column(1).as_primitive::<Int64Type>().values();
        for (key, number) in keys.iter().zip(numbers) {
            if moved.contains(number.unsigned_abs()) {
                conflict.count(key.unwrap_or_default());
            }
        }
    }
    Ok(Some(conflict))
}

/// The attributes with a cell that changes.
fn active(cells: &[(u64, u64)]) -> Vec<usize> {
    (0..cells.len()).filter(|i| cells[*i].0 > 0).collect()
}

fn named(undo: &Undo, cells: &[(u64, u64)]) -> Vec<AttributeCells> {
    let all = undo.columns.iter().zip(cells);
    all.filter(|(_, cells)| cells.0 > 0)
        .map(|(attribute, cells)| AttributeCells {
            attribute: attribute.clone(),
            cells_changed: cells.0,
            cells_cleared: cells.1,
            ..AttributeCells::default()
        })
        .collect()
}

/// Rows of a change set, read once.
pub(super) fn count(changes: &ChangeSet) -> Result<u64> {
    (0..changes.num_batches())
        .map(|number| Ok(changes.batch(number)?.num_rows() as u64))
        .sum()
}

/// Key, number and these attributes.
fn change_schema(undo: &Undo, attributes: &[usize]) -> Result<SchemaRef> {
    let staged = undo.rows.schema();
    let mut fields: Vec<FieldRef> = vec![Arc::clone(&staged.fields()[0]), Arc::clone(&staged.fields()[1])];
    for attribute in attributes {
        let data_type = staged.field(FIRST_BEFORE + attribute).data_type();
        fields.push(Arc::new(Field::new(
            &undo.columns[*attribute],
            data_type.clone(),
            true,
        )));
    }
    Ok(Arc::new(Schema::new(fields)))
}

/// The customers that `keep` says yes to, with their values before.
fn pick(
    undo: &Undo,
    budget: &StageBudget,
    attributes: &[usize],
    keep: impl Fn(u64, Change) -> bool,
) -> Result<ChangeSet> {
    let schema = change_schema(undo, attributes)?;
    let mut wanted = vec![0, 1];
    wanted.extend(attributes.iter().map(|attribute| FIRST_BEFORE + attribute));
    let mut store = BatchStore::new(Arc::clone(&schema), budget.clone());
    let mut ranges = Vec::new();
    for number in 0..undo.rows.num_batches() {
        let batch = undo.batch(number)?;
        let rows = without_numbers(&batch)?;
        let aligned = Aligned::new(&rows)?;
        let numbers = batch.column(1).as_primitive::<Int64Type>();
        let kept: BooleanArray = (0..batch.num_rows())
            .map(|row| Some(keep(numbers.value(row).unsigned_abs(), aligned.change(row))))
            .collect();
        let picked = filter_record_batch(&batch.project(&wanted)?, &kept)?;
        let picked = RecordBatch::try_new(Arc::clone(&schema), picked.columns().to_vec())?;
        if let Some(range) = key_range(&picked) {
            ranges.push(range);
            store.push(compact(&picked)?)?;
        }
    }
    let columns = clearing(attributes.iter().map(|i| &undo.columns[*i]));
    Ok(ChangeSet::new(Arc::new(store), ranges, columns))
}

/// Changes in no order, of which only some attributes are wanted, in key order.
async fn sorted(
    ctx: &SessionContext,
    budget: &StageBudget,
    unsorted: BatchStore,
    undo: &Undo,
    attributes: &[usize],
) -> Result<ChangeSet> {
    let mut wanted = vec![0, 1];
    wanted.extend(attributes.iter().map(|attribute| 2 + attribute));
    let schema = Arc::new(unsorted.schema().project(&wanted)?);
    let derive = move |batch: &RecordBatch, asked: &[usize]| Ok(batch.project(&wanted)?.project(asked)?);
    let table = StageTable::derived(Arc::new(unsorted), Arc::clone(&schema), Arc::new(derive));
    let frame = ctx
        .read_table(Arc::new(table))?
        .sort(vec![col(CUSTOMER_ID).sort(true, false)])?;
    let mut store = BatchStore::new(schema, budget.clone());
    let mut ranges = Vec::new();
    let mut rows = frame.execute_stream().await?;
    while let Some(batch) = rows.try_next().await? {
        if let Some(range) = key_range(&batch) {
            ranges.push(range);
            store.push(compact(&batch)?)?;
        }
    }
    let columns = clearing(attributes.iter().map(|i| &undo.columns[*i]));
    Ok(ChangeSet::new(Arc::new(store), ranges, columns))
}
