//! What a rollback is about, found in the log.

use super::request::Target;
use crate::error::{Error, Result};
use crate::history::diff::{columns_between, columns_of};
use crate::history::difference::Difference;
use crate::history::standing::{later_than, writers_since};
use crate::history::timeline::{Commit, CommitKind, Timeline};
use crate::history::versions::in_log;
use crate::table::{Snapshot, TableLog};

/// What is undone, and what came after it.
pub(super) struct Undoing {
    /// Runs and rollbacks, latest first.
    pub undoes: Vec<String>,
    /// The rows to set back.
    pub difference: Difference,
    /// The attributes they can differ in.
    pub columns: Vec<String>,
    /// Of one run: its version, and the commits after it that count.
    pub later: Option<(u64, Vec<Commit>)>,
}

/// Finds it.
///
/// # Errors
/// The run merged nothing or is undone already; a version that is not there, is the newest, or was vacuumed.
pub(super) async fn undoing(
    log: &TableLog,
    base: &Snapshot,
    timeline: &Timeline,
    target: &Target,
) -> Result<Undoing> {
    match target {
        Target::Run(run_id) => of_run(log, base, timeline, run_id).await,
        Target::Version(version) => to_version(log, base, timeline, *version).await,
    }
}

async fn of_run(log: &TableLog, base: &Snapshot, timeline: &Timeline, run_id: &str) -> Result<Undoing> {
    let Some(commit) = timeline.of_run(run_id) else {
        return Err(Error::usage(format!("{run_id} committed nothing to customers"))
            .hint("there is nothing to roll back; what did commit: sluice history"));
    };
    if !matches!(commit.kind, CommitKind::Run | CommitKind::Rollback) {
        return Err(
            Error::usage(format!("{run_id} is neither a run nor a rollback")).hint(format!(
                "to go back to before it: sluice rollback {}",
                commit.version.saturating_sub(1)
            )),
        );
    }
    if let Some(by) = timeline.undone().by(run_id) {
        return Err(Error::usage(format!("{run_id} was rolled back by {by}"))
            .hint(format!("to have it again: sluice rollback {by}")));
    }
    let before = in_log(log, commit.version.saturating_sub(1)).await?;
    let after = in_log(log, commit.version).await?;
    let later = writers_since(timeline.commits(), commit.version)
        .into_iter()
        .cloned()
        .collect();
    Ok(Undoing {
        undoes: vec![run_id.to_owned()],
        difference: Difference::of(log, &before, &after).await?,
        columns: columns_of(commit, base),
        later: Some((commit.version, later)),
    })
}

async fn to_version(log: &TableLog, base: &Snapshot, timeline: &Timeline, version: u64) -> Result<Undoing> {
    let before = in_log(log, version).await?;
    if version == base.version {
        return Err(Error::usage(format!("customers is at version {version} now"))
            .hint("there is nothing to roll back; list the versions with: sluice history"));
    }
    Ok(Undoing {
        undoes: later_than(timeline.commits(), &timeline.undone(), version),
        difference: Difference::of(log, &before, base).await?,
        columns: columns_between(log, base, version).await?,
        later: None,
    })
}
