//! Changes to the table beside those of a run: cells that are set, customers that come and that leave.

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use object_store::ObjectStoreExt;
use object_store::path::Path;

use super::compose::{after, compose};
use super::draft::count;
use super::removal::Removal;
use crate::error::{Error, Result};
use crate::merge::{Apply, ChangeSet, MergeJob, Preference, Room, Vectors, merge, register_new};
use crate::table::Snapshot;
use crate::table::schemas::CUSTOMER_ID;
use crate::validate::RecordSet;
use crate::write::FileAction;

/// What changes, computed for one version of the table. No customer is in two of the three.
#[derive(Debug, Clone)]
pub struct TableEdit {
    /// Customers that are there, with all attributes to set; a NULL clears.
    pub updates: ChangeSet,
    /// Customers that are not there, with their attributes.
    pub inserts: ChangeSet,
    /// Customers that leave; no attributes.
    pub leaving: ChangeSet,
}

/// Where an edit is made.
pub(super) struct Editing<'a> {
    pub ctx: &'a SessionContext,
    pub base: &'a Arc<Snapshot>,
    pub run_id: &'a str,
    pub threads: usize,
    /// Memory for the changes of files that are merged at the same time.
    pub room_bytes: usize,
}

impl TableEdit {
    /// Writes the files that make the edit on top of the version it was computed for.
    ///
    /// # Errors
    /// The table cannot be read or written; it is not the version that the edit was computed for.
    pub(super) async fn write(&self, editing: &Editing<'_>) -> Result<Vec<FileAction>> {
        let facts = merge(editing.job(self.updates.clone()), editing.threads).await?;
        editing.balanced("updated", count(&self.updates)?, facts.rows_updated())?;
        let actions: Vec<FileAction> = facts.actions().collect();
        let merged = Snapshot {
            files: after(&editing.base.files, &actions, CUSTOMER_ID),
            ..editing.base.as_ref().clone()
        };
        let removal = Removal {
            table: Arc::new(merged),
            leaving: self.leaving.clone(),
            run_id: editing.run_id.to_owned(),
            state: editing.ctx.state(),
        };
        let removed = removal.run(editing.threads).await?;
        editing.balanced("removed", count(&self.leaving)?, removed.rows_removed)?;
        let composed = compose(actions, removed.actions);
        let store = editing.base.log.object_store(None);
        for path in composed.orphans {
            store.delete(&Path::from(path)).await?;
        }
        let mut actions = composed.actions;
        let job = editing.job(self.inserts.clone());
        let (_, mut files) = register_new(&job, &RecordSet::default(), editing.threads).await?;
        actions.append(&mut files);
        Ok(actions)
    }
}

impl Editing<'_> {
    fn job(&self, changes: ChangeSet) -> Arc<MergeJob> {
        Arc::new(MergeJob {
            changes,
            snapshot: Arc::clone(self.base),
            run_id: self.run_id.to_owned(),
            apply: Apply::Write,
            deletion_timestamp_ms: chrono::Utc::now().timestamp_millis(),
            session: self.ctx.state(),
            // The files of the first step are those that the second removes customers from: each under a path of its
            // own, so that what is in no version can go.
            vectors: Vectors::Forbidden,
            preference: Preference::Cheapest,
            room: Arc::new(Room::of(self.room_bytes)),
        })
    }

    /// The books must balance before anything is committed.
    fn balanced(&self, what: &str, planned_rows: u64, done_rows: u64) -> Result<()> {
        if planned_rows == done_rows {
            return Ok(());
        }
        Err(Error::runtime(format!(
            "the books do not balance: {planned_rows} customers were to be {what}, {done_rows} were"
        ))
        .wrote("nothing was rolled back"))
    }
}
