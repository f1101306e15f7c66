//! `boolean` cells.

use super::short::Short;

/// Bytes of the longest word.
const MAX_BYTES: usize = 5;

/// Set in letters, and in no digit.
const LETTERS: u64 = 0x4040_4040_4000_0000;

/// Reads true/false, t/f, yes/no, y/n or 1/0, in any case.
#[must_use]
pub fn parse_boolean(text: &str) -> Option<bool> {
    short_boolean(Short::of_bytes(text.as_bytes())?)
}

/// [`parse_boolean`]: every word is short.
#[inline(always)]
pub(crate) fn short_boolean(text: Short) -> Option<bool> {
    let exact = text.last_word()? | text.num_bytes as u64;
    // Sets the bit that lower-case letters have and those of upper case do not.
    let key = exact | (exact & LETTERS) >> 1;
    let word = WORDS.get(slot(key))?;
    // No branch on the word: true and false take turns at random, and it would be guessed wrong.
    let is_word = (text.num_bytes <= MAX_BYTES) & (word.key == key);
    is_word.then_some(word.value)
}

/// A word that is a boolean.
#[derive(Clone, Copy)]
struct Word {
    /// Its bytes, the last one highest, and its length in the lowest byte, which tells it from one behind zeros.
    key: u64,
    /// What it says.
    value: bool,
}

/// Every word in the slot of its key; no key is 0.
static WORDS: [Word; 16] = {
    let mut words = [Word { key: 0, value: false }; 16];
    let values: [(&[u8], bool); 10] = [
        (b"true", true),
        (b"t", true),
        (b"yes", true),
        (b"y", true),
        (b"1", true),
        (b"false", false),
        (b"f", false),
        (b"no", false),
        (b"n", false),
        (b"0", false),
    ];
    let mut i = 0;
    while i < values.len() {
        let key = key_of(values[i].0);
        assert!(words[slot(key)].key == 0, "two words share a slot");
        words[slot(key)] = Word {
            key,
            value: values[i].1,
        };
        i += 1;
    }
    words
};

/// A place that no two words share, from the last letter and the length.
const fn slot(key: u64) -> usize {
    ((key >> 56) as usize + 6 * (key & 0xFF) as usize) & 15
}

const fn key_of(word: &[u8]) -> u64 {
    let (mut key, mut at) = (0, 0);
    while at < word.len() {
        key = key >> 8 | (word[at] as u64) << 56;
        at += 1;
    }
    key | word.len() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::parse_boolean;

    #[test]
    fn every_pair_of_words_is_read_in_any_case() {
        for yes in [
            "true", "TRUE", "True", "tRuE", "t", "T", "yes", "Yes", "y", "Y", "1",
        ] {
            assert_eq!(parse_boolean(yes), Some(true), "{yes}");
        }
        for no in ["false", "FALSE", "False", "f", "F", "no", "nO", "n", "N", "0"] {
            assert_eq!(parse_boolean(no), Some(false), "{no}");
        }
    }

    #[test]
    fn nothing_else_is_a_boolean() {
        for text in [
            "", " true", "true ", "01", "2", "-1", "on", "off", "tr", "yess", "\u{17f}", "ja",
        ] {
            assert_eq!(parse_boolean(text), None, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn a_word_is_told_from_all_that_share_bits_with_it(
            bytes in prop_oneof![
                "[tfynTFYN01\u{11}\u{10}\u{14}]\\PC?\u{0}?",
                "[tTyY\u{14}\u{19}][rReE\u{5}][uUsS\u{15}][eE\u{5}]?\u{0}?",
                "[fFnN\u{6}][aAoO\u{1}][lL\u{c}]?[sS\u{13}]?[eE]?\u{0}?",
            ],
        ) {
            let expected = match bytes.to_ascii_lowercase().as_str() {
                "true" | "t" | "yes" | "y" | "1" => Some(true),
                "false" | "f" | "no" | "n" | "0" => Some(false),
                _ => None,
            };
            prop_assert_eq!(parse_boolean(&bytes), expected, "{:?}", bytes);
        }
    }
}
