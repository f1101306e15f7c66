//! JSON as Snowflake sends it, on several lines, to JSON on one.

use std::borrow::Cow;

/// What stands in arrays where nothing was set; JSON has no such word.
const UNDEFINED: &str = "undefined";

/// The same value without blanks between its parts; `undefined` becomes `null`.
pub(super) fn on_one_line(json: &str) -> Cow<'_, str> {
    if !json.contains([' ', '\n', '\t', '\r']) && !json.contains(UNDEFINED) {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len());
    // Every second piece is the inside of a string.
    for (is_string, piece) in pieces(json) {
        match is_string {
            true => text.push_str(piece),
            false => text.extend(
                piece
                    .replace(UNDEFINED, "null")
                    .chars()
                    .filter(|c| !c.is_ascii_whitespace()),
            ),
        }
    }
    Cow::Owned(text)
}

/// Strings with their quotes, and what is between them.
fn pieces(json: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = json;
    std::iter::from_fn(move || {
        let first = rest.bytes().next()?;
        let is_string = first == b'"';
        let end = match is_string {
            true => end_of_string(rest),
            false => rest.find('"').unwrap_or(rest.len()),
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some((is_string, piece))
    })
}

/// The byte behind the quote that closes a string; `text` starts with the one that opens it.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => (),
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_go_from_between_values_and_stay_within_them() {
        for (sent, expected) in [
            (
                "{\n  \"a b\": [ 1, undefined ],\n  \"c\": \"x \\\" undefined y\"\n}",
                r#"{"a b":[1,null],"c":"x \" undefined y"}"#,
            ),
            ("\"a  b\"", "\"a  b\""),
            (
                "12345678901234567890123456789012345678",
                "12345678901234567890123456789012345678",
            ),
            ("\"open \\", "\"open \\"),
        ] {
            assert_eq!(on_one_line(sent), expected);
        }
    }
}
