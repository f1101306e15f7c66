//! How wide a text is, and how wide it may be.

#[cfg(test)]
mod tests;

use super::windows1252::{is_windows_1252, is_windows_1252_char};

/// Most UTF-16 units of a `string` that has a character outside Windows-1252.
const TEXT_UNITS: usize = 4000;

/// Most characters of a `string` that has none.
const TEXT_WINDOWS_1252_CHARS: usize = 8000;

/// A textual attribute type, as far as width goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextType {
    /// `string`: up to 4000 UTF-16 units, or 8000 if every character is in Windows-1252.
    Text,
    /// `varchar(n)`: up to n characters, all of them in Windows-1252.
    Varchar(u16),
    /// `nvarchar(n)`: up to n UTF-16 units.
    Nvarchar(u16),
}

/// The UTF-16 code units of a text: two for a character beyond the basic plane, one for any other.
#[must_use]
pub fn utf16_units(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.chars().map(char::len_utf16).sum()
    }
}

/// Whether a text fits its type. One with a character outside Windows-1252 never fits a `varchar`, however
/// short it is: [`is_windows_1252`] tells the two failures apart.
#[must_use]
pub fn fits_length(text: &str, text_type: TextType) -> bool {
    match text_type {
        // A text has at least as many bytes as units, so most answers need no look at the characters.
        TextType::Text if text.len() <= TEXT_UNITS => true,
        TextType::Text => match utf16_units(text) {
            0..=TEXT_UNITS => true,
            units => units <= TEXT_WINDOWS_1252_CHARS && is_windows_1252(text),
        },
        TextType::Varchar(max_chars) => utf16_units(text) <= usize::from(max_chars) && is_windows_1252(text),
        TextType::Nvarchar(max_units) => {
            text.len() <= usize::from(max_units) || utf16_units(text) <= usize::from(max_units)
        }
    }
}

/// The longest beginning of a text that fits its type; the whole of it if that fits. No character is split.
///
/// For a `varchar` it ends before the first character outside Windows-1252, which is seldom what is wanted:
/// truncation is for texts that are too long and nothing else.
#[must_use]
pub fn truncate(text: &str, text_type: TextType) -> &str {
    if fits_length(text, text_type) {
        return text;
    }
    match text_type {
        TextType::Text => {
            let wide = &text[..utf16_prefix_bytes(text, TEXT_UNITS)];
            let narrow = &text[..windows_1252_prefix_bytes(text, TEXT_WINDOWS_1252_CHARS)];
            if narrow.len() > wide.len() { narrow } else { wide }
        }
        TextType::Varchar(max_chars) => &text[..windows_1252_prefix_bytes(text, max_chars.into())],
        TextType::Nvarchar(max_units) => &text[..utf16_prefix_bytes(text, max_units.into())],
    }
}

/// Bytes of the longest beginning with at most `max_units` UTF-16 units.
fn utf16_prefix_bytes(text: &str, max_units: usize) -> usize {
    let mut units = 0;
    let taken = text.chars().take_while(|c| {
        units += c.len_utf16();
        units <= max_units
    });
    taken.map(char::len_utf8).sum()
}

/// Bytes of the longest beginning with at most `max_chars` characters, all in Windows-1252.
fn windows_1252_prefix_bytes(text: &str, max_chars: usize) -> usize {
    text.chars()
        .take(max_chars)
        .take_while(|c| is_windows_1252_char(*c))
        .map(char::len_utf8)
        .sum()
}
