//! `boolean` cells.

/// Reads true/false, t/f, yes/no, y/n or 1/0, in any case.
#[must_use]
pub fn parse_boolean(text: &str) -> Option<bool> {
    match text.as_bytes() {
        [b'1' | b't' | b'T' | b'y' | b'Y'] => Some(true),
        [b'0' | b'f' | b'F' | b'n' | b'N'] => Some(false),
        word if word.eq_ignore_ascii_case(b"true") || word.eq_ignore_ascii_case(b"yes") => Some(true),
        word if word.eq_ignore_ascii_case(b"false") || word.eq_ignore_ascii_case(b"no") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
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
}
