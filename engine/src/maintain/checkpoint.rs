//! Checkpoints and the clean-up of a log: what a reader would otherwise do at every opening.

use deltalake_core::DeltaTable;
use deltalake_core::checkpoints::{cleanup_metadata, create_checkpoint};
use object_store::ObjectStoreExt;
use serde_json::Value;

use crate::error::Result;
use crate::table::TableLog;

/// The file that names a log's last checkpoint.
const LAST_CHECKPOINT: &str = "_last_checkpoint";

/// The table property that keeps old log entries for ever.
const CLEAN_UP: &str = "delta.enableExpiredLogCleanup";

/// What became of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Checkpointed {
    /// The log is short enough.
    NotDue,
    /// There is one of this version now.
    Written {
        /// The version.
        version: u64,
    },
}

impl Checkpointed {
    /// The version of the checkpoint that was written.
    #[must_use]
    pub fn version(self) -> Option<u64> {
        match self {
            Self::NotDue => None,
            Self::Written { version } => Some(version),
        }
    }
}

/// Writes a checkpoint of the newest version where the last one is `every` commits behind, and deletes the entries
/// before it that are older than the table's log retention. A reader then starts at the checkpoint instead of
/// replaying all commits.
///
/// # Errors
/// The store failed. The table is as readable as before.
pub async fn checkpoint_if_due(log: &TableLog, every: u64) -> Result<Checkpointed> {
    let last = last_checkpoint(log).await?;
    let version = log.store().get_latest_version(last.unwrap_or(0)).await?;
    // A log without a checkpoint begins with version 0.
    let commits = last.map_or(version + 1, |last| version.saturating_sub(last));
    if commits < every {
        return Ok(Checkpointed::NotDue);
    }
    let table = checkpoint(log, version).await?;
    let cleans_up = table.snapshot()?.metadata().configuration().get(CLEAN_UP);
    if cleans_up.is_none_or(|setting| setting != "false") {
        cleanup_metadata(&table, None).await?;
    }
    Ok(Checkpointed::Written { version })
}

/// Writes a checkpoint of the newest version, and returns that.
///
/// # Errors
/// The store failed. The table is as readable as before.
pub(crate) async fn checkpoint_now(log: &TableLog) -> Result<u64> {
    let version = log.snapshot(None).await?.version;
    checkpoint(log, version).await?;
    Ok(version)
}

async fn checkpoint(log: &TableLog, version: u64) -> Result<DeltaTable> {
    let mut table = DeltaTable::new(log.store().clone());
    table.load_version(version).await?;
    create_checkpoint(&table, None).await?;
    Ok(table)
}

/// The version of the last checkpoint. A hint that is damaged is none: then a checkpoint is written, and a new hint.
async fn last_checkpoint(log: &TableLog) -> Result<Option<u64>> {
    let path = log.store().log_path().clone().join(LAST_CHECKPOINT);
    let hint = match log.store().object_store(None).get(&path).await {
        Ok(found) => found.bytes().await?,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let hint: Option<Value> = serde_json::from_slice(&hint).ok();
    Ok(hint.and_then(|hint| hint.get("version")?.as_u64()))
}
