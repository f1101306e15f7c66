//! The story of one customer: every commit that changed it, every record of it that was rejected.
//!
//! The log says which commit removed the file that holds the customer's row; only then is a file read, and of the
//! files that the commit added only those whose key range meets the customer.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimestampMicrosecondType};
use arrow::json::ReaderBuilder;
use chrono::{DateTime, Utc};
use datafusion::prelude::{SessionContext, col, lit};
use serde::Serialize;

use super::cells::{Texts, differ};
use super::files::{CommitFiles, FileWalk};
use super::timeline::{Commit, CommitKind, Timeline};
use super::versions::is_gone;
use crate::error::Result;
use crate::instance::Instance;
use crate::plan::text_literal;
use crate::table::schemas::{CUSTOMER_ID, timestamp};
use crate::table::{FileIdentity, LiveFile, Snapshot, SnapshotTable, TableLog};

/// One thing that happened to a customer.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TraceRow {
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// Version of `customers`; none for a reject.
    pub version: Option<u64>,
    /// What did it.
    pub kind: Option<CommitKind>,
    /// The run or rollback.
    pub run_id: Option<String>,
    /// Its process.
    pub process: Option<String>,
    /// `registered`, `changed`, `removed` or `rejected`.
    pub change: String,
    /// The attribute; of a reject the source's column.
    pub attribute: Option<String>,
    /// Its value before.
    pub before: Option<String>,
    /// Its value after; of a reject the value that was refused.
    pub after: Option<String>,
    /// Rule and message of a reject.
    pub reason: Option<String>,
    /// The file that was read.
    pub source_file: Option<String>,
    /// Record of a reject.
    pub record_no: Option<i64>,
    /// Line of a reject.
    pub line: Option<i64>,
}

/// The columns of a trace.
#[must_use]
pub fn trace_schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let number = |name: &str| Field::new(name, DataType::Int64, true);
    let mut fields = vec![Field::new("at", timestamp(), true), number("version")];
    fields.extend(["kind", "run_id", "process", "change", "attribute"].map(text));
    fields.extend(["before", "after", "reason", "source_file"].map(text));
    fields.extend(["record_no", "line"].map(number));
    Arc::new(Schema::new(fields))
}

/// The columns of a trace that fit on a screen: when, what did it, what happened, where from.
pub const TRACE_BRIEF: [usize; 10] = [0, 3, 4, 5, 6, 7, 8, 9, 10, 12];

/// The lines as a table.
///
/// # Errors
/// None but what arrow refuses.
pub fn trace_batch(rows: &[TraceRow]) -> Result<RecordBatch> {
    let mut decoder = ReaderBuilder::new(trace_schema()).build_decoder()?;
    decoder.serialize(rows)?;
    let batch = decoder.flush()?;
    Ok(batch.unwrap_or_else(|| RecordBatch::new_empty(trace_schema())))
}

/// Everything that happened to a customer.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// Oldest first.
    pub rows: Vec<TraceRow>,
    /// What can no longer be told.
    pub notes: Vec<String>,
}

/// Everything that happened to `cid`.
///
/// # Errors
/// The instance cannot be read.
pub async fn trace(instance: &Instance, ctx: &SessionContext, cid: &str) -> Result<Trace> {
    let log = instance.customers()?;
    let latest = log.snapshot(None).await?;
    let mut follower = Follower::start(&log, ctx, &latest, cid).await?;
    let mut walk = FileWalk::at(&log, &follower.first);
    for _ in follower.first.version..latest.version {
        follower.follow(walk.next().await?).await?;
    }
    let (mut rows, notes) = (follower.rows, follower.notes);
    rows.extend(rejects(instance, ctx, cid).await?);
    rows.sort_by_key(|row| row.at);
    Ok(Trace { rows, notes })
}

/// Where the customer's row is.
#[derive(Debug)]
enum Place {
    /// In no file.
    Nowhere,
    /// In this file, with these values.
    In(FileIdentity, RecordBatch),
    /// In one of the files that are gone, or in none.
    Unknown,
}

/// Follows one customer from commit to commit.
struct Follower<'a> {
    log: &'a TableLog,
    ctx: &'a SessionContext,
    /// Has all columns that ever were.
    latest: &'a Snapshot,
    cid: &'a str,
    first: Snapshot,
    place: Place,
    rows: Vec<TraceRow>,
    notes: Vec<String>,
}

impl<'a> Follower<'a> {
    /// Stands at the first version that the log still has.
    async fn start(
        log: &'a TableLog,
        ctx: &'a SessionContext,
        latest: &'a Snapshot,
        cid: &'a str,
    ) -> Result<Self> {
        let first = match log.actions(0).await? {
            Some(_) => 0,
            None => Timeline::read(log)
                .await?
                .commits()
                .first()
                .map_or(0, |c| c.version),
        };
        let first = log.snapshot(Some(first)).await?;
        let mut follower = Self {
            log,
            ctx,
            latest,
            cid,
            first: first.clone(),
            place: Place::Nowhere,
            rows: Vec::new(),
            notes: Vec::new(),
        };
        if first.version > 0 {
            follower.notes.push(format!(
                "the log begins at version {}; what was before it is not known",
                first.version
            ));
            follower.place = follower.find(first.version, &first.files).await?;
        }
        Ok(follower)
    }

    async fn follow(&mut self, files: CommitFiles) -> Result<()> {
        if let Place::In(identity, _) = &self.place
            && !files.removed.iter().any(|file| file.identity() == *identity)
        {
            return Ok(());
        }
        if matches!(self.place, Place::Unknown) && files.added.is_empty() {
            return Ok(());
        }
        let now = self.find(files.commit.version, &files.added).await?;
        let was_unknown = matches!(self.place, Place::Unknown);
        match (&self.place, &now) {
            (Place::Nowhere, Place::In(_, row)) => {
                self.tell(&files.commit, "registered", None, Some(&row.clone()))?
            }
            (Place::In(_, old), Place::In(_, new)) => {
                let (old, new) = (old.clone(), new.clone());
                self.tell(&files.commit, "changed", Some(&old), Some(&new))?;
            }
            (Place::In(_, old), Place::Nowhere) => {
                self.tell(&files.commit, "removed", Some(&old.clone()), None)?;
            }
            _ => {}
        }
        if !(was_unknown && matches!(now, Place::Nowhere)) {
            self.place = now;
        }
        Ok(())
    }

    /// Looks for the customer in files of one version.
    async fn find(&mut self, version: u64, files: &[LiveFile]) -> Result<Place> {
        let store = self.log.store().object_store(None);
        let mut place = Place::Nowhere;
        for file in files.iter().filter(|file| file.may_hold(self.cid, self.cid)) {
            let mut is_there = !is_gone(store.as_ref(), &file.add.path).await?;
            if let Some(vector) = file.vector_path() {
                is_there &= !is_gone(store.as_ref(), &vector).await?;
            }
            if !is_there {
                self.notes.push(format!(
                    "files of version {version} were vacuumed; the values it gave are not known"
                ));
                return Ok(Place::Unknown);
            }
            if let Some(row) = self.read(file).await? {
                place = Place::In(file.identity(), row);
                break;
            }
        }
        Ok(place)
    }

    async fn read(&self, file: &LiveFile) -> Result<Option<RecordBatch>> {
        let snapshot = Snapshot {
            files: vec![file.clone()],
            ..self.latest.clone()
        };
        let table = self
            .ctx
            .read_table(Arc::new(SnapshotTable::new(Arc::new(snapshot))))?;
        let found = table
            .filter(col(CUSTOMER_ID).eq(lit(self.cid)))?
            .collect()
            .await?;
        Ok(found.into_iter().find(|batch| batch.num_rows() > 0))
    }

    /// Notes what differs between two rows.
    fn tell(
        &mut self,
        commit: &Commit,
        change: &str,
        old: Option<&RecordBatch>,
        new: Option<&RecordBatch>,
    ) -> Result<()> {
        let line = TraceRow {
            at: commit.at,
            version: Some(commit.version),
            kind: Some(commit.kind),
            run_id: commit.run_id().map(str::to_owned),
            process: commit.process().map(str::to_owned),
            change: change.to_owned(),
            source_file: commit
                .info
                .get("run")
                .and_then(|run| Some(run.get("source_file")?.as_str()?.to_owned())),
            ..TraceRow::default()
        };
        let before = self.rows.len();
        for (position, field) in self.latest.schema.fields().iter().enumerate() {
            let text = |row: Option<&RecordBatch>| match row {
                Some(row) => Texts::of(row.column(position))?.get(0),
                None => Ok(None),
            };
            let is_cell = field.name() != CUSTOMER_ID
                && match (old, new) {
                    (Some(old), Some(new)) => differ(old.column(position), new.column(position))?.value(0),
                    (Some(only), None) | (None, Some(only)) => !only.column(position).is_null(0),
                    (None, None) => false,
                };
            if is_cell {
                self.rows.push(TraceRow {
                    attribute: Some(field.name().clone()),
                    before: text(old)?,
                    after: text(new)?,
                    ..line.clone()
                });
            }
        }
        if self.rows.len() == before && change != "changed" {
            self.rows.push(line);
        }
        Ok(())
    }
}

/// The rejected records of `cid`, a line for each reason.
async fn rejects(instance: &Instance, ctx: &SessionContext, cid: &str) -> Result<Vec<TraceRow>> {
    let snapshot = instance.rejects()?.snapshot(None).await?;
    let session = crate::session::sibling(ctx);
    session.register_table("rejects", Arc::new(SnapshotTable::new(Arc::new(snapshot))))?;
    let sql = format!(
        "SELECT rejected_at, record_no, line, run_id, process, source_file, r['column_name'], r['value'], \
         concat(r['rule'], ': ', r['message']) FROM (SELECT rejected_at, record_no, line, run_id, process, source_file, \
         unnest(reasons) AS r FROM rejects WHERE customer_id = {}) ORDER BY rejected_at, record_no",
        text_literal(cid)
    );
    let mut rows = Vec::new();
    for batch in session.sql(&sql).await?.collect().await? {
        rows.extend(reject_lines(&batch)?);
    }
    Ok(rows)
}

fn reject_lines(batch: &RecordBatch) -> Result<Vec<TraceRow>> {
    let at = batch.column(0).as_primitive::<TimestampMicrosecondType>();
    let number = |position: usize, row: usize| {
        let column = batch.column(position).as_primitive::<Int64Type>();
        column.is_valid(row).then(|| column.value(row))
    };
    let texts = (3..batch.num_columns())
        .map(|position| Ok(cast(batch.column(position), &DataType::Utf8)?))
        .collect::<Result<Vec<_>>>()?;
    let text = |position: usize, row: usize| {
        let column = texts.get(position)?.as_string::<i32>();
        column.is_valid(row).then(|| column.value(row).to_owned())
    };
    let line = |row: usize| TraceRow {
        at: DateTime::from_timestamp_micros(at.value(row)),
        change: "rejected".to_owned(),
        record_no: number(1, row),
        line: number(2, row),
        run_id: text(0, row),
        process: text(1, row),
        source_file: text(2, row),
        attribute: text(3, row),
        after: text(4, row),
        reason: text(5, row),
        kind: Some(CommitKind::Run),
        ..TraceRow::default()
    };
    Ok((0..batch.num_rows()).map(line).collect())
}
