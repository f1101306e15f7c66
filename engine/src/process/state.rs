//! `NAME.state.json`: what Sluice knows of a process.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::lease::Lease;
use super::lease_file::{HeldLease, LeaseFile, Taking};
use crate::document::{Document, Seen, Swapped};
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::notify::Pending;
use crate::spec::Locked;

/// How the name of a state file ends.
pub(super) const SUFFIX: &str = ".state.json";

/// Where a process stands (contract, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessStatus {
    /// Not completed yet.
    Draft,
    /// One-time, never run.
    Ready,
    /// Recurring, waiting.
    Scheduled,
    /// A run is under way.
    Running,
    /// One-time, last run merged or skipped.
    Completed,
    /// Last run failed or was interrupted.
    Failed,
    /// Does not run until resumed.
    Paused,
    /// Gone; its name stays taken.
    Deleted,
}

impl ProcessStatus {
    /// The word in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Ready => "ready",
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Paused => "paused",
            Self::Deleted => "deleted",
        }
    }
}

/// A source that this process merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedSource {
    /// Identity of the file (contract, section 3, exactly once).
    pub identity: String,
    /// The run that merged it.
    pub run_id: String,
}

/// How the last run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// The run.
    pub run_id: String,
    /// Its status.
    pub status: String,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
}

/// What Sluice knows of a process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessState {
    /// Where it stands when no run is under way.
    pub status: ProcessStatus,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The text that it was made of, until it is completed: a crash can come before its file.
    #[serde(default)]
    pub made_of: Option<String>,
    /// When it was completed.
    pub completed_at: Option<DateTime<Utc>>,
    /// What completing locked.
    pub locked: Option<Locked>,
    /// Hash of the definition that was completed or run last.
    pub definition_hash: Option<String>,
    /// Number of the last run.
    pub last_run_no: i64,
    /// How the last run ended.
    pub last_run: Option<LastRun>,
    /// When it is due.
    pub next_run_at: Option<DateTime<Utc>>,
    /// Sources merged, oldest first.
    pub merged: Vec<MergedSource>,
    /// Columns of the file merged last.
    #[serde(default)]
    pub source_columns: Option<Vec<String>>,
    /// Notifications that could not be delivered yet.
    #[serde(default)]
    pub undelivered: Vec<Pending>,
    /// The run under way.
    pub lease: Option<Lease>,
}

impl ProcessState {
    /// A new draft, made of `text`.
    #[must_use]
    pub fn draft(text: &str) -> Self {
        Self {
            status: ProcessStatus::Draft,
            created_at: Utc::now(),
            made_of: Some(text.to_owned()),
            completed_at: None,
            locked: None,
            definition_hash: None,
            last_run_no: 0,
            last_run: None,
            next_run_at: None,
            merged: Vec::new(),
            source_columns: None,
            undelivered: Vec::new(),
            lease: None,
        }
    }

    /// Where it stands, a live run counted.
    #[must_use]
    pub fn shown_status(&self) -> ProcessStatus {
        match &self.lease {
            Some(lease) if !lease.is_dead() => ProcessStatus::Running,
            Some(_) => ProcessStatus::Failed,
            None => self.status,
        }
    }

    /// The runs that merged a source of this identity, latest first; a rollback may have undone them.
    pub fn merged_by(&self, identity: &str) -> impl Iterator<Item = &str> {
        let sources = self.merged.iter().rev();
        sources
            .filter(move |source| source.identity == identity)
            .map(|source| source.run_id.as_str())
    }
}

/// The state file of one process.
#[derive(Debug, Clone)]
pub struct StateFile {
    document: Document,
    settling: LeaseFile,
    lease_term: Duration,
    name: String,
}

/// Whether a state file was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Creation {
    /// It was.
    Made,
    /// The name was used before.
    NameTaken,
}

impl StateFile {
    /// The state file of `name`; it need not exist.
    #[must_use]
    pub fn of(instance: &Instance, name: &str) -> Self {
        let lease_term = instance.config().limits.lease;
        let settling = instance.process_document(&format!("{name}.settling.json"));
        Self {
            document: instance.process_document(&format!("{name}{SUFFIX}")),
            settling: LeaseFile::new(settling, lease_term),
            lease_term,
            name: name.to_owned(),
        }
    }

    /// Whether the name was ever used.
    ///
    /// # Errors
    /// The instance cannot be read.
    pub async fn exists(&self) -> Result<bool> {
        Ok(self.document.read().await?.0.is_some())
    }

    /// How long a new lease lasts unless it is renewed.
    #[must_use]
    pub fn lease_term(&self) -> Duration {
        self.lease_term
    }

    /// Reads it.
    ///
    /// # Errors
    /// There is no such process, or the file is damaged.
    pub async fn read(&self) -> Result<ProcessState> {
        self.parsed(self.document.read().await?.0.as_deref())
    }

    /// The right to settle the process's dead run, until it is given back; `None` while somebody has it.
    ///
    /// # Errors
    /// The instance cannot be written.
    pub async fn try_settle(&self) -> Result<Option<HeldLease>> {
        match self.settling.try_take("settle").await? {
            Taking::Taken(lease) => Ok(Some(lease)),
            Taking::Refused(_) => Ok(None),
        }
    }

    /// Makes it, unless the name was ever used.
    ///
    /// # Errors
    /// The instance cannot be written.
    pub async fn create(&self, state: &ProcessState) -> Result<Creation> {
        let content = serde_json::to_vec_pretty(state)?;
        Ok(match self.document.swap(&Seen::Nothing, content).await? {
            Swapped::Done(_) => Creation::Made,
            Swapped::Overtaken => Creation::NameTaken,
        })
    }

    /// Reads, changes and replaces it. Where another program was faster, `change` is called again on what that left.
    ///
    /// # Errors
    /// What `change` returns, or the file cannot be replaced; then it is as it was.
    pub async fn update<T>(&self, mut change: impl FnMut(&mut ProcessState) -> Result<T>) -> Result<T> {
        let changed = |content: Option<&[u8]>| {
            let mut state = self.parsed(content)?;
            let result = change(&mut state)?;
            Ok((serde_json::to_vec_pretty(&state)?, result))
        };
        self.document.update(changed).await
    }

    fn parsed(&self, content: Option<&[u8]>) -> Result<ProcessState> {
        let Some(text) = content else {
            return Err(Error::usage(format!("there is no process {:?}", self.name))
                .hint("list them with: sluice process list"));
        };
        serde_json::from_slice(text).map_err(|error| {
            Error::runtime("the state file is damaged")
                .because(error)
                .in_file(self.document.shown())
        })
    }
}
