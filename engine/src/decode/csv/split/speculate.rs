//! Splitting a piece of a file before it is known where its first record starts.
//!
//! ```text
//!  file    …│ 41,Ann,"12 Elm│St\nUlm"\n42,Bob,x\n43,…  │ look-ahead │…
//!           └ piece before ─┘└ piece: owned bytes ─────┘
//!                             ▲        ▲
//!                             │        └ first plausible record start: splitting begins here
//!                             └ a line start too, but no record of the expected number of fields
//! ```
//!
//! A piece owns the records that start behind its first byte, up to the byte after its last one: whether a record starts
//! at its very first byte only the piece before can see. The look-ahead holds the rest of the last record. The guess is
//! the first line whose strict parse is a record of the expected number of fields; [`Linker`](super::Linker) finds out
//! whether it was right.

use super::resync::{Before, Verdict};
use super::view::View;
use super::{End, Position, RecordTable, Splitter};

/// A piece of a file, to be split on its own.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// The owned bytes and the look-ahead.
    pub bytes: &'a [u8],
    /// First byte in the file.
    pub start: u64,
    /// Bytes that no other piece owns.
    pub owned_bytes: usize,
    /// Whether `bytes` reaches the end of the file.
    pub end: End,
    /// Whether splitting begins with the first byte of this piece.
    pub is_first: bool,
}

impl Piece<'_> {
    /// The first byte at which no record of this piece starts.
    pub(super) fn stop(&self) -> usize {
        match self.end {
            End::More => self.owned_bytes + 1,
            End::Last => usize::MAX,
        }
    }
}

/// The records of a piece if its guessed start is one; numbers and lines count from 1 at that start.
#[derive(Debug)]
pub struct Speculation {
    /// The splitter behind the last record.
    pub(super) splitter: Splitter,
    /// The records.
    pub(super) table: RecordTable,
    /// The guessed start; none was plausible when it is the end of the piece.
    pub(super) first: usize,
    /// First byte not consumed.
    pub(super) at: usize,
}

impl Speculation {
    /// Splits `piece` from its first plausible record start, into `table`, which is empty.
    pub fn of(splitter: &Splitter, piece: Piece<'_>, mut table: RecordTable) -> Self {
        let mut splitter = splitter.clone();
        let first = if piece.is_first { 0 } else { splitter.guess(piece) };
        splitter.position = Position {
            byte: piece.start + first as u64,
            ..Position::default()
        };
        let at = splitter.split_until(piece.bytes, first, piece.end, piece.stop(), &mut table);
        Self {
            splitter,
            table,
            first,
            at,
        }
    }

    /// Whether a record, or the splitting, was found to start at this byte.
    pub(super) fn starts_at(&self, at: usize) -> bool {
        let is_end = at == self.at && self.splitter.skipping.is_none();
        at == self.first || is_end || self.next_start(at) == Some(at)
    }

    /// The first record start at or after this byte.
    pub(super) fn next_start(&self, at: usize) -> Option<usize> {
        let (offsets, malformed) = (&self.table.offset, &self.table.malformed);
        let row = offsets.get(offsets.partition_point(|start| (*start as usize) < at));
        let bad = malformed.get(malformed.partition_point(|bad| (bad.offset as usize) < at));
        let starts = row.copied().into_iter().chain(bad.map(|bad| bad.offset));
        starts.min().map(|start| start as usize)
    }

    /// Lines between the guessed start and this record start.
    pub(super) fn lines_before(&self, at: usize) -> u64 {
        let table = &self.table;
        if at == self.first {
            return 0;
        }
        if let Ok(row) = table.offset.binary_search(&(at as u32)) {
            return u64::from(table.line[row]);
        }
        let bad = table
            .malformed
            .binary_search_by_key(&(at as u32), |bad| bad.offset);
        let line = bad.map_or(self.splitter.position.line, |bad| table.malformed[bad].line);
        line - table.origin.line
    }
}

impl Splitter {
    /// The first line of the piece that is plausibly a record of its own; the end of its bytes if there is none.
    fn guess(&self, piece: Piece<'_>) -> usize {
        let view = View::addressable(piece.bytes, piece.end);
        let resync = self.resync(view);
        let mut from = 0;
        while let Some(length) = piece
            .bytes
            .get(from..)
            .and_then(|rest| self.grammar.line_end(rest))
        {
            let line = from + length + 1;
            if line >= piece.stop() {
                break;
            }
            match resync.judge(line, Before::Balanced) {
                Verdict::Plausible => return line,
                Verdict::Implausible(next) => from = next.max(line),
                Verdict::Unknown => break,
            }
        }
        piece.bytes.len()
    }
}
