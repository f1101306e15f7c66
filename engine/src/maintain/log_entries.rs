//! What is in a table's log folder, and which versions a retention keeps.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::ObjectStore;

use crate::error::Result;
use crate::table::TableLog;

/// Digits of a version in the name of a log entry.
const VERSION_DIGITS: usize = 20;

/// The commits and checkpoints that are in a log.
#[derive(Debug, Default)]
pub(super) struct LogEntries {
    /// Time of each commit's entry.
    pub commits: BTreeMap<u64, DateTime<Utc>>,
    /// Versions with a checkpoint.
    pub checkpoints: BTreeSet<u64>,
}

impl LogEntries {
    /// Lists the log.
    pub async fn list(log: &TableLog) -> Result<Self> {
        let store = log.store().object_store(None);
        let mut listed = store.list(Some(log.store().log_path()));
        let mut entries = Self::default();
        while let Some(file) = listed.try_next().await? {
            if let Some(name) = file.location.filename() {
                entries.take(name, file.last_modified);
            }
        }
        Ok(entries)
    }

    fn take(&mut self, name: &str, modified: DateTime<Utc>) {
        let Some((digits, kind)) = name.split_at_checked(VERSION_DIGITS) else {
            return;
        };
        let Ok(version) = digits.parse::<u64>() else {
            return;
        };
        match kind {
            ".json" => {
                self.commits.insert(version, modified);
            }
            _ if kind.starts_with(".checkpoint.") => {
                self.checkpoints.insert(version);
            }
            _ => {}
        }
    }

    /// The newest version that was written at `cutoff` or before: what a reader of the table then would have seen.
    /// Where all are younger, or the log no longer reaches back so far, the oldest that can be read.
    pub fn version_at(&self, cutoff: DateTime<Utc>) -> Option<u64> {
        let first_young = self
            .commits
            .iter()
            .find(|(_, time)| **time > cutoff)
            .map(|(version, _)| *version);
        let wanted = match first_young {
            Some(version) => version.saturating_sub(1),
            None => *self.commits.keys().next_back()?,
        };
        Some(wanted.max(self.oldest_readable()?))
    }

    /// The oldest version whose state can be put together from what is there.
    pub fn oldest_readable(&self) -> Option<u64> {
        let first = *self.commits.keys().next()?;
        match first {
            0 => Some(0),
            // The state of a checkpoint needs no commit before it.
            _ => self.checkpoints.range(first.saturating_sub(1)..).next().copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + chrono::Duration::hours(hour)
    }

    /// A commit an hour from `first` on.
    fn log(first: u64, last: u64, checkpoints: &[u64]) -> LogEntries {
        let mut entries = LogEntries::default();
        for version in first..=last {
            entries.take(&format!("{version:020}.json"), at(version as i64));
        }
        for version in checkpoints {
            entries.take(&format!("{version:020}.checkpoint.parquet"), at(99));
        }
        entries.take("_last_checkpoint", at(0));
        entries.take("00000000000000000003.crc", at(99));
        entries
    }

    #[test]
    fn the_version_at_a_time_is_the_newest_that_was_there_then() {
        let entries = log(0, 9, &[]);
        assert_eq!(entries.version_at(at(4)), Some(4));
        assert_eq!(entries.version_at(at(4) - chrono::Duration::seconds(1)), Some(3));
        assert_eq!(entries.version_at(at(99)), Some(9));
        assert_eq!(entries.version_at(at(-1)), Some(0));
        assert_eq!(LogEntries::default().version_at(at(0)), None);
    }

    #[test]
    fn a_clock_that_went_back_keeps_more_and_not_less() {
        let mut entries = log(0, 9, &[]);
        entries.commits.insert(3, at(50));
        assert_eq!(entries.version_at(at(6)), Some(2));
    }

    #[test]
    fn a_log_that_was_cleaned_up_begins_at_a_checkpoint() {
        let entries = log(8, 25, &[10, 20]);
        assert_eq!(entries.oldest_readable(), Some(10));
        assert_eq!(
            (entries.version_at(at(9)), entries.version_at(at(15))),
            (Some(10), Some(15))
        );
        assert_eq!(log(10, 25, &[10]).oldest_readable(), Some(10));
        assert_eq!(log(11, 25, &[10]).oldest_readable(), Some(10));
        assert_eq!(log(12, 25, &[10]).oldest_readable(), None);
    }
}
