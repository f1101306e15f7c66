//! Rows of many batches, put together in the order of their places.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::interleave;
use arrow::datatypes::SchemaRef;

use super::order::Place;
use super::rows::Part;
use crate::error::Result;
use crate::stage::compact;

/// Batches in memory, by column.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) schema: SchemaRef,
    /// For each column, its array in each batch.
    arrays: Vec<Vec<ArrayRef>>,
}

impl Columns {
    /// The columns of `batches`, which have this schema.
    pub(super) fn new(schema: SchemaRef, batches: &[RecordBatch]) -> Self {
        let arrays = |column: usize| batches.iter().map(move |batch| Arc::clone(batch.column(column)));
        Self {
            arrays: (0..schema.fields().len())
                .map(|column| arrays(column).collect())
                .collect(),
            schema,
        }
    }

    /// The rows at `places`, in their order. Texts are copied: they stood all over the source, and whoever compares or
    /// encodes them next reads them in a row.
    ///
    /// # Errors
    /// None but what arrow refuses.
    pub(super) fn gather(&self, places: &[Place], part: Part) -> Result<RecordBatch> {
        let places: Vec<(usize, usize)> = places.iter().map(|place| (place.batch(), place.row())).collect();
        let schema = part.of(&self.schema)?;
        if places.is_empty() {
            return Ok(RecordBatch::new_empty(schema));
        }
        let gathered = |arrays: &Vec<ArrayRef>| -> Result<ArrayRef> {
            let arrays: Vec<&dyn Array> = arrays.iter().map(|array| array.as_ref()).collect();
            Ok(interleave(&arrays, &places)?)
        };
        let arrays = match part.columns() {
            None => self.arrays.iter().collect(),
            Some(columns) => columns
                .iter()
                .filter_map(|column| self.arrays.get(*column))
                .collect::<Vec<_>>(),
        };
        let columns: Vec<ArrayRef> = arrays.into_iter().map(gathered).collect::<Result<_>>()?;
        compact(&RecordBatch::try_new(schema, columns)?)
    }
}
