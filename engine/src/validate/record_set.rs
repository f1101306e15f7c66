//! A set of records, one bit each.

use std::ops::RangeInclusive;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};

use crate::error::{Error, Result};

/// A set of record numbers: 100 million records are 12.5 MB.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordSet {
    words: Vec<u64>,
    len: u64,
}

impl RecordSet {
    /// Adds a record; says whether it is new.
    pub fn insert(&mut self, record_no: u64) -> bool {
        let (word, bit) = ((record_no / 64) as usize, 1 << (record_no % 64));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words.get(word).is_some_and(|w| w & bit == 0);
        if let Some(w) = self.words.get_mut(word) {
            *w |= bit;
        }
        self.len += u64::from(is_new);
        is_new
    }

    /// The set as bits, record 0 first.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Whether the record is in the set.
    #[must_use]
    pub fn contains(&self, record_no: u64) -> bool {
        self.words
            .get((record_no / 64) as usize)
            .is_some_and(|word| word & (1 << (record_no % 64)) != 0)
    }

    /// The records of this set in `range`, ascending.
    pub fn within(&self, range: RangeInclusive<u64>) -> impl Iterator<Item = u64> + '_ {
        let words = (range.start() / 64) as usize..=(range.end() / 64) as usize;
        let words = words.map_while(|word| Some((word as u64, *self.words.get(word)?)));
        words
            .flat_map(|(word, bits)| ones(bits).map(move |bit| word * 64 + bit))
            .filter(move |record_no| range.contains(record_no))
    }

    /// The records of this set that are not in `others`.
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        let other = |word: usize| others.words.get(word).copied().unwrap_or(0);
        let words: Vec<u64> = self
            .words
            .iter()
            .enumerate()
            .map(|(i, word)| word & !other(i))
            .collect();
        let len = words.iter().map(|word| u64::from(word.count_ones())).sum();
        Self { words, len }
    }

    /// Whether both hold the same records.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.len == other.len && self.without(other).is_empty()
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds the first column of `batch`, record numbers up to `last`.
    ///
    /// # Errors
    /// A column that is no whole number, or a number that no record of the file has.
    pub fn extend_from(&mut self, batch: &RecordBatch, last: u64) -> Result<()> {
        let Some(column) = batch.columns().first() else {
            return Ok(());
        };
        let numbers = cast(column, &DataType::Int64)?;
        for number in numbers.as_primitive::<Int64Type>().iter().flatten() {
            match u64::try_from(number) {
                Ok(number) if (1..=last).contains(&number) => self.insert(number),
                _ => {
                    return Err(Error::usage(format!(
                        "a set rule returned {number}, which is no record_no of the file"
                    ))
                    .hint("the first column that a set rule returns is the record_no of each offender"));
                }
            };
        }
        Ok(())
    }
}

/// The places of the ones of a word, ascending.
fn ones(mut bits: u64) -> impl Iterator<Item = u64> {
    std::iter::from_fn(move || {
        let bit = bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
        (bit < u64::BITS).then_some(u64::from(bit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_once_however_often_it_is_added() {
        let mut set = RecordSet::default();
        assert!(set.insert(1) && set.insert(64) && set.insert(1000) && !set.insert(64));
        assert_eq!(set.len(), 3);
        assert_eq!(set.without(&set).len(), 0);
        assert_eq!(set.without(&RecordSet::default()), set);
        let mut other = set.clone();
        other.insert(100_000);
        assert!(set.is_same(&set.clone()) && !set.is_same(&other) && !other.is_same(&set));
        let mut longer = RecordSet::default();
        longer.insert(100_000);
        assert!(
            other.without(&longer).is_same(&set),
            "whatever room it once needed"
        );
        assert!(set.contains(1000) && !set.contains(999) && !set.contains(100_000));
    }

    #[test]
    fn the_records_of_a_range_are_those_of_the_set_in_it() {
        let mut set = RecordSet::default();
        let all = [1, 63, 64, 65, 127, 128, 1000];
        all.iter().for_each(|record| {
            set.insert(*record);
        });
        for (first, last) in [
            (0, 2000),
            (1, 1),
            (2, 62),
            (63, 64),
            (65, 128),
            (129, 999),
            (1000, 1000),
            (1001, 9999),
        ] {
            let expected: Vec<u64> = all
                .iter()
                .copied()
                .filter(|r| (first..=last).contains(r))
                .collect();
            assert_eq!(
                set.within(first..=last).collect::<Vec<_>>(),
                expected,
                "{first} to {last}"
            );
        }
    }
}
