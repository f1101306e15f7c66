//! A record too long to hold: its bytes are dropped as they come, its end is still found.
//!
//! Outside quotes it ends at the next line feed. Between quotes it ends with the line on which they close, or at
//! the first line feed before something plausible (see [`resync`](super::resync)), whichever is first.

use memchr::memchr3;

use super::End;
use super::resync::{Before, Resync, Verdict};
use super::strict::Inside;

/// An oversized record whose first bytes have been dropped.
#[derive(Debug, Clone)]
pub(super) struct Oversized {
    /// First byte in the file.
    pub(super) byte_start: u64,
    /// Line on which it starts.
    pub(super) line: u64,
    /// The first bytes.
    pub(super) head: Vec<u8>,
    /// Where the bytes dropped so far leave the reader.
    pub(super) inside: Inside,
    /// The last byte dropped.
    pub(super) last: Option<u8>,
    /// Bytes dropped so far, in the source's own encoding.
    pub(super) source_bytes: u64,
}

/// What became of the input.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// The record ends at this line feed.
    LineFeed(usize),
    /// The record ends with the file.
    EndOfFile,
    /// The bytes up to here can be dropped, the record goes on.
    Dropped(usize),
}

impl Oversized {
    /// Reads on at `from`.
    pub(super) fn advance(&mut self, resync: &Resync<'_>, from: usize) -> Progress {
        let progress = match self.inside {
            Inside::Line => self.find_line_feed(resync, from),
            Inside::Quotes => self.find_closing_quote(resync, from),
        };
        if let Progress::Dropped(to) = progress {
            self.last = resync.view.input[from..to].last().copied().or(self.last);
        }
        progress
    }

    fn find_line_feed(&self, resync: &Resync<'_>, from: usize) -> Progress {
        match resync.grammar.line_end(&resync.view.input[from..]) {
            Some(line_feed) => Progress::LineFeed(from + line_feed),
            None => all(resync),
        }
    }

    fn find_closing_quote(&mut self, resync: &Resync<'_>, from: usize) -> Progress {
        let (input, grammar) = (resync.view.input, resync.grammar);
        let newline = grammar.newline.byte();
        let quote = grammar.quote.unwrap_or(newline);
        let (mut from, mut checked) = (from, from);
        while let Some(at) = memchr3(quote, grammar.escape.unwrap_or(quote), newline, &input[from..]) {
            let at = from + at;
            from = at + 1;
            if input[at] == newline {
                if from <= checked {
                    continue;
                }
                match resync.judge(from, Before::Broken) {
                    Verdict::Plausible => return Progress::LineFeed(at),
                    Verdict::Implausible(next) => checked = next,
                    Verdict::Unknown => return Progress::Dropped(at),
                }
                continue;
            }
            let Some(next) = input.get(from).copied() else {
                return if resync.view.end == End::Last {
                    Progress::EndOfFile
                } else {
                    Progress::Dropped(at)
                };
            };
            let escapes = grammar.escape == Some(input[at]);
            if grammar.is_doubled(next) || escapes && next != newline {
                from += 1;
            } else if !escapes {
                self.inside = Inside::Line;
                return self.find_line_feed(resync, from);
            }
        }
        all(resync)
    }
}

/// The input has no end of the record.
fn all(resync: &Resync<'_>) -> Progress {
    match resync.view.end {
        End::Last => Progress::EndOfFile,
        End::More => Progress::Dropped(resync.view.input.len()),
    }
}
