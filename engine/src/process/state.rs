//! `NAME.state.json`: what Sluice knows of a process.

use std::fs::File;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::lease::Lease;
use crate::document::local;
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::notify::Pending;
use crate::spec::Locked;

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
    /// A new draft.
    #[must_use]
    pub fn draft() -> Self {
        Self {
            status: ProcessStatus::Draft,
            created_at: Utc::now(),
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
    path: PathBuf,
    lock: PathBuf,
    name: String,
}

/// Holds the lock of a state file; nobody else changes it meanwhile.
#[derive(Debug)]
pub struct StateGuard {
    file: StateFile,
    _lock: File,
}

/// The right to settle a process's dead run, until dropped.
#[derive(Debug)]
pub struct Settling {
    _lock: File,
}

impl StateFile {
    /// The state file of `name`; it need not exist.
    #[must_use]
    pub fn of(instance: &Instance, name: &str) -> Self {
        let folder = instance.processes();
        let path = folder.join(format!("{name}.state.json"));
        Self {
            path,
            lock: folder.join(format!(".{name}.lock")),
            name: name.to_owned(),
        }
    }

    /// Whether the name was ever used.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Reads it.
    ///
    /// # Errors
    /// There is no such process, or the file is damaged.
    pub fn read(&self) -> Result<ProcessState> {
        let shown = self.path.display().to_string();
        let text = std::fs::read_to_string(&self.path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::usage(format!("there is no process {:?}", self.name))
                .hint("list them with: sluice process list"),
            _ => Error::from(e).in_file(&shown),
        })?;
        let damaged = |e| {
            Error::runtime("the state file is damaged")
                .because(e)
                .in_file(&shown)
        };
        serde_json::from_str(&text).map_err(|e: serde_json::Error| damaged(e))
    }

    /// The right to settle the process's dead run, unless somebody has it.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn try_settle(&self) -> Result<Option<Settling>> {
        let lock = local::try_lock(&self.lock.with_extension("settle"))?;
        Ok(lock.map(|lock| Settling { _lock: lock }))
    }

    /// Waits for the lock.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn lock(&self) -> Result<StateGuard> {
        Ok(StateGuard {
            file: self.clone(),
            _lock: local::lock(&self.lock)?,
        })
    }

    /// Reads, changes and replaces it under the lock.
    ///
    /// # Errors
    /// What `change` returns, or the file cannot be replaced; then it is as it was.
    pub fn update<T>(&self, change: impl FnOnce(&mut ProcessState) -> Result<T>) -> Result<T> {
        let guard = self.lock()?;
        let mut state = self.read()?;
        let result = change(&mut state)?;
        guard.replace(&state)?;
        Ok(result)
    }
}

impl StateGuard {
    /// Reads the file.
    ///
    /// # Errors
    /// There is no such process, or the file is damaged.
    pub fn read(&self) -> Result<ProcessState> {
        self.file.read()
    }

    /// Replaces the file whole: a crash leaves the old or the new one.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn replace(&self, state: &ProcessState) -> Result<()> {
        local::replace(&self.file.path, serde_json::to_string_pretty(state)?.as_bytes())
    }
}
