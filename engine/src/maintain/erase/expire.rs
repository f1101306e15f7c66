//! What the retention of a process gives up: first what is about a person, then the row.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use serde::Serialize;
use serde_json::json;

use super::edits::{Left, Payload, RejectRows, texts};
use super::rewrite::{Edit, Rewriting};
use crate::error::Result;
use crate::ids;
use crate::instance::Instance;
use crate::maintain::leases::Leases;
use crate::maintain::{Effect, MaintainedTable};
use crate::process::{self, names};
use crate::report::{Event, append_rows};
use crate::settings::Settings;
use crate::table::{LiveFile, Snapshot, scan_files, schemas};

/// What a run's rejects lost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Expired {
    /// The process.
    pub process: String,
    /// The run.
    pub run_id: String,
    /// Rejects that lost customer, values and bytes.
    pub blanked_rows: u64,
    /// Rejects that left.
    pub removed_rows: u64,
}

/// Gives up what is older than the `[retention]` of its process at `now`. Only for who holds the maintenance lease. Older
/// versions of `rejects` have it until they are vacuumed.
///
/// # Errors
/// The table cannot be read or written.
pub async fn expire(instance: &Instance, settings: &Settings, now: DateTime<Utc>) -> Result<Vec<Expired>> {
    let limits = limits(instance, now).await?;
    let Some(newest) = limits.values().filter_map(Limits::newest).max() else {
        return Ok(Vec::new());
    };
    let mut edit = Expiry {
        limits,
        newest,
        leases: Leases::read(instance).await?,
        left: Left::new(),
        blanked: BTreeMap::new(),
    };
    let log = instance.rejects()?;
    let rewriting = Rewriting {
        table: MaintainedTable::Rejects,
        log: &log,
        settings,
        reason: "expired",
        effect: Effect::Apply,
    };
    rewriting.run(&mut edit).await?;
    let expired = edit.by_run();
    note(instance, &expired).await?;
    Ok(expired)
}

/// Until when rejects of a process were made that lose something, microseconds since the epoch.
#[derive(Debug, Clone, Copy)]
struct Limits {
    payload: Option<i64>,
    rows: Option<i64>,
}

impl Limits {
    fn newest(&self) -> Option<i64> {
        self.payload.max(self.rows)
    }
}

/// The limits of the processes that have any. One whose definition has problems keeps everything.
async fn limits(instance: &Instance, now: DateTime<Utc>) -> Result<HashMap<String, Limits>> {
    let mut limits = HashMap::new();
    for name in names(instance).await? {
        let Ok(process) = process::check(instance, &name).await else {
            continue;
        };
        let until = |retention: Option<crate::spec::Retention>| {
            retention.map(|retention| (now - retention.duration()).timestamp_micros())
        };
        let of_process = Limits {
            payload: until(process.retention.payload),
            rows: until(process.retention.rows),
        };
        if of_process.newest().is_some() {
            limits.insert(name, of_process);
        }
    }
    Ok(limits)
}

async fn note(instance: &Instance, expired: &[Expired]) -> Result<()> {
    let events: Vec<Event> = expired
        .iter()
        .map(|expired| Event {
            run_id: Some(expired.run_id.clone()),
            actor: None,
            detail: Some(
                json!({ "payload_rows": expired.blanked_rows, "removed_rows": expired.removed_rows })
                    .to_string(),
            ),
            ..Event::lifecycle("expired", &expired.process)
        })
        .collect();
    if !events.is_empty() {
        append_rows(
            &instance.events()?,
            schemas::events(),
            &events,
            &ids::new_run_id(),
        )
        .await?;
    }
    Ok(())
}

struct Expiry {
    limits: HashMap<String, Limits>,
    newest: i64,
    leases: Leases,
    left: Left,
    blanked: BTreeMap<(String, String), u64>,
}

impl Expiry {
    fn rows(&self, batch: &RecordBatch) -> Result<RejectRows> {
        let processes = texts(batch, "process")?;
        let position = |name: &str| batch.schema().index_of(name);
        let at = cast(batch.column(position("rejected_at")?), &schemas::timestamp())?;
        let at = at.as_primitive::<TimestampMicrosecondType>();
        let raw = cast(batch.column(position("raw")?), &DataType::BinaryView)?;
        let is_older = |row: usize, which: fn(&Limits) -> Option<i64>| {
            let limits = processes
                .is_valid(row)
                .then(|| self.limits.get(processes.value(row)));
            let until = limits.flatten().and_then(which);
            until.is_some_and(|until| at.is_valid(row) && at.value(row) <= until)
        };
        let rows = 0..batch.num_rows();
        let gone: BooleanArray = rows
            .clone()
            .map(|row| Some(is_older(row, |limits| limits.rows)))
            .collect();
        let blanked = rows.map(|row| {
            let is_due = raw.is_valid(row) && is_older(row, |limits| limits.payload);
            Some(is_due && !gone.value(row))
        });
        Ok(RejectRows {
            blanked: blanked.collect(),
            gone: gone.clone(),
            payload: Payload::Whole,
        })
    }

    fn by_run(&self) -> Vec<Expired> {
        let mut all: BTreeMap<&(String, String), (u64, u64)> = BTreeMap::new();
        for (of, rows) in &self.blanked {
            all.entry(of).or_default().0 += rows;
        }
        for (of, records) in &self.left {
            all.entry(of).or_default().1 += records.len() as u64;
        }
        let expired = all
            .into_iter()
            .map(|((process, run_id), (blanked_rows, removed_rows))| Expired {
                process: process.clone(),
                run_id: run_id.clone(),
                blanked_rows,
                removed_rows,
            });
        expired.collect()
    }
}

#[async_trait]
impl Edit for Expiry {
    async fn concerns(&mut self, snapshot: &Snapshot, file: &LiveFile) -> Result<bool> {
        let path = &file.add.path;
        let began = ids::run_of_data_file(path).and_then(ids::micros_of);
        // A run's rejects are younger than the run.
        if self.leases.cover(path) || began.is_some_and(|began| began > self.newest) {
            return Ok(false);
        }
        let columns = ["process", "rejected_at", "raw"].map(|name| snapshot.schema.index_of(name));
        let columns = columns.into_iter().collect::<Result<Vec<usize>, _>>()?;
        let ctx = SessionContext::new();
        let mut rows =
            scan_files(&ctx.state(), snapshot, [file], Some(&columns))?.execute(0, ctx.task_ctx())?;
        while let Some(batch) = rows.try_next().await? {
            if !self.rows(&batch)?.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn apply(&mut self, rows: RecordBatch) -> Result<RecordBatch> {
        let found = self.rows(&rows)?;
        let (processes, runs) = (texts(&rows, "process")?, texts(&rows, "run_id")?);
        for row in found.blanked.values().set_indices() {
            let of = (processes.value(row).to_owned(), runs.value(row).to_owned());
            *self.blanked.entry(of).or_default() += 1;
        }
        found.apply(&rows, &mut self.left)
    }

    fn begin(&mut self) {
        self.left.clear();
        self.blanked.clear();
    }
}
