//! Why a line is not a record: the byte, and what should stand there.

use std::fmt;

use super::nested::MAX_LEVELS;

/// What the grammar asks for at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Object,
    KeyOrBrace,
    Key,
    Colon,
    Value,
    CommaOrBrace,
    CommaOrBracket,
    End,
    Character,
    Escape,
    HexDigit,
    Digit,
}

impl Expected {
    fn words(self) -> &'static str {
        match self {
            Self::Object => "an object `{...}`",
            Self::KeyOrBrace => "a key or `}`",
            Self::Key => "a key in double quotes",
            Self::Colon => "`:` after the key",
            Self::Value => "a value",
            Self::CommaOrBrace => "`,` or `}` after the value",
            Self::CommaOrBracket => "`,` or `]` after the value",
            Self::End => "the end of the record after the object",
            Self::Character => "a character of the string or its closing quote",
            Self::Escape => "one of `\"\\/bfnrtu` after the backslash",
            Self::HexDigit => "four hexadecimal digits after `\\u`",
            Self::Digit => "a digit",
        }
    }
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// Something else stands there.
    Expected(Expected),
    /// The key of this wanted column stands there a second time.
    SecondKey(u32),
    /// Another level opens below the deepest one allowed.
    TooDeep,
}

/// What is wrong, and where in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub at: usize,
    pub problem: Problem,
}

impl Fault {
    pub(super) fn expected(at: usize, expected: Expected) -> Self {
        Self {
            at,
            problem: Problem::Expected(expected),
        }
    }

    /// The message for the record `input[start..end]`; bytes are counted from 1.
    pub(super) fn message(self, input: &[u8], start: usize, end: usize, wanted: &[String]) -> String {
        // Blanks before the line end are passed together with its carriage return.
        let at = self.at.min(end);
        let byte_no = at - start + 1;
        match self.problem {
            Problem::Expected(expected) => {
                let found = Found::at(input.get(..end).unwrap_or(input), at);
                format!(
                    "syntax: expected {} at byte {byte_no}, found {found}",
                    expected.words()
                )
            }
            Problem::SecondKey(slot) => {
                let name = wanted.get(slot as usize).map_or("", String::as_str);
                format!("duplicate key: {name:?} stands a second time at byte {byte_no}")
            }
            Problem::TooDeep => format!("nesting: more than {MAX_LEVELS} levels at byte {byte_no}"),
        }
    }
}

/// What stands where something else was expected.
enum Found {
    End,
    Character(char),
    Byte(u8),
}

impl Found {
    fn at(record: &[u8], at: usize) -> Self {
        let Some(rest) = record.get(at..).filter(|rest| !rest.is_empty()) else {
            return Self::End;
        };
        let character = rest
            .utf8_chunks()
            .next()
            .and_then(|chunk| chunk.valid().chars().next());
        match character {
            Some(character) if !character.is_control() => Self::Character(character),
            _ => Self::Byte(rest.first().copied().unwrap_or_default()),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => f.write_str("the end of the record"),
            Self::Character(character) => write!(f, "`{character}`"),
            Self::Byte(byte) => write!(f, "the byte 0x{byte:02x}"),
        }
    }
}
