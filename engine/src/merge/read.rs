//! Decoding rows of one row group, off the async workers.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use crate::cpu;
use crate::error::{Error, Result};

/// Decodes or encodes on a core of its own. A reader that takes for granted what a damaged file does not hold panics;
/// that is an error of this file, not the end of the program.
///
/// # Errors
/// What `work` returns, or that it panicked.
pub(super) async fn on_core<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    cpu::run(move || {
        let ended = catch_unwind(AssertUnwindSafe(work));
        ended.unwrap_or_else(|_| {
            Err(Error::runtime(
                "a file of customers is damaged; its reader gave up",
            ))
        })
    })
    .await
}

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
