//! Files side by side in as few sorted sequences as possible.

use crate::table::KeyRange;

/// Positions of the files in lanes: within one, each begins after the one before has ended, so that a lane is read as
/// one sorted sequence. A file without a range has a lane of its own.
///
/// ```text
///   [a..c] [b..f] [d..e] [g..h]  ─▶  [a..c] [d..e] [g..h]
///                                    [b..f]
/// ```
pub(super) fn lanes(ranges: &[Option<&KeyRange>]) -> Vec<Vec<usize>> {
    let mut known: Vec<(&KeyRange, usize)> = Vec::new();
    let mut lanes: Vec<Vec<usize>> = Vec::new();
    for (position, range) in ranges.iter().enumerate() {
        match *range {
            Some(range) => known.push((range, position)),
            None => lanes.push(vec![position]),
        }
    }
    known.sort_by(|(a, _), (b, _)| (&a.min, &a.max).cmp(&(&b.min, &b.max)));
    let mut open: Vec<(&str, Vec<usize>)> = Vec::new();
    for (range, position) in known {
        match open.iter_mut().find(|(end, _)| *end < range.min.as_str()) {
            Some((end, lane)) => {
                *end = range.max.as_str();
                lane.push(position);
            }
            None => open.push((range.max.as_str(), vec![position])),
        }
    }
    lanes.extend(open.into_iter().map(|(_, lane)| lane));
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(min: &str, max: &str) -> KeyRange {
        KeyRange {
            min: min.into(),
            max: max.into(),
        }
    }

    #[test]
    fn there_are_as_many_lanes_as_files_share_a_key() {
        let ranges = [range("g", "h"), range("b", "f"), range("a", "c"), range("d", "e")];
        let known: Vec<_> = ranges.iter().map(Some).collect();
        assert_eq!(lanes(&known), [vec![2, 3, 0], vec![1]]);
    }

    #[test]
    fn files_that_touch_or_are_unknown_do_not_share_a_lane() {
        let (one, two) = (range("a", "c"), range("c", "d"));
        assert_eq!(
            lanes(&[Some(&two), None, Some(&one)]),
            [vec![1], vec![2], vec![0]]
        );
    }
}
