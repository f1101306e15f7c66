//! A file on this machine.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A source file and what makes it that file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Full path.
    pub path: PathBuf,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since the epoch.
    pub modified_ns: i128,
}

impl SourceFile {
    /// Looks the file up.
    ///
    /// # Errors
    /// The file is not there, is a folder, or cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let shown = || path.display().to_string();
        let found = std::fs::canonicalize(path).and_then(|full| Ok((std::fs::metadata(&full)?, full)));
        let (metadata, full) = found.map_err(|error| not_found(&shown(), error))?;
        if metadata.is_dir() {
            return Err(Error::runtime("the source is a folder; name one file").in_file(shown()));
        }
        let modified = metadata.modified()?;
        let modified_ns = match modified.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_nanos() as i128,
            Err(before) => -(before.duration().as_nanos() as i128),
        };
        Ok(Self {
            path: full,
            size_bytes: metadata.len(),
            modified_ns,
        })
    }

    /// The identity by which a merged file is recognised: full path, size, modification time.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("{}|{}|{}", self.path.display(), self.size_bytes, self.modified_ns)
    }

    /// Fails when the file is no longer the one that was opened.
    ///
    /// # Errors
    /// `source_changed`, or the file is gone.
    pub fn check_unchanged(&self) -> Result<()> {
        let now = Self::open(&self.path)?;
        if now == *self {
            return Ok(());
        }
        Err(
            Error::data("source_changed", "the file changed while it was read")
                .in_file(self.path.display().to_string())
                .hint(
                    "run it again once the file is complete; write to another name and rename it when it is",
                ),
        )
    }
}

fn not_found(path: &str, error: std::io::Error) -> Error {
    let error_text = match error.kind() {
        std::io::ErrorKind::NotFound => "the source file does not exist",
        std::io::ErrorKind::PermissionDenied => "the source file may not be read",
        _ => "the source file cannot be opened",
    };
    Error::runtime(error_text)
        .because(error)
        .in_file(path)
        .hint("check the path and its permissions")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_that_grows_is_another_file() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let opened = SourceFile::open(file.path()).unwrap();
        opened.check_unchanged().unwrap();
        file.write_all(b"more").unwrap();
        assert_eq!(
            opened.check_unchanged().unwrap_err().code(),
            Some("source_changed")
        );
    }
}
