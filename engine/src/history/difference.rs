//! The rows in which two versions can differ.
//!
//! ```text
//!   before                 after                  to compare
//!   a.parquet              a.parquet              nothing: it is the same file
//!   b.parquet              b.parquet, dv {3, 7}   rows 3 and 7 of b, on the side of before
//!   c.parquet                                     c, all its live rows
//!                          d.parquet              d, all its live rows
//! ```

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use deltalake_core::logstore::LogStore;
use parquet::arrow::arrow_reader::RowSelection;

use super::versions::check_there;
use crate::error::{Error, Result};
use crate::table::{ChosenRows, LiveFile, Snapshot, SnapshotTable, TableLog};

/// Rows of one version that may not be in the other.
#[derive(Debug, Clone, Default)]
pub struct Side {
    /// The files.
    pub files: Vec<LiveFile>,
    /// Of some of them, the rows.
    pub chosen: ChosenRows,
}

/// What two versions do not share.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// Rows of the first.
    pub before: Side,
    /// Rows of the second.
    pub after: Side,
}

impl Difference {
    /// What two snapshots do not share. Only those files must still be there.
    ///
    /// # Errors
    /// A file was vacuumed, or a deletion vector cannot be read.
    pub async fn of(log: &TableLog, before: &Snapshot, after: &Snapshot) -> Result<Self> {
        let only = |this: &Snapshot, other: &Snapshot| -> Vec<LiveFile> {
            let others: HashSet<_> = other.files.iter().map(LiveFile::identity).collect();
            let files = this
                .files
                .iter()
                .filter(|file| !others.contains(&file.identity()));
            files.cloned().collect()
        };
        let (old, new) = (only(before, after), only(after, before));
        check_there(log, before.version, old.iter()).await?;
        check_there(log, after.version, new.iter()).await?;
        Self::between(after.log.as_ref(), old, new)
    }

    /// What files that left and files that came do not share.
    ///
    /// # Errors
    /// A deletion vector cannot be read.
    pub fn between(log: &dyn LogStore, removed: Vec<LiveFile>, added: Vec<LiveFile>) -> Result<Self> {
        let mut after: HashMap<String, LiveFile> = added
            .into_iter()
            .map(|file| (file.add.path.clone(), file))
            .collect();
        let mut difference = Self::default();
        for old in removed {
            match after.remove(&old.add.path) {
                None => difference.before.files.push(old),
                Some(new) => difference.same_file(log, old, new)?,
            }
        }
        difference.after.files.extend(after.into_values());
        Ok(difference)
    }

    /// One file with two deletion vectors.
    fn same_file(&mut self, log: &dyn LogStore, old: LiveFile, new: LiveFile) -> Result<()> {
        let Some(num_rows) = old.num_rows.or(new.num_rows) else {
            return Err(
                Error::runtime("a file with a deletion vector has no row count").in_file(&old.add.path)
            );
        };
        let (was, is) = (old.deleted_rows(log)?, new.deleted_rows(log)?);
        self.before.choose(old, &only_in(&is, &was), num_rows);
        self.after.choose(new, &only_in(&was, &is), num_rows);
        Ok(())
    }

    /// Whether there is nothing to compare.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.before.files.is_empty() && self.after.files.is_empty()
    }
}

impl Side {
    fn choose(&mut self, file: LiveFile, rows: &[u64], num_rows: u64) {
        if !rows.is_empty() {
            self.chosen.insert(file.add.path.clone(), select(rows, num_rows));
            self.files.push(file);
        }
    }

    /// The rows as a table with the columns of `base`; a column that a file does not have reads as NULL.
    #[must_use]
    pub fn table(&self, base: &Snapshot) -> SnapshotTable {
        let snapshot = Snapshot {
            files: self.files.clone(),
            ..base.clone()
        };
        SnapshotTable::of_rows(Arc::new(snapshot), self.chosen.clone())
    }
}

/// What the ascending `these` have and the ascending `others` do not.
fn only_in(these: &[u64], others: &[u64]) -> Vec<u64> {
    let mut others = others.iter().peekable();
    let mut only = Vec::new();
    for this in these {
        while others.next_if(|other| *other < this).is_some() {}
        if others.peek() != Some(&this) {
            only.push(*this);
        }
    }
    only
}

/// Ascending `rows` of a file, each once, as runs.
fn select(rows: &[u64], num_rows: u64) -> RowSelection {
    let rows = rows
        .iter()
        .filter(|row| **row < num_rows)
        .map(|row| *row as usize);
    RowSelection::from_consecutive_ranges(rows.map(|row| row..row + 1), num_rows as usize)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn chosen_rows_are_selected_and_all_others_skipped() {
        let runs: Vec<(bool, usize)> = select(&[3, 4, 9], 11)
            .iter()
            .map(|run| (run.skip, run.row_count))
            .collect();
        assert_eq!(runs, [(true, 3), (false, 2), (true, 4), (false, 1), (true, 1)]);
        assert_eq!(select(&[0, 1, 2], 3).row_count(), 3);
    }

    proptest! {
        #[test]
        fn what_only_one_has_is_the_difference_of_the_sets(
            a in proptest::collection::btree_set(0u64..40, 0..30),
            b in proptest::collection::btree_set(0u64..40, 0..30),
        ) {
            let list = |set: &BTreeSet<u64>| set.iter().copied().collect::<Vec<_>>();
            let expected: Vec<u64> = a.difference(&b).copied().collect();
            prop_assert_eq!(only_in(&list(&a), &list(&b)), expected);
        }
    }
}
