//! The commits of `customers`, as the log tells them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::{DateTime, Utc};
use deltalake_core::kernel::{Action, CommitInfo};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use serde_json::Value;

use super::standing::Undone;
use crate::error::Result;
use crate::table::TableLog;
use crate::table::schemas::timestamp;

/// Log entries read at once.
const READ_AHEAD: usize = 16;

/// What made a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitKind {
    /// The table was made.
    Create,
    /// A customer base was adopted.
    Adoption,
    /// A run merged.
    Run,
    /// Runs were undone.
    Rollback,
    /// Files were rewritten, no value changed.
    Optimize,
    /// A run that was silent for too long was settled; nothing was written.
    Settled,
    /// A customer was forgotten.
    Erasure,
    /// Another program wrote, or this one in a way that an older version of it did.
    Other,
}

/// One commit.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The version it made.
    pub version: u64,
    /// What made it.
    pub kind: CommitKind,
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// What the commit info says beside delta-rs's own fields.
    pub info: HashMap<String, Value>,
}

impl Commit {
    /// Reads one from its actions.
    #[must_use]
    pub fn new(version: u64, actions: &[Action]) -> Self {
        let info = actions.iter().find_map(|action| match action {
            Action::CommitInfo(info) => Some(info.clone()),
            _ => None,
        });
        let info = info.unwrap_or_default();
        Self {
            version,
            kind: kind_of(version, actions, &info),
            at: info.timestamp.and_then(DateTime::from_timestamp_millis),
            info: info.info,
        }
    }

    /// The run or rollback that made it.
    #[must_use]
    pub fn run_id(&self) -> Option<&str> {
        self.text("run_id")
    }

    /// The process of that run.
    #[must_use]
    pub fn process(&self) -> Option<&str> {
        self.text("process")
    }

    /// The runs and rollbacks that a rollback undid, latest first.
    #[must_use]
    pub fn undoes(&self) -> Vec<&str> {
        let list = self
            .info
            .get("rollback")
            .and_then(|r| r.get("undoes")?.as_array());
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.info.get(key)?.as_str()
    }

    fn count(&self, key: &str) -> Option<u64> {
        let counts = self.info.get("run").or_else(|| self.info.get("rollback"))?;
        counts.get(key)?.as_u64()
    }
}

fn kind_of(version: u64, actions: &[Action], info: &CommitInfo) -> CommitKind {
    if info.info.contains_key("run") {
        return CommitKind::Run;
    }
    if info.info.contains_key("rollback") {
        return CommitKind::Rollback;
    }
    if info.info.contains_key("settled") {
        return CommitKind::Settled;
    }
    if info.info.contains_key("erasure") {
        return CommitKind::Erasure;
    }
    if info.info.contains_key("adopted_from") {
        return CommitKind::Adoption;
    }
    let mut num_files = 0;
    let mut is_data = false;
    for action in actions {
        let data_change = match action {
            Action::Add(add) => add.data_change,
            Action::Remove(remove) => remove.data_change,
            _ => continue,
        };
        num_files += 1;
        is_data |= data_change;
    }
    match num_files {
        0 if version == 0 => CommitKind::Create,
        0 => CommitKind::Other,
        _ if is_data => CommitKind::Other,
        _ => CommitKind::Optimize,
    }
}

/// The commits that the log still has, oldest first, without gaps.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    commits: Vec<Commit>,
}

impl Timeline {
    /// All of them.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn read(log: &TableLog) -> Result<Self> {
        Self::back_to(log, |_| false).await
    }

    /// From the newest back to the first that `enough` says yes to, that one included.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn back_to(log: &TableLog, enough: impl Fn(&Commit) -> bool) -> Result<Self> {
        Self::back_from(log, log.snapshot(None).await?.version, enough).await
    }

    /// As [`back_to`](Self::back_to), from version `latest` on.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn back_from(log: &TableLog, latest: u64, enough: impl Fn(&Commit) -> bool) -> Result<Self> {
        let entries = stream::iter((0..=latest).rev())
            .map(|version| async move { Ok::<_, crate::Error>((version, log.actions(version).await?)) })
            .buffered(READ_AHEAD);
        let mut entries = std::pin::pin!(entries);
        let mut commits = Vec::new();
        while let Some((version, Some(actions))) = entries.try_next().await? {
            let commit = Commit::new(version, &actions);
            let is_last = enough(&commit);
            commits.push(commit);
            if is_last {
                break;
            }
        }
        commits.reverse();
        Ok(Self { commits })
    }

    /// The commits, oldest first.
    #[must_use]
    pub fn commits(&self) -> &[Commit] {
        &self.commits
    }

    /// What a run or rollback committed.
    #[must_use]
    pub fn of_run(&self, run_id: &str) -> Option<&Commit> {
        self.commits.iter().find(|commit| commit.run_id() == Some(run_id))
    }

    /// Which runs and rollbacks are undone.
    #[must_use]
    pub fn undone(&self) -> Undone {
        let mut undone = Undone::default();
        for commit in &self.commits {
            if let (CommitKind::Rollback, Some(run_id)) = (commit.kind, commit.run_id()) {
                undone.rolled_back(run_id, commit.undoes());
            }
        }
        undone
    }

    /// The lines of `history`, oldest first.
    #[must_use]
    pub fn rows(&self) -> Vec<HistoryRow> {
        let undone = self.undone();
        let row = |commit: &Commit| {
            let of_run = |key: &str| Some(commit.info.get("run")?.get(key)?.as_str()?.to_owned());
            HistoryRow {
                version: commit.version,
                kind: commit.kind,
                run_id: commit.run_id().map(str::to_owned),
                process: commit.process().map(str::to_owned),
                run_no: commit.info.get("run").and_then(|run| run.get("run_no")?.as_i64()),
                at: commit.at,
                rows_inserted: commit.count("rows_inserted"),
                rows_updated: commit.count("rows_updated"),
                rows_removed: commit.count("rows_removed"),
                rows_unchanged: commit.count("rows_unchanged"),
                cells_changed: commit.count("cells_changed"),
                rows_rejected: commit.count("rows_rejected"),
                source_file: of_run("source_file").or_else(|| Some(commit.text("adopted_from")?.to_owned())),
                undoes: commit.undoes().into_iter().map(str::to_owned).collect(),
                undone_by: commit.run_id().and_then(|id| undone.by(id)).map(str::to_owned),
            }
        };
        self.commits.iter().map(row).collect()
    }
}

/// The first of `runs`, latest first, that no rollback undid. Reads the log back to the oldest of them.
///
/// # Errors
/// The log cannot be read.
pub async fn standing_run<'a>(log: &TableLog, runs: &[&'a str]) -> Result<Option<&'a str>> {
    let Some(oldest) = runs.last() else {
        return Ok(None);
    };
    let timeline = Timeline::back_to(log, |commit| commit.run_id() == Some(oldest)).await?;
    let undone = timeline.undone();
    Ok(runs.iter().find(|run| undone.by(run).is_none()).copied())
}

/// One line of `history`.
#[derive(Debug, Clone, Serialize)]
pub struct HistoryRow {
    /// Version of `customers`.
    pub version: u64,
    /// What made it.
    pub kind: CommitKind,
    /// The run or rollback.
    pub run_id: Option<String>,
    /// Its process.
    pub process: Option<String>,
    /// The run's number in its process.
    pub run_no: Option<i64>,
    /// When it was committed.
    pub at: Option<DateTime<Utc>>,
    /// Customers registered, or brought back.
    pub rows_inserted: Option<u64>,
    /// Customers with at least one changed cell.
    pub rows_updated: Option<u64>,
    /// Customers that left.
    pub rows_removed: Option<u64>,
    /// Customers sent as they were.
    pub rows_unchanged: Option<u64>,
    /// Changed cells of the updated customers.
    pub cells_changed: Option<u64>,
    /// Records rejected.
    pub rows_rejected: Option<u64>,
    /// Where the rows came from.
    pub source_file: Option<String>,
    /// Runs and rollbacks that it undid, latest first.
    pub undoes: Vec<String>,
    /// The rollback that undid it.
    pub undone_by: Option<String>,
}

/// The columns of `history`.
#[must_use]
pub fn history_schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let number = |name: &str| Field::new(name, DataType::Int64, true);
    let mut fields = vec![number("version"), text("kind"), text("run_id"), text("process")];
    fields.extend([number("run_no"), Field::new("at", timestamp(), true)]);
    fields.extend(
        [
            "rows_inserted",
            "rows_updated",
            "rows_removed",
            "rows_unchanged",
            "cells_changed",
            "rows_rejected",
        ]
        .map(number),
    );
    let ids = DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)));
    fields.extend([
        text("source_file"),
        Field::new("undoes", ids, true),
        text("undone_by"),
    ]);
    Arc::new(Schema::new(fields))
}
