//! What a run must not do to the customers unasked: read before it merges, and again after every lost race.

use std::fmt;

use datafusion::prelude::SessionContext;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::history::{Commit, CommitKind, Timeline};
use crate::merge::AttributeCells;
use crate::process::Trigger;
use crate::spec::{Guard, Share};
use crate::table::{Snapshot, TableLog, num_values};

/// What a guard looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Guarded {
    /// Values of an attribute that are cleared, of all it has.
    MaxCleared,
    /// Values of an attribute that are replaced or cleared, of all it has. One where there was none does not count.
    MaxChanged,
    /// Rows that the source has fewer than that of the last run that merged, of the rows it had.
    MaxRowDrop,
}

impl Guarded {
    /// The key in `[guard]`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::MaxCleared => "max_cleared",
            Self::MaxChanged => "max_changed",
            Self::MaxRowDrop => "max_row_drop",
        }
    }
}

/// Whether a guard lets a run pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardOutcome {
    /// It does.
    Passed,
    /// It stops the run.
    Tripped,
}

/// What a guard read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GuardReading {
    /// What it looks at.
    pub guard: Guarded,
    /// The attribute.
    pub attribute: Option<String>,
    /// What the run would do.
    pub part: u64,
    /// What that is a share of.
    pub whole: u64,
    /// The largest share that passes.
    pub limit: Share,
    /// What it says.
    pub outcome: GuardOutcome,
}

impl GuardReading {
    fn new(guard: Guarded, attribute: Option<&str>, (part, whole): (u64, u64), limit: Share) -> Self {
        Self {
            guard,
            attribute: attribute.map(str::to_owned),
            part,
            whole,
            limit,
            outcome: match limit.is_exceeded(part, whole) {
                true => GuardOutcome::Tripped,
                false => GuardOutcome::Passed,
            },
        }
    }
}

impl fmt::Display for GuardReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            guard,
            part,
            whole,
            limit,
            ..
        } = self;
        let attribute = self.attribute.as_deref().unwrap_or_default();
        match (guard, part) {
            // Of how many was not counted.
            (Guarded::MaxCleared, 0) => write!(f, "no value of {attribute} cleared")?,
            (Guarded::MaxChanged, 0) => write!(f, "no value of {attribute} changed")?,
            (Guarded::MaxCleared, _) => write!(f, "{part} of {whole} values of {attribute} cleared")?,
            (Guarded::MaxChanged, _) => write!(f, "{part} of {whole} values of {attribute} changed")?,
            (Guarded::MaxRowDrop, _) => write!(f, "{part} rows fewer than the {whole} of the last run")?,
        }
        write!(f, " ({} allows {limit})", guard.word())
    }
}

/// Stops the run if a guard says so.
///
/// # Errors
/// `guard_tripped`.
pub(super) fn heed(readings: &[GuardReading], kept: &'static str) -> Result<()> {
    let tripped = readings
        .iter()
        .filter(|reading| reading.outcome == GuardOutcome::Tripped);
    let lines: Vec<String> = tripped.map(ToString::to_string).collect();
    if lines.is_empty() {
        return Ok(());
    }
    Err(Error::data(
        "guard_tripped",
        format!("the run would change too much: {}", lines.join("; ")),
    )
    .wrote(kept)
    .hint("see what with --dry-run --explain; if it is right, run it with --yes"))
}

/// How many fewer rows the source has than that of the last run of `process` that merged one and counts.
///
/// # Errors
/// The log cannot be read.
pub(super) async fn row_drop(
    guard: &Guard,
    log: &TableLog,
    process: &str,
    rows_read: u64,
) -> Result<Option<GuardReading>> {
    let Some(limit) = guard.max_row_drop else {
        return Ok(None);
    };
    let is_one = |commit: &Commit| {
        let of_run = |key: &str| commit.info.get("run").and_then(|run| run.get(key)?.as_str());
        commit.kind == CommitKind::Run
            && commit.process() == Some(process)
            && of_run("trigger") != Some(Trigger::Replay.word())
    };
    let mut timeline = Timeline::back_to(log, is_one).await?;
    let undone = timeline.undone();
    let is_undone = |commit: &Commit| commit.run_id().is_some_and(|id| undone.by(id).is_some());
    if timeline.commits().first().is_some_and(is_undone) {
        timeline = Timeline::read(log).await?;
    }
    let undone = timeline.undone();
    let counts =
        |commit: &&Commit| is_one(commit) && commit.run_id().is_some_and(|id| undone.by(id).is_none());
    let last = timeline.commits().iter().rev().find(counts);
    let rows_before = last.and_then(|commit| commit.info.get("run")?.get("rows_read")?.as_u64());
    Ok(rows_before.map(|before| {
        let fewer = before.saturating_sub(rows_read);
        GuardReading::new(Guarded::MaxRowDrop, None, (fewer, before), limit)
    }))
}

/// What the run would do to the values of `snapshot`. Attributes that it adds to the table have none, and no guard.
///
/// # Errors
/// The table cannot be read.
pub(super) async fn cells(
    guard: &Guard,
    ctx: &SessionContext,
    snapshot: &Snapshot,
    cells: &[AttributeCells],
) -> Result<Vec<GuardReading>> {
    let is_there = |cells: &&AttributeCells| snapshot.schema.field_with_name(&cells.attribute).is_ok();
    let mut readings = Vec::new();
    for attribute in cells.iter().filter(is_there) {
        let name = attribute.attribute.as_str();
        let guarded = [
            (Guarded::MaxCleared, guard.max_cleared, attribute.cells_cleared),
            (Guarded::MaxChanged, guard.max_changed, attribute.overwritten()),
        ];
        let is_touched = guarded
            .iter()
            .any(|(_, limit, part)| limit.is_some() && *part > 0);
        // Nothing is no share of whatever there is, and counting reads files.
        let whole = match is_touched {
            true => num_values(ctx, snapshot, name).await?,
            false => 0,
        };
        let readings_of = guarded.into_iter().filter_map(|(guarded, limit, part)| {
            Some(GuardReading::new(guarded, Some(name), (part, whole), limit?))
        });
        readings.extend(readings_of);
    }
    Ok(readings)
}
