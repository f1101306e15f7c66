//! Which rows and pages are worth reading, pure.
//!
//! ```text
//!   key pages   [A..C] [C..F] [G..K] [L..Z]      changes  D, M
//!   read            no    yes     no    yes      as a selection: skip, select, skip, select
//! ```

use arrow::array::{Array, StringViewArray};
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::PageLocation;
use parquet::file::statistics::Statistics;

/// Whether one of the ascending `keys` lies in `min..=max`.
fn holds_any(keys: &StringViewArray, min: &[u8], max: &[u8]) -> bool {
    let key = |row: usize| keys.value(row).as_bytes();
    let (mut low, mut high) = (0, keys.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if key(middle) < min {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low < keys.len() && key(low) <= max
}

/// Whether a column chunk with these statistics can hold one of `keys`.
pub fn chunk_may_hold(statistics: Option<&Statistics>, keys: &StringViewArray) -> bool {
    let bounds = statistics.and_then(|known| Some((known.min_bytes_opt()?, known.max_bytes_opt()?)));
    bounds.is_none_or(|(min, max)| holds_any(keys, min, max))
}

/// The rows of the pages that can hold one of `keys`; `None` when all rows are to be read.
pub fn pages_that_may_hold(
    index: Option<&ColumnIndexMetaData>,
    pages: &[PageLocation],
    num_rows: usize,
    keys: &StringViewArray,
) -> Option<RowSelection> {
    let Some(ColumnIndexMetaData::BYTE_ARRAY(index)) = index else {
        return None;
    };
    if pages.is_empty() || index.num_pages() != pages.len() as u64 {
        return None;
    }
    let selectors = (0..pages.len()).map(|page| {
        let bounds = index.min_value(page).zip(index.max_value(page));
        let rows = page_rows(pages, page, num_rows);
        match bounds.is_some_and(|(min, max)| holds_any(keys, min, max)) {
            true => RowSelector::select(rows.len()),
            false => RowSelector::skip(rows.len()),
        }
    });
    Some(RowSelection::from(selectors.collect::<Vec<_>>()))
}

fn page_rows(pages: &[PageLocation], page: usize, num_rows: usize) -> std::ops::Range<usize> {
    let first = |page: usize| {
        pages
            .get(page)
            .map(|p| usize::try_from(p.first_row_index).unwrap_or(0))
    };
    let begin = first(page).unwrap_or(num_rows).min(num_rows);
    begin..first(page + 1).unwrap_or(num_rows).clamp(begin, num_rows)
}

/// The row that each selected row is, in order.
pub fn selected_rows(selection: Option<&RowSelection>, num_rows: usize) -> Vec<u32> {
    let Some(selection) = selection else {
        return (0..num_rows as u32).collect();
    };
    let mut rows = Vec::with_capacity(selection.row_count());
    let mut next = 0;
    for run in selection.iter() {
        if !run.skip {
            rows.extend(next..next + run.row_count as u32);
        }
        next += run.row_count as u32;
    }
    rows
}

/// Ascending `rows` as a selection.
pub fn select_rows(rows: &[u32], num_rows: usize) -> RowSelection {
    let ranges = rows.iter().map(|row| *row as usize..*row as usize + 1);
    RowSelection::from_consecutive_ranges(ranges, num_rows)
}

/// Compressed bytes of the pages that hold one of the ascending `rows`.
pub fn touched_bytes(pages: &[PageLocation], rows: &[u32]) -> u64 {
    let mut bytes = 0;
    let mut next = rows;
    for (page, location) in pages.iter().enumerate() {
        let end = pages.get(page + 1).map_or(i64::MAX, |p| p.first_row_index);
        let within = next.partition_point(|row| i64::from(*row) < end);
        if within > 0 {
            bytes += u64::try_from(location.compressed_page_size).unwrap_or(0);
        }
        next = next.get(within..).unwrap_or_default();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(first_rows: &[i64]) -> Vec<PageLocation> {
        let page = |(i, first_row_index): (usize, &i64)| PageLocation {
            offset: 0,
            compressed_page_size: 10 << i,
            first_row_index: *first_row_index,
        };
        first_rows.iter().enumerate().map(page).collect()
    }

    #[test]
    fn a_page_is_touched_when_one_of_its_rows_is() {
        let pages = pages(&[0, 100, 200]);
        assert_eq!(touched_bytes(&pages, &[]), 0);
        assert_eq!(touched_bytes(&pages, &[0, 99]), 10);
        assert_eq!(touched_bytes(&pages, &[99, 100]), 30);
        assert_eq!(touched_bytes(&pages, &[250]), 40);
        assert_eq!(touched_bytes(&pages, &[1, 101, 201]), 70);
    }

    #[test]
    fn a_selection_and_its_rows_say_the_same() {
        let rows = [0, 1, 5, 9];
        let selection = select_rows(&rows, 10);
        assert_eq!(selected_rows(Some(&selection), 10), rows);
        assert_eq!(selected_rows(None, 3), [0, 1, 2]);
        assert_eq!(select_rows(&[], 10).row_count(), 0);
    }

    #[test]
    fn a_range_holds_the_keys_that_lie_in_it_and_at_its_ends() {
        let keys = StringViewArray::from_iter_values(["b", "d", "f"]);
        for (min, max, holds) in [
            ("a", "a", false),
            ("a", "b", true),
            ("c", "c", false),
            ("c", "e", true),
            ("f", "z", true),
            ("g", "z", false),
        ] {
            assert_eq!(
                holds_any(&keys, min.as_bytes(), max.as_bytes()),
                holds,
                "{min}..={max}"
            );
        }
        assert!(!holds_any(&keys.slice(0, 0), b"a", b"z"));
    }
}
