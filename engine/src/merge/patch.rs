//! Columns with some of their values replaced, pure.
//!
//! ```text
//!   old       a b c d e f g        pairs  (2, 7) (3, 8) (6, 9)
//!   change    ... C D G ...
//!             └ 7 8 9
//!   patched   a b C D e f G        in runs: old 0..2, change 7..9, old 4..6, change 9..10
//! ```

use arrow::array::{Array, ArrayRef, MutableArrayData, make_array};

use super::algo::Pairs;
use crate::error::{Error, Result};

/// Neighbouring rows that take the values of neighbouring changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    file_row: usize,
    change_row: usize,
    rows: usize,
}

/// `old` with the values of `change` in the rows that are paired.
///
/// # Errors
/// Columns whose types differ.
pub(super) fn patched(old: &ArrayRef, change: &ArrayRef, pairs: &Pairs) -> Result<ArrayRef> {
    if old.data_type() != change.data_type() {
        return Err(Error::runtime(format!(
            "a change of type {} for a column of type {}",
            change.data_type(),
            old.data_type()
        )));
    }
    let (old, change) = (old.to_data(), change.to_data());
    let mut column = MutableArrayData::new(vec![&old, &change], false, old.len());
    let mut done_rows = 0;
    for run in runs(pairs) {
        column.try_extend(0, done_rows, run.file_row)?;
        column.try_extend(1, run.change_row, run.change_row + run.rows)?;
        done_rows = run.file_row + run.rows;
    }
    column.try_extend(0, done_rows, old.len())?;
    Ok(make_array(column.freeze()))
}

fn runs(pairs: &Pairs) -> impl Iterator<Item = Run> {
    let rows = |rows: &[u32], at: usize| rows.get(at).map(|row| *row as usize);
    let mut at = 0;
    std::iter::from_fn(move || {
        let (file_row, change_row) = rows(&pairs.file_rows, at).zip(rows(&pairs.change_rows, at))?;
        let begun = at;
        while rows(&pairs.file_rows, at) == Some(file_row + at - begun)
            && rows(&pairs.change_rows, at) == Some(change_row + at - begun)
        {
            at += 1;
        }
        Some(Run {
            file_row,
            change_row,
            rows: at - begun,
        })
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array, StringViewArray};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn neighbours_on_both_sides_are_one_run() {
        let pairs = Pairs {
            file_rows: vec![2, 3, 6, 7, 8],
            change_rows: vec![7, 8, 9, 11, 12],
        };
        let found: Vec<_> = runs(&pairs)
            .map(|run| (run.file_row, run.change_row, run.rows))
            .collect();
        assert_eq!(found, [(2, 7, 2), (6, 9, 1), (7, 11, 2)]);
    }

    #[test]
    fn a_change_of_another_type_is_refused() {
        let old: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let change: ArrayRef = Arc::new(StringViewArray::from(vec!["1"]));
        assert!(patched(&old, &change, &Pairs::default()).is_err());
    }

    /// Short ones are in their view, long ones in a buffer.
    fn text() -> impl Strategy<Value = Option<String>> {
        proptest::option::of("[a-c]{0,3}|[a-c]{13,16}")
    }

    proptest! {
        #[test]
        fn a_patched_column_has_the_changes_where_there_are_any_and_the_old_values_elsewhere(
            old in proptest::collection::vec(text(), 1..60),
            change in proptest::collection::vec(text(), 60),
            picked in proptest::collection::btree_map(0u32..60, 0u32..60, 0..60),
        ) {
            let picked: Vec<(u32, u32)> =
                picked.into_iter().filter(|(row, _)| (*row as usize) < old.len()).collect();
            let (file_rows, change_rows) = picked.iter().copied().unzip();
            let mut expected = old.clone();
            for (row, from) in picked {
                expected[row as usize] = change[from as usize].clone();
            }
            let old: ArrayRef = Arc::new(old.into_iter().collect::<StringViewArray>());
            let change: ArrayRef = Arc::new(change.into_iter().collect::<StringViewArray>());
            let column = patched(&old, &change, &Pairs { file_rows, change_rows }).unwrap();
            let column: Vec<Option<String>> =
                column.as_string_view().iter().map(|value| value.map(str::to_owned)).collect();
            prop_assert_eq!(column, expected);
        }
    }
}
