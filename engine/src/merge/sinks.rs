//! What the files of one partition write together: new versions of customers, and deletion vectors.

use std::collections::HashMap;
use std::ops::Range;

use arrow::array::{Array, AsArray, RecordBatch};

use super::facts::{MergedFile, Share, Versions};
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

    /// Closes the files and describes them; the files whose rows are marked get their actions.
    ///
    /// # Errors
    /// The store failed.
    pub async fn finish(self, files: &mut [MergedFile]) -> Result<Versions> {
        let adds = self.versions.writer.finish().await?;
        let shares = self.versions.shares.into_iter().filter_map(|share| {
            Some(Share {
                path: adds.get(share.number)?.path.clone(),
                of: share.of,
                rows: share.rows,
            })
        });
        let shares = shares.collect();
        let vectors = self.vectors.finish().await?;
        let mut of_path: HashMap<String, &mut MergedFile> = files
            .iter_mut()
            .map(|file| (file.identity.0.clone(), file))
            .collect();
        for action in vectors.actions {
            let path = match &action {
                FileAction::Add(add) => &add.path,
                FileAction::Remove(remove) => &remove.path,
            };
            if let Some(file) = of_path.get_mut(path) {
                file.actions.push(action);
            }
        }
        Ok(Versions {
            adds,
            shares,
            vector_bytes: vectors.written_bytes,
        })
    }
}

/// Writes rows in key order; where the order breaks, a new file begins, so that every file is sorted.
pub(super) struct NewVersions {
    writer: RollingWriter,
    key: usize,
    last_key: Option<String>,
    shares: Vec<OpenShare>,
}

/// Rows of one file among the new versions; theirs are counted, as they have no path before they are closed.
struct OpenShare {
    of: String,
    number: usize,
    rows: Range<u64>,
}

impl NewVersions {
    fn of(job: &MergeJob) -> Result<Self> {
        let store = job.snapshot.log.object_store(None);
        let schema = job.snapshot.schema.clone();
        Ok(Self {
            writer: RollingWriter::new(
                store,
                &job.run_id,
                schema,
                WriterOptions::clustered(CUSTOMER_ID, job.snapshot.encoding),
            ),
            key: job.key_position()?,
            last_key: None,
            shares: Vec::new(),
        })
    }

    /// Appends rows of the file at `of` that are in key order among themselves.
    ///
    /// # Errors
    /// The store failed.
    pub async fn write(&mut self, of: &str, batch: &RecordBatch) -> Result<()> {
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
        let (number, first) = self.writer.place();
        self.shares.push(OpenShare {
            of: of.to_owned(),
            number,
            rows: first..first + batch.num_rows() as u64,
        });
        self.writer.write(batch).await
    }
}
