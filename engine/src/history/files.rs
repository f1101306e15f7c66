//! The files that each commit removed and added, one commit after another.

use std::collections::HashMap;

use deltalake_core::kernel::Action;

use super::timeline::Commit;
use super::versions::{in_log, not_in_log};
use crate::error::Result;
use crate::table::schemas::CUSTOMER_ID;
use crate::table::{FileIdentity, LiveFile, Snapshot, TableLog, file_identity};

/// What one commit did to the files of the table.
#[derive(Debug, Clone)]
pub struct CommitFiles {
    /// The commit.
    pub commit: Commit,
    /// Files of the version before that are not in this one.
    pub removed: Vec<LiveFile>,
    /// Files that are new in this version.
    pub added: Vec<LiveFile>,
}

/// The live files, version by version: the log is replayed once, whatever the number of versions.
#[derive(Debug)]
pub struct FileWalk<'a> {
    log: &'a TableLog,
    version: u64,
    live: HashMap<FileIdentity, LiveFile>,
}

impl<'a> FileWalk<'a> {
    /// Stands at `version`.
    ///
    /// # Errors
    /// The log does not have it.
    pub async fn from(log: &'a TableLog, version: u64) -> Result<Self> {
        Ok(Self::at(log, &in_log(log, version).await?))
    }

    /// Stands at the version of `snapshot`.
    #[must_use]
    pub fn at(log: &'a TableLog, snapshot: &Snapshot) -> Self {
        let live = snapshot.files.iter().map(|file| (file.identity(), file.clone()));
        Self {
            log,
            version: snapshot.version,
            live: live.collect(),
        }
    }

    /// Goes to the next version.
    ///
    /// # Errors
    /// The log does not have it.
    pub async fn next(&mut self) -> Result<CommitFiles> {
        self.version += 1;
        let Some(actions) = self.log.actions(self.version).await? else {
            return Err(not_in_log(self.version));
        };
        let commit = Commit::new(self.version, &actions);
        let (mut removed, mut added) = (Vec::new(), Vec::new());
        for action in &actions {
            if let Action::Remove(remove) = action {
                let identity = file_identity(&remove.path, remove.deletion_vector.as_ref());
                removed.extend(self.live.remove(&identity));
            }
        }
        for action in actions {
            if let Action::Add(add) = action {
                let file = LiveFile::from_add(add, Some(CUSTOMER_ID));
                self.live.insert(file.identity(), file.clone());
                added.push(file);
            }
        }
        Ok(CommitFiles {
            commit,
            removed,
            added,
        })
    }
}
