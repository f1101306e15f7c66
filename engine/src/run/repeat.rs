//! A run whose content is what its process merged last, into a table whose cells nobody else has written since, changes
//! nothing: that is known without reading a file of `customers`.
//!
//! ```text
//!   log   7 run of p       8 optimize   9 run of q       now: run of p
//!         content 3f9a…                                  content 3f9a…  ─▶ all rows unchanged
//!
//!   log   7 run of p       8 rollback of 7               now: run of p
//!         content 3f9a…                                  content 3f9a…  ─▶ merged as ever
//! ```
//!
//! Merging the same rows twice in a row is merging them once: last write wins, attributes belong to one process, and a
//! customer once registered stays until somebody removes it. The content is a hash of the source's bytes, of how they
//! become rows, and of which rows were rejected; a commit carries it, so that it stands in the log or the run does not.

use std::hash::Hasher;

use serde_json::Value;
use xxhash_rust::xxh3::Xxh3;

use super::judge::Prepared;
use super::merge_step::source_format;
use crate::error::Result;
use crate::history::{Commit, CommitKind, Timeline};
use crate::merge::{ChangeSet, Repeated};
use crate::split::Tally;
use crate::table::TableLog;

/// Under which name a commit carries the content of its run.
pub(super) const CONTENT: &str = "content";

/// Commits that are read at most to find what a process merged last.
const COMMITS_BACK: usize = 256;

/// What a run merges, as a hash of 128 bits in hexadecimal; `None` where the source has no bytes to hash.
pub(super) fn content(prepared: &Prepared, sorted: &ChangeSet, tally: &Tally) -> Option<String> {
    let mut hash = Xxh3::new();
    hash.update(&prepared.loaded.bytes_hash?.to_le_bytes());
    // What other versions of Sluice, definitions, limits and headers make of the same bytes may be other rows.
    for made_by in [
        env!("CARGO_PKG_VERSION"),
        &prepared.process.hash,
        &source_format(&prepared.file),
        &format!(
            "{:?} {:?} {:?}",
            prepared.file.options, prepared.layout, sorted.columns
        ),
    ] {
        hash.update(made_by.as_bytes());
        hash.write_u8(0);
    }
    // Malformed records are rejected too, and not among the numbers of those that are.
    hash.update(&tally.rows_read.to_le_bytes());
    hash.update(&tally.rows_rejected.to_le_bytes());
    for word in tally.rejected.words() {
        hash.update(&word.to_le_bytes());
    }
    Some(format!("{:032x}", hash.digest128()))
}

/// The run that made the table what merging `content` for `process` would make it; `None` if it has to be merged.
///
/// # Errors
/// The log cannot be read.
pub(super) async fn made_before(
    log: &TableLog,
    version: u64,
    process: &str,
    content: &str,
) -> Result<Option<Repeated>> {
    let oldest = version.saturating_sub(COMMITS_BACK as u64);
    let enough = |commit: &Commit| commit.version <= oldest || bearing(commit, process) != Bearing::None;
    let timeline = Timeline::back_from(log, version, enough).await?;
    Ok(repeats(timeline.commits().iter().rev(), process, content))
}

/// What a commit means for the cells of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bearing {
    /// None of them has another value.
    None,
    /// The process merged.
    Merged,
    /// They may be others.
    Unknown,
}

fn bearing(commit: &Commit, process: &str) -> Bearing {
    match commit.kind {
        CommitKind::Optimize | CommitKind::Settled => Bearing::None,
        CommitKind::Run if commit.process() == Some(process) => Bearing::Merged,
        // Attributes of others, and customers whom this process did not send.
        CommitKind::Run if commit.process().is_some() => Bearing::None,
        _ => Bearing::Unknown,
    }
}

fn repeats<'a>(
    newest_first: impl Iterator<Item = &'a Commit>,
    process: &str,
    content: &str,
) -> Option<Repeated> {
    let mut bearers = newest_first.map(|commit| (bearing(commit, process), commit));
    let (Bearing::Merged, last) = bearers.find(|(bearing, _)| *bearing != Bearing::None)? else {
        return None;
    };
    let same = last.info.get(CONTENT).and_then(Value::as_str) == Some(content);
    let run_id = last.run_id().filter(|_| same)?;
    Some(Repeated {
        run_id: run_id.to_owned(),
        version: last.version,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;

    fn commit(version: u64, kind: CommitKind, process: Option<&str>, content: Option<&str>) -> Commit {
        let mut info = HashMap::from([("run_id".to_owned(), json!(format!("run {version}")))]);
        info.extend(process.map(|process| ("process".to_owned(), json!(process))));
        info.extend(content.map(|content| (CONTENT.to_owned(), json!(content))));
        Commit {
            version,
            kind,
            at: None,
            info,
        }
    }

    fn found(oldest_first: &[Commit]) -> Option<u64> {
        repeats(oldest_first.iter().rev(), "p", "same").map(|repeated| repeated.version)
    }

    #[test]
    fn what_a_process_merged_last_need_not_be_merged_again() {
        let merged = commit(7, CommitKind::Run, Some("p"), Some("same"));
        assert_eq!(found(&[merged]), Some(7));
    }

    #[test]
    fn other_content_and_content_that_nobody_hashed_is_merged() {
        for content in [Some("other"), None] {
            let earlier = commit(6, CommitKind::Run, Some("p"), Some("same"));
            let merged = commit(7, CommitKind::Run, Some("p"), content);
            assert_eq!(found(&[earlier, merged]), None, "{content:?}");
        }
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn commits_that_leave_the_cells_of_a_process_alone_change_nothing() {
        for (kind, process) in [
            (CommitKind::Optimize, None),
            (CommitKind::Settled, Some("p")),
            (CommitKind::Run, Some("q")),
        ] {
            let merged = commit(7, CommitKind::Run, Some("p"), Some("same"));
            let later = commit(8, kind, process, Some("same"));
            assert_eq!(found(&[merged, later]), Some(7), "{kind:?}");
        }
    }

    #[test]
    fn after_every_commit_that_may_write_the_cells_of_others_the_same_content_is_merged_again() {
        for kind in [
            CommitKind::Rollback,
            CommitKind::Erasure,
            CommitKind::Adoption,
            CommitKind::Create,
            CommitKind::Other,
        ] {
            let merged = commit(7, CommitKind::Run, Some("p"), Some("same"));
            let later = commit(8, kind, Some("q"), None);
            assert_eq!(found(&[merged, later]), None, "{kind:?}");
        }
        let merged = commit(7, CommitKind::Run, Some("p"), Some("same"));
        let nameless = commit(8, CommitKind::Run, None, None);
        assert_eq!(found(&[merged, nameless]), None);
    }
}
