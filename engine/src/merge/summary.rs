//! What a merge did to the files of `customers`, for reports.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::cost::{Reason, Strategy};
use super::facts::{FileOutcome, LostRaces, MergeFacts, Repeated};
use crate::write::FileAction;

/// Files that were merged in one way for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaySummary {
    /// The way.
    pub strategy: Strategy,
    /// Why.
    pub reason: Reason,
    /// How many files.
    pub files: u64,
    /// Customers that changed in them.
    pub rows_updated: u64,
}

/// What a merge did to the files of `customers`; in a dry run, what it would do, as far as that is known without
/// doing it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MergeSummary {
    /// By way and reason. Files whose keys are all below or above those sent are not looked at and not counted.
    pub ways: Vec<WaySummary>,
    /// Bytes read of the files.
    pub read_bytes: u64,
    /// Bytes copied from file to file.
    pub copied_bytes: u64,
    /// Bytes of new files that were encoded, new customers included.
    pub encoded_bytes: u64,
    /// Bytes of deletion vectors.
    pub vector_bytes: u64,
    /// What lost races cost: a run that loses one merges again what others changed, and keeps the rest.
    #[serde(flatten)]
    pub races: LostRaces,
    /// The run that had merged the very same rows: no file was looked at.
    pub repeats: Option<Repeated>,
    /// Each file.
    pub files: Vec<FileOutcome>,
}

impl MergeSummary {
    /// Adds up what became of each file.
    #[must_use]
    pub fn of(facts: &MergeFacts) -> Self {
        let mut files: Vec<FileOutcome> = facts.files.iter().map(|file| file.outcome.clone()).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut ways: BTreeMap<(Strategy, &'static str), WaySummary> = BTreeMap::new();
        for file in &files {
            let key = (file.strategy, file.reason.words());
            let way = ways.entry(key).or_insert(WaySummary {
                strategy: file.strategy,
                reason: file.reason,
                files: 0,
                rows_updated: 0,
            });
            way.files += 1;
            way.rows_updated += file.counts.rows_updated;
        }
        let copied_bytes = files.iter().map(|file| file.copied_bytes).sum();
        let actions: Vec<FileAction> = facts.actions().collect();
        Self {
            ways: ways.into_values().collect(),
            read_bytes: files.iter().map(|file| file.read_bytes).sum(),
            copied_bytes,
            encoded_bytes: new_bytes(&actions).saturating_sub(copied_bytes),
            vector_bytes: facts.versions.iter().map(|written| written.vector_bytes).sum(),
            races: facts.races,
            repeats: facts.repeats.as_ref().map(|(before, _)| before.clone()),
            files,
        }
    }
}

/// Size of the files that were not there before: one that stays under another deletion vector was.
fn new_bytes(actions: &[FileAction]) -> u64 {
    let removed: HashSet<&str> = actions
        .iter()
        .filter_map(|action| match action {
            FileAction::Remove(remove) => Some(remove.path.as_str()),
            FileAction::Add(_) => None,
        })
        .collect();
    let sizes = actions.iter().map(|action| match action {
        FileAction::Add(add) if !removed.contains(add.path.as_str()) => add.size.unsigned_abs(),
        _ => 0,
    });
    sizes.sum()
}
