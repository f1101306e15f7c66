//! Where a damaged record ends.
//!
//! A quote that does not close takes the following lines for its content; a reader that believes it loses the
//! neighbours. The rule: *a damaged record costs itself and no neighbour*.
//!
//! ```text
//!  the file              a strict reader sees             the rule
//!  1,Ann,"12 Elm St     ┐ one record: the quote           ├ reject: UnterminatedQuote
//!  2,Bob,"9 Oak Rd"     ┘ is stray before the 9           ├ record 2, well-formed: the line feed before it
//!  3,Cy,                                                  ├ record 3     ends record 1
//! ```
//!
//! When the strict parse of a record fails, or gives a wrong number of fields or too many bytes over several
//! physical lines, every line feed from the start of the record up to the point of failure was between quotes.
//! The record ends at the first of them after which the text is *plausible*. Blank and comment lines are looked
//! through; then it is plausible that
//!
//! 1. the file ends, or
//! 2. the next line has exactly the expected number of fields when quotes are ignored, so that two damaged
//!    one-line records in a row are two rejects (where the parse did not fail, the record so far must have that
//!    number as well), or
//! 3. the record so far has, quotes ignored, exactly the expected number of fields, and the next line, read alone,
//!    has correct quotes and at least two fields (a ragged record after a damaged one), or
//! 4. the strict parse of what follows gives a record of the expected number of fields within `record_bytes`.
//!
//! Without an expected number, 2 asks for a line without quotes, 3 does not apply, 4 accepts any number.
//! If no line feed qualifies, the record ends with the line on which the parse failed; a record whose parse did
//! not fail but gave the wrong number of fields ends where the parse said.
//!
//! **Behind a stray quote.** A field behind it may hold line feeds too, and the lines after the first would be
//! rejects of their own:
//!
//! ```text
//!  1,An"n,"12 Elm St     ┐ the parse fails here. Were the quote data, the record would have its four fields,
//!  Flat 2",5             ┘ and no line feed in it is before something plausible: one reject
//!  2,Bob,"9 Oak Rd",7
//! ```
//!
//! So where no line feed before the failure qualified, the parse is taken up at the next delimiter on that line. If it
//! gives, with the fields before, exactly the expected number within `record_bytes`, the record ends at the first
//! plausible line feed in there, else with the parse. If it fails again, the record ends with its line.
//!
//! A well-formed neighbour is always plausible by 4, and the end is the first plausible line feed, so no damaged
//! record takes it in. What no rule can see is text that came to be correct by RFC 4180 with the expected number
//! of fields. Rules 2 and 3 only decide how many rejects the damaged lines are.
//!
//! **Cost.** A line feed is judged for one damaged record only. Of two parses that start on different lines at
//! most one is between quotes at any later line feed (the quote at a field start that opens the one closes the
//! other), so the parses of one search cover each line at most twice: the search reads at most twice the failed
//! extent, plus `record_bytes`. Of the parses behind stray quotes the same holds: those that fail cover each line at
//! most twice, those that do not end the record. The verdict looks at bytes of the file only, never at chunks: when they are not
//! there yet, it waits.

use memchr::{memchr, memchr_iter, memmem};

use super::strict::{Edge, Grammar, Parsed};
use super::view::{LineAt, View};

/// Searches one input for the end of a damaged record.
pub(super) struct Resync<'a> {
    pub(super) view: View<'a>,
    pub(super) grammar: &'a Grammar,
    pub(super) expected_fields: Option<u32>,
    pub(super) record_bytes: usize,
}

/// Outcome of a search.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Search {
    /// The record ends at this line feed.
    Found(usize),
    /// No line feed qualifies.
    Nothing,
    /// Only more input can tell.
    Unknown,
}

/// How a record goes on behind its stray quote.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BehindStray {
    /// As nobody can tell: it has its line.
    Line,
    /// With fields that make it complete, over several lines.
    Lines {
        /// End of the content.
        end: usize,
        /// First byte after the line end.
        next: usize,
    },
    /// Only more input can tell.
    Unknown,
}

/// Whether a record may start at a byte.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Plausible,
    /// No; nor does one start before this byte.
    Implausible(usize),
    Unknown,
}

/// The record before the byte under judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// It has, quotes ignored, the expected number of fields.
    Complete,
    /// It has not, and its quotes are wrong.
    Broken,
    /// It has not, but its quotes are right.
    Balanced,
}

impl Resync<'_> {
    /// The first plausible end among the line feeds from `start` to `stop`, for a record whose quotes are
    /// [`Broken`](Before::Broken) or [`Balanced`](Before::Balanced).
    pub(super) fn search(&self, start: usize, stop: usize, quotes: Before) -> Search {
        let (mut line, mut fields, mut checked) = (start, 1, start);
        for at in memchr_iter(self.grammar.newline.byte(), &self.view.input[start..stop]) {
            let line_feed = start + at;
            fields += self.delimiters(&self.view.input[line..line_feed]);
            line = line_feed + 1;
            if line <= checked {
                continue;
            }
            let before = if self.expected_fields == Some(fields) {
                Before::Complete
            } else {
                quotes
            };
            match self.judge(line, before) {
                Verdict::Plausible => return Search::Found(line_feed),
                Verdict::Implausible(next) => checked = next,
                Verdict::Unknown => return Search::Unknown,
            }
        }
        Search::Nothing
    }

    /// Reads the record at `start` on behind the field of its quote at `stray`.
    pub(super) fn behind_stray(&self, start: usize, stray: usize) -> BehindStray {
        let (bytes, edge) = self.view.window(start, self.record_bytes);
        let line = match self.grammar.line_end(&bytes[stray..]) {
            Some(length) => &bytes[stray..stray + length],
            None => return BehindStray::Line,
        };
        let (Some(expected), Some(delimiter)) = (self.expected_fields, self.next_delimiter(line)) else {
            return BehindStray::Line;
        };
        let mut fields_before = 0;
        let _ = self
            .grammar
            .parse(bytes, start, edge, |number, _, _, _| fields_before = number + 1);
        let rest = stray + delimiter + self.grammar.delimiter.len();
        match self.grammar.parse(bytes, rest, edge, |_, _, _, _| ()) {
            Parsed::Record {
                end,
                next,
                fields,
                inner_lines: 1..,
            } if fields_before + 1 + fields == expected && end - start <= self.record_bytes => {
                BehindStray::Lines { end, next }
            }
            Parsed::Open(..) if edge == Edge::Chunk => BehindStray::Unknown,
            _ => BehindStray::Line,
        }
    }

    /// Whether a record may start at `from`, the first byte of a line.
    pub(super) fn judge(&self, from: usize, before: Before) -> Verdict {
        let mut at = from;
        while at - from <= self.record_bytes {
            match self.view.line_at(at, self.grammar) {
                LineAt::Blank(next) => at = next,
                LineAt::Record => return self.judge_record(at, before),
                LineAt::EndOfFile => return Verdict::Plausible,
                LineAt::OpenComment if self.view.window(at, self.record_bytes).1 != Edge::Chunk => break,
                LineAt::OpenComment | LineAt::Unknown => return Verdict::Unknown,
            }
        }
        Verdict::Plausible
    }

    fn judge_record(&self, at: usize, before: Before) -> Verdict {
        let (bytes, edge) = self.view.window(at, self.record_bytes);
        let line_end = match (self.grammar.line_end(&bytes[at..]), edge) {
            (Some(length), _) => self.grammar.content_end(bytes, at, at + length),
            (None, Edge::File) => bytes.len(),
            (None, Edge::Chunk) => return Verdict::Unknown,
            (None, Edge::Limit) => return Verdict::Implausible(at),
        };
        if self.is_one_record(&bytes[at..line_end], before) {
            return Verdict::Plausible;
        }
        match self.grammar.parse(bytes, at, edge, |_, _, _, _| ()) {
            Parsed::Record { end, fields, .. } if self.expects(fields) && end - at <= self.record_bytes => {
                Verdict::Plausible
            }
            Parsed::Open(..) if edge == Edge::Chunk => Verdict::Unknown,
            _ => Verdict::Implausible(at),
        }
    }

    /// Rules 2 and 3.
    fn is_one_record(&self, line: &[u8], before: Before) -> bool {
        match self.expected_fields {
            None => self
                .grammar
                .quote
                .is_none_or(|quote| memchr(quote, line).is_none()),
            Some(expected) if self.delimiters(line) + 1 == expected => before != Before::Balanced,
            Some(_) => before == Before::Complete && self.is_ragged(line),
        }
    }

    fn is_ragged(&self, line: &[u8]) -> bool {
        let parsed = self.grammar.parse(line, 0, Edge::File, |_, _, _, _| ());
        matches!(parsed, Parsed::Record { fields: 2.., .. })
    }

    /// Whether a record may have this many fields.
    fn expects(&self, fields: u32) -> bool {
        self.expected_fields.is_none_or(|expected| expected == fields)
    }

    fn next_delimiter(&self, bytes: &[u8]) -> Option<usize> {
        let delimiter = self.grammar.delimiter;
        match delimiter.single() {
            Some(byte) => memchr(byte, bytes),
            None => memmem::find(bytes, delimiter.as_bytes()),
        }
    }

    fn delimiters(&self, bytes: &[u8]) -> u32 {
        let delimiter = self.grammar.delimiter;
        match delimiter.single() {
            Some(byte) => memchr_iter(byte, bytes).count() as u32,
            None => memmem::find_iter(bytes, delimiter.as_bytes()).count() as u32,
        }
    }
}
