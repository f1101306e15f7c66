use std::borrow::Cow;

use arrow::array::{Array, StringViewArray};
use proptest::prelude::*;

use super::{bits, mapped, nulls_where_not, view_bytes, with_nulls};

/// Columns with NULLs, short and long texts; some begin in the middle of their views.
pub(in crate::validate::text) fn columns(text: &'static str) -> impl Strategy<Value = StringViewArray> {
    let rows = proptest::collection::vec(proptest::option::weighted(0.9, text), 0..150);
    (rows, 0_usize..70).prop_map(|(rows, skipped)| {
        let column = StringViewArray::from_iter(rows);
        let skipped = skipped.min(column.len());
        column.slice(skipped, column.len() - skipped)
    })
}

/// Shares beginnings and ends, and makes new texts of others.
fn change(text: &str) -> Cow<'_, str> {
    match text.len() % 5 {
        0 => Cow::Borrowed(text),
        1 => Cow::Borrowed(text.strip_prefix(|_: char| true).unwrap_or(text)),
        2 => Cow::Borrowed(text.strip_suffix(|_: char| true).unwrap_or(text)),
        3 => Cow::Borrowed("elsewhere, and longer than a view"),
        _ => Cow::Owned(format!("{text}{text}")),
    }
}

#[test]
fn texts_that_stay_are_shared() {
    let column = StringViewArray::from(vec!["short", "longer than a view can hold"]);
    let same = mapped(&column, |text| Cow::Borrowed(text));
    assert_eq!(same.views(), column.views());
    assert_eq!(same.data_buffers().len(), 1);
    assert_eq!(same.data_buffers()[0].as_ptr(), column.data_buffers()[0].as_ptr());
    let shorter = mapped(&column, |text| Cow::Borrowed(&text[1..]));
    assert_eq!(
        shorter,
        StringViewArray::from(vec!["hort", "onger than a view can hold"])
    );
    assert_eq!(shorter.data_buffers().len(), 1);
}

proptest! {
    #[test]
    fn bits_are_the_answers_row_by_row(column in columns("[a-z]{0,20}")) {
        let answers = bits(&column, |row, view| (row + view as u32 as usize).is_multiple_of(3));
        let expected: Vec<bool> =
            (0..column.len()).map(|row| (row + column.value(row).len()).is_multiple_of(3)).collect();
        prop_assert_eq!(answers.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_row_is_null_if_it_was_or_is_found_to_be(column in columns("[a-z]{0,3}")) {
        let nulls = nulls_where_not(bits(&column, |_, view| view as u32 != 0), column.nulls());
        let expected: Vec<Option<&str>> = column.iter().map(|text| text.filter(|t| !t.is_empty())).collect();
        prop_assert_eq!(nulls.is_some(), expected.contains(&None));
        let column_with_nulls = with_nulls(&column, nulls);
        prop_assert_eq!(column_with_nulls.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_bytes_of_views_are_those_of_the_column(column in columns("[a-zé]{0,14}")) {
        let views: Vec<u128> = view_bytes(&column).iter().map(|view| u128::from_ne_bytes(*view)).collect();
        prop_assert_eq!(&views[..], &column.views()[..]);
    }

    #[test]
    fn changed_columns_are_valid_and_hold_the_changed_texts(column in columns("[a-zéß€]{0,20}")) {
        let changed = mapped(&column, change);
        let expected: Vec<Option<String>> =
            column.iter().map(|text| text.map(|text| change(text).into_owned())).collect();
        prop_assert_eq!(changed.iter().map(|t| t.map(str::to_owned)).collect::<Vec<_>>(), expected);
        let (views, buffers, nulls) = changed.into_parts();
        prop_assert!(StringViewArray::try_new(views, buffers, nulls).is_ok());
    }
}
