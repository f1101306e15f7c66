//! What the files of one partition write together: new versions of customers, and deletion vectors.

use arrow::array::{Array, AsArray, RecordBatch};

use super::facts::Written;
use super::plan::MergeJob;
use crate::error::Result;
use crate::table::schemas::CUSTOMER_ID;
use crate::write::{FileAction, RollingWriter, VectorWriter, WriterOptions};

/// Where a partition's files put what does not stay in them.
pub(super) struct Sinks {
    /// New versions of customers whose old ones are marked.
    pub versions: NewVersions,
    /// The marks.
    pub vectors: VectorWriter,
}

impl Sinks {
    pub fn of(job: &MergeJob) -> Result<Self> {
        Ok(Self {
            versions: NewVersions::of(job)?,
            vectors: VectorWriter::new(&job.snapshot.log, &job.run_id, job.deletion_timestamp_ms),
        })
    }

    /// Closes the files and describes them.
    ///
    /// # Errors
    /// The store failed.
    pub async fn finish(self) -> Result<Written> {
        let adds = self.versions.writer.finish().await?;
        let vectors = self.vectors.finish().await?;
        let rows_bytes: u64 = adds.iter().map(|add| add.size.unsigned_abs()).sum();
        let mut actions = vectors.actions;
        actions.extend(adds.into_iter().map(FileAction::Add));
        Ok(Written {
            actions,
            encoded_bytes: rows_bytes,
            vector_bytes: vectors.written_bytes,
        })
    }
}

/// Writes rows in key order; where the order breaks, a new file begins, so that every file is sorted.
pub(super) struct NewVersions {
    writer: RollingWriter,
    key: usize,
    last_key: Option<String>,
}

impl NewVersions {
    fn of(job: &MergeJob) -> Result<Self> {
        let store = job.snapshot.log.object_store(None);
        let schema = job.snapshot.schema.clone();
        Ok(Self {
            writer: RollingWriter::new(store, &job.run_id, schema, WriterOptions::clustered(CUSTOMER_ID)),
            key: job.key_position()?,
            last_key: None,
        })
    }

    /// Appends rows that are in key order among themselves.
    ///
    /// # Errors
    /// The store failed.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let keys = batch.column(self.key).as_string_view();
        let Some(last) = keys.len().checked_sub(1) else {
            return Ok(());
        };
        if self
            .last_key
            .as_deref()
            .is_some_and(|before| before >= keys.value(0))
        {
            self.writer.cut().await?;
        }
        self.last_key = Some(keys.value(last).to_owned());
        self.writer.write(batch).await
    }
}
