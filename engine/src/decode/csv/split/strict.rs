//! The grammar: RFC 4180 to the letter, for one record that starts at a known byte.

use memchr::{memchr, memchr_iter, memchr2};

use super::marks::{Marks, Needles};
use super::table::Quoting;
use crate::decode::csv::dialect::{Delimiter, Dialect, Newline};

/// What lies behind the last byte of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// Nothing: the file ends.
    File,
    /// Bytes that have not been read yet.
    Chunk,
    /// Bytes that no record starting where this one does may reach.
    Limit,
}

/// Where an attempt to read past the slice stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inside {
    /// Between the quotes of a field.
    Quotes,
    /// Anywhere else.
    Line,
}

/// What starts at the byte a parse began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A record with correct quotes.
    Record {
        /// End of the content.
        end: usize,
        /// First byte after the line end.
        next: usize,
        /// Number of fields.
        fields: u32,
        /// Line feeds between quotes.
        inner_lines: u64,
    },
    /// A stray quote here.
    Stray(usize),
    /// No end in this slice; the first byte whose meaning is still open.
    Open(usize, Inside),
}

/// The special bytes, prepared for searching.
#[derive(Debug, Clone)]
pub(super) struct Grammar {
    pub(super) delimiter: Delimiter,
    pub(super) quote: Option<u8>,
    pub(super) escape: Option<u8>,
    pub(super) comment: Option<u8>,
    pub(super) newline: Newline,
    needles: Needles,
}

/// Whether a delimiter starts at a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DelimiterAt {
    Here,
    NotHere,
    /// Its first bytes are the last of the slice.
    Open,
}

enum Quoted {
    Field { close: usize, escaped: bool, then: Then },
    Stray(usize),
    Open(usize),
}

enum Then {
    Delimiter,
    LineEnd { next: usize },
}

impl Grammar {
    pub(super) fn new(dialect: &Dialect) -> Self {
        let newline = dialect.newline.byte();
        let quote = dialect.quote.unwrap_or(newline);
        Self {
            delimiter: dialect.delimiter,
            quote: dialect.quote,
            escape: dialect.distinct_escape(),
            comment: dialect.comment,
            newline: dialect.newline,
            needles: Needles::new([dialect.delimiter.first(), newline, quote]),
        }
    }

    /// Parses the record at `start` of `bytes`; `field` is told number, start, end and quoting of each field.
    #[inline]
    pub(super) fn parse(
        &self,
        bytes: &[u8],
        start: usize,
        edge: Edge,
        mut field: impl FnMut(u32, usize, usize, Quoting),
    ) -> Parsed {
        let mut marks = Marks::new(bytes, start, self.needles);
        let (mut number, mut begin, mut inner_lines) = (0, start, 0);
        loop {
            let Some(at) = marks.next() else {
                if edge != Edge::File {
                    return Parsed::Open(bytes.len(), Inside::Line);
                }
                field(number, begin, bytes.len(), Quoting::Plain);
                return Parsed::Record {
                    end: bytes.len(),
                    next: bytes.len(),
                    fields: number + 1,
                    inner_lines,
                };
            };
            if at < begin {
                // Inside a delimiter of several bytes.
                continue;
            }
            let byte = bytes[at];
            if byte == self.delimiter.first() {
                match self.delimiter_at(bytes, at, edge) {
                    DelimiterAt::Here => {
                        field(number, begin, at, Quoting::Plain);
                        number += 1;
                        begin = at + self.delimiter.len();
                    }
                    DelimiterAt::NotHere => (),
                    DelimiterAt::Open => return Parsed::Open(at, Inside::Line),
                }
            } else if byte == self.newline.byte() {
                let end = self.content_end(bytes, begin, at);
                field(number, begin, end, Quoting::Plain);
                return Parsed::Record {
                    end,
                    next: at + 1,
                    fields: number + 1,
                    inner_lines,
                };
            } else if at != begin {
                return Parsed::Stray(at);
            } else {
                let (close, escaped, then) = match self.quoted(bytes, at + 1, edge) {
                    Quoted::Field { close, escaped, then } => (close, escaped, then),
                    Quoted::Stray(at) => return Parsed::Stray(at),
                    Quoted::Open(at) => return Parsed::Open(at, Inside::Quotes),
                };
                field(
                    number,
                    at + 1,
                    close,
                    if escaped {
                        Quoting::Escaped
                    } else {
                        Quoting::Quoted
                    },
                );
                inner_lines += self.lines(&bytes[at + 1..close]);
                number += 1;
                begin = match then {
                    Then::Delimiter => close + 1 + self.delimiter.len(),
                    Then::LineEnd { next } => {
                        return Parsed::Record {
                            end: close + 1,
                            next,
                            fields: number,
                            inner_lines,
                        };
                    }
                };
                marks = Marks::new(bytes, begin, self.needles);
            }
        }
    }

    /// Reads on from the byte after an opening quote.
    fn quoted(&self, bytes: &[u8], from: usize, edge: Edge) -> Quoted {
        let (mut from, mut escaped) = (from, false);
        while let Some(at) = self.next_quote(bytes, from) {
            let next = bytes.get(at + 1).copied();
            if self.escape == Some(bytes[at]) {
                if next.is_none() {
                    return Quoted::Open(at);
                }
                (from, escaped) = (at + 2, true);
                continue;
            }
            let then = match next {
                None if edge == Edge::File => Then::LineEnd { next: at + 1 },
                None => return Quoted::Open(at),
                Some(byte) if byte == self.delimiter.first() => {
                    match self.delimiter_at(bytes, at + 1, edge) {
                        DelimiterAt::Here => Then::Delimiter,
                        DelimiterAt::NotHere => return Quoted::Stray(at),
                        DelimiterAt::Open => return Quoted::Open(at),
                    }
                }
                Some(byte) if byte == self.newline.byte() => Then::LineEnd { next: at + 2 },
                Some(b'\r') => match bytes.get(at + 2) {
                    Some(b'\n') => Then::LineEnd { next: at + 3 },
                    None if edge != Edge::File => return Quoted::Open(at),
                    _ => return Quoted::Stray(at),
                },
                Some(byte) if self.is_doubled(byte) => {
                    (from, escaped) = (at + 2, true);
                    continue;
                }
                Some(_) => return Quoted::Stray(at),
            };
            return Quoted::Field {
                close: at,
                escaped,
                then,
            };
        }
        Quoted::Open(bytes.len())
    }

    /// Whether `next`, right after a quote between quotes, makes the two one quote of data.
    pub(super) fn is_doubled(&self, next: u8) -> bool {
        self.escape.is_none() && self.quote == Some(next)
    }

    fn delimiter_at(&self, bytes: &[u8], at: usize, edge: Edge) -> DelimiterAt {
        let (rest, delimiter) = (&bytes[at..], self.delimiter.as_bytes());
        if rest.starts_with(delimiter) {
            DelimiterAt::Here
        } else if edge == Edge::Chunk && delimiter.starts_with(rest) {
            DelimiterAt::Open
        } else {
            DelimiterAt::NotHere
        }
    }

    /// Where the content of a record ends whose line ends with the byte at `line_end`.
    pub(super) fn content_end(&self, bytes: &[u8], start: usize, line_end: usize) -> usize {
        match bytes.get(start..line_end) {
            Some([.., b'\r']) if self.newline == Newline::LineFeed => line_end - 1,
            _ => line_end,
        }
    }

    /// Number of line ends.
    pub(super) fn lines(&self, bytes: &[u8]) -> u64 {
        memchr_iter(self.newline.byte(), bytes).count() as u64
    }

    /// The next line end.
    pub(super) fn line_end(&self, bytes: &[u8]) -> Option<usize> {
        memchr(self.newline.byte(), bytes)
    }

    /// The next quote or escape.
    fn next_quote(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let rest = &bytes[from..];
        let found = match (self.quote, self.escape) {
            (Some(quote), None) => memchr(quote, rest),
            (Some(quote), Some(escape)) => memchr2(quote, escape, rest),
            (None, _) => None,
        };
        found.map(|at| from + at)
    }
}
