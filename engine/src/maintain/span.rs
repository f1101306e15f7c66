//! Key ranges as pairs of small numbers, so that a plan compares no text.

use std::collections::BTreeMap;

use super::plan::FileFacts;

/// A range of keys, both ends inside, as places in the sorted list of all ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    /// Place of the smallest key.
    pub min: u32,
    /// Place of the largest.
    pub max: u32,
}

impl Span {
    /// All keys.
    const EVERYTHING: Self = Self {
        min: 0,
        max: u32::MAX,
    };

    /// The range that covers both.
    pub fn hull(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

/// The span of each file; without a key range it is everything.
pub(super) fn spans(files: &[FileFacts]) -> Vec<Span> {
    let ends = files.iter().filter_map(|file| file.keys.as_ref());
    let mut places: BTreeMap<&str, u32> = ends
        .flat_map(|(min, max)| [(min.as_str(), 0), (max.as_str(), 0)])
        .collect();
    for (place, number) in places.values_mut().zip(1..) {
        *place = number;
    }
    let place = |key: &str| places.get(key).copied().unwrap_or_default();
    files
        .iter()
        .map(|file| match &file.keys {
            Some((min, max)) => Span {
                min: place(min),
                max: place(max),
            },
            None => Span::EVERYTHING,
        })
        .collect()
}

/// Answers whether one of many spans lies between two others.
#[derive(Debug)]
pub(super) struct Gaps {
    /// Spans by their smallest key, each with the smallest end of itself and all after it.
    by_min: Vec<(u32, u32)>,
}

impl Gaps {
    pub fn new(spans: impl Iterator<Item = Span>) -> Self {
        let mut by_min: Vec<(u32, u32)> = spans.map(|span| (span.min, span.max)).collect();
        by_min.sort_unstable();
        let mut nearest_end = u32::MAX;
        for (_, end) in by_min.iter_mut().rev() {
            nearest_end = nearest_end.min(*end);
            *end = nearest_end;
        }
        Self { by_min }
    }

    /// Whether a whole span lies after `one` and before `other`.
    pub fn hold_one_between(&self, one: Span, other: Span) -> bool {
        let after = self.by_min.partition_point(|(min, _)| *min <= one.max);
        self.by_min.get(after).is_some_and(|(_, end)| *end < other.min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(min: u32, max: u32) -> Span {
        Span { min, max }
    }

    #[test]
    fn a_gap_holds_a_span_only_if_it_holds_it_whole() {
        let gaps = Gaps::new([span(4, 6), span(5, 20)].into_iter());
        assert!(gaps.hold_one_between(span(1, 3), span(7, 9)));
        assert!(!gaps.hold_one_between(span(1, 4), span(7, 9)));
        assert!(!gaps.hold_one_between(span(1, 3), span(6, 9)));
        assert!(!gaps.hold_one_between(span(1, 4), span(20, 20)));
        assert!(gaps.hold_one_between(span(1, 4), span(21, 21)));
        assert!(!Gaps::new(std::iter::empty()).hold_one_between(span(1, 1), span(9, 9)));
    }

    #[test]
    fn spans_compare_as_their_keys_do() {
        let file = |min: &str, max: &str| FileFacts {
            keys: Some((min.into(), max.into())),
            num_rows: None,
            dead_rows: 0,
            size_bytes: 0,
        };
        let unknown = FileFacts {
            keys: None,
            ..file("", "")
        };
        let found = spans(&[file("C10", "C9"), file("C9", "D"), unknown]);
        assert_eq!(found, [span(1, 2), span(2, 3), Span::EVERYTHING]);
    }
}
