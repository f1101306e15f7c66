//! Pieces that were split on their own, put together: what comes out is what one splitter would have found.
//!
//! ```text
//!  true records      ──┤ 40 ├──────┤ 41 ├──────┤ 42 ├──┤ 43 ├──┤ 44 …
//!  piece 7           ─────────────────│ (the rest of 41 is look-ahead)
//!  piece 8, guessed                   │ ✗ ├─ ✗ ──────────┤ 43 ├──┤ 44 …
//!                                             └── again ──┘▲
//!                                                          └ both have a record start here: from here on they agree
//! ```
//!
//! Splitting from a record start depends on the bytes behind it and on nothing else. So once the true splitter comes to
//! a byte where the guessed one has started a record too, all further guessed records are true ones; only their numbers
//! are not. Nearly always that byte is the guessed start itself. A record that its piece and the look-ahead do not hold
//! is carried into the next piece.

use super::speculate::{Piece, Speculation};
use super::{End, Position, RecordTable, Splitter};

/// Puts pieces together, in file order.
#[derive(Debug)]
pub struct Linker {
    /// At the first byte not consumed.
    splitter: Splitter,
    /// The bytes before the next piece that are not consumed.
    carry: Vec<u8>,
}

/// The records of a piece, numbered.
#[derive(Debug, Default)]
pub struct Linked {
    /// Bytes that begin before the piece and their records: there are some if a record did not fit into its piece.
    pub seam: Option<(Vec<u8>, RecordTable)>,
    /// Records whose bytes are those of the piece.
    pub table: RecordTable,
}

impl Linker {
    /// Begins where `splitter` stands.
    pub fn new(splitter: Splitter) -> Self {
        Self {
            splitter,
            carry: Vec::new(),
        }
    }

    /// The first byte not consumed.
    pub fn position(&self) -> Position {
        self.splitter.position()
    }

    /// Adds the next piece.
    pub fn link(&mut self, piece: Piece<'_>, speculation: Speculation) -> Linked {
        if self.carry.is_empty() {
            let at = (self.splitter.position.byte - piece.start) as usize;
            let (before, table) = self.join(piece.bytes, at, 0, piece, speculation);
            return Linked {
                seam: None,
                table: joined(before, table),
            };
        }
        let mut bytes = std::mem::take(&mut self.carry);
        let shift = bytes.len();
        bytes.extend_from_slice(piece.bytes);
        let (before, table) = self.join(&bytes, 0, shift, piece, speculation);
        let seam = (!before.is_empty()).then_some((bytes, before));
        Linked {
            seam,
            table: table.unwrap_or_default(),
        }
    }

    /// Splits `bytes`, in which the piece starts at `shift`, from `at` until the speculation agrees: the records before,
    /// and those of the speculation.
    fn join(
        &mut self,
        bytes: &[u8],
        mut at: usize,
        shift: usize,
        piece: Piece<'_>,
        speculation: Speculation,
    ) -> (RecordTable, Option<RecordTable>) {
        let mut before = RecordTable::default();
        let stop = piece.stop().saturating_add(shift);
        while at < stop {
            if self.splitter.skipping.is_none() && at >= shift && speculation.starts_at(at - shift) {
                let table = self.accept(at - shift, piece, speculation);
                return (before, Some(table));
            }
            let agreed = speculation
                .next_start((at + 1).saturating_sub(shift))
                .map(|start| start + shift);
            let target = agreed.unwrap_or(stop).min(stop);
            let reached = self
                .splitter
                .split_until(bytes, at, piece.end, target, &mut before);
            let is_stuck = reached < target;
            at = reached;
            if is_stuck {
                break;
            }
        }
        if piece.end == End::More {
            self.carry = bytes
                .get(at..shift + piece.owned_bytes)
                .unwrap_or_default()
                .to_vec();
        }
        (before, None)
    }

    /// Takes over what was guessed from `at` on.
    fn accept(&mut self, at: usize, piece: Piece<'_>, speculation: Speculation) -> RecordTable {
        let here = self.splitter.position;
        let first_line = here.line - speculation.lines_before(at);
        let Speculation {
            splitter,
            mut table,
            at: consumed,
            ..
        } = speculation;
        let guessed_line = table.origin.line;
        table.drop_before(at as u32);
        table.renumber(here.record_no, first_line);
        self.splitter = splitter.renumbered(
            here.record_no + table.num_records() as u64,
            guessed_line,
            first_line,
        );
        self.carry = piece
            .bytes
            .get(consumed..piece.owned_bytes)
            .unwrap_or_default()
            .to_vec();
        table
    }
}

fn joined(before: RecordTable, table: Option<RecordTable>) -> RecordTable {
    match table {
        Some(mut table) => {
            if !before.is_empty() {
                table.prepend(before);
            }
            table
        }
        None => before,
    }
}

impl Splitter {
    /// The same place under its true numbers: what was counted from `guessed_line` is counted from `line`.
    fn renumbered(mut self, record_no: u64, guessed_line: u64, line: u64) -> Self {
        self.position.record_no = record_no;
        self.position.line = self.position.line - guessed_line + line;
        if let Some(skipping) = &mut self.skipping {
            skipping.move_lines(guessed_line, line);
        }
        self
    }
}
