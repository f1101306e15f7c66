//! Undone customers against the files that hold them now.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::execution::SessionState;
use futures::TryStreamExt;

use super::resolve::{Resolved, resolve};
use super::undo::Undo;
use crate::error::Result;
use crate::merge::algo::{Cursor, pair};
use crate::table::schemas::CUSTOMER_ID;
use crate::table::{LiveFile, Snapshot, scan_files};
use crate::tasks::for_each_spawned;
use crate::validate::RecordSet;

/// What every file of a resolving shares.
#[derive(Clone)]
pub(super) struct Resolving {
    pub undo: Arc<Undo>,
    pub base: Arc<Snapshot>,
    pub touched: Arc<RecordSet>,
    pub state: SessionState,
}

/// What the undone customers of one file come to, and the numbers of those it holds.
pub(super) struct FileResolved {
    pub found: Vec<u64>,
    pub resolved: Vec<Resolved>,
}

impl Resolving {
    /// Calls `each` with what every file comes to.
    ///
    /// # Errors
    /// The table cannot be read, and those of `each`.
    pub async fn run(&self, threads: usize, each: impl FnMut(FileResolved) -> Result<()>) -> Result<()> {
        let Some(range) = self.undo.rows.key_range() else {
            return Ok(());
        };
        let work = |file: LiveFile| {
            let this = self.clone();
            async move { this.file(&file).await }
        };
        for_each_spawned(self.base.files_of(&range), threads, work, each).await
    }

    async fn file(&self, file: &LiveFile) -> Result<FileResolved> {
        let slice = self.undo.rows.slice(file.keys.as_ref())?;
        let mut outcome = FileResolved {
            found: Vec::new(),
            resolved: Vec::new(),
        };
        if slice.is_empty() {
            return Ok(outcome);
        }
        let names = std::iter::once(CUSTOMER_ID).chain(self.undo.columns.iter().map(String::as_str));
        let columns = names
            .map(|name| Ok(self.base.schema.index_of(name)?))
            .collect::<Result<Vec<usize>>>()?;
        let plan = scan_files(&self.state, &self.base, [file], Some(&columns))?;
        let mut rows = plan.execute(0, self.state.task_ctx())?;
        let mut cursor = Cursor::default();
        while let Some(batch) = rows.try_next().await? {
            let pairs = pair(batch.column(0).as_string_view(), &slice, &mut cursor);
            if pairs.file_rows.is_empty() {
                continue;
            }
            let numbers = pairs.change_rows.iter();
            outcome
                .found
                .extend(numbers.map(|row| slice.record_no(*row as usize)));
            let live: Vec<ArrayRef> = batch.columns().iter().skip(1).cloned().collect();
            outcome
                .resolved
                .push(resolve(&slice.rows, &live, &pairs, &self.touched)?);
        }
        Ok(outcome)
    }
}

impl Resolved {
    /// The customers that change as rows of a change set.
    ///
    /// # Errors
    /// None but what arrow refuses.
    pub fn updates(&self, schema: &arrow::datatypes::SchemaRef) -> Result<Option<RecordBatch>> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let mut columns: Vec<ArrayRef> = vec![Arc::clone(&self.keys), Arc::new(self.numbers.clone())];
        columns.extend(self.targets.iter().cloned());
        Ok(Some(RecordBatch::try_new(Arc::clone(schema), columns)?))
    }
}
