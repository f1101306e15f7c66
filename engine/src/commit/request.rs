//! One attempt to commit.

use std::collections::HashMap;

use deltalake_core::DeltaTableError;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake_core::kernel::{Action, Transaction};
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use serde_json::Value;

use super::vectors::with_feature;
use crate::error::{Error, Result};
use crate::table::{Snapshot, TableLog};

/// Who commits under which number, for exactly-once (the log's `txn` action).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Txn {
    /// Application id: the process.
    pub application: String,
    /// Version: the run's number.
    pub number: i64,
}

/// What a commit does, as the log names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Rows are written.
    Write,
    /// Rows are laid out anew; none changes.
    Optimize {
        /// Size that files aim at, in bytes.
        target_bytes: u64,
    },
}

impl From<Operation> for DeltaOperation {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::Write => Self::Write {
                mode: SaveMode::Append,
                partition_by: None,
                predicate: None,
            },
            Operation::Optimize { target_bytes } => Self::Optimize {
                predicate: None,
                target_size: i64::try_from(target_bytes).unwrap_or(i64::MAX),
            },
        }
    }
}

/// A commit to be made.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Adds, Removes and at most one Metadata.
    pub actions: Vec<Action>,
    /// What the commit info says beside delta-rs's own fields.
    pub info: HashMap<String, Value>,
    /// The application's transaction.
    pub txn: Option<Txn>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum CommitOutcome {
    /// Ours is this version.
    Committed {
        /// The new version.
        version: u64,
    },
    /// Another writer took the next version; nothing of ours is in the table.
    Lost,
}

/// Makes one attempt on top of exactly `base`.
///
/// A commit can have landed although the store answered with an error, so after one the log is read for our
/// `run_id` before anything is decided.
///
/// # Errors
/// The store failed and our commit is not in the log.
pub async fn commit(log: &TableLog, base: &Snapshot, commit: Commit) -> Result<CommitOutcome> {
    commit_as(log, base, commit, Operation::Write).await
}

/// As [`commit`], under the name of another operation.
///
/// # Errors
/// As [`commit`].
pub async fn commit_as(
    log: &TableLog,
    base: &Snapshot,
    commit: Commit,
    operation: Operation,
) -> Result<CommitOutcome> {
    let run_id = commit.info.get("run_id").cloned();
    let commit = Commit {
        actions: with_feature(base, commit.actions)?,
        ..commit
    };
    match attempt(log, base, commit, operation).await {
        Ok(version) => Ok(CommitOutcome::Committed { version }),
        Err(error) => match landed(log, base.version, run_id.as_ref()).await? {
            Some(version) => Ok(CommitOutcome::Committed { version }),
            None if lost_race(&error) => Ok(CommitOutcome::Lost),
            None => Err(error.into()),
        },
    }
}

async fn attempt(
    log: &TableLog,
    base: &Snapshot,
    commit: Commit,
    operation: Operation,
) -> Result<u64, DeltaTableError> {
    let mut properties = CommitProperties::default()
        .with_max_retries(0)
        .with_create_checkpoint(false)
        .with_metadata(commit.info);
    if let Some(txn) = commit.txn {
        properties = properties.with_application_transaction(Transaction::new(txn.application, txn.number));
    }
    let prepared = CommitBuilder::from(properties)
        .with_actions(commit.actions)
        .build(Some(&base.base), log.store().clone(), operation.into())
        .into_prepared_commit_future()
        .await?;
    // The hooks after a commit (checkpoint, clean-up) are left to maintenance: one that fails would make a commit
    // that landed look like one that did not.
    Ok(prepared.await?.version)
}

fn lost_race(error: &DeltaTableError) -> bool {
    matches!(
        error,
        DeltaTableError::Transaction {
            source: TransactionError::MaxCommitAttempts(_) | TransactionError::VersionAlreadyExists(_)
        } | DeltaTableError::VersionAlreadyExists(_)
    )
}

/// The version after `since` whose commit info carries `run_id`.
async fn landed(log: &TableLog, since: u64, run_id: Option<&Value>) -> Result<Option<u64>> {
    let Some(run_id) = run_id else { return Ok(None) };
    let latest = log.snapshot(None).await?.version;
    let newer = latest.saturating_sub(since) as usize;
    let commits = log.commits(Some(newer)).await?;
    let position = commits
        .iter()
        .take(newer)
        .position(|info| info.info.get("run_id") == Some(run_id));
    Ok(position.map(|i| latest - i as u64))
}

/// Appends until it lands: for tables where rows of different writers never meet.
///
/// # Errors
/// The store failed, or a hundred writers in a row were faster.
pub async fn append(log: &TableLog, request: Commit) -> Result<u64> {
    for _ in 0..100 {
        let base = log.snapshot(None).await?;
        if let CommitOutcome::Committed { version } = commit(log, &base, request.clone()).await? {
            return Ok(version);
        }
    }
    Err(Error::conflict("other writers were faster a hundred times in a row").hint("run it again"))
}
