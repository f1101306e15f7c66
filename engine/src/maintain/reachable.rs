//! Which files the versions of a retention name.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use deltalake_core::kernel::{Add, StorageType};
use object_store::path::Path;
use serde_json::Value;

use super::log_entries::LogEntries;
use crate::error::{Error, Result};
use crate::table::{TableLog, vector_path};

/// The files that some version from `oldest_version` on names: data and deletion vectors, relative to the table.
#[derive(Debug)]
pub(super) struct Reachable {
    /// The oldest version that is kept.
    pub oldest_version: u64,
    /// The newest version seen.
    pub latest_version: u64,
    files: HashSet<String>,
    root: String,
}

impl Reachable {
    /// Reads the versions that `cutoff` keeps: the newest at that time, and all after it. A version that is kept has
    /// its files whole, whatever became of them later and however often they were removed.
    ///
    /// # Errors
    /// The log has a gap, or names a deletion vector in a way that is not understood. Then nothing may be deleted.
    pub async fn read(log: &TableLog, cutoff: DateTime<Utc>) -> Result<Self> {
        let entries = LogEntries::list(log).await?;
        let oldest_version = oldest_kept(log, &entries, cutoff).await?;
        let latest_version = log.snapshot(None).await?.version;
        let mut reachable = Self {
            oldest_version,
            latest_version,
            files: HashSet::new(),
            root: log.store().root_url().to_string(),
        };
        for file in log.snapshot(Some(oldest_version)).await?.files {
            reachable.name(&file.add)?;
        }
        for version in oldest_version + 1..=latest_version {
            for action in commit(log, version).await? {
                reachable.name_action(&action)?;
            }
        }
        Ok(reachable)
    }

    /// Whether a kept version names the file.
    pub fn names(&self, path: &str) -> bool {
        self.files.contains(path)
    }

    fn name_action(&mut self, action: &Value) -> Result<()> {
        let Some(add) = action.get("add") else {
            return Ok(());
        };
        // As written, beside what is made of it: a name too many only keeps a file.
        if let Some(path) = add.get("path").and_then(Value::as_str) {
            self.insert(path);
        }
        self.name(&serde_json::from_value(add.clone())?)
    }

    fn name(&mut self, add: &Add) -> Result<()> {
        self.insert(&add.path);
        let Some(vector) = &add.deletion_vector else {
            return Ok(());
        };
        match (vector.storage_type, vector_path(vector)) {
            (StorageType::Inline, _) => {}
            (StorageType::AbsolutePath, _) => self.insert(&vector.path_or_inline_dv),
            (StorageType::UuidRelativePath, Some(path)) => self.insert(&path),
            (StorageType::UuidRelativePath, None) => {
                return Err(
                    Error::runtime("the log names a deletion vector that is not understood")
                        .in_file(&add.path)
                        .wrote("nothing was deleted"),
                );
            }
        }
        Ok(())
    }

    fn insert(&mut self, path: &str) {
        let path = path.strip_prefix(&self.root).unwrap_or(path);
        if let Ok(decoded) = Path::from_url_path(path) {
            self.files.insert(decoded.to_string());
        }
        self.files.insert(path.to_owned());
    }
}

/// The oldest version to keep. The time in a commit counts beside that of its entry, and the later of the two: a
/// folder that was copied or restored is younger or older than what is in it.
async fn oldest_kept(log: &TableLog, entries: &LogEntries, cutoff: DateTime<Utc>) -> Result<u64> {
    let unreadable = || {
        Error::runtime("no version of the table can be read from its log")
            .in_file(log.store().root_url().to_string())
            .wrote("nothing was deleted")
    };
    let oldest = entries.oldest_readable().ok_or_else(unreadable)?;
    let mut version = entries.version_at(cutoff).ok_or_else(unreadable)?;
    while version > oldest && committed_at(log, version).await? > Some(cutoff.timestamp_millis()) {
        version -= 1;
    }
    Ok(version)
}

/// When a commit says it was made, milliseconds since the epoch.
async fn committed_at(log: &TableLog, version: u64) -> Result<Option<i64>> {
    let Some(entry) = log.store().read_commit_entry(version).await? else {
        return Ok(None);
    };
    let info = |action: &Value| action.get("commitInfo")?.get("timestamp")?.as_i64();
    Ok(actions(&entry)?.iter().find_map(info))
}

async fn commit(log: &TableLog, version: u64) -> Result<Vec<Value>> {
    match log.store().read_commit_entry(version).await? {
        Some(entry) => actions(&entry),
        None => Err(Error::runtime(format!("version {version} is missing in the log"))
            .in_file(log.store().root_url().to_string())
            .wrote("nothing was deleted")),
    }
}

fn actions(entry: &[u8]) -> Result<Vec<Value>> {
    let lines = entry
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty());
    lines.map(|line| Ok(serde_json::from_slice(line)?)).collect()
}
