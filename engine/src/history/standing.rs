//! Which runs and rollbacks still count, pure.
//!
//! ```text
//!   R1  R2  B1 undoes R2      R2 does not count
//!           B2 undoes B1      B1 does not count, so R2 does again
//! ```

use std::collections::{HashMap, HashSet};

use super::timeline::{Commit, CommitKind};

/// What rollbacks did to runs and to one another.
#[derive(Debug, Clone, Default)]
pub struct Undone {
    /// The rollback that undid each.
    by: HashMap<String, String>,
    /// What each rollback undid.
    undoes: HashMap<String, Vec<String>>,
}

impl Undone {
    /// Takes in the next rollback.
    pub fn rolled_back<'a>(&mut self, rollback: &str, undoes: impl IntoIterator<Item = &'a str>) {
        let undoes: Vec<String> = undoes.into_iter().map(str::to_owned).collect();
        for id in &undoes {
            self.undo(id, rollback);
        }
        self.undoes.insert(rollback.to_owned(), undoes);
    }

    /// The rollback that undid this run or rollback and still counts.
    #[must_use]
    pub fn by(&self, id: &str) -> Option<&str> {
        self.by.get(id).map(String::as_str)
    }

    fn undo(&mut self, id: &str, rollback: &str) {
        self.by.insert(id.to_owned(), rollback.to_owned());
        for again in self.undoes.get(id).cloned().unwrap_or_default() {
            self.redo(&again);
        }
    }

    fn redo(&mut self, id: &str) {
        self.by.remove(id);
        for gone in self.undoes.get(id).cloned().unwrap_or_default() {
            self.undo(&gone, id);
        }
    }
}

/// What takes the table back to `version`: every later run, rollback and adoption that counts, latest first.
///
/// Undoing a rollback makes what it undid count again, so that it is undone in its turn. What was forgotten stays so.
#[must_use]
pub fn later_than(commits: &[Commit], undone: &Undone, version: u64) -> Vec<String> {
    let mut undone = undone.clone();
    let mut found = Vec::new();
    let later = commits.iter().rev().take_while(|c| c.version > version);
    for commit in later.filter(|commit| commit.kind != CommitKind::Erasure) {
        let Some(id) = commit.run_id() else { continue };
        if undone.by(id).is_none() {
            undone.undo(id, "");
            found.push(id.to_owned());
        }
    }
    found
}

/// The commits after `version` whose values count against undoing that version's run: not those that rewrote files
/// only, and neither a run that was undone meanwhile nor the rollback that did it.
#[must_use]
pub fn writers_since(commits: &[Commit], version: u64) -> Vec<&Commit> {
    let later: Vec<&Commit> = commits.iter().filter(|c| c.version > version).collect();
    let ids: HashSet<&str> = later.iter().filter_map(|c| c.run_id()).collect();
    let mut cancelled: HashSet<&str> = HashSet::new();
    let mut writers = Vec::new();
    for commit in later.iter().rev() {
        if commit.run_id().is_some_and(|id| cancelled.contains(id)) {
            continue;
        }
        let undoes = commit.undoes();
        match commit.kind {
            CommitKind::Create | CommitKind::Optimize | CommitKind::Settled | CommitKind::Erasure => {}
            CommitKind::Rollback if undoes.iter().all(|id| ids.contains(id)) => cancelled.extend(undoes),
            _ => writers.push(*commit),
        }
    }
    writers.reverse();
    writers
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn commit(version: u64, kind: CommitKind, id: &str, undoes: &[&str]) -> Commit {
        let mut info = HashMap::from([("run_id".to_owned(), json!(id))]);
        if kind == CommitKind::Rollback {
            info.insert("rollback".to_owned(), json!({ "undoes": undoes }));
        }
        Commit {
            version,
            kind,
            at: None,
            info,
        }
    }

    fn run(version: u64, id: &str) -> Commit {
        commit(version, CommitKind::Run, id, &[])
    }

    fn back(version: u64, id: &str, undoes: &[&str]) -> Commit {
        commit(version, CommitKind::Rollback, id, undoes)
    }

    fn undone(commits: &[Commit]) -> Undone {
        let mut undone = Undone::default();
        for commit in commits.iter().filter(|c| c.kind == CommitKind::Rollback) {
            undone.rolled_back(commit.run_id().unwrap(), commit.undoes());
        }
        undone
    }

    #[test]
    fn undoing_a_rollback_makes_its_runs_count_again_at_any_depth() {
        let mut commits = vec![run(1, "r1"), back(2, "b1", &["r1"])];
        assert_eq!(undone(&commits).by("r1"), Some("b1"));
        commits.push(back(3, "b2", &["b1"]));
        assert_eq!(undone(&commits).by("r1"), None);
        assert_eq!(undone(&commits).by("b1"), Some("b2"));
        commits.push(back(4, "b3", &["b2"]));
        assert_eq!(undone(&commits).by("r1"), Some("b1"));
        assert_eq!(undone(&commits).by("b2"), Some("b3"));
    }

    #[test]
    fn going_back_to_a_version_undoes_what_counts_and_what_comes_to_count_thereby() {
        let commits = [
            run(1, "r1"),
            run(2, "r2"),
            run(3, "r3"),
            back(4, "b1", &["r2"]),
            run(5, "r4"),
        ];
        let state = undone(&commits);
        assert_eq!(later_than(&commits, &state, 4), ["r4"]);
        // Without the rollback r2 counts again, and it is later than version 1.
        assert_eq!(later_than(&commits, &state, 1), ["r4", "b1", "r3", "r2"]);
        // It is not later than version 2, where it counted.
        assert_eq!(later_than(&commits, &state, 2), ["r4", "b1", "r3"]);
    }

    #[test]
    fn a_run_that_was_undone_meanwhile_is_no_later_writer_and_its_rollback_neither() {
        let ids = |commits: &[Commit], version| -> Vec<String> {
            let writers = writers_since(commits, version);
            writers.iter().map(|c| c.run_id().unwrap().to_owned()).collect()
        };
        let mut commits = vec![
            run(1, "r1"),
            run(2, "r2"),
            commit(3, CommitKind::Optimize, "o", &[]),
            run(4, "r3"),
            back(5, "b1", &["r3"]),
        ];
        assert_eq!(ids(&commits, 1), ["r2"]);
        // A rollback of something older is a writer like any other.
        assert_eq!(ids(&commits, 4), ["b1"]);
        commits.push(back(6, "b2", &["b1"]));
        assert_eq!(ids(&commits, 1), ["r2", "r3"]);
    }
}
