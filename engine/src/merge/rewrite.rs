//! The strategy that always works: stream the file, replace the mapped cells, write a new one.

use std::sync::Arc;

use arrow::array::AsArray;
use futures::TryStreamExt;

use super::algo::{Cursor, apply, pair};
use super::changes::ChangeSlice;
use super::file_merge::FileMerge;
use crate::error::Result;
use crate::table::schemas::CUSTOMER_ID;
use crate::write::{FileAction, RollingWriter, WriterOptions};

/// Writes the file's rows anew with the changes applied. Row order, and with it the sort order, stays; memory is a
/// row group, whatever the file's size.
pub(super) async fn rewrite(merge: &FileMerge, changes: &ChangeSlice) -> Result<Vec<FileAction>> {
    let snapshot = &merge.job.snapshot;
    let store = snapshot.log.object_store(None);
    let options = WriterOptions::clustered(CUSTOMER_ID);
    let mut writer = RollingWriter::new(store, &merge.job.run_id, Arc::clone(&snapshot.schema), options);
    let mut rows = merge.scan(None)?;
    let mut cursor = Cursor::default();
    let nulls = merge.job.null_policies();
    while let Some(batch) = rows.try_next().await? {
        let keys = batch.column(merge.job.key_position()?).as_string_view();
        let pairs = pair(keys, changes, &mut cursor);
        let merged = apply(&batch, &merge.job.attribute_positions()?, changes, &pairs, &nulls)?;
        writer.write(&merged).await?;
    }
    let removed = FileAction::Remove(merge.file.remove(merge.job.deletion_timestamp_ms));
    Ok(std::iter::once(removed)
        .chain(writer.finish().await?.into_iter().map(FileAction::Add))
        .collect())
}
