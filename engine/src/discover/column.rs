//! What a column holds, built up cell by cell.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::distinct::{Distinct, DistinctCounter};
use super::range::Ranges;
use super::traits::{NULL_SUSPECTS, Traits, decimal_digits};
use crate::validate::text::{unsupported, utf16_units};

/// Most characters of a cell that is kept as an example.
pub const EXAMPLE_CHARS: usize = 80;

/// Cells with the same facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike {
    /// How many.
    pub num_rows: u64,
    /// The first of them, cut at [`EXAMPLE_CHARS`].
    pub example: String,
}

/// Counts of cells by their facts.
pub type Tally = BTreeMap<Traits, Alike>;

/// What a column holds, as far as it was seen.
#[derive(Debug, Clone, Default)]
pub struct ColumnProfile {
    /// Its name in the source.
    pub name: String,
    /// Cells seen.
    pub num_rows: u64,
    /// Cells that the source says are NULL.
    pub null_rows: u64,
    /// Cells of no characters.
    pub empty_rows: u64,
    /// The other cells, by their facts.
    pub tally: Tally,
    /// Of these, those with outer blanks once more, by the facts they have without.
    pub trimmed: Tally,
    /// How often each text that may stand for "no value" came.
    pub null_suspects: BTreeMap<&'static str, u64>,
    /// Characters of the longest cell.
    pub longest_chars: usize,
    /// UTF-16 code units of the longest cell by that measure.
    pub longest_utf16_units: usize,
    /// The longest cell, cut at [`EXAMPLE_CHARS`].
    pub longest_example: String,
    /// Least and greatest value by type.
    pub ranges: Ranges,
    /// Most digits before the point of a number.
    pub whole_digits: u8,
    /// Most digits after the point of a number, as written.
    pub scale: u8,
    /// The first unsupported character or sequence.
    pub unsupported_example: Option<String>,
    /// Distinct values.
    distinct: DistinctCounter,
}

impl ColumnProfile {
    /// A column of which nothing was seen yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Takes one more cell into account; `None` is a NULL.
    pub fn observe(&mut self, cell: Option<&str>) {
        self.num_rows += 1;
        match cell {
            None => self.null_rows += 1,
            Some("") => self.empty_rows += 1,
            Some(text) => self.observe_text(text),
        }
    }

    /// Cells that are neither NULL nor empty.
    #[must_use]
    pub fn value_rows(&self) -> u64 {
        self.num_rows - self.null_rows - self.empty_rows
    }

    /// Distinct values among them.
    #[must_use]
    pub fn distinct(&self) -> Distinct {
        let count = self.distinct.count();
        Distinct {
            values: count.values.min(self.value_rows()),
            ..count
        }
    }

    /// Cells that have any of some facts.
    #[must_use]
    pub fn rows_with(&self, traits: Traits) -> u64 {
        rows_with(&self.tally, traits)
    }

    /// The counts as they would be if blanks were trimmed.
    #[must_use]
    pub fn tally_if_trimmed(&self) -> Tally {
        let without = self
            .tally
            .iter()
            .filter(|(traits, _)| !traits.has_any(Traits::OUTER_BLANKS));
        let mut tally: Tally = without.map(|(traits, alike)| (*traits, alike.clone())).collect();
        for (traits, alike) in &self.trimmed {
            add(&mut tally, *traits, alike.num_rows, &alike.example);
        }
        tally
    }

    fn observe_text(&mut self, text: &str) {
        let traits = Traits::of(text);
        add(&mut self.tally, traits, 1, text);
        self.distinct.add(text);
        self.ranges.add(text, traits);
        self.observe_length(text);
        if traits.has_any(Traits::OUTER_BLANKS) && !text.trim().is_empty() {
            add(&mut self.trimmed, Traits::of(text.trim()), 1, text.trim());
        }
        if traits.has_any(Traits::NULL_SUSPECT)
            && let Some(token) = NULL_SUSPECTS.iter().find(|token| **token == text)
        {
            *self.null_suspects.entry(token).or_default() += 1;
        }
        if traits.has_any(Traits::DECIMAL)
            && let Some((whole_digits, scale)) = decimal_digits(text)
        {
            self.whole_digits = self.whole_digits.max(whole_digits);
            self.scale = self.scale.max(scale);
        }
        if traits.has_any(Traits::UNSUPPORTED) && self.unsupported_example.is_none() {
            self.unsupported_example = unsupported(text).map(|found| found.text);
        }
    }

    fn observe_length(&mut self, text: &str) {
        // A text has at most as many characters as bytes: most cells need no count.
        if text.len() <= self.longest_chars {
            return;
        }
        self.longest_utf16_units = self.longest_utf16_units.max(utf16_units(text));
        let num_chars = text.chars().count();
        if num_chars > self.longest_chars {
            self.longest_chars = num_chars;
            self.longest_example = example_of(text);
        }
    }
}

/// Cells of a tally that have any of some facts.
#[must_use]
pub fn rows_with(tally: &Tally, traits: Traits) -> u64 {
    tally
        .iter()
        .filter(|(set, _)| set.has_any(traits))
        .map(|(_, alike)| alike.num_rows)
        .sum()
}

/// The text, cut at [`EXAMPLE_CHARS`].
#[must_use]
pub fn example_of(text: &str) -> String {
    text.chars().take(EXAMPLE_CHARS).collect()
}

fn add(tally: &mut Tally, traits: Traits, num_rows: u64, text: &str) {
    match tally.get_mut(&traits) {
        Some(alike) => alike.num_rows += num_rows,
        None => {
            let example = example_of(text);
            tally.insert(traits, Alike { num_rows, example });
        }
    }
}
