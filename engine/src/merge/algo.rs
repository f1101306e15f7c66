//! The merge of one batch, pure.
//!
//! ```text
//!   file rows (any order)      change rows (ascending)        pairs (file row, change row)
//!   0  C3  Silver              0  C1  Gold                    (0, 1)
//!   1  C5  Gold                1  C3  Gold                    (2, 3)
//!   2  C9  Gold                2  C4  Bronze
//!                              3  C9  Gold
//!
//!   differences:  pair 0 tier Silver -> Gold   changed
//!                 pair 1 tier Gold -> Gold     unchanged: such a file row is never a reason to write
//! ```
//!
//! Files of ours are sorted by key: where a whole column of keys is at hand, both sides gallop, so that few changes
//! cost little in a large file ([`pair_sorted`]). Else each row's search gallops forward from the last hit, and a file
//! that another program wrote may have any order: then it starts over ([`pair`]). The result is the same.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, StringViewArray, UInt32Array};
use arrow::compute::kernels::cmp::distinct;
use arrow::compute::{and, is_not_null, is_null, or, take};

use super::changes::{ChangeSlice, NullCells};
use super::facts::ChangedCells;
use super::patch::patched;
use crate::error::Result;

/// Rows of a file batch and of a change slice that have the same key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs {
    /// Row in the file's batch, ascending.
    pub file_rows: Vec<u32>,
    /// Row in the change slice.
    pub change_rows: Vec<u32>,
}

impl Pairs {
    /// Drops the pairs for which `wanted` says no; it is asked in order.
    pub fn keep(&mut self, mut wanted: impl FnMut(u32, u32) -> bool) {
        let pairs = self
            .file_rows
            .iter()
            .copied()
            .zip(self.change_rows.iter().copied());
        let (file_rows, change_rows) = pairs.filter(|(file, change)| wanted(*file, *change)).unzip();
        *self = Self {
            file_rows,
            change_rows,
        };
    }
}

/// Where the last search ended.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cursor {
    at: usize,
}

impl Cursor {
    /// The first row of `keys` with exactly `key`.
    pub fn find(&mut self, keys: &StringViewArray, key: &str) -> Option<usize> {
        if self.at > 0 && keys.value(self.at - 1) >= key {
            self.at = 0;
        }
        self.at = lower_bound(keys, self.at, key);
        (self.at < keys.len() && keys.value(self.at) == key).then_some(self.at)
    }
}

/// The first row at or after `from` whose key is not smaller than `key`, in ascending `keys`.
fn lower_bound(keys: &StringViewArray, from: usize, key: &str) -> usize {
    let is_smaller = |row: usize| keys.value(row).as_bytes() < key.as_bytes();
    let (mut low, mut step) = (from, 1);
    // Gallop: after the loop every row before `low` is smaller and row `low + step` is not.
    while low + step < keys.len() && is_smaller(low + step) {
        low += step;
        step *= 2;
    }
    let mut high = (low + step).min(keys.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if is_smaller(middle) {
            low = middle + 1
        } else {
            high = middle
        }
    }
    low
}

/// Pairs the rows of a file's batch with changes.
pub fn pair(file_keys: &StringViewArray, changes: &ChangeSlice, cursor: &mut Cursor) -> Pairs {
    let mut pairs = Pairs::default();
    for row in 0..file_keys.len() {
        if file_keys.is_null(row) {
            continue;
        }
        if let Some(change) = cursor.find(changes.keys(), file_keys.value(row)) {
            pairs.file_rows.push(row as u32);
            pairs.change_rows.push(change as u32);
        }
    }
    pairs
}

/// As [`pair`], of keys that are ascending and not NULL.
pub fn pair_sorted(file_keys: &StringViewArray, changes: &ChangeSlice) -> Pairs {
    let keys = changes.keys();
    let (mut row, mut change) = (0, 0);
    let mut pairs = Pairs::default();
    while row < file_keys.len() && change < keys.len() {
        let (of_file, of_change) = (file_keys.value(row), keys.value(change));
        match of_file.cmp(of_change) {
            Ordering::Less => row = lower_bound(file_keys, row + 1, of_change),
            Ordering::Greater => change = lower_bound(keys, change + 1, of_file),
            Ordering::Equal => {
                pairs.file_rows.push(row as u32);
                pairs.change_rows.push(change as u32);
                row += 1;
            }
        }
    }
    pairs
}

/// What applying the pairs would do.
#[derive(Debug, Clone)]
pub struct Differences {
    /// For each pair: whether any attribute changes.
    pub rows: BooleanArray,
    /// For each attribute: cells that change.
    pub cells: Vec<ChangedCells>,
}

/// Compares the mapped values of `pairs`. `old` has the attributes of the file's batch, in change order.
///
/// # Errors
/// Columns whose types differ, which the attribute's owner rules out.
pub fn compare(
    old: &[ArrayRef],
    changes: &ChangeSlice,
    pairs: &Pairs,
    nulls: &[NullCells],
) -> Result<Differences> {
    let file_rows = UInt32Array::from(pairs.file_rows.clone());
    let change_rows = UInt32Array::from(pairs.change_rows.clone());
    let mut rows = BooleanArray::from(vec![false; pairs.file_rows.len()]);
    let mut cells = Vec::with_capacity(old.len());
    for ((column, old), policy) in changes.attributes().zip(old).zip(nulls) {
        let before = take(old, &file_rows, None)?;
        let after = take(column, &change_rows, None)?;
        let mut changed = distinct(&before, &after)?;
        if *policy == NullCells::Keep {
            changed = and(&changed, &is_not_null(&after)?)?;
        }
        let cleared = and(&changed, &is_null(&after)?)?;
        let filled = and(&changed, &is_null(&before)?)?;
        cells.push(ChangedCells {
            changed: changed.true_count() as u64,
            cleared: cleared.true_count() as u64,
            filled: filled.true_count() as u64,
        });
        rows = or(&rows, &changed)?;
    }
    Ok(Differences { rows, cells })
}

/// `old`, a column of the file's batch, with the values of `change` in the rows that are paired.
///
/// # Errors
/// Columns whose types differ, which the attribute's owner rules out.
pub fn overlaid(old: &ArrayRef, change: &ArrayRef, pairs: &Pairs, nulls: NullCells) -> Result<ArrayRef> {
    if nulls == NullCells::Clear || change.logical_null_count() == 0 {
        return patched(old, change, pairs);
    }
    let mut replacing = pairs.clone();
    replacing.keep(|_, change_row| change.is_valid(change_row as usize));
    patched(old, change, &replacing)
}

/// The file's batch with the changes of `pairs` applied. `attributes` are the positions of the attributes in `batch`.
///
/// # Errors
/// Columns whose types differ, which the attribute's owner rules out.
pub fn apply(
    batch: &RecordBatch,
    attributes: &[usize],
    changes: &ChangeSlice,
    pairs: &Pairs,
    nulls: &[NullCells],
) -> Result<RecordBatch> {
    if pairs.file_rows.is_empty() {
        return Ok(batch.clone());
    }
    let mut columns = batch.columns().to_vec();
    let mapped = changes.attributes().zip(attributes).zip(nulls);
    for ((change, position), policy) in mapped {
        if let Some(old) = columns.get_mut(*position) {
            *old = overlaid(old, change, pairs, *policy)?;
        }
    }
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

#[cfg(test)]
#[path = "algo_tests.rs"]
mod tests;
