//! Characters that downstream systems do not take: emoji, controls, noncharacters.
//!
//! What is unsupported is a sequence, not a character, since emoji are composed:
//!
//! ```text
//!   1 U+FE0F U+20E3            keycap: `1` alone is supported
//!   U+2764 U+FE0F              heart with emoji presentation: U+2764 alone is supported
//!   man ZWJ woman ZWJ boy      one family
//!   flag U+E0067 .. U+E007F    one flag and its tags
//! ```
//! A sequence begins with a character that is unsupported by itself, or with one that its successor makes an
//! emoji, and takes along everything that modifies it. Stripping removes whole sequences, so that no joiner,
//! selector or enclosing mark is left behind to attach itself to a neighbour.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use unicode_properties::{EmojiStatus, UnicodeEmoji};

const ZWJ: char = '\u{200D}';
const TEXT_PRESENTATION: char = '\u{FE0E}';
const EMOJI_PRESENTATION: char = '\u{FE0F}';
const ENCLOSING_KEYCAP: char = '\u{20E3}';

/// An unsupported sequence in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// Characters before it.
    pub char_index: usize,
    /// The whole sequence.
    pub text: String,
}

/// The first unsupported sequence of a text.
#[must_use]
pub fn unsupported(text: &str) -> Option<Unsupported> {
    let (supported, sequence) = next_sequence(text)?;
    Some(Unsupported {
        char_index: supported.chars().count(),
        text: sequence.to_owned(),
    })
}

/// Whether a text has an unsupported sequence.
#[must_use]
pub fn has_unsupported(text: &str) -> bool {
    next_sequence(text).is_some()
}

/// The text without its unsupported sequences, and without joiners that led to them.
#[must_use]
pub fn strip_unsupported(text: &str) -> Cow<'_, str> {
    let mut stripped = String::new();
    let mut rest = text;
    while let Some((supported, sequence)) = next_sequence(rest) {
        stripped.push_str(supported);
        stripped.truncate(stripped.trim_end_matches(ZWJ).len());
        rest = &rest[supported.len() + sequence.len()..];
    }
    if rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    stripped.push_str(rest);
    Cow::Owned(stripped)
}

/// The first unsupported sequence, after what is supported before it.
///
/// A suspicious byte is the lead of a character that can begin a sequence, or that can make a beginning of
/// the character before it; all other characters are passed over unseen.
fn next_sequence(text: &str) -> Option<(&str, &str)> {
    let mut seen = 0;
    loop {
        let suspect = seen + suspicious_byte(&text.as_bytes()[seen..])?;
        let before = text[seen..suspect].chars().next_back().map_or(0, char::len_utf8);
        seen = suspect - before;
        while seen <= suspect {
            let (supported, rest) = text.split_at(seen);
            let mut chars = rest.chars();
            let first = chars.next()?;
            if let Some(len) = sequence_len(first, chars.as_str()) {
                return Some((supported, &rest[..len]));
            }
            seen += first.len_utf8();
        }
    }
}

/// Where the first suspicious byte is.
fn suspicious_byte(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| SUSPICIOUS[usize::from(*byte)])
}

/// Whether plain letters do not have this byte: a text without one has no unsupported character.
///
/// Suspicious are controls, and the lead bytes of U+0080 to U+00BF, U+2000 to U+2FFF, U+F000 to U+FFFF and of
/// all beyond the basic plane. A continuation byte never is.
pub(crate) const fn is_suspicious(byte: u8) -> bool {
    match byte {
        b'\t' | b'\n' | b'\r' => false,
        byte => byte < 0x20 || matches!(byte, 0x7F | 0xC2 | 0xE2 | 0xEF | 0xF0..),
    }
}

const SUSPICIOUS: [bool; 256] = {
    let mut suspicious = [false; 256];
    let mut byte = 0;
    while byte < suspicious.len() {
        suspicious[byte] = is_suspicious(byte as u8);
        byte += 1;
    }
    suspicious
};

/// The bytes of the sequence that begins with `first` and goes on in `rest`, if one does.
fn sequence_len(first: char, rest: &str) -> Option<usize> {
    let is_emoji = begins_emoji(first, rest);
    if !is_emoji && !is_always_unsupported(first) {
        return None;
    }
    let mut end = rest.chars();
    if is_regional_indicator(first) {
        skip(&mut end, is_regional_indicator);
    }
    loop {
        if skip(&mut end, |c| c == ZWJ) {
            if is_emoji {
                skip(&mut end, is_joinable);
            }
        } else if !skip(&mut end, is_modifier) {
            return Some(first.len_utf8() + rest.len() - end.as_str().len());
        }
    }
}

/// Goes past the next character if it is `wanted`.
fn skip(chars: &mut std::str::Chars<'_>, wanted: impl Fn(char) -> bool) -> bool {
    let found = chars.clone().next().is_some_and(wanted);
    if found {
        chars.next();
    }
    found
}

/// Whether `first` is an emoji by itself, or what follows makes it one.
fn begins_emoji(first: char, rest: &str) -> bool {
    let mut next = rest.chars();
    match next.next() {
        _ if is_emoji_presentation(first) => true,
        Some(EMOJI_PRESENTATION | ENCLOSING_KEYCAP) => first.is_emoji_char(),
        Some(ZWJ) => is_joinable(first) && next.next().is_some_and(is_joinable),
        Some(tone) if is_skin_tone(tone) => first.emoji_status() == EmojiStatus::EmojiModifierBase,
        _ => false,
    }
}

/// Emoji_Presentation; regional indicators and skin tones have it too.
fn is_emoji_presentation(c: char) -> bool {
    // The ranges that have any: quotation marks, dashes and rare ideographs need no search in the table.
    matches!(c, '\u{231A}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FFFF}')
        && matches!(
            c.emoji_status(),
            EmojiStatus::EmojiPresentation
                | EmojiStatus::EmojiPresentationAndModifierBase
                | EmojiStatus::EmojiPresentationAndEmojiComponent
                | EmojiStatus::EmojiPresentationAndModifierAndEmojiComponent
        )
}

/// Category Cc except tab, LF, CR; tags; noncharacters.
fn is_always_unsupported(c: char) -> bool {
    let is_noncharacter = matches!(c, '\u{FDD0}'..='\u{FDEF}') || u32::from(c) & 0xFFFE == 0xFFFE;
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || is_tag(c) || is_noncharacter
}

/// An emoji that ZWJ can join to another: `1 ZWJ 2` are two digits, whatever is between them.
fn is_joinable(c: char) -> bool {
    !c.is_ascii() && c.is_emoji_char()
}

/// What belongs to the character before it.
fn is_modifier(c: char) -> bool {
    matches!(c, TEXT_PRESENTATION | EMOJI_PRESENTATION | ENCLOSING_KEYCAP) || is_skin_tone(c) || is_tag(c)
}

fn is_skin_tone(c: char) -> bool {
    matches!(c, '\u{1F3FB}'..='\u{1F3FF}')
}

fn is_regional_indicator(c: char) -> bool {
    matches!(c, '\u{1F1E6}'..='\u{1F1FF}')
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0001}' | '\u{E0020}'..='\u{E007F}')
}
