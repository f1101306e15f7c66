//! Lines of a slice to rows of a table.
//!
//! ```text
//!  slice   │ line │ line │ line │ line that straddles │ line │ ...
//!          └─────────── owned_bytes ────────┘         │
//!          └──────────────── consumed ────────────────┘   what starts before the border is ours, whole
//! ```

use memchr::{memchr, memrchr};

use super::fault::{Fault, Problem};
use super::keys::Keys;
use super::scan::{Kind, Scanner, Span};
use super::table::{MalformedLine, TextTable};
use super::unescape::unescape;
use crate::decode::cell_view::{CellView, INLINE_BYTES};
use crate::decode::csv::End;

/// What a split has done with.
#[must_use]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Consumed {
    /// Bytes of the input up to the first line that is not the caller's or not whole.
    pub num_bytes: usize,
    /// Physical lines in them.
    pub num_lines: u32,
}

/// Finds the records of a slice and the texts of the wanted keys; remembers from slice to slice how keys follow
/// each other, and nothing else.
#[derive(Debug, Clone)]
pub struct JsonSplitter {
    keys: Keys,
    record_bytes: u64,
}

/// Whether texts have to be checked one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// The lines are UTF-8, so every text is: texts begin and end at ASCII bytes.
    Utf8,
    /// Some byte is not.
    Mixed,
}

/// The lines to split.
#[derive(Clone, Copy)]
struct Lines<'a> {
    bytes: &'a [u8],
    encoding: Encoding,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let encoding = match simdutf8::basic::from_utf8(bytes) {
            Ok(_) => Encoding::Utf8,
            Err(_) => Encoding::Mixed,
        };
        Self { bytes, encoding }
    }

    /// The line feed of the line that begins at `start`, or the end of the lines.
    fn line_end(&self, start: usize) -> usize {
        let rest = self.bytes.get(start..).unwrap_or_default();
        start + memchr(b'\n', rest).unwrap_or(rest.len())
    }

    /// The end of a line without the carriage return of its end.
    fn content_end(&self, start: usize, line_end: usize) -> usize {
        let ends_in_cr = self
            .bytes
            .get(start..line_end)
            .is_some_and(|line| line.ends_with(b"\r"));
        line_end - usize::from(ends_in_cr && line_end < self.bytes.len())
    }
}

impl JsonSplitter {
    /// A splitter for these top-level keys, which are columns in this order, each named once. A line of more than
    /// `record_bytes` is malformed.
    #[must_use]
    pub fn new(wanted: &[String], record_bytes: u64) -> Self {
        Self {
            keys: Keys::new(wanted),
            record_bytes,
        }
    }

    /// Fills `table`, after clearing it, with the records that start in the first `owned_bytes` of `input`, which
    /// begins at the start of a line, behind a byte order mark. A line whose end is not in `input` is left, unless
    /// the file ends there too. Inputs are below 4 GiB; of a longer one the rest is left.
    pub fn split(&mut self, input: &[u8], owned_bytes: usize, end: End, table: &mut TextTable) -> Consumed {
        table.reset(self.keys.names().len());
        let (input, end) = match input.get(..u32::MAX as usize) {
            Some(addressable) if addressable.len() < input.len() => (addressable, End::More),
            _ => (input, end),
        };
        let lines = Lines::new(
            input
                .get(..lines_end(input, owned_bytes, end))
                .unwrap_or_default(),
        );
        let mut consumed = Consumed::default();
        while consumed.num_bytes < lines.bytes.len() {
            let start = consumed.num_bytes;
            let line_end = lines.line_end(start);
            self.line(lines, start, line_end, consumed.num_lines, table);
            consumed.num_bytes = lines.bytes.len().min(line_end + 1);
            consumed.num_lines += 1;
        }
        consumed
    }

    /// The record of one line, if there is one.
    #[inline]
    fn line(&mut self, lines: Lines<'_>, start: usize, line_end: usize, line: u32, table: &mut TextTable) {
        let end = lines.content_end(start, line_end);
        let mut scan = Scanner::new(lines.bytes, start);
        scan.blanks();
        if scan.at >= end {
            return;
        }
        let unescaped_bytes = table.unescaped.len();
        let message = if (end - start) as u64 > self.record_bytes {
            format!(
                "oversized: the record has more than {} bytes; its first part is kept",
                self.record_bytes
            )
        } else {
            match self.record(&mut scan, end, lines.encoding, table) {
                Ok(()) => return table.close_row(start, end - start, line),
                Err(fault) => fault.message(lines.bytes, start, end, self.keys.names()),
            }
        };
        table.abandon_row(unescaped_bytes);
        table.malformed.push(MalformedLine {
            ordinal: table.num_records() as u32,
            line,
            offset: start as u32,
            byte_len: (end - start) as u64,
            message,
        });
    }

    /// Reads a record into the row under construction.
    #[inline]
    fn record(
        &mut self,
        scan: &mut Scanner<'_>,
        end: usize,
        encoding: Encoding,
        table: &mut TextTable,
    ) -> Result<(), Fault> {
        let keys = &mut self.keys;
        keys.begin();
        scan.record(end, |scan| {
            let key_at = scan.at;
            let slot = keys.next(scan)?;
            scan.colon()?;
            let value = scan.value()?;
            match slot {
                Some(slot) => table
                    .put(slot, value, scan.input, encoding)
                    .map_err(|problem| Fault { at: key_at, problem }),
                None => Ok(()),
            }
        })
    }
}

impl TextTable {
    /// Sets a cell of the row under construction.
    #[inline]
    fn put(&mut self, slot: u32, value: Span, input: &[u8], encoding: Encoding) -> Result<(), Problem> {
        let row = self.offset.len();
        let is_text = encoding == Encoding::Utf8 || std::str::from_utf8(value.bytes(input)).is_ok();
        let view = match value.kind {
            Kind::Plain if is_text => Some(CellView::of_input(input, value.start, value.end).0),
            Kind::Escaped if is_text => unescaped(value.bytes(input), &mut self.unescaped),
            Kind::Null => Some(0),
            _ => None,
        };
        let Some(column) = self.columns.get_mut(slot as usize) else {
            return Ok(());
        };
        if column.len() > row {
            return Err(Problem::SecondKey(slot));
        }
        column.push(view.unwrap_or_default());
        if view.is_none() {
            self.invalid.push((row as u32, slot));
        }
        Ok(())
    }
}

/// The view of a text that had escapes; `None` if it is no text.
#[cold]
fn unescaped(escaped: &[u8], out: &mut Vec<u8>) -> Option<u128> {
    let offset = out.len();
    let is_text = unescape(escaped, out).is_ok();
    let text = out.get(offset..).unwrap_or_default();
    let view = is_text.then(|| CellView::of_unescaped(text, offset).0);
    if !is_text || text.len() <= INLINE_BYTES {
        out.truncate(offset);
    }
    view
}

/// The end of the lines that start in the first `owned_bytes` and are whole.
fn lines_end(input: &[u8], owned_bytes: usize, end: End) -> usize {
    let owned_bytes = owned_bytes.min(input.len());
    let Some(last_owned) = owned_bytes.checked_sub(1) else {
        return 0;
    };
    let straddling = input.get(last_owned..).unwrap_or_default();
    match memchr(b'\n', straddling) {
        Some(at) => owned_bytes + at,
        None if end == End::Last => input.len(),
        None => memrchr(b'\n', input).map_or(0, |at| at + 1),
    }
}
