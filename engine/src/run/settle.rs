//! Settling a dead run: whoever next touches the process finds out how it ended and says so.
//!
//! ```text
//!   lease of a dead holder
//!     ├─ `runs` has its row                   ─▶ it ended; only the lease was left
//!     ├─ the log of `customers` has its run_id ─▶ it merged; its row is rebuilt from the commit info
//!     └─ neither                              ─▶ interrupted; its uncommitted files go
//! ```

use std::time::Duration;

use chrono::{DateTime, Utc};
use datafusion::prelude::{SessionContext, col, lit};

use super::merge_step::discard_files;
use crate::error::Result;
use crate::instance::Instance;
use crate::notify::{self, Pending};
use crate::process::{self, Lease, ProcessState, Settling, StateFile};
use crate::report::{RunRecord, RunStatus, append_run};
use crate::table::SnapshotTable;

/// Between two looks at whether somebody else is done.
const WAIT: Duration = Duration::from_millis(20);

/// Settles the process's dead run, if it has one.
///
/// # Errors
/// The instance cannot be read or written.
pub async fn settle(instance: &Instance, name: &str) -> Result<()> {
    let file = StateFile::of(instance, name);
    let is_dead = |state: &ProcessState| state.lease.as_ref().is_some_and(Lease::is_dead);
    if !is_dead(&file.read()?) {
        return Ok(());
    }
    // Held throughout: two must not settle the same run. It is not the lock of the state file, which is taken and
    // given back without waiting for anything in between.
    let _settling = settling(&file).await?;
    let Some(lease) = file.read()?.lease.filter(Lease::is_dead) else {
        return Ok(());
    };
    let (record, identity) = outcome(instance, name, &lease).await?;
    let schedule = process::check(instance, name)
        .ok()
        .and_then(|process| process.schedule);
    let messages = messages(instance, &record).await;
    file.update(|state| {
        if state.lease.as_ref().is_some_and(|now| now.run_id == lease.run_id) {
            state.end(&record, identity, schedule.as_ref());
            state.undelivered.extend(messages);
        }
        Ok(())
    })
}

/// What is to be told of the run; telling fails no run.
pub(super) async fn messages(instance: &Instance, record: &RunRecord) -> Vec<Pending> {
    notify::raise(instance, record).await.unwrap_or_else(|error| {
        tracing::warn!(run_id = record.run_id, %error, "nobody is told of the run");
        Vec::new()
    })
}

/// Waits until nobody else settles a run of the process.
async fn settling(file: &StateFile) -> Result<Settling> {
    loop {
        if let Some(settling) = file.try_settle()? {
            return Ok(settling);
        }
        tokio::time::sleep(WAIT).await;
    }
}

async fn outcome(instance: &Instance, name: &str, lease: &Lease) -> Result<(RunRecord, Option<String>)> {
    let committed = committed(instance, &lease.run_id).await?;
    let written = written_status(instance, &lease.run_id).await?;
    if let Some((record, identity)) = committed {
        if written.is_none() {
            append_run(instance, &record).await?;
        }
        return Ok((record, identity));
    }
    discard_files(&instance.customers()?, &lease.run_id).await?;
    discard_files(&instance.rejects()?, &lease.run_id).await?;
    let mut record = RunRecord::started(lease.run_id.clone(), name, lease.run_no, &lease.trigger);
    record.started_at = lease.started_at;
    match written {
        Some((status, ended_at)) => {
            record.status = status;
            record.ended_at = ended_at;
        }
        None => {
            record.end(RunStatus::Interrupted);
            record.peak_rss_bytes = None;
            record.error = Some("the program ended before the run did; nothing was merged".to_owned());
            append_run(instance, &record).await?;
        }
    }
    Ok((record, None))
}

/// The run's record in the log of `customers`, and the identity of its source.
async fn committed(instance: &Instance, run_id: &str) -> Result<Option<(RunRecord, Option<String>)>> {
    for commit in instance.customers()?.commits(None).await? {
        if commit.info.get("run_id").and_then(|v| v.as_str()) == Some(run_id) {
            let identity = commit
                .info
                .get("source_identity")
                .and_then(|v| v.as_str())
                .map(str::to_owned);
            let Some(run) = commit.info.get("run") else {
                return Ok(None);
            };
            return Ok(Some((serde_json::from_value(run.clone())?, identity)));
        }
    }
    Ok(None)
}

async fn written_status(
    instance: &Instance,
    run_id: &str,
) -> Result<Option<(RunStatus, Option<DateTime<Utc>>)>> {
    let snapshot = instance.runs()?.snapshot(None).await?;
    let ctx = SessionContext::new();
    let runs = ctx.read_table(std::sync::Arc::new(SnapshotTable::new(std::sync::Arc::new(
        snapshot,
    ))))?;
    let rows = runs
        .filter(col("run_id").eq(lit(run_id)))?
        .select_columns(&["status"])?
        .collect()
        .await?;
    let Some(batch) = rows.iter().find(|batch| batch.num_rows() > 0) else {
        return Ok(None);
    };
    let word = arrow::util::display::array_value_to_string(batch.column(0), 0)?;
    let status = serde_json::from_value(serde_json::Value::from(word)).unwrap_or(RunStatus::Failed);
    Ok(Some((status, None)))
}
