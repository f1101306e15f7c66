//! Rows of one row group as one batch.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use crate::error::Result;

/// Everything that a reader yields; `None` when that is nothing.
///
/// # Errors
/// The file is damaged.
pub(super) fn one_batch(reader: ParquetRecordBatchReader) -> Result<Option<RecordBatch>> {
    let batches = reader.collect::<std::result::Result<Vec<_>, _>>()?;
    match batches.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only.clone())),
        [first, ..] => Ok(Some(concat_batches(&first.schema(), &batches)?)),
    }
}
