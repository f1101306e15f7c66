//! What is read of sorted rows.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringViewArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int64Type, SchemaRef};

use crate::error::Result;
use crate::stage::{BatchStore, Residence};
use crate::table::KeyRange;
use crate::validate::RecordSet;

/// Position of the key in a batch of sorted rows.
pub const KEY: usize = 0;
/// Position of `record_no` in a batch of sorted rows.
pub const RECORD_NO: usize = 1;

/// Rows in the order of their keys, rows of one key in that of their records; read by batch.
pub trait SortedRows: std::fmt::Debug + Send + Sync {
    /// Schema of the batches: key, record number and what else there is.
    fn schema(&self) -> &SchemaRef;

    /// The key range of each batch, in order; none is empty. A batch may begin with the key that the last one ends
    /// with.
    fn ranges(&self) -> &[KeyRange];

    /// Number of rows.
    fn num_rows(&self) -> usize;

    /// Bytes in memory of a batch that is read from disk, about. None where all rows are in memory: what is read of them
    /// is never more than what is held.
    fn batch_bytes(&self) -> usize;

    /// The wanted rows of one batch.
    ///
    /// # Errors
    /// The disk failed.
    fn read(&self, number: usize, wanted: Wanted<'_>) -> Result<RecordBatch>;
}

/// Which columns are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// All of them.
    #[default]
    Whole,
    /// Key and record number: of rows on disk the others are not decoded.
    Keys,
}

impl Part {
    /// The columns' positions; `None` for all.
    pub(super) fn columns(self) -> Option<&'static [usize]> {
        match self {
            Self::Whole => None,
            Self::Keys => Some(&[KEY, RECORD_NO]),
        }
    }

    /// The columns of `schema` that are read.
    ///
    /// # Errors
    /// They are not there.
    pub fn of(self, schema: &SchemaRef) -> Result<SchemaRef> {
        Ok(match self.columns() {
            None => Arc::clone(schema),
            Some(columns) => Arc::new(schema.project(columns)?),
        })
    }

    /// These columns of a stored batch.
    pub(super) fn read(self, store: &BatchStore, number: usize) -> Result<RecordBatch> {
        match self.columns() {
            None => store.read(number),
            Some(columns) => store.read_columns(number, columns),
        }
    }
}

/// Which rows are read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// What of them.
    pub part: Part,
    /// Those with keys in this range; all if there is none.
    pub keys: Option<&'a KeyRange>,
    /// But those whose record is in one of these sets.
    pub without: [Option<&'a RecordSet>; 2],
}

impl Wanted<'_> {
    /// Whether no record is left out.
    pub(super) fn has_all_records(&self) -> bool {
        self.without.iter().flatten().all(|records| records.is_empty())
    }

    /// Whether the record is read.
    pub(super) fn has(&self, record: i64) -> bool {
        let record = record.unsigned_abs();
        !self
            .without
            .iter()
            .flatten()
            .any(|records| records.contains(record))
    }

    /// The wanted rows of a sorted batch.
    ///
    /// # Errors
    /// None but what arrow refuses.
    pub(super) fn of(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = match self.keys {
            Some(range) => rows_within(batch.column(KEY).as_string_view(), range),
            None => 0..batch.num_rows(),
        };
        let batch = batch.slice(rows.start, rows.len());
        if self.has_all_records() {
            return Ok(batch);
        }
        let records = batch.column(RECORD_NO).as_primitive::<Int64Type>();
        let is_wanted: BooleanArray = records.values().iter().map(|r| Some(self.has(*r))).collect();
        Ok(filter_record_batch(&batch, &is_wanted)?)
    }
}

fn rows_within(keys: &StringViewArray, range: &KeyRange) -> Range<usize> {
    let first = first_row(keys.len(), |row| keys.value(row) < range.min.as_str());
    let end = first_row(keys.len(), |row| keys.value(row) <= range.max.as_str());
    first..end.max(first)
}

/// The first row that is not `before`: a binary search.
fn first_row(num_rows: usize, before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, num_rows);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// A store whose batches are sorted as they stand.
#[derive(Debug)]
pub struct Stored {
    store: Arc<BatchStore>,
    ranges: Vec<KeyRange>,
}

impl Stored {
    /// `ranges` are the key ranges of the batches of `store`, none of them empty.
    #[must_use]
    pub fn new(store: Arc<BatchStore>, ranges: Vec<KeyRange>) -> Self {
        Self { store, ranges }
    }
}

impl SortedRows for Stored {
    fn schema(&self) -> &SchemaRef {
        self.store.schema()
    }

    fn ranges(&self) -> &[KeyRange] {
        &self.ranges
    }

    fn num_rows(&self) -> usize {
        self.store.num_rows()
    }

    fn batch_bytes(&self) -> usize {
        match self.store.residence() {
            Residence::Memory => 0,
            Residence::Disk => self.store.row_bytes() * self.store.num_rows() / self.store.len().max(1),
        }
    }

    fn read(&self, number: usize, wanted: Wanted<'_>) -> Result<RecordBatch> {
        wanted.of(&wanted.part.read(&self.store, number)?)
    }
}
