//! Files of a local folder that are replaced under a lock.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use bytes::Bytes;

use super::swap::{Seen, Swapped};
use crate::error::{Error, Result};

/// Waits for the lock at `path`, which lasts until the answer is dropped. A program that dies gives it back.
///
/// # Errors
/// The folder cannot be written.
pub(super) fn lock(path: &Path) -> Result<File> {
    let mut options = File::options();
    let file = options.create(true).truncate(false).write(true).open(path)?;
    file.lock()?;
    Ok(file)
}

/// Replaces a file whole: a crash leaves the old or the new one.
///
/// # Errors
/// The folder cannot be written.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(content)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|e| Error::from(e.error))?;
    Ok(())
}

/// Its content, if it is there.
///
/// # Errors
/// It cannot be read.
pub(super) fn read(path: &Path) -> Result<(Option<Bytes>, Seen)> {
    match std::fs::read(path) {
        Ok(content) => {
            let content = Bytes::from(content);
            Ok((Some(content.clone()), Seen::Content(content)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok((None, Seen::Nothing)),
        Err(error) => Err(error.into()),
    }
}

/// Replaces the file if it still is as it was `seen`.
///
/// # Errors
/// The folder cannot be written.
pub(super) fn swap(path: &Path, lock_path: &Path, seen: &Seen, content: Bytes) -> Result<Swapped> {
    let _lock = lock(lock_path)?;
    let is_as_seen = match (read(path)?.0, seen) {
        (Some(now), Seen::Content(seen)) => now == *seen,
        (None, Seen::Nothing) => true,
        _ => false,
    };
    if !is_as_seen {
        return Ok(Swapped::Overtaken);
    }
    replace(path, &content)?;
    Ok(Swapped::Done(Seen::Content(content)))
}

/// Removes the file; one that is gone already is no failure.
///
/// # Errors
/// The folder cannot be written.
pub(super) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
