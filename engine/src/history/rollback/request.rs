//! What a rollback is asked for, and what it answers.

use serde::Serialize;

use crate::error::Error;
use crate::merge::AttributeCells;

/// What is undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One run or rollback, by its whole id.
    Run(String),
    /// Everything after this version of `customers`.
    Version(u64),
}

/// What becomes of a cell that a later run wrote too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaterWrites {
    /// The rollback is refused.
    Refuse,
    /// It is set to its value before the run all the same: `--force`.
    Overwrite,
}

/// A rollback to be made.
#[derive(Debug, Clone)]
pub struct RollbackRequest {
    /// What is undone.
    pub target: Target,
    /// What becomes of cells that later runs wrote.
    pub later: LaterWrites,
}

/// What a rollback does, or would do.
#[derive(Debug, Clone, Serialize)]
pub struct RollbackReport {
    /// Id of the rollback; it can be rolled back itself.
    pub run_id: String,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The process whose run is undone; none where there are several.
    pub process: Option<String>,
    /// Runs and rollbacks undone, latest first.
    pub undoes: Vec<String>,
    /// The version whose values are set back.
    pub to_version: Option<u64>,
    /// Version that it builds on.
    pub version_before: u64,
    /// Version that it made.
    pub version_after: Option<u64>,
    /// Customers with at least one cell set back.
    pub rows_updated: u64,
    /// Customers that left: the undone run had registered them.
    pub rows_removed: u64,
    /// Customers that came back.
    pub rows_inserted: u64,
    /// Customers that the undone run had registered and that stay, because a later run touched them.
    pub rows_kept: u64,
    /// Customers that the undone run had changed and that are no longer there.
    pub rows_gone: u64,
    /// Cells of the updated customers.
    pub cells_changed: u64,
    /// Cells by attribute.
    pub attributes: Vec<AttributeCells>,
    /// Later writes that were overwritten.
    pub conflicts: Vec<Conflict>,
}

/// Customers of whom a later run wrote the same cells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The later run or rollback; none where another program wrote.
    pub run_id: Option<String>,
    /// Its process.
    pub process: Option<String>,
    /// Version that it made.
    pub version: Option<u64>,
    /// Customers.
    pub rows: u64,
    /// A few of them.
    pub examples: Vec<String>,
}

/// Examples that a conflict keeps.
const EXAMPLES: usize = 5;

impl Conflict {
    /// Counts one more customer.
    pub(super) fn count(&mut self, cid: &str) {
        self.rows += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(cid.to_owned());
        }
    }

    fn line(&self) -> String {
        let who = match (&self.run_id, self.version) {
            (Some(run_id), Some(version)) => format!("{run_id} (version {version})"),
            _ => "another program".to_owned(),
        };
        let customers = match self.rows {
            1 => "1 customer".to_owned(),
            many => format!("{many} customers"),
        };
        format!("{who}: {customers}, such as {}", self.examples.join(", "))
    }
}

/// The refusal of a rollback whose cells later runs wrote.
pub(super) fn refused(run_id: &str, conflicts: &[Conflict]) -> Error {
    let lines: Vec<String> = conflicts.iter().map(Conflict::line).collect();
    Error::usage(format!(
        "after {run_id} the same cells were written by\n  {}",
        lines.join("\n  ")
    ))
    .hint("roll those runs back first, the latest first, or go back to a version: sluice rollback VERSION")
    .hint("--force sets the cells to their values before the run, over the later ones")
    .wrote("nothing was rolled back")
}
