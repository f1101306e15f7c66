//! Which records name a customer: what `cid_unknown` asks, without a table-sized join.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use datafusion::execution::SessionState;
use futures::TryStreamExt;

use super::algo::Cursor;
use super::changes::{ChangeSet, ChangeSlice};
use crate::error::Result;
use crate::table::schemas::CUSTOMER_ID;
use crate::table::{LiveFile, Snapshot, scan_files};
use crate::tasks::for_each_spawned;
use crate::validate::RecordSet;

/// The records of `changes` whose key is in `snapshot`. Reads the key column of files whose range meets a change.
///
/// # Errors
/// The table or the stage cannot be read.
pub async fn known_records(
    state: &SessionState,
    snapshot: &Arc<Snapshot>,
    changes: &ChangeSet,
    threads: usize,
) -> Result<RecordSet> {
    let Some(range) = changes.key_range() else {
        return Ok(RecordSet::default());
    };
    let probing = |file: LiveFile| {
        let (state, snapshot, changes) = (state.clone(), Arc::clone(snapshot), changes.clone());
        async move { probe(&state, &snapshot, &file, &changes).await }
    };
    let mut known = RecordSet::default();
    let found = |records: Vec<u64>| {
        records.into_iter().for_each(|record| {
            known.insert(record);
        });
        Ok(())
    };
    for_each_spawned(snapshot.files_of(&range), threads, probing, found).await?;
    Ok(known)
}

async fn probe(
    state: &SessionState,
    snapshot: &Snapshot,
    file: &LiveFile,
    changes: &ChangeSet,
) -> Result<Vec<u64>> {
    let changes = changes.keys(file.keys.as_ref())?;
    let mut found = Vec::new();
    if changes.is_empty() {
        return Ok(found);
    }
    let key = vec![snapshot.schema.index_of(CUSTOMER_ID)?];
    let mut rows = scan_files(state, snapshot, [file], Some(&key))?.execute(0, state.task_ctx())?;
    let mut cursor = Cursor::default();
    while let Some(batch) = rows.try_next().await? {
        let keys = batch.column(0).as_string_view();
        for key in keys.iter().flatten() {
            if let Some(first) = cursor.find(changes.keys(), key) {
                found.extend(same_key(&changes, first).map(|row| changes.record_no(row)));
            }
        }
    }
    Ok(found)
}

/// The rows from `first` on that have its key: a rejected duplicate is as known as its twin.
fn same_key(changes: &ChangeSlice, first: usize) -> impl Iterator<Item = usize> {
    let keys = changes.keys();
    (first..keys.len()).take_while(move |row| keys.value(*row) == keys.value(first))
}
