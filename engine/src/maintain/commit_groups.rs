//! Committing groups that were written anew, whatever others commit meanwhile.

use std::collections::{HashMap, HashSet};

use chrono::Utc;
use deltalake_core::kernel::{Action, Add, Remove};
use serde_json::{Value, json};

use super::plan::Reason;
use super::report::{GroupOutcome, GroupReport};
use crate::commit::{Commit, CommitOutcome, Operation, commit_as};
use crate::error::{Error, Result};
use crate::ids;
use crate::table::{LiveFile, Snapshot, TableLog};
use crate::write::discard;

/// Lost races after which a piece gives up.
const ATTEMPTS: usize = 50;

/// Files of a group and what they became.
#[derive(Debug)]
pub(super) struct FoldedGroup {
    /// Why.
    pub reason: Reason,
    /// The files read.
    pub files: Vec<LiveFile>,
    /// The files written.
    pub adds: Vec<Add>,
}

/// Commits the groups whose files are still live under the same deletion vectors, on whatever version is the newest.
/// The others are dropped, their files with them.
pub(super) async fn commit_groups(
    log: &TableLog,
    target_bytes: u64,
    mut groups: Vec<FoldedGroup>,
) -> Result<Vec<GroupReport>> {
    let mut reports = Vec::new();
    for _ in 0..ATTEMPTS {
        let base = log.snapshot(None).await?;
        let (valid, stale) = still_valid(groups, &base);
        for group in stale {
            let paths = group.adds.iter().map(|add| add.path.as_str());
            discard(&log.store().object_store(None), paths).await?;
            reports.push(GroupReport::of(&group, GroupOutcome::Overtaken));
        }
        groups = valid;
        if groups.is_empty() {
            return Ok(reports);
        }
        let operation = Operation::Optimize { target_bytes };
        match commit_as(log, &base, request(&groups), operation).await? {
            CommitOutcome::Committed { .. } => {
                reports.extend(
                    groups
                        .iter()
                        .map(|group| GroupReport::of(group, GroupOutcome::Written)),
                );
                return Ok(reports);
            }
            CommitOutcome::Lost => {}
        }
    }
    Err(
        Error::conflict(format!("other writers were faster {ATTEMPTS} times in a row"))
            .hint("run it again when fewer runs are under way"),
    )
}

/// Groups whose files are what they were when they were read, and the others.
fn still_valid(groups: Vec<FoldedGroup>, base: &Snapshot) -> (Vec<FoldedGroup>, Vec<FoldedGroup>) {
    let live: HashSet<_> = base.files.iter().map(LiveFile::identity).collect();
    groups
        .into_iter()
        .partition(|group| group.files.iter().all(|file| live.contains(&file.identity())))
}

/// The commit: rows move from file to file, and no row changes.
fn request(groups: &[FoldedGroup]) -> Commit {
    let now = Utc::now().timestamp_millis();
    let removed = groups.iter().flat_map(|group| &group.files).map(|file| {
        Action::Remove(Remove {
            data_change: false,
            ..file.remove(now)
        })
    });
    let added = groups
        .iter()
        .flat_map(|group| group.adds.iter().cloned().map(Action::Add));
    let reasons: Vec<&str> = groups.iter().map(|group| group.reason.word()).collect();
    Commit {
        actions: removed.chain(added).collect(),
        info: HashMap::from([
            // Tells this commit from others when a store answers with an error although it landed.
            ("run_id".to_owned(), Value::from(ids::new_run_id())),
            ("reasons".to_owned(), json!(reasons)),
        ]),
        txn: None,
    }
}

#[cfg(test)]
mod tests;
