//! What optimize did, or would do.

use serde::Serialize;

use super::commit_groups::FoldedGroup;
use super::erase::Expired;
use super::plan::{FileFacts, Group, Reason, max_overlap};
use super::tables::MaintainedTable;
use crate::table::Snapshot;

/// What optimize did to all tables it was asked for.
#[derive(Debug, Serialize)]
pub struct OptimizeReport {
    /// Whether nothing was written on purpose.
    pub dry_run: bool,
    /// By table.
    pub tables: Vec<TableReport>,
    /// Rejects that outlived the retention of their process.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expired: Vec<Expired>,
}

/// What it did to one.
#[derive(Debug, Serialize)]
pub struct TableReport {
    /// The table.
    pub table: MaintainedTable,
    /// How it was.
    pub before: TableState,
    /// How it is.
    pub after: TableState,
    /// Groups of files that were merged.
    pub groups: Vec<GroupReport>,
    /// Version of the checkpoint that its log got.
    pub checkpoint: Option<u64>,
}

/// How a table lies in its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableState {
    /// Version.
    pub version: u64,
    /// Live files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Rows in them that are dead.
    pub dead_rows: u64,
    /// The most files that may hold one key; of a table that lies as it came nothing.
    pub max_overlap: Option<u64>,
}

/// How a group ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupOutcome {
    /// It would be written anew.
    Planned,
    /// It is.
    Written,
    /// A run changed its files first; it was planned again.
    Overtaken,
}

/// One group of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupReport {
    /// Why.
    pub reason: Reason,
    /// How it ended.
    pub outcome: GroupOutcome,
    /// Files before.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files after.
    pub output_files: u64,
    /// Their bytes; of a plan about.
    pub output_bytes: u64,
}

impl OptimizeReport {
    /// Groups that were written anew.
    #[must_use]
    pub fn written_groups(&self) -> usize {
        self.tables.iter().map(TableReport::written_groups).sum()
    }
}

impl TableReport {
    pub(super) fn of(table: MaintainedTable, snapshot: &Snapshot) -> Self {
        let state = TableState::of(snapshot);
        Self {
            table,
            before: state.clone(),
            after: state,
            groups: Vec::new(),
            checkpoint: None,
        }
    }

    /// Groups that were written anew.
    #[must_use]
    pub fn written_groups(&self) -> usize {
        let written = |group: &&GroupReport| group.outcome == GroupOutcome::Written;
        self.groups.iter().filter(written).count()
    }
}

impl TableState {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let facts: Vec<FileFacts> = snapshot.files.iter().map(FileFacts::from).collect();
        let is_keyed = facts.iter().any(|file| file.keys.is_some());
        Self {
            version: snapshot.version,
            files: facts.len() as u64,
            bytes: facts.iter().map(|file| file.size_bytes).sum(),
            dead_rows: facts.iter().map(|file| file.dead_rows).sum(),
            max_overlap: is_keyed.then(|| max_overlap(&facts) as u64),
        }
    }
}

impl GroupReport {
    pub(super) fn planned(group: &Group, snapshot: &Snapshot) -> Self {
        let sizes = group.files.iter().filter_map(|at| snapshot.files.get(*at));
        Self {
            reason: group.reason,
            outcome: GroupOutcome::Planned,
            files: group.files.len() as u64,
            bytes: sizes.map(|file| file.add.size.unsigned_abs()).sum(),
            output_files: group.output_files,
            output_bytes: group.live_bytes,
        }
    }

    pub(super) fn of(group: &FoldedGroup, outcome: GroupOutcome) -> Self {
        Self {
            reason: group.reason,
            outcome,
            files: group.files.len() as u64,
            bytes: group.files.iter().map(|file| file.add.size.unsigned_abs()).sum(),
            output_files: group.adds.len() as u64,
            output_bytes: group.adds.iter().map(|add| add.size.unsigned_abs()).sum(),
        }
    }
}
