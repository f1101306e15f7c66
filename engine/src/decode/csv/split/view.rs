//! The input of one call, and what can be known at its end.

use super::End;
use super::strict::{Edge, Grammar};
use crate::decode::csv::dialect::Newline;

/// Bytes of a line end: CR LF.
const LINE_END_BYTES: usize = 2;

/// A chunk and whether the file ends with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) input: &'a [u8],
    pub(super) end: End,
}

/// What the line that starts at a byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineAt {
    /// No record; the first byte after it.
    Blank(usize),
    /// A comment that the input does not end.
    OpenComment,
    /// The first line of a record.
    Record,
    /// The file ends here.
    EndOfFile,
    /// Only more input can tell.
    Unknown,
}

impl<'a> View<'a> {
    /// The part of an input whose positions fit into 32 bits.
    pub(super) fn addressable(input: &'a [u8], end: End) -> Self {
        let last = u32::MAX as usize;
        if input.len() <= last {
            Self { input, end }
        } else {
            Self {
                input: &input[..last],
                end: End::More,
            }
        }
    }

    /// The input up to the last byte that matters to a record at `start`, and what is behind it.
    ///
    /// A record that fills the window is too long, also where the file ends with the window: the verdict must
    /// not depend on whether the end of the file is already known.
    pub(super) fn window(&self, start: usize, record_bytes: usize) -> (&'a [u8], Edge) {
        match self.input.get(..start + record_bytes + LINE_END_BYTES) {
            Some(window) => (window, Edge::Limit),
            None => (
                self.input,
                if self.end == End::Last {
                    Edge::File
                } else {
                    Edge::Chunk
                },
            ),
        }
    }

    pub(super) fn line_at(&self, at: usize, grammar: &Grammar) -> LineAt {
        let is_crlf = grammar.newline == Newline::LineFeed;
        let rest = self.input.get(at..).unwrap_or_default();
        match (rest, self.end) {
            ([], End::Last) => LineAt::EndOfFile,
            ([], End::More) => LineAt::Unknown,
            ([b'\r'], End::More) if is_crlf => LineAt::Unknown,
            ([first, ..], _) if *first == grammar.newline.byte() => LineAt::Blank(at + 1),
            ([b'\r', b'\n', ..], _) if is_crlf => LineAt::Blank(at + 2),
            ([first, ..], _) if Some(*first) == grammar.comment => match grammar.line_end(rest) {
                Some(line_feed) => LineAt::Blank(at + line_feed + 1),
                None => LineAt::OpenComment,
            },
            _ => LineAt::Record,
        }
    }
}
