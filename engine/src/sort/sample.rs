//! Keys that cut a source into ranges of about the same size, found while it is read.

use arrow::array::{Array, Int64Array, StringViewArray};

/// Keys sampled at most: hundreds for each range.
const MOST_KEYS: usize = 1 << 16;
/// Bytes of a sampled key. Where keys are longer, a split lies before all that begin like it.
const KEY_BYTES: usize = 64;

/// A point in the order of rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Split {
    key: Box<[u8]>,
    record: i64,
}

impl Split {
    /// Whether a row lies at the split or behind it.
    pub(super) fn is_at_or_before(&self, key: &[u8], record: i64) -> bool {
        (&*self.key, self.record) <= (key, record)
    }
}

/// One row in so many of a source: the longer it is, the fewer.
#[derive(Debug, Clone)]
pub struct KeySample {
    splits: Vec<Split>,
    /// Rows for each sampled one.
    step_rows: usize,
    /// Rows to go until the next sampled one.
    skip_rows: usize,
}

impl Default for KeySample {
    fn default() -> Self {
        Self {
            splits: Vec::new(),
            step_rows: 1,
            skip_rows: 0,
        }
    }
}

impl KeySample {
    /// Takes in the next rows of the source.
    pub fn add(&mut self, keys: &StringViewArray, records: &Int64Array) {
        let mut row = self.skip_rows;
        while row < keys.len() {
            if keys.is_valid(row) {
                let key = keys.value(row).as_bytes();
                self.splits.push(Split {
                    key: key.get(..KEY_BYTES).unwrap_or(key).into(),
                    record: records.value(row),
                });
            }
            if self.splits.len() > MOST_KEYS {
                self.thin_out();
            }
            row += self.step_rows;
        }
        self.skip_rows = row - keys.len();
    }

    /// Keeps every second one.
    fn thin_out(&mut self) {
        let mut is_kept = true;
        self.splits.retain(|_| {
            is_kept = !is_kept;
            !is_kept
        });
        self.step_rows *= 2;
    }

    /// The splits, ascending, between ranges of about as many rows each.
    pub(super) fn splits(mut self, num_ranges: usize) -> Vec<Split> {
        self.splits.sort_unstable();
        let all = self.splits.len();
        let at = (1..num_ranges).filter_map(|range| self.splits.get(range * all / num_ranges).cloned());
        let mut splits: Vec<Split> = at.collect();
        splits.dedup();
        splits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_of_a_long_source_is_small_and_cuts_it_evenly() {
        let mut sample = KeySample::default();
        let key = |record: u64| format!("C{:08}", record * 7_919 % 1_000_000);
        for batch in 0..100 {
            let records = batch * 10_000..(batch + 1) * 10_000;
            let keys = StringViewArray::from_iter_values(records.clone().map(key));
            sample.add(&keys, &Int64Array::from_iter_values(records.map(|r| r as i64)));
        }
        assert!(sample.splits.len() <= MOST_KEYS);
        let splits = sample.splits(10);
        let mut rows = vec![0; splits.len() + 1];
        for record in 0..1_000_000 {
            let key = key(record);
            let range = splits.partition_point(|s| s.is_at_or_before(key.as_bytes(), record as i64));
            rows[range] += 1;
        }
        assert_eq!(rows.len(), 10);
        assert!(
            rows.iter().all(|rows| (80_000..120_000).contains(rows)),
            "{rows:?}"
        );
    }

    #[test]
    fn rows_of_one_key_are_cut_too() {
        let mut sample = KeySample::default();
        let keys = StringViewArray::from_iter_values(std::iter::repeat_n("C1", 100));
        sample.add(&keys, &Int64Array::from_iter_values(1..101));
        let splits = sample.splits(4);
        assert_eq!(splits.iter().map(|s| s.record).collect::<Vec<_>>(), [26, 51, 76]);
    }
}
