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
//! Files of ours are sorted by key, so the search gallops forward from the last hit; a file that another program
//! wrote may have any order, and then each search starts over. Either way the result is the same.

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, StringViewArray, UInt32Array};
use arrow::compute::kernels::cmp::distinct;
use arrow::compute::kernels::zip::zip;
use arrow::compute::{and, is_not_null, is_null, or, take};

use super::changes::{ChangeSlice, NullCells};
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
        let key_at = |row: usize| keys.value(row).as_bytes();
        let key = key.as_bytes();
        if self.at > 0 && key_at(self.at - 1) >= key {
            self.at = 0;
        }
        let mut low = self.at;
        let mut step = 1;
        // Gallop: after the loop every row before `low` is smaller and row `low + step` is not.
        while low + step < keys.len() && key_at(low + step) < key {
            low += step;
            step *= 2;
        }
        let mut high = (low + step).min(keys.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if key_at(middle) < key {
                low = middle + 1
            } else {
                high = middle
            }
        }
        self.at = low;
        (low < keys.len() && key_at(low) == key).then_some(low)
    }
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

/// What applying the pairs would do.
#[derive(Debug, Clone)]
pub struct Differences {
    /// For each pair: whether any attribute changes.
    pub rows: BooleanArray,
    /// For each attribute: cells that change, cells among them that are cleared.
    pub cells: Vec<(u64, u64)>,
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
        cells.push((changed.true_count() as u64, cleared.true_count() as u64));
        rows = or(&rows, &changed)?;
    }
    Ok(Differences { rows, cells })
}

/// Which change each row of a batch takes its new values from.
#[derive(Debug)]
pub struct Overlay {
    /// For each row: the change's row.
    source: UInt32Array,
    /// For each row: whether there is a change.
    paired: BooleanArray,
}

impl Overlay {
    /// The overlay of `pairs` on a batch of `num_rows` rows.
    ///
    /// # Errors
    /// None but what arrow refuses.
    pub fn new(num_rows: usize, pairs: &Pairs) -> Result<Self> {
        let mut source = vec![None; num_rows];
        for (file_row, change_row) in pairs.file_rows.iter().zip(&pairs.change_rows) {
            if let Some(slot) = source.get_mut(*file_row as usize) {
                *slot = Some(*change_row);
            }
        }
        let source = UInt32Array::from(source);
        let paired = is_not_null(&source)?;
        Ok(Self { source, paired })
    }

    /// `old` with the values of `change` in the rows that have one.
    ///
    /// # Errors
    /// Columns whose types differ, which the attribute's owner rules out.
    pub fn column(&self, old: &ArrayRef, change: &ArrayRef, nulls: NullCells) -> Result<ArrayRef> {
        let new = take(change, &self.source, None)?;
        let replaced = match nulls {
            NullCells::Clear => self.paired.clone(),
            NullCells::Keep => and(&self.paired, &is_not_null(&new)?)?,
        };
        Ok(zip(&replaced, &new, old)?)
    }
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
    let overlay = Overlay::new(batch.num_rows(), pairs)?;
    let mut columns = batch.columns().to_vec();
    let mapped = changes.attributes().zip(attributes).zip(nulls);
    for ((change, position), policy) in mapped {
        if let Some(old) = columns.get_mut(*position) {
            *old = overlay.column(old, change, *policy)?;
        }
    }
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

#[cfg(test)]
#[path = "algo_tests.rs"]
mod tests;
