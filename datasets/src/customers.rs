//! The customer file: a key and ten attributes, with as many flaws as asked for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, BufWriter, Write};

use crate::dirty::{Dirty, DirtyShare, FlawDraws};
use crate::expected::Expected;
use crate::ids::{IdOrder, Ids};
use crate::record::{Record, header};
use crate::rng::Rng;
use crate::spoil::spoil;

/// Bytes gathered before they go to the writer.
pub(crate) const CHUNK_BYTES: usize = 1 << 18;

/// The farthest that a duplicate lies behind the record before it, in rows.
const DUPLICATE_DISTANCE_ROWS: u64 = 50_000;

/// A customer file to write: comma separated, UTF-8, a header, LF.
///
/// Columns: [`KEY_COLUMN`](crate::KEY_COLUMN), then [`ATTRIBUTES`](crate::ATTRIBUTES).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CustomerFile {
    /// Records to write, malformed ones included, the header not.
    pub rows: u64,
    /// The same settings and seed give the same bytes.
    pub seed: u64,
    /// The lowest id; id 123 is written `C00000123`.
    pub first_id: u64,
    /// Whether ids ascend or are scattered over the id space.
    pub id_order: IdOrder,
    /// Ids to draw from with [`IdOrder::Random`], at least `rows`. Where a fraction of them exists already,
    /// that fraction of the rows updates and the rest registers.
    pub id_space: u64,
    /// Rows per million with each kind of flaw.
    pub dirty: DirtyShare,
    /// Whether other flaws mean other clean records too.
    pub flaw_draws: FlawDraws,
}

impl CustomerFile {
    /// A clean file of `rows` customers, ids ascending from 1, seed 1.
    pub fn of(rows: u64) -> Self {
        Self {
            rows,
            seed: 1,
            first_id: 1,
            id_order: IdOrder::Ascending,
            id_space: rows,
            dirty: DirtyShare::default(),
            flaw_draws: FlawDraws::default(),
        }
    }

    /// Writes the file and returns what it holds.
    ///
    /// # Errors
    /// `InvalidInput` when there are fewer ids than rows or the shares add up to more than a million;
    /// whatever `out` returns.
    pub fn write(&self, out: &mut impl Write) -> io::Result<Expected> {
        let ids = Ids::new(self.id_order, self.first_id, self.id_space, self.rows, self.seed)?;
        let mut streams = Streams::of(self);
        let mut draw = Draw::new(self)?;
        let mut expected = Expected {
            rows: self.rows,
            ..Expected::default()
        };
        let mut out = BufWriter::with_capacity(CHUNK_BYTES, out);
        let header = header();
        out.write_all(header.as_bytes())?;
        expected.bytes = header.len() as u64;

        let mut record = Record::default();
        for row in 0..self.rows {
            let (id, flaw) = draw.next(row, &ids, streams.flaws());
            record.fill(id, &mut streams.cells);
            if let Some(kind) = flaw {
                spoil(&mut record, kind, streams.flaws());
                expected.count(kind);
            }
            if flaw != Some(Dirty::UnterminatedQuote) {
                record.append(b"\n");
            }
            out.write_all(record.bytes())?;
            expected.bytes += record.bytes().len() as u64;
        }
        out.flush()?;
        expected.duplicate_groups = draw.duplicate_groups;
        Ok(expected)
    }
}

/// The random numbers of a file.
struct Streams {
    /// Those of the cells.
    cells: Rng,
    /// Those of the flaws, unless they share.
    flaws: Option<Rng>,
}

impl Streams {
    fn of(file: &CustomerFile) -> Self {
        Self {
            cells: Rng::seeded(file.seed),
            flaws: (file.flaw_draws == FlawDraws::Own).then(|| Rng::seeded(!file.seed)),
        }
    }

    fn flaws(&mut self) -> &mut Rng {
        self.flaws.as_mut().unwrap_or(&mut self.cells)
    }
}

/// Decides, row by row, which customer comes and what is wrong with the record.
struct Draw {
    /// Upper bounds of each kind's stretch of the million, ascending.
    bounds: Vec<(u64, Dirty)>,
    /// Rows before the last one, which an unterminated quote keeps for itself.
    free_rows: u64,
    /// Duplicates still to come: the row that each is due at, and its id; the next one on top.
    repeats: BinaryHeap<Reverse<(u64, u64)>>,
    duplicate_groups: u64,
}

impl Draw {
    fn new(file: &CustomerFile) -> io::Result<Self> {
        let mut bounds = Vec::new();
        let mut bound = 0;
        for kind in Dirty::ALL {
            let share = u64::from(file.dirty.of(kind));
            bound += match kind {
                Dirty::UnterminatedQuote => 0,
                // One draw makes a group, of 2.25 records on average.
                Dirty::DuplicateCid => share * 4 / 9,
                _ => share,
            };
            bounds.push((bound, kind));
        }
        if bound > 1_000_000 {
            let message = format!("the shares of flaws add up to {bound} rows in a million");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let kept_rows = u64::from(file.dirty.unterminated_quote > 0);
        let free_rows = file.rows.saturating_sub(kept_rows);
        Ok(Self {
            bounds,
            free_rows,
            repeats: BinaryHeap::new(),
            duplicate_groups: 0,
        })
    }

    fn next(&mut self, row: u64, ids: &Ids, rng: &mut Rng) -> (u64, Option<Dirty>) {
        if row == self.free_rows {
            return (ids.at(row), Some(Dirty::UnterminatedQuote));
        }
        if let Some(id) = self.repeat_due(row) {
            return (id, Some(Dirty::DuplicateCid));
        }
        let id = ids.at(row);
        let draw = rng.below(1_000_000);
        let flaw = self
            .bounds
            .iter()
            .find(|(bound, _)| draw < *bound)
            .map(|(_, kind)| *kind);
        match flaw {
            Some(Dirty::DuplicateCid) => (id, self.open_group(row, id, rng)),
            flaw => (id, flaw),
        }
    }

    /// The id to repeat now: one whose row has come, or any when only as many rows are left.
    fn repeat_due(&mut self, row: u64) -> Option<u64> {
        let Reverse((due, _)) = self.repeats.peek()?;
        let must = self.free_rows - row <= self.repeats.len() as u64;
        if *due > row && !must {
            return None;
        }
        self.repeats.pop().map(|Reverse((_, id))| id)
    }

    /// Starts a pair, or a triple once in four, if there are rows left for it.
    fn open_group(&mut self, row: u64, id: u64, rng: &mut Rng) -> Option<Dirty> {
        let repeats = if rng.chance(250_000) { 2 } else { 1 };
        let rows_left = self.free_rows - row - 1;
        if rows_left < self.repeats.len() as u64 + repeats {
            return None;
        }
        let mut due = row;
        for _ in 0..repeats {
            due += 1 + rng.below(DUPLICATE_DISTANCE_ROWS.min(rows_left));
            self.repeats.push(Reverse((due, id)));
        }
        self.duplicate_groups += 1;
        Some(Dirty::DuplicateCid)
    }
}

#[cfg(test)]
mod tests;
