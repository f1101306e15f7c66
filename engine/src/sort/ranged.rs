//! Runs on disk, cut at the same splits.
//!
//! ```text
//!   run 0   │ C1 C4 │ C6 C8 │ C9    │
//!   run 1   │ C2    │ C5    │ C9 D1 │
//!             range 0 range 1 range 2     range 1 = its pieces of all runs, in order: C5 C6 C8
//! ```
//!
//! Every row is written once and read once for each time that its range is asked for. A range is small, so that sorting
//! its pieces again costs less than merging all runs row by row would.

use std::ops::Range;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::resident::{BATCH_ROWS, Resident};
use super::rows::{Part, SortedRows, Wanted};
use super::sample::Split;
use crate::error::Result;
use crate::stage::{BatchStore, StageBudget};
use crate::table::KeyRange;

/// What a run has of one range.
#[derive(Debug)]
struct Piece {
    /// Batches of the run's store.
    batches: Range<usize>,
    /// Its keys.
    keys: KeyRange,
}

/// Some rows of a source, in order, on disk.
#[derive(Debug)]
pub(super) struct Run {
    store: BatchStore,
    /// By range.
    pieces: Vec<Option<Piece>>,
}

impl Run {
    /// Writes rows.
    ///
    /// # Errors
    /// The disk failed.
    pub(super) fn write(rows: &Resident, splits: &[Split], budget: &StageBudget) -> Result<Self> {
        let mut store = BatchStore::new(rows.schema().clone(), budget.at_most(0));
        let mut pieces = Vec::with_capacity(splits.len() + 1);
        let ends = splits.iter().map(|split| rows.rows_before(split));
        let mut begin = 0;
        for end in ends.chain([rows.num_rows()]) {
            let places = rows.places(begin..end);
            let first = store.len();
            for places in places.chunks(BATCH_ROWS) {
                store.push(rows.gather(places, Part::Whole)?)?;
            }
            let batches = first..store.len();
            pieces.push(rows.key_range(places).map(|keys| Piece { batches, keys }));
            begin = end;
        }
        Ok(Self { store, pieces })
    }
}

/// Rows in runs; a batch is a range of all runs.
#[derive(Debug)]
pub(super) struct Ranged {
    schema: SchemaRef,
    /// In the order of their records.
    runs: Vec<Run>,
    /// The ranges that have rows.
    numbers: Vec<usize>,
    /// Their keys.
    ranges: Vec<KeyRange>,
    /// Bytes of one in memory, on average.
    range_bytes: usize,
}

impl Ranged {
    /// All rows of `runs`, which were cut at the same splits into ranges of `range_bytes`.
    pub(super) fn new(schema: SchemaRef, runs: Vec<Run>, range_bytes: usize) -> Self {
        let num_ranges = runs.first().map_or(0, |run| run.pieces.len());
        let (mut numbers, mut ranges) = (Vec::new(), Vec::new());
        for number in 0..num_ranges {
            let pieces = runs
                .iter()
                .filter_map(|run| run.pieces.get(number).and_then(Option::as_ref));
            if let Some(range) = pieces.map(|piece| piece.keys.clone()).reduce(joined) {
                numbers.push(number);
                ranges.push(range);
            }
        }
        Self {
            schema,
            runs,
            numbers,
            ranges,
            range_bytes,
        }
    }
}

fn joined(a: KeyRange, b: KeyRange) -> KeyRange {
    KeyRange {
        min: a.min.min(b.min),
        max: a.max.max(b.max),
    }
}

impl SortedRows for Ranged {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn ranges(&self) -> &[KeyRange] {
        &self.ranges
    }

    fn num_rows(&self) -> usize {
        self.runs.iter().map(|run| run.store.num_rows()).sum()
    }

    fn batch_bytes(&self) -> usize {
        self.range_bytes
    }

    fn read(&self, number: usize, wanted: Wanted<'_>) -> Result<RecordBatch> {
        let range = self.numbers.get(number).copied().unwrap_or(usize::MAX);
        let mut batches: Vec<RecordBatch> = Vec::new();
        for run in &self.runs {
            let Some(Some(piece)) = run.pieces.get(range) else {
                continue;
            };
            for batch in piece.batches.clone() {
                batches.push(wanted.of(&wanted.part.read(&run.store, batch)?)?);
            }
        }
        let rows: Vec<Vec<u32>> = batches
            .iter()
            .map(|batch| (0..batch.num_rows() as u32).collect())
            .collect();
        let sorted = Resident::new(wanted.part.of(&self.schema)?, &batches, &rows);
        sorted.gather(sorted.places(0..sorted.num_rows()), Part::Whole)
    }
}
