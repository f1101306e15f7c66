//! The folder that a run spills into: made when first needed, gone with the run, swept when the run was killed.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

use crate::error::{Error, Result};

/// First part of the folder's name; the process id follows.
const PREFIX: &str = "sluice-spill-";

/// A folder of this program below `parent`.
#[derive(Debug)]
pub(super) struct SpillFolder {
    parent: PathBuf,
    made: Mutex<Option<TempDir>>,
}

impl SpillFolder {
    pub(super) fn below(parent: PathBuf) -> Self {
        Self {
            parent,
            made: Mutex::default(),
        }
    }

    /// The folder, made now if it is not there yet.
    ///
    /// # Errors
    /// `parent` cannot be written.
    pub(super) fn path(&self) -> Result<PathBuf> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = match &mut *made {
            Some(folder) => folder,
            none => {
                sweep(&self.parent);
                let prefix = format!("{PREFIX}{}-", std::process::id());
                let made = tempfile::Builder::new().prefix(&prefix).tempdir_in(&self.parent);
                none.insert(made.map_err(|error| self.full(error))?)
            }
        };
        Ok(folder.path().to_owned())
    }

    /// Why nothing can be kept there.
    pub(super) fn full(&self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::not_spilled(&self.parent, cause)
    }
}

/// Removes what programs left that were killed.
fn sweep(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let pid = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok());
        let is_dead = pid.is_some_and(|pid| {
            Path::new("/proc/self").exists() && !Path::new(&format!("/proc/{pid}")).exists()
        });
        if is_dead {
            // Another program may sweep too; whoever is first wins.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_killed_program_is_swept_and_that_of_a_living_one_is_not() {
        let parent = tempfile::tempdir().unwrap();
        // Process ids end at 4,194,304.
        let dead = parent.path().join(format!("{PREFIX}4194999-x"));
        std::fs::create_dir(&dead).unwrap();
        let folder = SpillFolder::below(parent.path().to_owned());
        assert!(dead.exists(), "nothing is made or swept before it is needed");
        let path = folder.path().unwrap();
        assert!(!dead.exists() && path.exists());
        let other = SpillFolder::below(parent.path().to_owned());
        other.path().unwrap();
        assert!(path.exists());
        drop(folder);
        assert!(!path.exists());
    }
}
