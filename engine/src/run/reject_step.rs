//! Committing the rejects of a run.

use std::collections::HashMap;

use arrow::datatypes::Schema;
use deltalake_core::kernel::{Action, Add};
use rayon::prelude::*;
use serde_json::Value;

use super::judge::{Judgement, Prepared};
use super::request::Watch;
use crate::commit::{Commit, append};
use crate::decode::layout::{BROKEN, POSITION, RAW_BYTES};
use crate::error::Result;
use crate::instance::Instance;
use crate::split::{RejectBuilder, RejectOrigin};
use crate::table::schemas::CUSTOMER_ID;
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
/// a run. A run that is asked to stop stops before the commit.
pub(super) async fn commit_rejects(
    instance: &Instance,
    prepared: &Prepared,
    judgement: &Judgement,
    origin: &RejectOrigin,
    before: CommittedRows,
    watch: &Watch,
) -> Result<CommittedRows> {
    let log = instance.rejects()?;
    let written = write_rejects(&log, prepared, judgement, origin);
    let files = watch.unless_stopped(written).await?;
    super::faults::point("rejects_written");
    let committed = replace_rows(&log, files, before, &origin.run_id).await?;
    super::faults::point("rejects_committed");
    Ok(committed)
}

async fn write_rejects(
    log: &TableLog,
    prepared: &Prepared,
    judgement: &Judgement,
    origin: &RejectOrigin,
) -> Result<Vec<Add>> {
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
        let columns = reject_columns(staged.schema());
        for first in (0..staged.len()).step_by(BATCHES_AT_ONCE) {
            let batches = first..(first + BATCHES_AT_ONCE).min(staged.len());
            let rejects =
                |number| builder.from_staged(&staged.read_columns(number, &columns)?, &judgement.verdicts);
            let rejects: Vec<_> = batches.into_par_iter().map(rejects).collect::<Result<_>>()?;
            for rejects in rejects.iter().flatten() {
                writer.write(rejects).await?;
            }
            // Whoever asks the run to stop is heard between the batches of a long stage.
            tokio::task::yield_now().await;
        }
        for number in 0..prepared.loaded.malformed.len() {
            let batch = prepared.loaded.malformed.read(number)?;
            writer
                .write(&builder.from_malformed(&batch, &judgement.verdicts.rules)?)
                .await?;
        }
    }
    writer.finish().await
}

/// The columns of a stage that a reject is made of: the values of its attributes stay on disk.
fn reject_columns(staged: &Schema) -> Vec<usize> {
    let is_read = |name: &str| POSITION.contains(&name) || [RAW_BYTES, CUSTOMER_ID, BROKEN].contains(&name);
    let names = staged.fields().iter().map(|field| field.name().as_str());
    names
        .enumerate()
        .filter(|(_, name)| is_read(name))
        .map(|(at, _)| at)
        .collect()
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
