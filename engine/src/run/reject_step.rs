//! Committing the rejects of a run.

use deltalake_core::kernel::{Action, Add};
use serde_json::Value;

use super::judge::{Judgement, Prepared};
use crate::commit::{Commit, append};
use crate::error::Result;
use crate::instance::Instance;
use crate::split::{RejectBuilder, RejectOrigin};
use crate::table::{LiveFile, schemas};
use crate::write::{RollingWriter, WriterOptions};

/// Rejects that are in the table.
#[derive(Debug, Default)]
pub(super) struct CommittedRejects {
    files: Vec<Add>,
}

/// Writes the rejects of `judgement` and commits them in place of `before`, so that a record stands at most once under
/// a run.
pub(super) async fn commit_rejects(
    instance: &Instance,
    prepared: &Prepared,
    judgement: &Judgement,
    origin: &RejectOrigin,
    before: CommittedRejects,
) -> Result<CommittedRejects> {
    let log = instance.rejects()?;
    let store = log.store().object_store(None);
    let mut writer = RollingWriter::new(
        store,
        &origin.run_id,
        schemas::rejects(),
        WriterOptions::appended(),
    );
    let builder = RejectBuilder {
        origin: origin.clone(),
        reader: prepared.file.record_reader(),
        columns: prepared.file.header.columns.clone(),
        encoding: prepared.file.encoding(),
    };
    if judgement.tally.rows_rejected > 0 {
        for number in 0..prepared.loaded.staged.len() {
            let batch = prepared.loaded.staged.read(number)?;
            if let Some(rejects) = builder.from_staged(&batch, &judgement.verdicts)? {
                writer.write(&rejects).await?;
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
    let now = chrono::Utc::now().timestamp_millis();
    let removed = before
        .files
        .into_iter()
        .map(|add| Action::Remove(LiveFile::from_add(add, None).remove(now)));
    let actions: Vec<Action> = removed.chain(files.iter().cloned().map(Action::Add)).collect();
    if !actions.is_empty() {
        let info = [("run_id".to_owned(), Value::from(origin.run_id.as_str()))]
            .into_iter()
            .collect();
        append(
            &log,
            Commit {
                actions,
                info,
                txn: None,
            },
        )
        .await?;
    }
    super::faults::point("rejects_committed");
    Ok(CommittedRejects { files })
}
