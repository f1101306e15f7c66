//! Rows in memory and the order of their keys.

use std::ops::Range;

use arrow::array::{AsArray, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{Int64Type, SchemaRef};

use super::gather::Columns;
use super::order::{Keys, Place, order};
use super::rows::{KEY, Part, RECORD_NO, SortedRows, Wanted};
use super::sample::Split;
use crate::error::Result;
use crate::table::KeyRange;

/// Rows of a batch: enough for every source batch to give a few, and few enough for caches.
pub(super) const BATCH_ROWS: usize = 32 << 10;

/// Batches as they came, and where in them the next key is.
///
/// ```text
///   batch 0: C7 C2    batch 1: C9 C1    order: (1, 1) (0, 1) (0, 0) (1, 0)
/// ```
#[derive(Debug)]
pub(super) struct Resident {
    columns: Columns,
    keys: Vec<StringViewArray>,
    records: Vec<Int64Array>,
    order: Vec<Place>,
    ranges: Vec<KeyRange>,
}

impl Resident {
    /// Orders these `rows` of each batch. Batches and their rows are in the order of their records.
    pub(super) fn new(schema: SchemaRef, batches: &[RecordBatch], rows: &[Vec<u32>]) -> Self {
        let keys: Vec<StringViewArray> = batches
            .iter()
            .map(|batch| batch.column(KEY).as_string_view().clone())
            .collect();
        let records = |batch: &RecordBatch| batch.column(RECORD_NO).as_primitive::<Int64Type>().clone();
        let order = order(Keys(&keys), rows);
        let ends = |places: &[Place]| key_range(Keys(&keys), places);
        Self {
            columns: Columns::new(schema, batches),
            ranges: order.chunks(BATCH_ROWS).filter_map(ends).collect(),
            records: batches.iter().map(records).collect(),
            order,
            keys,
        }
    }

    /// The places in order.
    pub(super) fn places(&self, range: Range<usize>) -> &[Place] {
        self.order.get(range).unwrap_or_default()
    }

    /// Number of rows before `split`.
    pub(super) fn rows_before(&self, split: &Split) -> usize {
        let keys = Keys(&self.keys);
        self.order
            .partition_point(|place| !split.is_at_or_before(keys.at(*place), self.record(*place)))
    }

    /// The keys of the first and the last of `places`.
    pub(super) fn key_range(&self, places: &[Place]) -> Option<KeyRange> {
        key_range(Keys(&self.keys), places)
    }

    /// The rows at these places.
    ///
    /// # Errors
    /// None but what arrow refuses.
    pub(super) fn gather(&self, places: &[Place], part: Part) -> Result<RecordBatch> {
        self.columns.gather(places, part)
    }

    fn record(&self, place: Place) -> i64 {
        let records = self.records.get(place.batch());
        records
            .and_then(|records| records.values().get(place.row()))
            .copied()
            .unwrap_or(0)
    }

    /// The places of one batch with keys in `range`.
    fn within(&self, number: usize, range: Option<&KeyRange>) -> &[Place] {
        let begin = (number * BATCH_ROWS).min(self.order.len());
        let places = self.places(begin..(begin + BATCH_ROWS).min(self.order.len()));
        let Some(range) = range else {
            return places;
        };
        let keys = Keys(&self.keys);
        let first = places.partition_point(|place| keys.at(*place) < range.min.as_bytes());
        let end = places.partition_point(|place| keys.at(*place) <= range.max.as_bytes());
        places.get(first..end).unwrap_or_default()
    }
}

impl SortedRows for Resident {
    fn schema(&self) -> &SchemaRef {
        &self.columns.schema
    }

    fn ranges(&self) -> &[KeyRange] {
        &self.ranges
    }

    fn num_rows(&self) -> usize {
        self.order.len()
    }

    fn batch_bytes(&self) -> usize {
        0
    }

    fn read(&self, number: usize, wanted: Wanted<'_>) -> Result<RecordBatch> {
        let places = self.within(number, wanted.keys);
        if wanted.has_all_records() {
            return self.gather(places, wanted.part);
        }
        let is_wanted = |place: &Place| wanted.has(self.record(*place));
        let places: Vec<Place> = places.iter().copied().filter(is_wanted).collect();
        self.gather(&places, wanted.part)
    }
}

fn key_range(keys: Keys<'_>, places: &[Place]) -> Option<KeyRange> {
    let text = |place: &Place| String::from_utf8_lossy(keys.at(*place)).into_owned();
    Some(KeyRange {
        min: text(places.first()?),
        max: text(places.last()?),
    })
}
