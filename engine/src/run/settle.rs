//! Settling a dead run: whoever next touches the process finds out how it ended and says so.
//!
//! ```text
//!   lease of a dead holder
//!     ├─ `runs` has its row                   ─▶ it ended; only the lease was left
//!     ├─ the log of `customers` has its run_id ─▶ it merged; its row is rebuilt from the commit info
//!     └─ neither                              ─▶ interrupted; its uncommitted files go
//! ```
//!
//! A holder on another host may only have been silent for too long. Then its number is taken first, by a commit without
//! rows: whatever it commits later is refused. Its files stay until vacuum finds that nobody needs them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use datafusion::prelude::{SessionContext, col, lit};
use serde_json::Value;

use super::merge_step::discard_files;
use crate::commit::{Commit, CommitOutcome, Txn, commit};
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::notify::{self, Pending};
use crate::process::{self, HeldLease, Lease, ProcessState, StateFile};
use crate::report::{RunRecord, RunStatus, append_run};
use crate::table::SnapshotTable;

/// A run that merged, and the identity of its source.
type Merged = (RunRecord, Option<String>);

/// Races that the commit which takes a dead run's number may lose.
const FENCE_ATTEMPTS: usize = 100;
/// Between two looks at whether somebody else is done.
const WAIT: Duration = Duration::from_millis(20);

/// Settles the process's dead run, if it has one.
///
/// # Errors
/// The instance cannot be read or written.
pub async fn settle(instance: &Instance, name: &str) -> Result<()> {
    let file = StateFile::of(instance, name);
    let is_dead = |state: &ProcessState| state.lease.as_ref().is_some_and(Lease::is_dead);
    if !is_dead(&file.read().await?) {
        return Ok(());
    }
    // Held throughout: two must not settle the same run.
    let settling = settling(&file).await?;
    let settled = match file.read().await?.lease.filter(Lease::is_dead) {
        Some(lease) => settle_run(instance, &file, name, &lease).await,
        None => Ok(()),
    };
    settling.release().await;
    settled
}

async fn settle_run(instance: &Instance, file: &StateFile, name: &str, lease: &Lease) -> Result<()> {
    let (record, identity) = outcome(instance, name, lease).await?;
    let process = process::check(instance, name).await.ok();
    let schedule = process.and_then(|process| process.schedule);
    let messages = messages(instance, &record).await;
    let noted = file.update(|state| {
        if state.lease.as_ref().is_some_and(|now| now.run_id == lease.run_id) {
            state.end(&record, identity.clone(), schedule.as_ref());
            state.undelivered.extend(messages.iter().cloned());
        }
        Ok(())
    });
    noted.await
}

/// What is to be told of the run; telling fails no run.
pub(super) async fn messages(instance: &Instance, record: &RunRecord) -> Vec<Pending> {
    notify::raise(instance, record).await.unwrap_or_else(|error| {
        tracing::warn!(run_id = record.run_id, %error, "nobody is told of the run");
        Vec::new()
    })
}

/// Waits until nobody else settles a run of the process.
async fn settling(file: &StateFile) -> Result<HeldLease> {
    loop {
        if let Some(settling) = file.try_settle().await? {
            return Ok(settling);
        }
        tokio::time::sleep(WAIT).await;
    }
}

async fn outcome(instance: &Instance, name: &str, lease: &Lease) -> Result<(RunRecord, Option<String>)> {
    let committed = match lease.holder.is_dead() {
        true => committed(instance, &lease.run_id).await?,
        false => committed_or_fenced(instance, name, lease).await?,
    };
    let written = written_status(instance, &lease.run_id).await?;
    if let Some((record, identity)) = committed {
        if written.is_none() {
            append_run(instance, &record).await?;
        }
        return Ok((record, identity));
    }
    if lease.holder.is_dead() {
        discard_files(&instance.customers()?, &lease.run_id).await?;
        discard_files(&instance.rejects()?, &lease.run_id).await?;
        discard_files(&instance.events()?, &lease.run_id).await?;
    }
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

/// The run's record in the log of `customers`, and the identity of its source; where there is none, the run cannot
/// commit any more.
async fn committed_or_fenced(instance: &Instance, name: &str, lease: &Lease) -> Result<Option<Merged>> {
    let log = instance.customers()?;
    for _ in 0..FENCE_ATTEMPTS {
        let base = log.snapshot(None).await?;
        if let Some(merged) = committed(instance, &lease.run_id).await? {
            return Ok(Some(merged));
        }
        let info = [("settled".to_owned(), Value::from(lease.run_id.as_str()))];
        let fence = Commit {
            actions: Vec::new(),
            info: info.into_iter().collect(),
            txn: Some(Txn {
                application: name.to_owned(),
                number: lease.run_no,
            }),
        };
        if let CommitOutcome::Committed { .. } = commit(&log, &base, fence).await? {
            return Ok(None);
        }
    }
    Err(Error::conflict("other writers were faster a hundred times in a row").hint("run it again"))
}

/// The run's record in the log of `customers`, and the identity of its source.
async fn committed(instance: &Instance, run_id: &str) -> Result<Option<Merged>> {
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
    let status = serde_json::from_value(Value::from(word)).unwrap_or(RunStatus::Failed);
    Ok(Some((status, None)))
}
