//! The strategy that always works: stream the file, replace the mapped cells, write a new one without dead rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use futures::TryStreamExt;

use super::algo::{Cursor, apply, compare, pair};
use super::changes::ChangeSlice;
use super::facts::FileCounts;
use super::file_merge::FileMerge;
use crate::error::{Error, Result};
use crate::table::schemas::CUSTOMER_ID;
use crate::write::{FileAction, KeyOrder, RollingWriter, WriterOptions};

/// What a rewrite did.
pub(super) struct Rewritten {
    /// What changed.
    pub counts: FileCounts,
    /// The Remove and the Adds.
    pub actions: Vec<FileAction>,
    /// Size of the new files.
    pub encoded_bytes: u64,
}

/// Writes the file's rows anew with the changes applied, and counts them. Row order stays:
/// `order` is what is known of it. Memory is a row group, whatever the file's size.
pub(super) async fn rewrite(merge: &FileMerge, changes: &ChangeSlice, order: KeyOrder) -> Result<Rewritten> {
    let snapshot = &merge.job.snapshot;
    let store = snapshot.log.object_store(None);
    let options = WriterOptions {
        order,
        ..WriterOptions::clustered(CUSTOMER_ID, snapshot.encoding)
    };
    let mut writer = RollingWriter::new(store, &merge.job.run_id, Arc::clone(&snapshot.schema), options);
    let mut rows = merge.scan(None)?;
    let mut cursor = Cursor::default();
    let (key, attributes) = (merge.job.key_position()?, merge.job.attribute_positions()?);
    let nulls = merge.job.null_policies();
    let mut counts = FileCounts::of(attributes.len());
    while let Some(batch) = rows.try_next().await? {
        let keys = batch.column(key).as_string_view();
        let pairs = pair(keys, changes, &mut cursor);
        let old: Vec<ArrayRef> = attributes
            .iter()
            .map(|column| Arc::clone(batch.column(*column)))
            .collect();
        let found = compare(&old, changes, &pairs, &nulls)?;
        counts.add(
            pairs.file_rows.len() as u64,
            found.rows.true_count() as u64,
            &found.cells,
        );
        writer
            .write(&apply(&batch, &attributes, changes, &pairs, &nulls)?)
            .await?;
    }
    let adds = writer.finish().await?;
    let encoded_bytes = adds.iter().map(|add| add.size.unsigned_abs()).sum();
    let removed = FileAction::Remove(merge.file.remove(merge.job.deletion_timestamp_ms));
    let adds = adds.into_iter().map(FileAction::Add);
    Ok(Rewritten {
        counts,
        actions: std::iter::once(removed).chain(adds).collect(),
        encoded_bytes,
    })
}

/// What the changes do to a file that another program laid out in a form of its own: through SQL's scan, which
/// adapts any layout to the table's.
///
/// # Errors
/// The file cannot be read.
pub(super) async fn differences(merge: &FileMerge, changes: &ChangeSlice) -> Result<(Vec<i64>, FileCounts)> {
    let attributes = merge.job.attribute_positions()?;
    let mut wanted = vec![merge.job.key_position()?];
    wanted.extend(&attributes);
    let nulls = merge.job.null_policies();
    let mut counts = FileCounts::of(attributes.len());
    let mut matched = Vec::new();
    let mut rows = merge.scan(Some(&wanted))?;
    let mut cursor = Cursor::default();
    while let Some(batch) = rows.try_next().await? {
        let keys = batch.column(0).as_string_view_opt();
        let keys = keys.ok_or_else(|| Error::runtime("the key of customers is no text"))?;
        let pairs = pair(keys, changes, &mut cursor);
        if pairs.file_rows.is_empty() {
            continue;
        }
        let old: Vec<ArrayRef> = batch.columns().iter().skip(1).cloned().collect();
        let found = compare(&old, changes, &pairs, &nulls)?;
        counts.add(
            pairs.file_rows.len() as u64,
            found.rows.true_count() as u64,
            &found.cells,
        );
        matched.extend(
            pairs
                .change_rows
                .iter()
                .map(|row| changes.record_no(*row as usize) as i64),
        );
    }
    Ok((matched, counts))
}
