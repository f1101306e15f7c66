//! The sort of a stage: where its rows are decides how.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::{StreamExt, TryStreamExt, stream};
use rayon::prelude::*;

use super::ranged::{Ranged, Run};
use super::resident::Resident;
use super::rows::SortedRows;
use super::sample::{KeySample, Split};
use crate::cpu;
use crate::error::Result;
use crate::stage::{BatchStore, Residence, StageBudget};

/// Bytes of a range on disk, as it is in memory, that suit any run: a few are read at once.
pub const RANGE_BYTES: usize = 16 << 20;

/// What a batch of the stage gives to the sort.
pub struct Unsorted {
    /// Key, record number and what else is sorted with them.
    pub batch: RecordBatch,
    /// Its rows that take part, ascending.
    pub rows: Vec<u32>,
}

/// Makes the rows of a staged batch.
pub type ReadRows = Arc<dyn Fn(usize) -> Result<Unsorted> + Send + Sync>;

/// A sort to be made.
pub struct Sorting {
    /// The stage.
    pub staged: Arc<BatchStore>,
    /// Schema of what is read of it.
    pub schema: SchemaRef,
    /// Reads one of its batches.
    pub read: ReadRows,
    /// A sample of its keys.
    pub sample: KeySample,
    /// Where runs go.
    pub budget: StageBudget,
    /// Bytes of a range on disk, as it is in memory.
    pub range_bytes: usize,
    /// Bytes in memory while runs are made.
    pub work_bytes: usize,
    /// Runs made at a time.
    pub threads: usize,
}

impl Sorting {
    /// Sorts. A stage in memory is left where it is; one that is on disk goes to disk again, in order.
    ///
    /// # Errors
    /// The disk failed.
    pub async fn run(self) -> Result<Arc<dyn SortedRows>> {
        if self.staged.residence() == Residence::Disk {
            return Ok(Arc::new(self.ranged().await?));
        }
        let (schema, read, batches) = (self.schema, self.read, 0..self.staged.len());
        Ok(Arc::new(
            cpu::run(move || resident(schema, &read, batches)).await?,
        ))
    }

    async fn ranged(self) -> Result<Ranged> {
        let row_bytes = self.staged.row_bytes().max(1);
        let all_bytes = row_bytes * self.staged.num_rows();
        let num_ranges = all_bytes.div_ceil(self.range_bytes.max(1));
        let splits: Arc<[Split]> = self.sample.splits(num_ranges).into();
        let run_rows = self.work_bytes / self.threads.max(1) / row_bytes;
        let batch_rows = self.staged.num_rows().div_ceil(self.staged.len().max(1));
        let run_batches = (run_rows / batch_rows.max(1)).max(1);
        let runs = (0..self.staged.len()).step_by(run_batches).map(|first| {
            let batches = first..(first + run_batches).min(self.staged.len());
            let (schema, read) = (self.schema.clone(), Arc::clone(&self.read));
            let (splits, budget) = (Arc::clone(&splits), self.budget.clone());
            cpu::run(move || Run::write(&resident(schema, &read, batches)?, &splits, &budget))
        });
        let runs = stream::iter(runs).buffered(self.threads.max(1));
        let range_bytes = all_bytes / num_ranges.max(1);
        Ok(Ranged::new(
            self.schema.clone(),
            runs.try_collect().await?,
            range_bytes,
        ))
    }
}

fn resident(schema: SchemaRef, read: &ReadRows, batches: Range<usize>) -> Result<Resident> {
    let read: Vec<Unsorted> = batches
        .into_par_iter()
        .map(|number| read(number))
        .collect::<Result<_>>()?;
    let (batches, rows): (Vec<RecordBatch>, Vec<Vec<u32>>) =
        read.into_iter().map(|read| (read.batch, read.rows)).unzip();
    Ok(Resident::new(schema, &batches, &rows))
}
