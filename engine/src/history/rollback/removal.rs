//! Customers that leave the table.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use datafusion::execution::SessionState;
use futures::TryStreamExt;

use crate::error::Result;
use crate::merge::ChangeSet;
use crate::merge::algo::{Cursor, pair};
use crate::table::schemas::CUSTOMER_ID;
use crate::table::{LiveFile, ParquetFile, Snapshot, scan_files};
use crate::tasks::for_each_spawned;
use crate::write::{FileAction, RollingWriter, WriterOptions, key_order};

/// Takes customers out of the files that hold them.
#[derive(Clone)]
pub(super) struct Removal {
    /// The table they leave.
    pub table: Arc<Snapshot>,
    /// They.
    pub leaving: ChangeSet,
    /// For file names.
    pub run_id: String,
    /// Scans.
    pub state: SessionState,
}

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Removed {
    pub rows_removed: u64,
    pub actions: Vec<FileAction>,
}

impl Removal {
    /// Removes them from every file.
    ///
    /// # Errors
    /// The table cannot be read or written.
    pub async fn run(&self, threads: usize) -> Result<Removed> {
        let mut removed = Removed::default();
        let Some(range) = self.leaving.key_range() else {
            return Ok(removed);
        };
        let work = |file: LiveFile| {
            let this = self.clone();
            async move { this.file(&file).await }
        };
        let each = |found: Removed| {
            removed.rows_removed += found.rows_removed;
            removed.actions.extend(found.actions);
            Ok(())
        };
        for_each_spawned(self.table.files_of(&range), threads, work, each).await?;
        Ok(removed)
    }

    async fn file(&self, file: &LiveFile) -> Result<Removed> {
        let rows_removed = self.leaving_rows(file).await?;
        if rows_removed == 0 {
            return Ok(Removed::default());
        }
        let mut actions = vec![FileAction::Remove(
            file.remove(chrono::Utc::now().timestamp_millis()),
        )];
        // Most often they came in files of their own, and nobody else is in them.
        if file.live_rows() != Some(rows_removed) {
            actions.extend(self.rewrite(file).await?.into_iter().map(FileAction::Add));
        }
        Ok(Removed {
            rows_removed,
            actions,
        })
    }

    /// How many of the file's customers leave. Costs the key column.
    async fn leaving_rows(&self, file: &LiveFile) -> Result<u64> {
        let slice = self.leaving.slice(file.keys.as_ref())?;
        if slice.is_empty() {
            return Ok(0);
        }
        let key = vec![self.table.schema.index_of(CUSTOMER_ID)?];
        let mut rows = self.scan(file, Some(&key))?;
        let mut cursor = Cursor::default();
        let mut num_rows = 0;
        while let Some(batch) = rows.try_next().await? {
            let pairs = pair(batch.column(0).as_string_view(), &slice, &mut cursor);
            num_rows += pairs.file_rows.len() as u64;
        }
        Ok(num_rows)
    }

    /// Writes the customers that stay to new files. Row order stays; memory is a row group.
    async fn rewrite(&self, file: &LiveFile) -> Result<Vec<deltalake_core::kernel::Add>> {
        let slice = self.leaving.slice(file.keys.as_ref())?;
        let key = self.table.schema.index_of(CUSTOMER_ID)?;
        let store = self.table.log.object_store(None);
        let size_bytes = file.add.size.unsigned_abs();
        let source = ParquetFile::open(Arc::clone(&store), &file.add.path, size_bytes).await?;
        let options = WriterOptions {
            order: key_order(source.metadata(), CUSTOMER_ID),
            ..WriterOptions::clustered(CUSTOMER_ID, self.table.encoding)
        };
        let schema = Arc::clone(&self.table.schema);
        let mut writer = RollingWriter::new(store, &self.run_id, schema, options);
        let mut rows = self.scan(file, None)?;
        let mut cursor = Cursor::default();
        while let Some(batch) = rows.try_next().await? {
            let pairs = pair(batch.column(key).as_string_view(), &slice, &mut cursor);
            writer.write(&without(&batch, &pairs.file_rows)?).await?;
        }
        writer.finish().await
    }

    fn scan(
        &self,
        file: &LiveFile,
        columns: Option<&Vec<usize>>,
    ) -> Result<datafusion::physical_plan::SendableRecordBatchStream> {
        let plan = scan_files(&self.state, &self.table, [file], columns)?;
        Ok(plan.execute(0, self.state.task_ctx())?)
    }
}

/// A batch without `rows`.
fn without(batch: &RecordBatch, rows: &[u32]) -> Result<RecordBatch> {
    let mut stays = vec![true; batch.num_rows()];
    for row in rows {
        if let Some(slot) = stays.get_mut(*row as usize) {
            *slot = false;
        }
    }
    Ok(filter_record_batch(batch, &BooleanArray::from(stays))?)
}
