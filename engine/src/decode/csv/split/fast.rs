//! The fast path: well-formed records, 64 bytes at a time.
//!
//! ```text
//!  input            1,"a ""b"", c",x\n2,…
//!  quotes           ··█···██·██····█··        the quotes of the block
//!  inside           ··██████████████···       prefix XOR of the quotes: between an odd and an even one
//!  structural       ·█·············█·█        delimiters and line ends that are not inside
//! ```
//!
//! Every quote is checked with the same masks: an opening one must follow a structural byte or a closing quote (then
//! the two are one quote of data), a closing one must stand before a delimiter, a line end or a quote. Where a check
//! fails, or a record has not the expected number of fields, is a comment, too long or not whole, the path ends *before
//! that record*: the grammar of [`strict`](super::strict) decides about it. What is emitted here is what that grammar
//! would emit.

use super::cell_view::CellView;
use super::rows::Rows;
use super::table::{NO_SLOT, RecordTable};
use crate::decode::csv::dialect::Dialect;
use crate::simd::{Kernel, Lanes, Level, dispatch};

const BLOCK_BYTES: usize = 64;

/// What the fast path needs to know of a file.
#[derive(Debug, Clone)]
pub(super) struct FastPath {
    dialect: Dialect,
    delimiter: u8,
    quote: Option<u8>,
    comment: Option<u8>,
    newline: u8,
    /// Slot of every field of a well-formed record.
    slots: Vec<u32>,
    record_bytes: usize,
    level: Level,
}

/// Where the fast path ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reached {
    /// First byte of the record (or blank line) that was not taken.
    pub(super) at: usize,
    /// Line ends before it, counted from where the path began.
    pub(super) num_lines: u32,
}

impl FastPath {
    /// The path for a dialect that it can read: an escape byte of its own is left to the grammar.
    pub(super) fn new(dialect: &Dialect, slots: Vec<u32>, level: Level) -> Option<Self> {
        if dialect.distinct_escape().is_some() || slots.is_empty() {
            return None;
        }
        let delimiter = dialect.delimiter.single()?;
        Some(Self {
            delimiter,
            quote: dialect.quote,
            comment: dialect.comment,
            newline: dialect.newline.byte(),
            slots,
            record_bytes: dialect.record_bytes.min(super::MAX_RECORD_BYTES) as usize,
            level,
            dialect: dialect.clone(),
        })
    }

    /// Appends the records from `from` on, up to the first that starts at or after `stop`; `first_line` is the line of
    /// `from`, counted from the first byte of the input.
    pub(super) fn run(
        &self,
        input: &[u8],
        from: usize,
        stop: usize,
        first_line: u32,
        out: &mut RecordTable,
    ) -> Reached {
        let walk = Walk {
            path: self,
            input,
            stop,
            record: from,
            field: from,
            number: 0,
            lines_before: 0,
            first_line,
            last_doubled: None,
        };
        dispatch(self.level, Run { walk, from, out })
    }
}

struct Run<'a> {
    walk: Walk<'a>,
    from: usize,
    out: &'a mut RecordTable,
}

/// The masks of one block.
#[derive(Clone, Copy, Default)]
struct Masks {
    /// Delimiters and line ends outside quotes.
    structural: u64,
    /// Line ends, wherever they stand.
    newlines: u64,
    /// Second quotes of doubled ones.
    doubled: u64,
    /// The first byte that no well-formed record has here, and all after it.
    wrong: u64,
}

/// What one block hands to the next.
#[derive(Clone, Copy)]
struct Carry {
    /// All ones between quotes.
    inside: u64,
    /// Bit 0: a field may start with the next byte.
    field_start: u64,
    /// Bit 0: the last byte was a quote that closes, or is the first of two.
    closed: u64,
    /// Bit 0: the last byte was a CR behind a closing quote.
    cr: u64,
}

/// Where the walk over the structural bytes stands.
struct Walk<'a> {
    path: &'a FastPath,
    input: &'a [u8],
    stop: usize,
    /// First byte of the record.
    record: usize,
    /// First byte of the field.
    field: usize,
    /// Number of the field.
    number: usize,
    /// Line ends before the block.
    lines_before: u32,
    first_line: u32,
    /// The last doubled quote seen.
    last_doubled: Option<usize>,
}

impl Kernel for Run<'_> {
    type Output = Reached;

    #[inline(always)]
    fn run<L: Lanes>(mut self) -> Reached {
        let input = self.walk.input;
        let mut carry = Carry {
            inside: 0,
            field_start: 1,
            closed: 0,
            cr: 0,
        };
        let mut rows = Rows::new(self.out);
        // Line ends before `walk.record`.
        let mut num_lines = 0;
        let mut base = self.from;
        while base < input.len() {
            let (block, valid) = match input.get(base..base + BLOCK_BYTES) {
                Some(block) => (load::<L>(block), !0),
                None => {
                    let rest = &input[base..];
                    let mut last = [0; BLOCK_BYTES];
                    last[..rest.len()].copy_from_slice(rest);
                    (load::<L>(&last), (1 << rest.len()) - 1)
                }
            };
            let masks = masks::<L>(self.walk.path, block, valid, &mut carry);
            if !self.walk.block(base, masks, &mut num_lines, &mut rows) {
                break;
            }
            self.walk.lines_before += masks.newlines.count_ones();
            base += BLOCK_BYTES;
        }
        rows.finish();
        Reached {
            at: self.walk.record,
            num_lines,
        }
    }
}

#[inline(always)]
#[expect(unsafe_code, reason = "the lanes read from a pointer")]
fn load<L: Lanes>(block: &[u8]) -> L {
    debug_assert!(block.len() >= BLOCK_BYTES);
    // SAFETY: the slice has 64 bytes (both callers pass exactly that many), and `dispatch` calls the kernel only with
    // lanes that this processor has.
    unsafe { L::load(block.as_ptr()) }
}

#[inline(always)]
#[expect(unsafe_code, reason = "the lanes are only used on processors that have them")]
fn eq<L: Lanes>(block: L, byte: u8) -> u64 {
    // SAFETY: `dispatch` calls the kernel only with lanes that this processor has.
    unsafe { block.eq(byte) }
}

#[inline(always)]
#[expect(unsafe_code, reason = "the lanes are only used on processors that have them")]
fn prefix_xor<L: Lanes>(mask: u64) -> u64 {
    // SAFETY: `dispatch` calls the kernel only with lanes that this processor has.
    unsafe { L::prefix_xor(mask) }
}

#[inline(always)]
fn masks<L: Lanes>(path: &FastPath, block: L, valid: u64, carry: &mut Carry) -> Masks {
    let newlines = eq(block, path.newline) & valid;
    let ends = (eq(block, path.delimiter) & valid) | newlines;
    let quotes = path.quote.map_or(0, |quote| eq(block, quote)) & valid;
    if quotes | carry.inside | carry.closed | carry.cr == 0 {
        carry.field_start = ends >> 63;
        return Masks {
            structural: ends,
            newlines,
            ..Masks::default()
        };
    }
    let inside = prefix_xor::<L>(quotes) ^ carry.inside;
    let (opening, closing) = (quotes & inside, quotes & !inside);
    let structural = ends & !inside;
    let may_open = (structural << 1) | carry.field_start;
    let behind_closing = (closing << 1) | carry.closed;
    let cr = behind_closing & eq(block, b'\r') & valid & path.carriage_returns();
    let behind_cr = (cr << 1) | carry.cr;
    let doubled = opening & behind_closing;
    let stray = (opening & !may_open & !behind_closing)
        | (behind_closing & !(ends | quotes | cr) & valid)
        | (behind_cr & !newlines & valid);
    *carry = Carry {
        inside: ((inside as i64) >> 63) as u64,
        field_start: structural >> 63,
        closed: closing >> 63,
        cr: cr >> 63,
    };
    let wrong = if stray == 0 {
        0
    } else {
        !0 << stray.trailing_zeros()
    };
    Masks {
        structural,
        newlines,
        doubled,
        wrong,
    }
}

impl FastPath {
    /// All ones where CRLF ends a record.
    #[inline(always)]
    fn carriage_returns(&self) -> u64 {
        if self.newline == b'\n' { !0 } else { 0 }
    }
}

impl Walk<'_> {
    /// Walks over the structural bytes of one block; whether to go on with the next.
    #[inline(always)]
    fn block(&mut self, base: usize, masks: Masks, num_lines: &mut u32, rows: &mut Rows<'_>) -> bool {
        let mut structural = masks.structural & !masks.wrong;
        while structural != 0 {
            let bit = structural.trailing_zeros();
            structural &= structural - 1;
            let at = base + bit as usize;
            if masks.doubled != 0 {
                self.note_doubled(base, masks.doubled, bit);
            }
            if masks.newlines >> bit & 1 == 0 {
                if self.number + 1 >= self.path.slots.len() {
                    return false;
                }
                self.cell(self.field, at, rows);
                self.number += 1;
                self.field = at + 1;
                continue;
            }
            if !self.end_of_line(at, *num_lines, rows) {
                return false;
            }
            let here = masks.newlines & (!0 >> (63 - bit));
            *num_lines = self.lines_before + here.count_ones();
            (self.record, self.field, self.number) = (at + 1, at + 1, 0);
            if self.record >= self.stop {
                return false;
            }
        }
        if masks.doubled != 0 {
            self.note_doubled(base, masks.doubled, 63);
        }
        masks.wrong == 0
    }

    /// Remembers the last doubled quote up to `bit`.
    #[cold]
    fn note_doubled(&mut self, base: usize, doubled: u64, bit: u32) {
        let before = doubled & (!0 >> (63 - bit));
        if before != 0 {
            self.last_doubled = Some(base + 63 - before.leading_zeros() as usize);
        }
    }

    /// A record ends at the line end `at`, or a line of no bytes; whether it could be taken.
    #[inline(always)]
    fn end_of_line(&mut self, at: usize, num_lines: u32, rows: &mut Rows<'_>) -> bool {
        let end = match self.input.get(self.field..at) {
            Some([.., b'\r']) if self.path.newline == b'\n' => at - 1,
            _ => at,
        };
        if end == self.record {
            return true;
        }
        let is_comment =
            self.path.comment.is_some() && self.path.comment == self.input.get(self.record).copied();
        let byte_len = end - self.record;
        if self.number + 1 != self.path.slots.len() || is_comment || byte_len > self.path.record_bytes {
            return false;
        }
        self.cell(self.field, end, rows);
        rows.close(self.record, byte_len, self.first_line + num_lines);
        true
    }

    /// The cell of the field `input[start..end]`.
    #[inline(always)]
    fn cell(&self, start: usize, end: usize, rows: &mut Rows<'_>) {
        let slot = self.path.slots[self.number];
        if slot == NO_SLOT {
            return;
        }
        let is_quoted = start < end && Some(self.input[start]) == self.path.quote;
        let view = if !is_quoted {
            CellView::of_input(self.input, start, end)
        } else if self.last_doubled.is_some_and(|doubled| doubled > start) {
            rows.unescaped(&self.input[start + 1..end - 1], &self.path.dialect)
        } else {
            CellView::of_input(self.input, start + 1, end - 1)
        };
        rows.put(slot as usize, view);
    }
}
