//! A version that somebody names: whether it is there, and whether its files still are.

use std::collections::HashSet;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::error::{Error, Result};
use crate::table::{LiveFile, Snapshot, TableLog};

/// Files looked for at once.
const LOOKED_FOR: usize = 32;

/// `customers` as it was at `version`, whose files are all there.
///
/// # Errors
/// There is no such version, the log no longer has it, or its files were vacuumed.
pub async fn at_version(log: &TableLog, version: u64) -> Result<Snapshot> {
    let snapshot = in_log(log, version).await?;
    let latest = log.snapshot(None).await?;
    let live: HashSet<_> = latest.files.iter().map(LiveFile::identity).collect();
    let old = snapshot
        .files
        .iter()
        .filter(|file| !live.contains(&file.identity()));
    check_there(log, version, old).await?;
    Ok(snapshot)
}

/// `customers` as the log says it was at `version`; its files may be gone.
///
/// # Errors
/// There is no such version, or the log no longer has it.
pub async fn in_log(log: &TableLog, version: u64) -> Result<Snapshot> {
    let latest = log.snapshot(None).await?;
    if version == latest.version {
        return Ok(latest);
    }
    if version > latest.version {
        let message = format!(
            "customers has no version {version}; the newest is {}",
            latest.version
        );
        return Err(Error::usage(message).hint("list the versions with: sluice history"));
    }
    match log.snapshot(Some(version)).await {
        Ok(snapshot) => Ok(snapshot),
        Err(error) => Err(match log.actions(version).await? {
            Some(_) => error,
            None => not_in_log(version),
        }),
    }
}

/// Looks for files of a version that need not be live.
///
/// # Errors
/// Some of them are gone.
pub(super) async fn check_there<'a>(
    log: &TableLog,
    version: u64,
    files: impl Iterator<Item = &'a LiveFile>,
) -> Result<()> {
    let store = log.store().object_store(None);
    let paths: Vec<String> = files
        .flat_map(|file| [Some(file.add.path.clone()), file.vector_path()])
        .flatten()
        .collect();
    let looks = paths.into_iter().map(|path| {
        let store = Arc::clone(&store);
        async move { is_gone(store.as_ref(), &path).await }
    });
    let gone: Vec<bool> = stream::iter(looks)
        .buffer_unordered(LOOKED_FOR)
        .try_collect()
        .await?;
    match gone.into_iter().filter(|gone| *gone).count() {
        0 => Ok(()),
        gone => Err(Error::usage(format!(
            "version {version} of customers was vacuumed: {gone} of its files are gone"
        ))
        .hint(
            "a later version can be read: sluice history; vacuum keeps what is younger than its retention",
        )),
    }
}

/// Whether a file of the table is no longer there.
///
/// # Errors
/// The store failed.
pub(super) async fn is_gone(store: &dyn ObjectStore, path: &str) -> Result<bool> {
    match store.head(&Path::from(path)).await {
        Ok(_) => Ok(false),
        Err(object_store::Error::NotFound { .. }) => Ok(true),
        Err(other) => Err(other.into()),
    }
}

/// A version that was there, whose log entry was cleaned up.
pub(super) fn not_in_log(version: u64) -> Error {
    Error::usage(format!("version {version} of customers is no longer in the log"))
        .hint("the log keeps a year: sluice history lists what it has")
}
