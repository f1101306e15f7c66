//! What an attempt that lost a race found and what of it still holds on the new version, pure.
//!
//! ```text
//!   attempt on version 7        version 9                                            fate
//!   a   untouched               a                                                    kept
//!   b   spliced to b'           b is gone (laid out anew as c)                       done again on c
//!   d   rows 3, 8 marked        d, with a deletion vector of another run             done again
//!   e   rewritten to e'         e; a record that met it is rejected now              done again
//! ```

use std::collections::{BTreeSet, HashMap};

use arrow::datatypes::Schema;

use super::cost::{Strategy, Vectors};
use super::facts::MergedFile;
use super::overlap::Overlaps;
use crate::table::{FileIdentity, KeyRange, Snapshot};

/// What becomes of a file's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It holds.
    Kept,
    /// The file is no longer live, or marked by another run.
    Gone,
    /// A column that it was computed with is another one now.
    OtherColumns,
    /// Other records of its keys are accepted now.
    OtherVerdicts,
    /// It marks rows, which the table does not allow any more.
    NoVectors,
    /// It marks rows, and too many live files may hold its customers by now.
    Crowded,
}

/// The new version, as far as results of an older one depend on it.
pub(super) struct Premises {
    /// Live files: their keys, and the number of live files over the worst of them.
    live: HashMap<FileIdentity, (Option<KeyRange>, usize)>,
    vectors: Vectors,
    /// Columns of the older version that are not there any more, or in another type.
    lost_columns: BTreeSet<String>,
    /// The attributes that are compared.
    mapped: BTreeSet<String>,
    /// Keys, ascending, with a record that is accepted on one of the versions only.
    judged_anew: Vec<String>,
}

impl Premises {
    /// What holds on `now`; `before` had these columns. `judged_anew` are the keys, ascending, of records that are
    /// accepted on one of the two only.
    pub fn new(
        before: &Schema,
        now: &Snapshot,
        vectors: Vectors,
        mapped: BTreeSet<String>,
        judged_anew: Vec<String>,
    ) -> Self {
        let overlaps = Overlaps::of(&now.files);
        let live = now.files.iter();
        Self {
            live: live
                .map(|file| (file.identity(), (file.keys.clone(), overlaps.most_over(file))))
                .collect(),
            vectors,
            lost_columns: lost_columns(before, &now.schema),
            mapped,
            judged_anew,
        }
    }

    /// Whether every column is what it was.
    pub fn has_all_columns(&self) -> bool {
        self.lost_columns.is_empty()
    }

    /// What becomes of the result of a file.
    pub fn fate(&self, file: &MergedFile) -> Fate {
        let Some((keys, overlapping_files)) = self.live.get(&file.identity) else {
            return Fate::Gone;
        };
        let strategy = file.outcome.strategy;
        let is_concerned = match strategy {
            Strategy::Untouched => !self.lost_columns.is_disjoint(&self.mapped),
            _ => !self.lost_columns.is_empty(),
        };
        if is_concerned {
            return Fate::OtherColumns;
        }
        if self.is_judged_anew(keys.as_ref()) {
            return Fate::OtherVerdicts;
        }
        match (strategy, self.vectors) {
            (Strategy::DeletionVector, Vectors::Forbidden) => Fate::NoVectors,
            (Strategy::DeletionVector, vectors) if !vectors.have_room(*overlapping_files) => Fate::Crowded,
            _ => Fate::Kept,
        }
    }

    fn is_judged_anew(&self, keys: Option<&KeyRange>) -> bool {
        match keys {
            None => !self.judged_anew.is_empty(),
            Some(range) => {
                let first = self.judged_anew.partition_point(|key| *key < range.min);
                self.judged_anew.get(first).is_some_and(|key| *key <= range.max)
            }
        }
    }
}

fn lost_columns(before: &Schema, now: &Schema) -> BTreeSet<String> {
    let is_lost = |name: &str, field: &arrow::datatypes::Field| {
        let found = now.field_with_name(name);
        !found.is_ok_and(|found| found.data_type() == field.data_type())
    };
    let fields = before.fields().iter();
    fields
        .filter(|field| is_lost(field.name(), field))
        .map(|field| field.name().clone())
        .collect()
}

#[cfg(test)]
#[path = "keep_tests.rs"]
mod tests;
