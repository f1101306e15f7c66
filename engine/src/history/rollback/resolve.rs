//! What becomes of a customer whose run is undone, pure.
//!
//! ```text
//!   before  after   live now          becomes
//!   Silver  Gold    Gold              Silver                       the run's cell, set back
//!   Silver  Silver  Bronze            Bronze                       not the run's cell: as it is now
//!   Silver  Gold    Bronze            Silver, and is a conflict    a later run wrote it
//!   (none)  Gold    Gold, untouched   leaves                       the run registered it
//!   (none)  Gold    Gold, touched     NULL                         a later run counts on the customer: it stays
//! ```

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{and, is_null, take};
use arrow::datatypes::Int64Type;

use super::undo::without_numbers;
use crate::error::Result;
use crate::history::cells::{Aligned, Change, differ};
use crate::merge::algo::Pairs;
use crate::validate::RecordSet;

/// What pairs of an undone customer and its live row come to.
#[derive(Debug)]
pub(super) struct Resolved {
    /// Numbers of customers that leave.
    pub leaving: Vec<u64>,
    /// Numbers of customers that stay, though the undone run registered them.
    pub kept: Vec<u64>,
    /// Numbers of customers with a cell that is not as the undone run left it.
    pub moved: Vec<u64>,
    /// Key, number and all attributes of the customers that change.
    pub keys: ArrayRef,
    /// Their numbers.
    pub numbers: Int64Array,
    /// Their attributes as they become.
    pub targets: Vec<ArrayRef>,
    /// Changed and cleared cells of each attribute.
    pub cells: Vec<(u64, u64)>,
}

/// Pairs `rows` of an undo with `live` attributes, whose rows `pairs` names. `touched` are the numbers of customers
/// that later runs changed in anything.
///
/// # Errors
/// Columns whose types differ.
pub(super) fn resolve(
    rows: &RecordBatch,
    live: &[ArrayRef],
    pairs: &Pairs,
    touched: &RecordSet,
) -> Result<Resolved> {
    let undo_rows = UInt32Array::from(pairs.change_rows.clone());
    let live_rows = UInt32Array::from(pairs.file_rows.clone());
    let taken: Vec<ArrayRef> = rows
        .columns()
        .iter()
        .map(|column| take(column, &undo_rows, None))
        .collect::<Result<_, _>>()?;
    let paired = without_numbers(&RecordBatch::try_new(rows.schema(), taken.clone())?)?;
    let aligned = Aligned::new(&paired)?;
    let numbers = taken[1].as_primitive::<Int64Type>();
    let mut is_moved = vec![false; numbers.len()];
    let mut is_changed = vec![false; numbers.len()];
    let mut targets = Vec::with_capacity(live.len());
    for (attribute, column) in live.iter().enumerate() {
        let now = take(column, &live_rows, None)?;
        let of_run = aligned.changed(attribute)?;
        let target = zip(&of_run, aligned.before(attribute), &now)?;
        mark(
            &mut is_moved,
            &and(&of_run, &differ(aligned.after(attribute), &now)?)?,
        );
        mark(&mut is_changed, &differ(&target, &now)?);
        targets.push((target, now));
    }
    let mut outcome = Fates::default();
    for (row, number) in numbers.values().iter().map(|n| n.unsigned_abs()).enumerate() {
        if is_moved[row] {
            outcome.moved.push(number);
        }
        let is_registered = aligned.change(row) == Change::Inserted;
        if is_registered && !is_moved[row] && !touched.contains(number) {
            outcome.leaving.push(number);
            continue;
        }
        if is_registered {
            outcome.kept.push(number);
        }
        if is_changed[row] {
            outcome.updated.push(row as u32);
        }
    }
    outcome.with(&taken, &targets)
}

/// What was decided, row by row.
#[derive(Default)]
struct Fates {
    leaving: Vec<u64>,
    kept: Vec<u64>,
    moved: Vec<u64>,
    updated: Vec<u32>,
}

impl Fates {
    /// `cells` are all attributes as they become and as they are now.
    fn with(self, taken: &[ArrayRef], cells: &[(ArrayRef, ArrayRef)]) -> Result<Resolved> {
        let updated = UInt32Array::from(self.updated);
        let pick = |column: &ArrayRef| take(column, &updated, None);
        let (mut targets, mut counts) = (Vec::new(), Vec::new());
        for (target, now) in cells {
            let (target, now) = (pick(target)?, pick(now)?);
            let changed = differ(&target, &now)?;
            let cleared = and(&changed, &is_null(&target)?)?;
            counts.push((changed.true_count() as u64, cleared.true_count() as u64));
            targets.push(target);
        }
        Ok(Resolved {
            leaving: self.leaving,
            kept: self.kept,
            moved: self.moved,
            keys: pick(&taken[0])?,
            numbers: pick(&taken[1])?.as_primitive::<Int64Type>().clone(),
            targets,
            cells: counts,
        })
    }
}

fn mark(flags: &mut [bool], more: &BooleanArray) {
    for (flag, more) in flags.iter_mut().zip(more) {
        *flag |= more.unwrap_or(false);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::history::cells::tests::aligned;

    /// Rows of an undo with the numbers 1, 2, ...
    fn undo() -> RecordBatch {
        let batch = aligned(&[
            ("C1", Some([Some(1), Some(5)]), Some([Some(2), Some(5)])),
            ("C2", None, Some([Some(2), None])),
            ("C3", None, Some([Some(2), None])),
            ("C4", Some([Some(1), None]), Some([None, None])),
            ("C5", Some([Some(7), None]), None),
        ]);
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(1..=5));
        let mut columns: Vec<(String, ArrayRef)> = batch
            .schema()
            .fields()
            .iter()
            .zip(batch.columns())
            .map(|(field, column)| (field.name().clone(), Arc::clone(column)))
            .collect();
        columns.insert(1, ("record_no".to_owned(), numbers));
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn resolved(live: [[Option<i64>; 2]; 5], touched: &[u64]) -> Resolved {
        let columns: Vec<ArrayRef> = (0..2)
            .map(|at| -> ArrayRef { Arc::new(live.iter().map(|row| row[at]).collect::<Int64Array>()) })
            .collect();
        let pairs = Pairs {
            file_rows: (0..5).collect(),
            change_rows: (0..5).collect(),
        };
        let mut set = RecordSet::default();
        for number in touched {
            set.insert(*number);
        }
        resolve(&undo(), &columns, &pairs, &set).unwrap()
    }

    fn targets(resolved: &Resolved) -> Vec<(i64, Option<i64>, Option<i64>)> {
        let column = |at: usize| resolved.targets[at].as_primitive::<Int64Type>().iter();
        let numbers = resolved.numbers.iter().flatten();
        numbers
            .zip(column(0))
            .zip(column(1))
            .map(|((number, a), b)| (number, a, b))
            .collect()
    }

    #[test]
    fn the_runs_cells_are_set_back_and_all_others_are_as_they_are_now() {
        let live = [
            [Some(2), Some(9)],
            [Some(2), None],
            [Some(2), Some(4)],
            [None, None],
            [None, None],
        ];
        let found = resolved(live, &[3]);
        assert_eq!(found.leaving, [2]);
        assert_eq!(found.kept, [3]);
        assert_eq!(found.moved, [0u64; 0]);
        assert_eq!(
            targets(&found),
            [
                (1, Some(1), Some(9)),
                (3, None, Some(4)),
                (4, Some(1), None),
                (5, Some(7), None)
            ]
        );
    }

    #[test]
    fn a_cell_that_is_not_as_the_run_left_it_is_a_conflict_and_keeps_its_customer() {
        let live = [
            [Some(3), Some(5)],
            [Some(8), None],
            [Some(2), None],
            [Some(1), None],
            [Some(6), None],
        ];
        let found = resolved(live, &[]);
        assert_eq!(found.moved, [1, 2, 4, 5]);
        assert_eq!(found.leaving, [3]);
        assert_eq!(found.kept, [2]);
        // C4 has its old value already.
        assert_eq!(
            targets(&found),
            [(1, Some(1), Some(5)), (2, None, None), (5, Some(7), None)]
        );
    }
}
