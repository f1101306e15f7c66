use proptest::prelude::*;

use super::super::windows1252::is_windows_1252;
use super::TextType::{Nvarchar, Text, Varchar};
use super::{TextType, fits_length, truncate, utf16_units};

#[test]
fn characters_beyond_the_basic_plane_are_two_units() {
    assert_eq!(utf16_units(""), 0);
    assert_eq!(utf16_units("abc"), 3);
    assert_eq!(utf16_units("año"), 3);
    assert_eq!(utf16_units("日本"), 2);
    assert_eq!(utf16_units("a𠮷b"), 4);
}

#[test]
fn a_string_of_windows_1252_may_be_twice_as_long() {
    assert!(fits_length(&"a".repeat(8000), Text));
    assert!(!fits_length(&"a".repeat(8001), Text));
    assert!(fits_length(&"€".repeat(8000), Text));
    assert!(!fits_length(&"€".repeat(8001), Text));
    assert!(fits_length(&"Ł".repeat(4000), Text));
    assert!(!fits_length(&"Ł".repeat(4001), Text));
    assert!(!fits_length(&format!("{}Ł", "a".repeat(4000)), Text));
    assert!(fits_length(&"𠮷".repeat(2000), Text));
    assert!(!fits_length(&"𠮷".repeat(2001), Text));
}

#[test]
fn a_varchar_holds_windows_1252_only() {
    assert!(fits_length("5 € é", Varchar(5)));
    assert!(!fits_length("5 € éa", Varchar(5)));
    assert!(!fits_length("Ł", Varchar(5)));
    assert!(fits_length("", Varchar(0)));
}

#[test]
fn an_nvarchar_counts_units() {
    assert!(fits_length("Łódź", Nvarchar(4)));
    assert!(!fits_length("Łódź!", Nvarchar(4)));
    assert!(fits_length("𠮷𠮷", Nvarchar(4)));
    assert!(!fits_length("𠮷𠮷", Nvarchar(3)));
}

#[test]
fn truncating_never_splits_a_character() {
    assert_eq!(truncate("a𠮷b", Nvarchar(2)), "a");
    assert_eq!(truncate("a𠮷b", Nvarchar(3)), "a𠮷");
    assert_eq!(truncate("déjà vu", Varchar(4)), "déjà");
    assert_eq!(truncate("abc", Nvarchar(0)), "");
    assert_eq!(truncate("short", Text), "short");
}

#[test]
fn truncating_a_string_keeps_the_longer_of_both_measures() {
    assert_eq!(truncate(&"a".repeat(9000), Text).len(), 8000);
    assert_eq!(truncate(&"Ł".repeat(9000), Text).chars().count(), 4000);
    let late = format!("{}Ł{}", "a".repeat(5000), "a".repeat(5000));
    assert_eq!(truncate(&late, Text), "a".repeat(5000));
    let early = format!("{}Ł{}", "a".repeat(3000), "a".repeat(5000));
    assert_eq!(utf16_units(truncate(&early, Text)), 4000);
}

/// Short texts with characters of every width, repeated so that they straddle the limits.
fn texts() -> impl Strategy<Value = String> {
    (
        "[a-zéŁ€日𠮷\u{81}]{0,12}",
        "[aé€]{0,6}",
        prop_oneof![Just(1_usize), Just(400), Just(900)],
    )
        .prop_map(|(tail, head, repeats)| head.repeat(repeats) + &tail.repeat(repeats))
}

fn text_types() -> impl Strategy<Value = TextType> {
    prop_oneof![
        Just(Text),
        (0_u16..=20).prop_map(Varchar),
        (0_u16..=20).prop_map(Nvarchar),
        Just(Varchar(8000)),
        Just(Nvarchar(4000))
    ]
}

proptest! {
    #[test]
    fn units_are_those_of_the_encoding(text in texts()) {
        prop_assert_eq!(utf16_units(&text), text.encode_utf16().count());
    }

    #[test]
    fn fitting_is_what_the_types_say(text in texts(), text_type in text_types()) {
        let (units, narrow) = (text.encode_utf16().count(), is_windows_1252(&text));
        let expected = match text_type {
            Text => units <= 4000 || (narrow && units <= 8000),
            Varchar(n) => narrow && text.chars().count() <= n.into(),
            Nvarchar(n) => units <= n.into(),
        };
        prop_assert_eq!(fits_length(&text, text_type), expected);
    }

    #[test]
    fn a_truncated_text_is_the_longest_beginning_that_fits(text in texts(), text_type in text_types()) {
        let cut = truncate(&text, text_type);
        prop_assert!(text.starts_with(cut) && fits_length(cut, text_type));
        if let Some(next) = text[cut.len()..].chars().next() {
            let longer = &text[..cut.len() + next.len_utf8()];
            prop_assert!(!fits_length(longer, text_type));
        }
        prop_assert_eq!(cut.len() == text.len(), fits_length(&text, text_type));
    }
}
