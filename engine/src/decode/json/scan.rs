//! The grammar of JSON over one line of an input.
//!
//! ```text
//!  {"name": "A\"n", "tags": [1, "x"]}⏎
//!            └─┬─┘          └───┬───┘
//!        Escaped span       Plain span (nested: its text as written)
//! ```
//!
//! A scanner knows no line end of its own: the line feed behind the record ends every token (it is a control
//! character in a string, and no blank here), and so does the end of the input.

use super::fault::{Expected, Fault};

/// How the bytes of a span become a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `null`: no value.
    Null,
    /// The bytes are the text.
    Plain,
    /// A string with escapes.
    Escaped,
}

/// A key or a value, the quotes of a string left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
    pub kind: Kind,
}

impl Span {
    pub(super) fn bytes<'a>(&self, input: &'a [u8]) -> &'a [u8] {
        input.get(self.start..self.end).unwrap_or_default()
    }
}

/// A place in the input.
#[derive(Debug, Clone)]
pub(super) struct Scanner<'a> {
    pub(super) input: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(input: &'a [u8], at: usize) -> Self {
        Self { input, at }
    }

    /// Reads the record that ends at `end`, an object; `entry` reads each of its keys with its value.
    #[inline]
    pub(super) fn record(
        &mut self,
        end: usize,
        mut entry: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.blanks();
        self.token(b'{', Expected::Object)?;
        self.blanks();
        if !self.take(b'}') {
            self.key_ahead(Expected::KeyOrBrace)?;
            loop {
                entry(self)?;
                self.blanks();
                if !self.take(b',') {
                    break self.token(b'}', Expected::CommaOrBrace)?;
                }
                self.blanks();
                self.key_ahead(Expected::Key)?;
            }
        }
        self.blanks();
        if self.at < end {
            return self.fault(Expected::End);
        }
        Ok(())
    }

    /// The byte here; a line feed at the end of the input.
    #[inline(always)]
    pub(super) fn peek(&self) -> u8 {
        self.input.get(self.at).copied().unwrap_or(b'\n')
    }

    /// Passes blanks. A carriage return is one, a line feed is the end.
    #[inline(always)]
    pub(super) fn blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\r') {
            self.at += 1;
        }
    }

    /// Passes `byte` if it is here.
    #[inline(always)]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let is_here = self.peek() == byte;
        self.at += usize::from(is_here);
        is_here
    }

    /// Passes `byte`, which must be here.
    #[inline(always)]
    pub(super) fn token(&mut self, byte: u8, expected: Expected) -> Result<(), Fault> {
        if self.take(byte) {
            Ok(())
        } else {
            self.fault(expected)
        }
    }

    /// Passes the colon and the blanks around it.
    #[inline(always)]
    pub(super) fn colon(&mut self) -> Result<(), Fault> {
        self.blanks();
        self.token(b':', Expected::Colon)?;
        self.blanks();
        Ok(())
    }

    /// Sees to it that a string begins here.
    #[inline(always)]
    pub(super) fn key_ahead(&self, expected: Expected) -> Result<(), Fault> {
        if self.peek() == b'"' {
            Ok(())
        } else {
            self.fault(expected)
        }
    }

    /// Reads the value that begins here.
    #[inline]
    pub(super) fn value(&mut self) -> Result<Span, Fault> {
        if matches!(self.peek(), b'{' | b'[') {
            let start = self.at;
            self.nested()?;
            return Ok(self.plain(start));
        }
        self.scalar()
    }

    /// Reads a value that is neither object nor array.
    #[inline]
    pub(super) fn scalar(&mut self) -> Result<Span, Fault> {
        let start = self.at;
        match self.peek() {
            b'"' => return self.string(),
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => {
                self.word(b"null")?;
                return Ok(Span {
                    start,
                    end: self.at,
                    kind: Kind::Null,
                });
            }
            _ => return self.fault(Expected::Value),
        }
        Ok(self.plain(start))
    }

    /// Reads the string whose opening quote is here.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Span, Fault> {
        let start = self.at + 1;
        let mut kind = Kind::Plain;
        self.at = start;
        loop {
            self.at = mark_from(self.input, self.at);
            match self.peek() {
                b'"' => break,
                b'\\' => {
                    kind = Kind::Escaped;
                    self.escape()?;
                }
                _ => return self.fault(Expected::Character),
            }
        }
        self.at += 1;
        Ok(Span {
            start,
            end: self.at - 1,
            kind,
        })
    }

    /// Passes the escape whose backslash is here. A surrogate may stand alone: that is no matter of grammar.
    fn escape(&mut self) -> Result<(), Fault> {
        self.at += 1;
        match self.peek() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_ascii_hexdigit() {
                        return self.fault(Expected::HexDigit);
                    }
                    self.at += 1;
                }
            }
            _ => return self.fault(Expected::Escape),
        }
        Ok(())
    }

    #[inline]
    fn number(&mut self) -> Result<(), Fault> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if !self.take(b'-') {
                self.take(b'+');
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Passes one digit or more.
    #[inline]
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == start {
            return self.fault(Expected::Digit);
        }
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Fault> {
        if !self.take_all(word) {
            return self.fault(Expected::Value);
        }
        Ok(())
    }

    /// Passes `bytes` if they are here.
    #[inline(always)]
    pub(super) fn take_all(&mut self, bytes: &[u8]) -> bool {
        let end = self.at + bytes.len();
        let is_here = self.input.get(self.at..end) == Some(bytes);
        if is_here {
            self.at = end;
        }
        is_here
    }

    fn plain(&self, start: usize) -> Span {
        Span {
            start,
            end: self.at,
            kind: Kind::Plain,
        }
    }

    #[cold]
    pub(super) fn fault<T>(&self, expected: Expected) -> Result<T, Fault> {
        Err(Fault::expected(self.at, expected))
    }
}

/// Bytes looked at together.
const WORD_BYTES: usize = size_of::<u64>();

/// The first quote, backslash or control character from `at` on; the end of the input if there is none.
#[inline]
fn mark_from(input: &[u8], mut at: usize) -> usize {
    while let Some(word) = input.get(at..at + WORD_BYTES) {
        let marks = marks(u64::from_le_bytes(word.try_into().unwrap_or_default()));
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += WORD_BYTES;
    }
    let rest = input.get(at..).unwrap_or_default();
    let is_mark = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    at + rest.iter().position(is_mark).unwrap_or(rest.len())
}

/// The high bit of each marked byte. Bits above the lowest one set can be wrong: a borrow goes upwards.
#[inline(always)]
fn marks(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; WORD_BYTES]);
    const HIGH_BITS: u64 = ONES << 7;
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let quotes = below(word ^ (ONES * u64::from(b'"')), 1);
    let backslashes = below(word ^ (ONES * u64::from(b'\\')), 1);
    (quotes | backslashes | below(word, 0x20)) & HIGH_BITS
}
