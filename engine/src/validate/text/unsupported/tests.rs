use proptest::prelude::*;
use unicode_properties::{GeneralCategory, UnicodeEmoji, UnicodeGeneralCategory};

use super::{
    Unsupported, has_unsupported, is_emoji_presentation, sequence_len, strip_unsupported, unsupported,
};

const FAMILY: &str = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F466}";
const ENGLAND: &str = "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}";

/// The sequence found in `text`, and what is left of `text` without it.
fn taken(text: &str) -> (String, String) {
    let found = unsupported(text).map(|found| found.text).unwrap_or_default();
    (found, strip_unsupported(text).into_owned())
}

#[track_caller]
fn assert_taken_whole(sequence: &str) {
    assert_eq!(
        taken(sequence),
        (sequence.to_owned(), String::new()),
        "{sequence:?}"
    );
    assert_eq!(
        taken(&format!("ab{sequence}cd")),
        (sequence.to_owned(), "abcd".to_owned()),
        "{sequence:?}"
    );
    assert_eq!(
        unsupported(&format!("é€{sequence}")).map(|found| found.char_index),
        Some(2),
        "{sequence:?}"
    );
}

#[test]
fn what_names_and_addresses_are_made_of_is_supported() {
    for text in [
        "",
        "Ann",
        "Zoë Müller-Łukasz",
        "O\u{2019}Brien \u{2013} \u{201C}x\u{201D}\u{2026}",
        "日本語",
        "мир",
        "नमस्ते",
        "𠮷野家",
        "𝒜𝓁",
        "🄰",
        "tab\there\r\nthere",
        "#1 * 0123456789",
        "© ® ™",
        "\u{2764} \u{263A} \u{2194} \u{25B6}",
        "5 €",
        "\u{feff}",
        "\u{ad}",
        "\u{200b}",
        "ﬁ",
        "\u{e000}",
        "\u{10fffd}",
        "e\u{301}",
        "ﷺ",
    ] {
        assert!(!has_unsupported(text), "{text:?}");
        assert_eq!(unsupported(text), None);
        assert!(matches!(strip_unsupported(text), std::borrow::Cow::Borrowed(same) if same == text));
    }
}

#[test]
fn joiners_and_selectors_between_letters_are_supported() {
    for text in [
        "\u{6CC}\u{200D}\u{6A9}",
        "क्\u{200D}ष",
        "a\u{FE0F}",
        "a\u{20E3}",
        "1\u{200D}2",
        "\u{200D}",
        "\u{FE0F}",
        "\u{2764}\u{200D}x",
        "\u{2764}\u{FE0E}",
        "x\u{200D}\u{2764}",
        "1\u{FE0E}",
        "\u{845B}\u{E0100}",
    ] {
        assert!(!has_unsupported(text), "{text:?}");
    }
}

#[test]
fn emoji_are_taken_as_whole_sequences() {
    for sequence in [
        "😀",
        "⌚",
        "🀄",
        FAMILY,
        ENGLAND,
        "\u{1F44D}\u{1F3FD}",
        "\u{1F1EA}\u{1F1F8}",
        "\u{2764}\u{FE0F}",
        "\u{2764}\u{FE0F}\u{200D}\u{1F525}",
        "\u{2764}\u{200D}\u{1F525}",
        "\u{2764}\u{200D}\u{2764}",
        "\u{1F469}\u{1F3FD}\u{200D}\u{2764}\u{FE0F}\u{200D}\u{1F468}\u{1F3FB}",
        "\u{261D}\u{1F3FB}",
        "\u{1F3F3}\u{FE0F}\u{200D}\u{26A7}\u{FE0F}",
        "\u{231A}\u{FE0E}",
        "\u{1F3FD}",
        "\u{1F1EA}",
        "©\u{FE0F}",
        "™\u{FE0F}",
        "\u{3297}\u{FE0F}",
        "\u{1F170}\u{FE0F}",
    ] {
        assert_taken_whole(sequence);
    }
}

#[test]
fn a_keycap_is_taken_with_its_digit() {
    for sequence in [
        "1\u{FE0F}\u{20E3}",
        "1\u{20E3}",
        "#\u{FE0F}\u{20E3}",
        "*\u{20E3}",
        "1\u{FE0F}",
    ] {
        assert_taken_whole(sequence);
    }
    assert_eq!(
        taken("12\u{FE0F}\u{20E3}3"),
        ("2\u{FE0F}\u{20E3}".to_owned(), "13".to_owned())
    );
}

#[test]
fn controls_tags_and_noncharacters_are_taken() {
    for sequence in [
        "\0",
        "\u{1}",
        "\u{B}",
        "\u{C}",
        "\u{1B}",
        "\u{1F}",
        "\u{7F}",
        "\u{80}",
        "\u{85}",
        "\u{9F}",
        "\u{E0001}",
        "\u{E0041}",
        "\u{E007F}",
        "\u{FDD0}",
        "\u{FDEF}",
        "\u{FFFE}",
        "\u{FFFF}",
        "\u{1FFFE}",
        "\u{10FFFF}",
    ] {
        assert_taken_whole(sequence);
    }
}

#[test]
fn the_first_of_several_is_reported() {
    let text = format!("naïve {FAMILY}😀\u{7}");
    assert_eq!(
        unsupported(&text),
        Some(Unsupported {
            char_index: 6,
            text: FAMILY.to_owned()
        })
    );
    assert_eq!(strip_unsupported(&text), "naïve ");
    assert_eq!(
        taken("\u{1F1EA}\u{1F1F8}\u{1F1EB}\u{1F1F7}"),
        ("\u{1F1EA}\u{1F1F8}".to_owned(), String::new())
    );
}

#[test]
fn nothing_that_is_left_makes_a_neighbour_an_emoji() {
    for (text, expected) in [
        ("1😀\u{20E3}", "1"),
        ("1\u{1}\u{FE0F}\u{20E3}x", "1x"),
        ("\u{2764}\u{1}\u{200D}\u{2764}", "\u{2764}\u{2764}"),
        ("\u{2764}\u{200D}\u{1}\u{2764}", "\u{2764}\u{2764}"),
        (
            "\u{2764}\u{200D}\u{1}\u{200D}\u{1}\u{200D}\u{2764}",
            "\u{2764}\u{2764}",
        ),
        ("1\u{200D}😀2", "12"),
        ("😀\u{200D}\u{6CC}", "\u{6CC}"),
    ] {
        assert_eq!(strip_unsupported(text), expected, "{text:?}");
    }
}

#[test]
fn every_single_character_is_judged_by_its_properties() {
    for c in '\0'..=char::MAX {
        let code = u32::from(c);
        let presentation = format!("{:?}", c.emoji_status()).contains("EmojiPresentation");
        assert_eq!(is_emoji_presentation(c), presentation, "U+{code:04X}");
        let expected = presentation
            || (c.general_category() == GeneralCategory::Control && !"\t\n\r".contains(c))
            || ('\u{1F1E6}'..='\u{1F1FF}').contains(&c)
            || ('\u{1F3FB}'..='\u{1F3FF}').contains(&c)
            || code == 0xE0001
            || (0xE0020..=0xE007F).contains(&code)
            || (0xFDD0..=0xFDEF).contains(&code)
            || [0xFFFE, 0xFFFF].contains(&(code & 0xFFFF));
        assert_eq!(
            has_unsupported(c.encode_utf8(&mut [0; 4])),
            expected,
            "U+{code:04X}"
        );
        for mark in ['\u{FE0F}', '\u{20E3}'] {
            assert_eq!(
                has_unsupported(&format!("{c}{mark}")),
                expected || c.is_emoji_char(),
                "U+{code:04X} {mark:?}"
            );
        }
    }
}

/// Texts in which neighbours often matter to each other.
fn texts() -> impl Strategy<Value = String> {
    let marks = proptest::sample::select(vec![
        '\u{200D}',
        '\u{FE0F}',
        '\u{FE0E}',
        '\u{20E3}',
        '\u{1F3FD}',
        '\u{E0067}',
        '\u{E007F}',
    ]);
    let bases = proptest::sample::select(vec![
        '1',
        '#',
        '©',
        '\u{2764}',
        '\u{261D}',
        '😀',
        '\u{1F1EA}',
        '\u{1F3F4}',
        '\u{1}',
        '\u{FFFF}',
    ]);
    let letters = proptest::sample::select(vec!['a', ' ', '\n', 'é', '日', '\u{6CC}', '€', '𠮷', '\u{2019}']);
    let c = prop_oneof![4 => marks, 3 => bases, 2 => letters, 1 => any::<char>()];
    (0_usize..70, proptest::collection::vec(c, 0..14))
        .prop_map(|(pad, chars)| "x".repeat(pad) + &chars.iter().collect::<String>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn a_stripped_text_has_nothing_unsupported_left(text in texts()) {
        let stripped = strip_unsupported(&text);
        prop_assert!(!has_unsupported(&stripped), "{:?}", stripped);
        prop_assert_eq!(has_unsupported(&text), stripped.len() < text.len());
    }

    #[test]
    fn stripping_keeps_the_order_and_every_letter(text in texts()) {
        let stripped = strip_unsupported(&text);
        let mut remaining = text.chars();
        prop_assert!(stripped.chars().all(|kept| remaining.any(|c| c == kept)));
        let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
        prop_assert_eq!(letters(&stripped), letters(&text));
    }

    #[test]
    fn what_is_reported_stands_where_it_says(text in texts()) {
        let first_sequence = text.char_indices().find_map(|(at, c)| {
            let len = sequence_len(c, &text[at + c.len_utf8()..])?;
            Some((text[..at].chars().count(), text[at..at + len].to_owned()))
        });
        prop_assert_eq!(unsupported(&text).map(|found| (found.char_index, found.text)), first_sequence);
    }
}
