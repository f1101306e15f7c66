//! Files of a local folder that are replaced under a lock.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::Path;

use crate::error::{Error, Result};

/// Waits for the lock at `path`, which lasts until the answer is dropped. A program that dies gives it back.
///
/// # Errors
/// The folder cannot be written.
pub fn lock(path: &Path) -> Result<File> {
    let file = open(path)?;
    file.lock()?;
    Ok(file)
}

/// As [`lock`], and `None` where somebody has it.
///
/// # Errors
/// The folder cannot be written.
pub fn try_lock(path: &Path) -> Result<Option<File>> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn open(path: &Path) -> Result<File> {
    let mut options = File::options();
    Ok(options.create(true).truncate(false).write(true).open(path)?)
}

/// Replaces a file whole: a crash leaves the old or the new one.
///
/// # Errors
/// The folder cannot be written.
pub fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(content)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|e| Error::from(e.error))?;
    Ok(())
}
