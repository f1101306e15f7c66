//! What a written file holds, counted while it was written.

use crate::dirty::Dirty;

/// The exact counts of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use]
pub struct Expected {
    /// Records, malformed ones included, the header not.
    pub rows: u64,
    /// Length of the file.
    pub bytes: u64,
    /// CIDs that more than one record has.
    pub duplicate_groups: u64,
    /// Records of each kind, in the order of [`Dirty::ALL`].
    pub(crate) dirty: [u64; Dirty::ALL.len()],
}

impl Expected {
    /// Records with this kind of flaw.
    pub fn records(&self, kind: Dirty) -> u64 {
        self.dirty[kind as usize]
    }

    /// Records that break the built-in rule of this id.
    pub fn broken_by(&self, rule: &str) -> u64 {
        self.sum(|kind| kind.rule() == Some(rule))
    }

    /// The built-in rules that records break, in order, each with the number of its records.
    pub fn rule_counts(&self) -> Vec<(&'static str, u64)> {
        let mut rules: Vec<&str> = Dirty::ALL.into_iter().filter_map(Dirty::rule).collect();
        rules.dedup();
        let counts = rules.into_iter().map(|rule| (rule, self.broken_by(rule)));
        counts.filter(|(_, records)| *records > 0).collect()
    }

    /// Records that the built-in rules reject, with every record of a duplicate CID.
    ///
    /// Keeping one record of a CID rejects [`Self::duplicate_groups`] fewer; a user's rule against a negative
    /// spend rejects `records(Dirty::NegativeSpend)` more.
    pub fn rejected(&self) -> u64 {
        self.sum(|kind| kind.rule().is_some())
    }

    /// Records that the built-in rules accept.
    pub fn accepted(&self) -> u64 {
        self.rows - self.rejected()
    }

    pub(crate) fn count(&mut self, kind: Dirty) {
        self.dirty[kind as usize] += 1;
    }

    fn sum(&self, wanted: impl Fn(Dirty) -> bool) -> u64 {
        Dirty::ALL
            .into_iter()
            .filter(|kind| wanted(*kind))
            .map(|kind| self.records(kind))
            .sum()
    }
}
