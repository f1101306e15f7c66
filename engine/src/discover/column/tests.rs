use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

#[test]
fn nulls_empties_and_values_are_counted_apart() {
    let mut profile = ColumnProfile::new("x");
    for cell in [None, Some(""), Some("a"), Some("NULL"), Some("a"), Some(" ")] {
        profile.observe(cell);
    }
    assert_eq!(
        (
            profile.num_rows,
            profile.null_rows,
            profile.empty_rows,
            profile.value_rows()
        ),
        (6, 1, 1, 4)
    );
    assert_eq!(profile.null_suspects.get("NULL"), Some(&1));
    assert_eq!(profile.distinct().values, 3);
}

#[test]
fn the_longest_cell_is_kept_and_cut() {
    let mut profile = ColumnProfile::new("x");
    for cell in ["é".repeat(3), "😀😀".to_owned(), "y".repeat(200), "z".repeat(200)] {
        profile.observe(Some(&cell));
    }
    assert_eq!((profile.longest_chars, profile.longest_utf16_units), (200, 200));
    assert_eq!(profile.longest_example, "y".repeat(EXAMPLE_CHARS));
}

proptest! {
    #[test]
    fn a_profile_agrees_with_a_second_look_at_the_cells(
        cells in prop::collection::vec(prop::option::of("[ 0a1é😀.]{0,5}"), 0..50),
    ) {
        let mut profile = ColumnProfile::new("x");
        cells.iter().for_each(|cell| profile.observe(cell.as_deref()));
        let values: Vec<&str> = cells.iter().flatten().map(String::as_str).filter(|cell| !cell.is_empty()).collect();
        prop_assert_eq!(profile.value_rows(), values.len() as u64);
        prop_assert_eq!(profile.distinct().values, values.iter().collect::<HashSet<_>>().len() as u64);
        prop_assert_eq!(profile.longest_chars, values.iter().map(|v| v.chars().count()).max().unwrap_or(0));
        prop_assert_eq!(profile.longest_utf16_units, values.iter().map(|v| v.encode_utf16().count()).max().unwrap_or(0));
        let blank = |v: &&&str| v.trim() != **v;
        prop_assert_eq!(profile.rows_with(Traits::OUTER_BLANKS), values.iter().filter(blank).count() as u64);
        let range = profile.ranges.text.as_ref();
        prop_assert_eq!(range.map(|r| r.min.as_str()), values.iter().min().copied());
        prop_assert_eq!(range.map(|r| r.max.as_str()), values.iter().max().copied());
        let trimmed = values.iter().filter(|v| !v.trim().is_empty() && Traits::of(v.trim()).has_any(Traits::INT));
        prop_assert_eq!(rows_with(&profile.tally_if_trimmed(), Traits::INT), trimmed.count() as u64);
    }
}
