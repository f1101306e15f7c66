//! RFC 4180 byte by byte, as plain as possible: the referee.

use crate::decode::csv::dialect::{Dialect, Newline};

/// A well-formed record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Strict {
    pub(super) values: Vec<Vec<u8>>,
    /// End of the content.
    pub(super) end: usize,
    /// First byte after the line end.
    pub(super) next: usize,
}

/// The record at `start`, if its quotes are right.
pub(super) fn parse(file: &[u8], start: usize, dialect: &Dialect) -> Option<Strict> {
    let mut values = vec![Vec::new()];
    let mut at = start;
    loop {
        if dialect.quote.is_some() && file.get(at).copied() == dialect.quote {
            at = quoted(file, at + 1, dialect, values.last_mut().unwrap())?;
            if !ends_field(file, at, dialect) {
                return None;
            }
        }
        while !ends_field(file, at, dialect) {
            if Some(file[at]) == dialect.quote {
                return None;
            }
            values.last_mut().unwrap().push(file[at]);
            at += 1;
        }
        match file.get(at) {
            None => {
                return Some(Strict {
                    values,
                    end: at,
                    next: at,
                });
            }
            Some(byte) if *byte == dialect.newline.byte() => {
                return Some(Strict {
                    values,
                    end: at,
                    next: at + 1,
                });
            }
            Some(b'\r') if dialect.newline == Newline::LineFeed => {
                return Some(Strict {
                    values,
                    end: at,
                    next: at + 2,
                });
            }
            Some(_) => values.push(Vec::new()),
        }
        at += dialect.delimiter.len();
    }
}

fn ends_field(file: &[u8], at: usize, dialect: &Dialect) -> bool {
    match file.get(at) {
        None => true,
        Some(byte) if *byte == dialect.newline.byte() => true,
        Some(b'\r') if dialect.newline == Newline::LineFeed && file.get(at + 1) == Some(&b'\n') => true,
        Some(_) => file[at..].starts_with(dialect.delimiter.as_bytes()),
    }
}

fn quoted(file: &[u8], mut at: usize, dialect: &Dialect, value: &mut Vec<u8>) -> Option<usize> {
    loop {
        let (byte, next) = (*file.get(at)?, file.get(at + 1).copied());
        if Some(byte) == dialect.escape
            || (dialect.escape.is_none() && Some(byte) == dialect.quote && next == dialect.quote)
        {
            value.push(next?);
            at += 2;
        } else if Some(byte) == dialect.quote {
            return Some(at + 1);
        } else {
            value.push(byte);
            at += 1;
        }
    }
}
