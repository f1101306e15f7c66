//! A table that loses the memory of its older versions.

use futures::TryStreamExt;
use object_store::ObjectStore;

use super::rewrite::info;
use super::search::{Holds, Searcher};
use crate::commit::{Commit, append};
use crate::error::Result;
use crate::maintain::checkpoint_now;
use crate::table::TableLog;
use crate::write::discard;

/// Writes a checkpoint of the newest version and deletes what the log has of those before it. Older versions are lost to
/// everybody, and with them what made them.
///
/// # Errors
/// The store failed; what is deleted by then stays deleted, and the newest version readable.
pub(super) async fn cut(log: &TableLog, searcher: &mut Searcher, reason: &'static str) -> Result<()> {
    let newest = log.snapshot(None).await?.version;
    let entry = format!("_delta_log/{newest:020}.json");
    if searcher.file(&entry).await? != Holds::Nothing {
        // The newest version is not deleted: there must be one after it.
        let request = Commit {
            actions: Vec::new(),
            info: info(reason),
            txn: None,
        };
        append(log, request).await?;
    }
    let version = checkpoint_now(log).await?;
    let store = log.store().object_store(None);
    let listed: Vec<String> = store
        .list(Some(log.store().log_path()))
        .map_ok(|file| file.location.to_string())
        .try_collect()
        .await?;
    let older = listed
        .iter()
        .map(String::as_str)
        .filter(|path| is_older(path, version));
    discard(&store, older).await
}

/// Whether a file of the log is of a version before `version`.
fn is_older(path: &str, version: u64) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let digits = name.get(..20).and_then(|digits| digits.parse::<u64>().ok());
    digits.is_some_and(|of| of < version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_checkpoints_before_the_newest_version_are_older() {
        for (path, older) in [
            ("_delta_log/00000000000000000009.json", true),
            ("_delta_log/00000000000000000009.checkpoint.parquet", true),
            ("_delta_log/00000000000000000009.crc", true),
            ("_delta_log/00000000000000000010.json", false),
            ("_delta_log/00000000000000000010.checkpoint.parquet", false),
            ("_delta_log/00000000000000000011.json", false),
            ("_delta_log/_last_checkpoint", false),
        ] {
            assert_eq!(is_older(path, 10), older, "{path}");
        }
    }
}
