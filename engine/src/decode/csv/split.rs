//! Turns chunks of a delimited file into positions of records and fields; copies nothing.
//!
//! ```text
//!  buffer   │ ...record 41 │ record 42 │ record 43 │ reco│
//!           └────────── consumed: views ───────────┴─────┴─ carried to the front of the next buffer
//! ```
//!
//! A record ends at LF or CRLF; a lone CR is data. A line of no bytes and a comment line are no records. A quote
//! opens at the start of a field only, and closes before a delimiter, a line end or the end of the file only.
//! NUL and invalid UTF-8 are data here. What a damaged record costs is told in `resync`.

mod fast;
mod link;
mod marks;
mod oversized;
mod resync;
mod rows;
mod skip;
mod speculate;
mod strict;
mod table;
mod view;

#[cfg(test)]
mod tests;

pub use link::{Linked, Linker};
pub use speculate::{Piece, Speculation};
pub use table::{FieldSelection, HEAD_BYTES, Malformed, RecordTable, Shape};

use super::dialect::{Dialect, MAX_RECORD_BYTES};
use super::fields::unescape;
use crate::decode::bytes::Encoding;
use crate::decode::cell_view::{self, CellView};
use fast::FastPath;
use resync::{Before, BehindStray, Resync, Search};
use skip::Skipping;
use strict::{Edge, Grammar, Inside, Parsed};
use table::Quoting;
use view::{LineAt, View};

use crate::simd::Level;

/// A carried tail this long is tried again only when it has doubled: long records stay linear.
const EAGER_BYTES: usize = 64 << 10;

/// Whether an input is the end of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// More bytes follow.
    More,
    /// The file ends with this input.
    Last,
}

/// A place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Bytes before it, a byte order mark included.
    pub byte: u64,
    /// 1-based physical line.
    pub line: u64,
    /// Number of the next record; the first one has 1.
    pub record_no: u64,
}

impl Default for Position {
    fn default() -> Self {
        Self {
            byte: 0,
            line: 1,
            record_no: 1,
        }
    }
}

/// Bytes of a UTF-8 byte order mark at the start of a file: 3 or 0.
pub fn bom_len(file_start: &[u8]) -> usize {
    const BOM: &[u8] = b"\xef\xbb\xbf";
    if file_start.starts_with(BOM) { BOM.len() } else { 0 }
}

/// Finds the records of a file, chunk by chunk.
///
/// What it finds is a function of the file's bytes, however they are cut into inputs.
#[derive(Debug, Clone)]
pub struct Splitter {
    dialect: Dialect,
    grammar: Grammar,
    /// The path for well-formed records, where the dialect has one.
    fast: Option<FastPath>,
    keep: FieldSelection,
    expected_fields: Option<u32>,
    record_bytes: usize,
    /// The source's own encoding: what an oversized record is measured in.
    encoding: Encoding,
    /// The first byte not consumed.
    position: Position,
    /// Something whose first bytes are consumed already.
    skipping: Option<Skipping>,
    /// With less input than this another attempt is not worth it.
    worthwhile_bytes: usize,
}

/// One step through the input.
#[must_use]
enum Step {
    /// On to this byte.
    To(usize),
    /// Consumed up to this byte; the rest needs more input.
    Stop(usize),
}

/// The end of a record.
#[derive(Clone, Copy)]
struct Ending {
    /// End of the content.
    end: usize,
    /// First byte after the line end.
    next: usize,
    shape: Shape,
}

/// Where a damaged record ends if it does not before.
enum Fallback {
    Ending(Ending),
    /// Beyond the window: drop the bytes up to this one.
    Beyond(usize, Inside),
    /// To be found behind the stray quote here.
    Stray(usize),
    Unknown,
}

impl Splitter {
    /// A splitter for a file of this dialect. `expected_fields`: what a well-formed record has; `None`: any number.
    pub fn new(dialect: &Dialect, keep: FieldSelection, expected_fields: Option<usize>) -> Self {
        Self {
            grammar: Grammar::new(dialect),
            fast: expected_fields
                .and_then(|fields| keep.slots(fields))
                .and_then(|slots| FastPath::new(dialect, slots, Level::detect())),
            dialect: dialect.clone(),
            keep,
            expected_fields: expected_fields.map(|fields| u32::try_from(fields).unwrap_or(u32::MAX)),
            record_bytes: dialect.record_bytes.min(MAX_RECORD_BYTES) as usize,
            encoding: Encoding::Utf8,
            position: Position::default(),
            skipping: None,
            worthwhile_bytes: 0,
        }
    }

    /// Starts at this place, behind a byte order mark or a header, instead of at the start of the file.
    pub fn starting_at(mut self, position: Position) -> Self {
        self.position = position;
        self
    }

    /// Measures oversized records in the bytes of this encoding, from which the inputs were decoded.
    pub fn measuring_in(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// The first byte not consumed.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Reads with the grammar alone, byte by byte where it must: what the fast path is compared with.
    pub fn without_fast_path(mut self) -> Self {
        self.fast = None;
        self
    }

    /// Appends the complete records of `input` to `out` and returns the bytes consumed.
    ///
    /// `input` starts at the first byte not consumed; the caller brings the rest again, at the front of the next
    /// input, with new bytes behind it. The rest is never longer than [`max_carry_bytes`](Self::max_carry_bytes).
    /// With [`End::Last`] everything is consumed, but for an input over 4 GiB: split the rest again.
    pub fn split(&mut self, input: &[u8], end: End, out: &mut RecordTable) -> usize {
        self.split_until(input, 0, end, usize::MAX, out)
    }

    /// As [`split`](Self::split), where `input[at]` is the first byte not consumed, and only records that start before
    /// `input[stop]`; returns the first byte not consumed.
    pub fn split_until(
        &mut self,
        input: &[u8],
        at: usize,
        end: End,
        stop: usize,
        out: &mut RecordTable,
    ) -> usize {
        self.begin(at, out);
        let view = View::addressable(input, end);
        if !self.is_worthwhile(view, at) {
            return at;
        }
        let mut at = at;
        while at < stop {
            at = self.fast(view, at, stop, out);
            if at >= stop {
                break;
            }
            match self.step(view, at, out) {
                Step::To(next) => at = next,
                Step::Stop(next) => {
                    self.be_patient(view.input.len() - next);
                    return next;
                }
            }
        }
        at
    }

    /// As [`split`](Self::split), where `input[at]` is the first byte not consumed, and only up to `max_records`;
    /// returns the first byte not consumed.
    pub fn split_some(
        &mut self,
        input: &[u8],
        at: usize,
        end: End,
        max_records: usize,
        out: &mut RecordTable,
    ) -> usize {
        self.begin(at, out);
        let view = View::addressable(input, end);
        if !self.is_worthwhile(view, at) {
            return at;
        }
        let full = out.num_records().saturating_add(max_records);
        let mut at = at;
        while out.num_records() < full {
            match self.step(view, at, out) {
                Step::To(next) => at = next,
                Step::Stop(next) => {
                    self.be_patient(view.input.len() - next);
                    return next;
                }
            }
        }
        at
    }

    /// Tells an empty table where its input stands.
    fn begin(&self, at: usize, out: &mut RecordTable) {
        let byte = self.position.byte.wrapping_sub(at as u64);
        out.prepare(
            Position {
                byte,
                ..self.position
            },
            self.keep.len(),
        );
    }

    /// The well-formed records from `at` on.
    #[inline]
    fn fast(&mut self, view: View<'_>, at: usize, stop: usize, out: &mut RecordTable) -> usize {
        let (Some(fast), None) = (&self.fast, &self.skipping) else {
            return at;
        };
        let rows_before = out.num_rows();
        let first_line = (self.position.line - out.origin.line) as u32;
        let reached = fast.run(view.input, at, stop, first_line, out);
        self.position.record_no += (out.num_rows() - rows_before) as u64;
        self.advance(reached.at - at, u64::from(reached.num_lines));
        reached.at
    }

    /// The longest rest that [`split`](Self::split) leaves: a record, the blank lines and the record after it.
    pub fn max_carry_bytes(&self) -> usize {
        const LINE_ENDS: usize = 16;
        3 * self.record_bytes + LINE_ENDS
    }

    fn is_worthwhile(&mut self, view: View<'_>, at: usize) -> bool {
        if view.end == End::More && view.input.len() - at < self.worthwhile_bytes {
            return false;
        }
        self.worthwhile_bytes = 0;
        true
    }

    fn be_patient(&mut self, carried_bytes: usize) {
        if carried_bytes > EAGER_BYTES {
            self.worthwhile_bytes = (2 * carried_bytes).min(self.max_carry_bytes());
        }
    }

    #[inline]
    fn step(&mut self, view: View<'_>, at: usize, out: &mut RecordTable) -> Step {
        if self.skipping.is_some() {
            return self.skip(view, at, out);
        }
        match view.line_at(at, &self.grammar) {
            LineAt::Record => {
                out.open_row(self.keep.len());
                let step = self.record(view, at, out);
                out.abandon_row();
                step
            }
            LineAt::Blank(next) => {
                self.advance(next - at, 1);
                Step::To(next)
            }
            LineAt::OpenComment => self.skip_comment(view, at),
            LineAt::EndOfFile | LineAt::Unknown => Step::Stop(at),
        }
    }

    fn advance(&mut self, num_bytes: usize, num_lines: u64) {
        self.position.byte += num_bytes as u64;
        self.position.line += num_lines;
    }

    /// The record at `start`; the row for it is open.
    #[inline]
    fn record(&mut self, view: View<'_>, start: usize, out: &mut RecordTable) -> Step {
        let (bytes, edge) = view.window(start, self.record_bytes);
        let (cells, unescaped) = out.open_cells();
        let (keep, dialect) = (&self.keep, &self.dialect);
        let parsed = self
            .grammar
            .parse(bytes, start, edge, |number, begin, end, quoting| {
                let cell = keep.slot(number).and_then(|slot| cells.get_mut(slot));
                if let Some(cell) = cell {
                    *cell = cell_of(bytes, begin, end, quoting, dialect, unescaped).0;
                }
            });
        match parsed {
            Parsed::Record {
                end,
                next,
                fields,
                inner_lines,
            } if self.expected_fields.is_none_or(|expected| expected == fields)
                && end - start <= self.record_bytes =>
            {
                let num_lines = inner_lines + u64::from(next > end && next > start);
                self.emit(
                    start,
                    Ending {
                        end,
                        next,
                        shape: Shape::WellFormed,
                    },
                    num_lines,
                    &bytes[start..end],
                    out,
                )
            }
            Parsed::Open(..) if edge == Edge::Chunk => Step::Stop(start),
            damaged => self.damaged(view, start, damaged, out),
        }
    }

    /// Decides where the damaged record at `start` ends: see [`resync`].
    #[cold]
    fn damaged(&mut self, view: View<'_>, start: usize, parsed: Parsed, out: &mut RecordTable) -> Step {
        let (bytes, edge) = view.window(start, self.record_bytes);
        let (doubtful, quotes, fallback) = match parsed {
            Parsed::Record {
                end, next, fields, ..
            } => (
                end,
                Before::Balanced,
                Fallback::Ending(Ending {
                    end,
                    next,
                    shape: Shape::FieldCount { found: fields },
                }),
            ),
            Parsed::Stray(at) => (at, Before::Broken, Fallback::Stray(at)),
            Parsed::Open(at, _) if edge == Edge::File => {
                let (end, next) = (bytes.len(), bytes.len());
                (
                    at,
                    Before::Broken,
                    Fallback::Ending(Ending {
                        end,
                        next,
                        shape: Shape::UnterminatedQuote,
                    }),
                )
            }
            Parsed::Open(at, inside) => (at, Before::Broken, Fallback::Beyond(at, inside)),
        };
        let fallback = match self.resync(view).search(start, doubtful, quotes) {
            Search::Found(line_feed) => Fallback::Ending(Ending {
                end: self.grammar.content_end(bytes, start, line_feed),
                next: line_feed + 1,
                shape: Shape::UnterminatedQuote,
            }),
            Search::Nothing => fallback,
            Search::Unknown => Fallback::Unknown,
        };
        let fallback = match fallback {
            Fallback::Stray(at) => self.end_of_stray(view, start, at),
            other => other,
        };
        match fallback {
            Fallback::Ending(ending) => {
                let num_lines = self.grammar.lines(&bytes[start..ending.next]);
                self.emit(start, ending, num_lines, &bytes[start..ending.end], out)
            }
            Fallback::Beyond(to, inside) => self.start_skipping(view, start, to, inside),
            Fallback::Stray(_) | Fallback::Unknown => Step::Stop(start),
        }
    }

    /// The end of the record at `start` whose stray quote no line feed before it ends: that of its line, or of a later
    /// one that a field behind the quote reaches.
    fn end_of_stray(&self, view: View<'_>, start: usize, stray: usize) -> Fallback {
        let (bytes, edge) = view.window(start, self.record_bytes);
        let shape = Shape::StrayQuote;
        let resync = self.resync(view);
        match resync.behind_stray(start, stray) {
            BehindStray::Line => self.line_end_after(bytes, start, stray, edge),
            BehindStray::Lines { end, next } => match resync.search(start, end, Before::Broken) {
                Search::Found(line_feed) => Fallback::Ending(Ending {
                    end: self.grammar.content_end(bytes, start, line_feed),
                    next: line_feed + 1,
                    shape,
                }),
                Search::Nothing => Fallback::Ending(Ending { end, next, shape }),
                Search::Unknown => Fallback::Unknown,
            },
            BehindStray::Unknown => Fallback::Unknown,
        }
    }

    /// The end of the line on which a record turned out to be damaged.
    fn line_end_after(&self, bytes: &[u8], start: usize, failure: usize, edge: Edge) -> Fallback {
        let shape = Shape::StrayQuote;
        match (self.grammar.line_end(&bytes[failure..]), edge) {
            (Some(length), _) => {
                let line_end = failure + length;
                let end = self.grammar.content_end(bytes, start, line_end);
                Fallback::Ending(Ending {
                    end,
                    next: line_end + 1,
                    shape,
                })
            }
            (None, Edge::File) => Fallback::Ending(Ending {
                end: bytes.len(),
                next: bytes.len(),
                shape,
            }),
            (None, Edge::Chunk) => Fallback::Unknown,
            (None, Edge::Limit) => Fallback::Beyond(bytes.len(), Inside::Line),
        }
    }

    fn resync<'a>(&'a self, view: View<'a>) -> Resync<'a> {
        Resync {
            view,
            grammar: &self.grammar,
            expected_fields: self.expected_fields,
            record_bytes: self.record_bytes,
        }
    }

    /// Completes the open row, whose content is `record`.
    #[inline]
    fn emit(
        &mut self,
        start: usize,
        ending: Ending,
        num_lines: u64,
        record: &[u8],
        out: &mut RecordTable,
    ) -> Step {
        let is_oversized = record.len() > self.record_bytes;
        let shape = if is_oversized {
            Shape::Oversized
        } else {
            ending.shape
        };
        if shape == Shape::WellFormed {
            let line = (self.position.line - out.origin.line) as u32;
            out.close_row(start as u32, record.len() as u32, line);
        } else {
            out.push_malformed(Malformed {
                rows_before: out.num_rows() as u32,
                offset: start as u32,
                byte_start: self.position.byte,
                byte_len: if is_oversized {
                    self.encoding.original_bytes(record)
                } else {
                    record.len() as u64
                },
                bytes_before: 0,
                record_no: self.position.record_no,
                line: self.position.line,
                shape,
                head: if is_oversized {
                    self.head(record)
                } else {
                    Vec::new()
                },
                message: None,
            });
        }
        self.position.record_no += 1;
        self.advance(ending.next - start, num_lines);
        Step::To(ending.next)
    }
}

/// The cell of a field that lies in `bytes[begin..end]`, quotes left out.
fn cell_of(
    bytes: &[u8],
    begin: usize,
    end: usize,
    quoting: Quoting,
    dialect: &Dialect,
    unescaped: &mut Vec<u8>,
) -> CellView {
    if quoting != Quoting::Escaped {
        return CellView::of_input(bytes, begin, end);
    }
    let value = unescape(&bytes[begin..end], dialect);
    let offset = unescaped.len();
    unescaped.extend_from_slice(&value);
    CellView::of_unescaped(&value, offset)
}
