//! Committing the rejects of a run.

use std::collections::HashMap;

use deltalake_core::kernel::{Action, Add};
use rayon::prelude::*;
use serde_json::Value;

use super::judge::{Judgement, Prepared};
use crate::commit::{Commit, append};
use crate::error::Result;
use crate::instance::Instance;
use crate::split::{RejectBuilder, RejectOrigin};
use crate::table::{LiveFile, TableLog, schemas};
use crate::write::{RollingWriter, WriterOptions};

/// Staged batches that are looked through on all cores before what is found is written.
const BATCHES_AT_ONCE: usize = 16;

/// Rows of a run that are in a table beside `customers`.
#[derive(Debug, Default)]
pub(super) struct CommittedRows {
    files: Vec<Add>,
}

/// Writes the rejects of `judgement` and commits them in place of `before`, so that a record stands at most once under
/// a run.
pub(super) async fn commit_rejects(
    instance: &Instance,
    prepared: &Prepared,
    judgement: &Judgement,
    origin: &RejectOrigin,
    before: CommittedRows,
) -> Result<CommittedRows> {
    let log = instance.rejects()?;
    let store = log.store().object_store(None);
    let mut writer = RollingWriter::new(
        store,
        &origin.run_id,
        schemas::rejects(),
        WriterOptions::appended(log.encoding()),
    );
    let builder = RejectBuilder {
        origin: origin.clone(),
        reader: prepared.file.record_reader(),
        columns: prepared.file.header.columns.clone(),
        encoding: prepared.file.encoding(),
    };
    if judgement.tally.rows_rejected > 0 {
        let staged = &prepared.loaded.staged;
        for first in (0..staged.len()).step_by(BATCHES_AT_ONCE) {
            let batches = first..(first + BATCHES_AT_ONCE).min(staged.len());
            let rejects = |number| builder.from_staged(&staged.read(number)?, &judgement.verdicts);
            let rejects: Vec<_> = batches.into_par_iter().map(rejects).collect::<Result<_>>()?;
            for rejects in rejects.iter().flatten() {
                writer.write(rejects).await?;
            }
        }
        for number in 0..prepared.loaded.malformed.len() {
            let batch = prepared.loaded.malformed.read(number)?;
            writer
                .write(&builder.from_malformed(&batch, &judgement.verdicts.rules)?)
                .await?;
        }
    }
    let files = writer.finish().await?;
    super::faults::point("rejects_written");
    let committed = replace_rows(&log, files, before, &origin.run_id).await?;
    super::faults::point("rejects_committed");
    Ok(committed)
}

/// Commits `files` of the run in place of what it committed `before`.
pub(super) async fn replace_rows(
    log: &TableLog,
    files: Vec<Add>,
    before: CommittedRows,
    run_id: &str,
) -> Result<CommittedRows> {
    let now = chrono::Utc::now().timestamp_millis();
    let removed = before
        .files
        .into_iter()
        .map(|add| Action::Remove(LiveFile::from_add(add, None).remove(now)));
    let actions: Vec<Action> = removed.chain(files.iter().cloned().map(Action::Add)).collect();
    if !actions.is_empty() {
        let commit = Commit {
            actions,
            info: HashMap::from([("run_id".to_owned(), Value::from(run_id))]),
            txn: None,
        };
        append(log, commit).await?;
    }
    Ok(CommittedRows { files })
}
