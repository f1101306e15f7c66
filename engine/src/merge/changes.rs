//! The accepted rows of a run in key order, read range by range: memory follows what is read.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{Int64Type, SchemaRef};
use rayon::prelude::*;

use crate::error::{Error, Result};
pub use crate::sort::{KEY, RECORD_NO};
use crate::sort::{Part, SortedRows, Stored, Wanted};
use crate::stage::BatchStore;
use crate::table::KeyRange;
use crate::validate::RecordSet;

/// What a NULL cell of a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullCells {
    /// It clears the attribute.
    Clear,
    /// It leaves the attribute as it is.
    Keep,
}

/// The columns of a change set beside the key, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// Name of each attribute, and what its NULLs do.
    pub attributes: Vec<(String, NullCells)>,
}

/// Position of the first attribute in a change batch.
pub const FIRST_ATTRIBUTE: usize = 2;

/// Rows `customer_id, record_no, attributes...`, sorted by key, then record.
#[derive(Debug, Clone)]
pub struct ChangeSet {
    rows: Arc<dyn SortedRows>,
    /// Rows that are there but take no part.
    rejected: Arc<RecordSet>,
    /// The attributes.
    pub columns: Columns,
}

impl ChangeSet {
    /// Takes over a store of sorted batches, none of them empty.
    #[must_use]
    pub fn new(store: Arc<BatchStore>, ranges: Vec<KeyRange>, columns: Columns) -> Self {
        Self::of(Arc::new(Stored::new(store, ranges)), columns)
    }

    /// Takes over sorted rows.
    #[must_use]
    pub fn of(rows: Arc<dyn SortedRows>, columns: Columns) -> Self {
        Self {
            rows,
            rejected: Arc::default(),
            columns,
        }
    }

    /// The same rows without those of `rejected`.
    #[must_use]
    pub fn without(&self, rejected: Arc<RecordSet>) -> Self {
        Self {
            rejected,
            ..self.clone()
        }
    }

    /// The records that take no part.
    #[must_use]
    pub fn rejected(&self) -> &RecordSet {
        &self.rejected
    }

    /// Schema of the batches.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        self.rows.schema()
    }

    /// Number of rows, rejected ones included.
    #[must_use]
    pub fn num_rows(&self) -> usize {
        self.rows.num_rows()
    }

    /// Number of batches.
    #[must_use]
    pub fn num_batches(&self) -> usize {
        self.rows.ranges().len()
    }

    /// The smallest and largest key, rejected rows included.
    #[must_use]
    pub fn key_range(&self) -> Option<KeyRange> {
        let ranges = self.rows.ranges();
        let (first, last) = (ranges.first()?, ranges.last()?);
        Some(KeyRange {
            min: first.min.clone(),
            max: last.max.clone(),
        })
    }

    /// One batch without its rejected rows.
    ///
    /// # Errors
    /// The disk failed.
    pub fn batch(&self, number: usize) -> Result<RecordBatch> {
        self.read(number, Wanted::default())
    }

    /// One batch without its rejected rows and without those of `records`.
    ///
    /// # Errors
    /// The disk failed.
    pub fn batch_without(&self, number: usize, records: &RecordSet) -> Result<RecordBatch> {
        let without = [None, Some(records)];
        self.read(
            number,
            Wanted {
                without,
                ..Wanted::default()
            },
        )
    }

    /// The rows with keys in `keys` (all rows for `None`), as one sorted batch.
    ///
    /// # Errors
    /// The disk failed.
    pub fn slice(&self, keys: Option<&KeyRange>) -> Result<ChangeSlice> {
        self.slice_of(keys, Part::Whole)
    }

    /// Keys and record numbers of the rows with keys in `keys`.
    ///
    /// # Errors
    /// The disk failed.
    pub fn keys(&self, keys: Option<&KeyRange>) -> Result<ChangeSlice> {
        self.slice_of(keys, Part::Keys)
    }

    fn slice_of(&self, keys: Option<&KeyRange>, part: Part) -> Result<ChangeSlice> {
        let wanted = Wanted {
            keys,
            part,
            ..Wanted::default()
        };
        let batches = self
            .overlapping(keys)
            .into_par_iter()
            .map(|number| self.read(number, wanted))
            .collect::<Result<Vec<_>>>()?;
        ChangeSlice::new(concat_batches(&part.of(self.schema())?, &batches)?)
    }

    /// Bytes in memory of the rows with keys in `keys`, about.
    #[must_use]
    pub fn slice_bytes(&self, keys: Option<&KeyRange>) -> usize {
        self.overlapping(keys).len() * self.rows.batch_bytes()
    }

    /// What is wanted of a batch; the rejected rows never are.
    fn read(&self, number: usize, wanted: Wanted<'_>) -> Result<RecordBatch> {
        let Wanted {
            without: [_, more], ..
        } = wanted;
        let without = [Some(self.rejected.as_ref()), more];
        self.rows.read(number, Wanted { without, ..wanted })
    }

    fn overlapping(&self, keys: Option<&KeyRange>) -> Range<usize> {
        let ranges = self.rows.ranges();
        let Some(keys) = keys else {
            return 0..ranges.len();
        };
        let first = ranges.partition_point(|range| range.max < keys.min);
        let last = ranges.partition_point(|range| range.min <= keys.max);
        first..last.max(first)
    }
}

/// Some rows of a change set in memory, sorted by key.
#[derive(Debug, Clone)]
pub struct ChangeSlice {
    /// The rows.
    pub rows: RecordBatch,
    keys: StringViewArray,
    records: Int64Array,
}

impl ChangeSlice {
    /// Wraps a sorted batch of changes.
    ///
    /// # Errors
    /// A batch that is no change batch.
    pub fn new(rows: RecordBatch) -> Result<Self> {
        let wrong = || Error::runtime("a change batch has no key and record number");
        let keys = rows.column(KEY).as_string_view_opt().ok_or_else(wrong)?.clone();
        let records = rows
            .column(RECORD_NO)
            .as_primitive_opt::<Int64Type>()
            .ok_or_else(wrong)?
            .clone();
        Ok(Self { rows, keys, records })
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys, ascending.
    #[must_use]
    pub fn keys(&self) -> &StringViewArray {
        &self.keys
    }

    /// The columns of the attributes, in change order.
    pub fn attributes(&self) -> impl Iterator<Item = &ArrayRef> {
        self.rows.columns().iter().skip(FIRST_ATTRIBUTE)
    }

    /// The record number of a row.
    #[must_use]
    pub fn record_no(&self, row: usize) -> u64 {
        self.records
            .values()
            .get(row)
            .map_or(0, |record| record.unsigned_abs())
    }
}
