//! How many live files may hold one customer, pure.
//!
//! ```text
//!   file A  |-------------------|
//!   file B       |-----|                     A: 3 (at B's first key, C reaches over it)
//!   file C  |--------|                       D: 1
//!   file D                           |---|
//! ```
//!
//! The most files lie over one key where a file begins: counting there is enough.

use crate::table::{KeyRange, LiveFile};

/// The number of live files over each key at which a file begins.
#[derive(Debug, Default)]
pub struct Overlaps {
    /// First keys, ascending, each with the number of files over it.
    depths: Vec<(String, usize)>,
    /// Files that may hold any key.
    unbounded_files: usize,
}

impl Overlaps {
    /// Counts the files of a snapshot.
    #[must_use]
    pub fn of(files: &[LiveFile]) -> Self {
        let ranges: Vec<&KeyRange> = files.iter().filter_map(|file| file.keys.as_ref()).collect();
        let mut begins: Vec<&str> = ranges.iter().map(|range| range.min.as_str()).collect();
        let mut ends: Vec<&str> = ranges.iter().map(|range| range.max.as_str()).collect();
        begins.sort_unstable();
        ends.sort_unstable();
        let over = |key: &str| {
            begins.partition_point(|begin| *begin <= key) - ends.partition_point(|end| *end < key)
        };
        Self {
            depths: begins.iter().map(|key| ((*key).to_owned(), over(key))).collect(),
            unbounded_files: files.len() - ranges.len(),
        }
    }

    /// The most files, itself included, over any key of `file`.
    #[must_use]
    pub fn most_over(&self, file: &LiveFile) -> usize {
        let within: &[(String, usize)] = match &file.keys {
            None => &self.depths,
            Some(range) => {
                let first = self.depths.partition_point(|(key, _)| *key < range.min);
                let last = self.depths.partition_point(|(key, _)| *key <= range.max);
                self.depths.get(first..last).unwrap_or_default()
            }
        };
        within.iter().map(|(_, depth)| *depth).max().unwrap_or(0) + self.unbounded_files
    }
}

#[cfg(test)]
mod tests {
    use deltalake_core::kernel::Add;
    use proptest::prelude::*;

    use super::*;

    fn file(range: Option<(u8, u8)>) -> LiveFile {
        LiveFile {
            add: Add::default(),
            num_rows: None,
            keys: range.map(|(min, max)| KeyRange {
                min: format!("{min:03}"),
                max: format!("{max:03}"),
            }),
        }
    }

    proptest! {
        #[test]
        fn the_most_files_over_a_file_are_those_over_its_worst_key(
            ranges in proptest::collection::vec(proptest::option::weighted(0.9, (0u8..40, 0u8..40)), 1..12)
        ) {
            let ranges: Vec<_> = ranges.into_iter().map(|r| r.map(|(a, b)| (a.min(b), a.max(b)))).collect();
            let files: Vec<LiveFile> = ranges.iter().map(|range| file(*range)).collect();
            let overlaps = Overlaps::of(&files);
            for (range, file) in ranges.iter().zip(&files) {
                let (from, to) = range.unwrap_or((0, 40));
                let holds = |key: u8| {
                    ranges.iter().filter(|r| r.is_none_or(|(min, max)| min <= key && key <= max)).count()
                };
                let expected = (from..=to).map(holds).max().unwrap();
                prop_assert_eq!(overlaps.most_over(file), expected);
            }
        }
    }
}
