use arrow::array::{BooleanArray, Int64Array, StringViewArray};
use proptest::prelude::*;

use super::super::cells::tests::columns;
use super::super::{is_email, is_email_column};
use super::*;

/// Texts with one byte or more that plain texts do not have, at any place, short and long.
const TEXTS: &str =
    "[ -~]{0,40}([\u{0}-\u{1f}\u{7f}-\u{9f}é€Łß\u{2764}\u{FE0F}\u{1F600}\u{1F1E6}][a-z]{0,30}){0,2}";

fn asked(column: &StringViewArray, ask: fn(&str) -> bool) -> BooleanArray {
    column.iter().map(|text| text.map(ask)).collect()
}

#[test]
fn every_ascii_byte_is_judged_alike_at_every_place_and_length() {
    for byte in 0..=0x7F_u8 {
        for len in 1..=40_usize {
            let texts = (0..len).map(|at| {
                let mut bytes = vec![b'x'; len];
                bytes[at] = byte;
                String::from_utf8(bytes).unwrap()
            });
            let column = StringViewArray::from_iter_values(texts);
            assert_eq!(
                has_unsupported_column(&column),
                asked(&column, has_unsupported),
                "{byte} in {len}"
            );
            assert_eq!(
                is_windows_1252_column(&column).true_count(),
                len,
                "{byte} in {len}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn columns_are_answered_as_their_texts_are(column in columns(TEXTS)) {
        prop_assert_eq!(has_unsupported_column(&column), asked(&column, has_unsupported));
        prop_assert_eq!(is_windows_1252_column(&column), asked(&column, is_windows_1252));
        let units: Int64Array = column.iter().map(|text| text.map(|text| utf16_units(text) as i64)).collect();
        prop_assert_eq!(utf16_units_column(&column), units);
    }

    #[test]
    fn suspects_are_answered_as_their_texts_are(column in columns(TEXTS), others in any::<u64>()) {
        let suspected = column.iter().enumerate();
        let suspected: BooleanArray = suspected
            .map(|(row, text)| Some(text.is_some_and(has_unsupported) || others >> (row % 64) & 1 == 1))
            .collect();
        prop_assert_eq!(has_unsupported_among(&column, &suspected), asked(&column, has_unsupported));
    }

    #[test]
    fn addresses_are_judged_as_their_texts_are(column in columns("[a-z.é]{0,9}@?[a-z.-]{0,9}([.]com)?")) {
        prop_assert_eq!(is_email_column(&column), asked(&column, is_email));
    }

    #[test]
    fn blanks_around_texts_go(column in columns("[ \t\u{a0}\u{2003}]{0,2}[a-zé \n]{0,20}[ \r\n\u{85}]{0,2}")) {
        let expected: StringViewArray = column.iter().map(|text| text.map(str::trim)).collect();
        prop_assert_eq!(trimmed_column(&column), expected);
    }
}
