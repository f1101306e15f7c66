//! Files of a table written anew, some of their rows changed or gone.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::prelude::SessionContext;
use deltalake_core::kernel::{Action, Add};
use futures::TryStreamExt;
use serde_json::{Value, json};

use crate::commit::{Commit, CommitOutcome, commit};
use crate::error::{Error, Result};
use crate::ids;
use crate::maintain::plan::Layout;
use crate::maintain::{Effect, MaintainedTable};
use crate::session::new_session;
use crate::settings::Settings;
use crate::table::schemas::CUSTOMER_ID;
use crate::table::{LiveFile, Snapshot, TableLog, scan_files};
use crate::write::{RollingWriter, WriterOptions, discard};

/// Lost races after which a rewrite gives up.
const ATTEMPTS: usize = 50;

/// What becomes of the rows of a table.
#[async_trait]
pub(super) trait Edit: Send {
    /// Whether the file holds rows that change, dead ones counted.
    async fn concerns(&mut self, snapshot: &Snapshot, file: &LiveFile) -> Result<bool>;

    /// The rows that are written in place of these.
    fn apply(&mut self, rows: RecordBatch) -> Result<RecordBatch>;

    /// All of it begins again: another writer was faster.
    fn begin(&mut self);
}

/// A table to be rewritten by who holds the maintenance lease.
pub(super) struct Rewriting<'a> {
    pub table: MaintainedTable,
    pub log: &'a TableLog,
    pub settings: &'a Settings,
    /// What the commit info says.
    pub reason: &'static str,
    /// Whether anything is written; else it is only counted.
    pub effect: Effect,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rewritten {
    /// Files that were written anew or left the table.
    pub files: u64,
    /// The version that came of it; none if no file was concerned.
    pub version: Option<u64>,
}

impl Rewriting<'_> {
    /// Writes the files that `edit` concerns anew, in one commit.
    ///
    /// # Errors
    /// The table cannot be read or written; other writers were faster every time.
    pub async fn run(&self, edit: &mut dyn Edit) -> Result<Rewritten> {
        for _ in 0..ATTEMPTS {
            edit.begin();
            let snapshot = self.log.snapshot(None).await?;
            let mut written = Vec::new();
            let outcome = self.attempt(&snapshot, edit, &mut written).await;
            if let Ok(Some(rewritten)) = outcome {
                return Ok(rewritten);
            }
            let paths = written.iter().map(String::as_str);
            discard(&self.log.store().object_store(None), paths).await?;
            outcome?;
        }
        Err(
            Error::conflict(format!("other writers were faster {ATTEMPTS} times in a row"))
                .hint("run it again when fewer runs are under way"),
        )
    }

    /// One attempt; `None` where another writer was faster. What it wrote is in `written`.
    async fn attempt(
        &self,
        snapshot: &Snapshot,
        edit: &mut dyn Edit,
        written: &mut Vec<String>,
    ) -> Result<Option<Rewritten>> {
        let ctx = new_session(self.settings, self.settings.memory_bytes / 5 * 2)?;
        let now = chrono::Utc::now().timestamp_millis();
        let (mut actions, mut files) = (Vec::new(), 0);
        for file in &snapshot.files {
            if !edit.concerns(snapshot, file).await? {
                continue;
            }
            files += 1;
            let adds = self.file(&ctx, snapshot, file, edit).await?;
            written.extend(adds.iter().map(|add| add.path.clone()));
            actions.push(Action::Remove(file.remove(now)));
            actions.extend(adds.into_iter().map(Action::Add));
        }
        if actions.is_empty() || self.effect == Effect::Plan {
            return Ok(Some(Rewritten { files, version: None }));
        }
        let request = Commit {
            actions,
            info: info(self.reason),
            txn: None,
        };
        Ok(match commit(self.log, snapshot, request).await? {
            CommitOutcome::Committed { version } => Some(Rewritten {
                files,
                version: Some(version),
            }),
            CommitOutcome::Lost => None,
        })
    }

    /// The rows of a file that readers see, edited, in new files.
    async fn file(
        &self,
        ctx: &SessionContext,
        snapshot: &Snapshot,
        file: &LiveFile,
        edit: &mut dyn Edit,
    ) -> Result<Vec<Add>> {
        let options = match self.table.layout() {
            Layout::Clustered => WriterOptions::clustered(CUSTOMER_ID, snapshot.encoding),
            Layout::Appended => WriterOptions::appended(snapshot.encoding),
        };
        let store = self.log.store().object_store(None);
        let mut writer = RollingWriter::new(store, &self.name(file), Arc::clone(&snapshot.schema), options);
        let mut rows = scan_files(&ctx.state(), snapshot, [file], None)?.execute(0, ctx.task_ctx())?;
        while let Some(batch) = rows.try_next().await? {
            let edited = edit.apply(batch)?;
            if edited.num_rows() > 0 && self.effect == Effect::Apply {
                writer.write(&edited).await?;
            }
        }
        writer.finish().await
    }

    /// What the new files are named after: rows that lie as they came keep their place.
    fn name(&self, file: &LiveFile) -> String {
        match (self.table.layout(), ids::run_of_data_file(&file.add.path)) {
            (Layout::Appended, Some(run_id)) => ids::new_id_beside(run_id),
            _ => ids::new_run_id(),
        }
    }
}

/// The commit info of an erasure.
pub(super) fn info(reason: &str) -> HashMap<String, Value> {
    HashMap::from([
        ("run_id".to_owned(), json!(ids::new_run_id())),
        ("erasure".to_owned(), json!(reason)),
    ])
}
