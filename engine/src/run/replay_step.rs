//! Committing what became of replayed records.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use serde_json::json;

use super::judge::{Judgement, Prepared};
use super::reject_step::{CommittedRows, replace_rows};
use crate::error::Result;
use crate::instance::Instance;
use crate::report::{RejectEvents, RejectFate};
use crate::split::RejectOrigin;
use crate::table::schemas;
use crate::validate::id;
use crate::write::{RollingWriter, WriterOptions};

/// Notes which records of `parent` the run accepts and which it holds back, in place of `before`. It counts when the run
/// has merged.
pub(super) async fn commit_replayed(
    instance: &Instance,
    prepared: &Prepared,
    judgement: &Judgement,
    (parent, origin): (&str, &RejectOrigin),
    before: CommittedRows,
) -> Result<CommittedRows> {
    let log = instance.events()?;
    let mut writer = RollingWriter::new(
        log.store().object_store(None),
        &origin.run_id,
        schemas::events(),
        WriterOptions::appended(log.encoding()),
    );
    let held = judgement.verdicts.found(id::CID_OVERTAKEN);
    let events = |fate: RejectFate| RejectEvents {
        fate,
        process: origin.process.clone(),
        run_id: parent.to_owned(),
        detail: json!({ "by": origin.run_id }).to_string(),
        at_micros: origin.rejected_at_micros,
    };
    let (replayed, held_back) = (events(RejectFate::Replayed), events(RejectFate::HeldBack));
    for number in 0..prepared.loaded.staged.len() {
        let batch = prepared.loaded.staged.read_columns(number, &[0])?;
        let accepted = records(&batch, |record| !judgement.tally.rejected.contains(record));
        let overtaken = records(&batch, |record| held.is_some_and(|held| held.contains(record)));
        for (events, records) in [(&replayed, accepted), (&held_back, overtaken)] {
            if !records.is_empty() {
                writer.write(&events.batch(&records)?).await?;
            }
        }
    }
    let committed = replace_rows(&log, writer.finish().await?, before, &origin.run_id).await?;
    super::faults::point("replay_noted");
    Ok(committed)
}

fn records(batch: &RecordBatch, wanted: impl Fn(u64) -> bool) -> Vec<i64> {
    let numbers = batch.column(0).as_primitive::<Int64Type>().values();
    numbers
        .iter()
        .filter(|number| wanted(number.unsigned_abs()))
        .copied()
        .collect()
}
