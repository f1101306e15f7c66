//! What a run is asked for, what it answers, and how it is watched.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;
use tokio::sync::Notify;

use super::guard::GuardReading;
use crate::decode::LoadMeter;
use crate::error::{Error, Result};
use crate::merge::{AttributeCells, MergeSummary};
use crate::process::Trigger;
use crate::report::RunRecord;
use crate::spec::RejectBudget;

/// Whether a run changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Rejects are kept, accepted rows are merged.
    Merge,
    /// Every record is judged; nothing is merged, not even for counting, and nothing is written.
    DryRun,
    /// A dry run that also compares the accepted rows with the customers: what would change is counted.
    Explain,
}

impl Effect {
    /// Whether the accepted rows are compared with the customers.
    #[must_use]
    pub fn compares(self) -> bool {
        matches!(self, Self::Merge | Self::Explain)
    }
}

/// How much of a source is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Its first records, this many.
    First(u64),
}

impl Extent {
    /// Number of the last record that counts.
    #[must_use]
    pub fn last_record_no(self) -> u64 {
        match self {
            Self::Whole => u64::MAX,
            Self::First(records) => records,
        }
    }
}

/// What becomes of a source that was merged before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// The run is skipped.
    SkipMerged,
    /// It is merged again.
    Force,
}

/// Whether a guard of the process may stop the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Guards {
    /// It may.
    #[default]
    Heeded,
    /// Somebody said yes to whatever it finds.
    Overruled,
}

/// What becomes of a replayed record whose customer another run may have written since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overtaken {
    /// It stays a reject, and the run says so.
    HeldBack,
    /// It is written over what is there.
    Written,
}

/// Rejects of a run in place of a source.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The run that rejected them.
    pub run_id: String,
    /// Which of them: an SQL expression over `reject_states`. All open ones without it.
    pub filter: Option<String>,
    /// What becomes of those that another run overtook.
    pub overtaken: Overtaken,
}

/// A run to be made.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// The process.
    pub process: String,
    /// A path or URL instead of the process's source.
    pub file: Option<PathBuf>,
    /// Whether anything is written.
    pub effect: Effect,
    /// How much of the source is read; a run that merges reads all of it.
    pub extent: Extent,
    /// What becomes of a source that was merged before.
    pub repeat: Repeat,
    /// A budget instead of the process's.
    pub max_rejects: Option<RejectBudget>,
    /// What started the run.
    pub trigger: Trigger,
    /// Rejects that are read in place of the source.
    pub replay: Option<Replay>,
    /// Whether a guard may stop the run.
    pub guards: Guards,
}

/// What a run did, or in a dry run would have done.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The row of `runs`.
    #[serde(flatten)]
    pub run: RunRecord,
    /// Whether nothing was written on purpose.
    pub dry_run: bool,
    /// Cells by attribute.
    pub attributes: Vec<AttributeCells>,
    /// What the guards of the process read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<GuardReading>,
    /// What became of the files of `customers`.
    pub merge: MergeSummary,
    /// What the user should know though the run went well.
    pub warnings: Vec<String>,
    /// Why the run failed.
    #[serde(skip)]
    pub error: Option<Error>,
}

/// A window on a run from outside.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// What the load has done so far.
    pub meter: Arc<LoadMeter>,
    /// Notified to stop the run.
    pub stop: Arc<Notify>,
    /// Size of the source, once known.
    pub total_bytes: Arc<AtomicU64>,
    /// The phase under way.
    pub phase: Arc<Mutex<&'static str>>,
}

/// Times phases and tells the watch.
#[derive(Debug)]
pub struct Phases {
    watch: Watch,
    spent: BTreeMap<String, u64>,
}

impl Phases {
    /// Nothing timed yet.
    #[must_use]
    pub fn new(watch: &Watch) -> Self {
        Self {
            watch: watch.clone(),
            spent: BTreeMap::new(),
        }
    }

    /// Runs `work` as `phase`; times add up.
    pub async fn time<T>(&mut self, phase: &'static str, work: impl Future<Output = T>) -> T {
        *self.watch.phase.lock().unwrap_or_else(PoisonError::into_inner) = phase;
        let begun = Instant::now();
        let result = work.await;
        *self.spent.entry(phase.to_owned()).or_default() += begun.elapsed().as_millis() as u64;
        result
    }

    /// As [`time`](Self::time), but ends at once when the run is asked to stop. Never for a commit: one that is cut
    /// off may land all the same.
    ///
    /// # Errors
    /// What `work` returns, or that the run was stopped.
    pub async fn stoppable<T>(
        &mut self,
        phase: &'static str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let watch = self.watch.clone();
        self.time(phase, watch.unless_stopped(work)).await
    }

    /// The watch.
    #[must_use]
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Milliseconds by phase.
    #[must_use]
    pub fn spent(&self) -> BTreeMap<String, u64> {
        self.spent.clone()
    }
}

impl Watch {
    /// Does `work`, but ends at once when the run is asked to stop.
    ///
    /// # Errors
    /// What `work` returns, or that the run was stopped.
    pub async fn unless_stopped<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            result = work => result,
            () = self.stop.notified() => Err(Error::interrupted()),
        }
    }

    /// Says how large the source is.
    pub fn expect_bytes(&self, bytes: u64) {
        self.total_bytes.store(bytes, Ordering::Relaxed);
    }
}
