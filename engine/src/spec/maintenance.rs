//! `[maintenance]`: when the tables of an instance are laid out anew.

use serde::{Deserialize, Serialize};

use super::problem::Findings;
use super::size::RawBytes;

/// Whether a run that has ended looks after the tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutoMaintenance {
    /// Where a threshold is passed, a bounded piece of work is done.
    #[default]
    On,
    /// Only `optimize` does.
    Off,
}

/// When tables are laid out anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Maintenance {
    /// Whether runs do it.
    pub auto: AutoMaintenance,
    /// Live files of `customers` that may hold a given key, new customers counted: a reader looks into those too. Where
    /// there are more, some are merged; until that is done, a run marks no rows as dead.
    pub overlap_files: usize,
    /// Percent of a file's rows that may be dead; above, it is written without them.
    pub dead_percent: u64,
    /// Small files beside each other that a run merges; `optimize` merges two.
    pub small_files: usize,
    /// Bytes that a run lays out anew at most, if a single group of files is not more.
    pub piece_bytes: u64,
    /// Commits after which a log gets a checkpoint.
    pub checkpoint_commits: u64,
}

impl Default for Maintenance {
    fn default() -> Self {
        Self {
            auto: AutoMaintenance::On,
            overlap_files: 4,
            dead_percent: 20,
            small_files: 16,
            piece_bytes: 512 << 20,
            checkpoint_commits: 10,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawMaintenance {
    auto: Option<AutoMaintenance>,
    overlap_files: Option<usize>,
    dead_percent: Option<u64>,
    small_files: Option<usize>,
    piece: Option<RawBytes>,
    checkpoint_commits: Option<u64>,
}

pub(super) fn resolve(raw: &RawMaintenance, findings: &mut Findings) -> Maintenance {
    let usual = Maintenance::default();
    let piece = raw.piece.as_ref();
    let piece_bytes = piece.and_then(|size| findings.take("maintenance.piece", size.resolve()));
    let maintenance = Maintenance {
        auto: raw.auto.unwrap_or_default(),
        overlap_files: raw.overlap_files.unwrap_or(usual.overlap_files),
        dead_percent: raw.dead_percent.unwrap_or(usual.dead_percent),
        small_files: raw.small_files.unwrap_or(usual.small_files),
        piece_bytes: piece_bytes.unwrap_or(usual.piece_bytes),
        checkpoint_commits: raw.checkpoint_commits.unwrap_or(usual.checkpoint_commits),
    };
    let at_least = [
        ("overlap_files", maintenance.overlap_files as u64, 1),
        ("small_files", maintenance.small_files as u64, 2),
        ("checkpoint_commits", maintenance.checkpoint_commits, 1),
    ];
    for (key, value, least) in at_least {
        if value < least {
            let remedy = format!("write {least} or more");
            findings.add(
                format!("maintenance.{key}"),
                format!("{value} is too few"),
                remedy,
            );
        }
    }
    if maintenance.dead_percent > 100 {
        findings.add("maintenance.dead_percent", "more than all rows", "write 0 to 100");
    }
    maintenance
}
