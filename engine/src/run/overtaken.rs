//! Which replayed records another run of the process has overtaken: it wrote their customer after them.
//!
//! ```text
//!   run 1   C1 rejected   C2 rejected   C3 rejected
//!   run 2   C1 changed    C2 sent       C3 not sent
//!                         as it was
//!   replay  overtaken     overtaken     written
//!   of 1    (changes)     (cannot be
//!                         told from C3)
//! ```
//!
//! A run leaves no trace of a customer that it sent as it was. So of a run that sent any such, every customer that is
//! there now counts as sent: a record too many is held back and said, none is written over something newer.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::prelude::{SessionContext, col, lit};
use futures::{FutureExt, TryStreamExt};

use crate::error::{Class, Result};
use crate::history::{self, Commit, CommitKind, Timeline};
use crate::merge::{ChangeSet, known_records};
use crate::session::sibling;
use crate::sort::{KEY, RECORD_NO};
use crate::table::schemas::CUSTOMER_ID;
use crate::table::{Snapshot, TableLog};
use crate::validate::{Check, RecordSet, Rule, Severity, id};

/// The customers of records by number, hashed.
pub(super) type Known = HashMap<u64, u64>;

/// The hash of a customer id in [`Known`].
pub(super) fn key_hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// The rule that overtaken records break.
pub(super) fn rule(key: &str) -> Rule {
    Rule {
        id: id::CID_OVERTAKEN.to_owned(),
        column: Some(key.to_owned()),
        check: Check::Query,
        sql: "-- records of a replay whose customer another run of the process may have written later"
            .to_owned(),
        severity: Severity::Reject,
        message: "another run may have written this customer since".to_owned(),
    }
}

/// What finds overtaken records.
#[derive(Clone)]
pub(super) struct Overtaking {
    /// The log of `customers`.
    pub log: TableLog,
    /// The run that rejected the records.
    pub parent: String,
    /// Its process.
    pub process: String,
    /// Records of customers that the run itself cannot have written in another record, and these customers.
    pub known: Known,
    /// The rejects and what became of them.
    pub states: SessionContext,
}

/// The replayed records.
struct Replayed {
    by_key: HashMap<Box<str>, Vec<u64>>,
    hashes: Known,
}

impl Overtaking {
    /// The records of `sorted` that were overtaken, as seen from `snapshot`.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn records(
        &self,
        ctx: &SessionContext,
        snapshot: &Arc<Snapshot>,
        sorted: &ChangeSet,
        threads: usize,
    ) -> Result<RecordSet> {
        let timeline = Timeline::back_to(&self.log, |commit| commit.run_id() == Some(&self.parent)).await?;
        let replayed = Replayed::of(sorted)?;
        let there = known_records(&ctx.state(), snapshot, sorted, threads).await?;
        if timeline.of_run(&self.parent).is_none() {
            // The log no longer reaches back to the run.
            return Ok(there);
        }
        let undone = timeline.undone();
        let mut overtaken = RecordSet::default();
        for commit in timeline.commits() {
            let is_ours = commit.kind == CommitKind::Run && commit.process() == Some(&self.process);
            let Some(run_id) = commit.run_id().filter(|id| is_ours && undone.by(id).is_none()) else {
                continue;
            };
            let written = self.written(ctx, commit, run_id, &replayed).await?;
            let written = written.as_ref().unwrap_or(&there);
            for record in written.within(0..=replayed.last()) {
                let is_own = run_id == self.parent && self.stood_alone(record, &replayed);
                if !is_own {
                    overtaken.insert(record);
                }
            }
        }
        Ok(overtaken)
    }

    /// Whether the run that rejected the record cannot have written its customer: duplicates are rejected together.
    fn stood_alone(&self, record: u64, replayed: &Replayed) -> bool {
        self.known
            .get(&record)
            .is_some_and(|then| replayed.hashes.get(&record) == Some(then))
    }

    /// The records whose customer the run wrote; `None` where that cannot be told.
    async fn written(
        &self,
        ctx: &SessionContext,
        commit: &Commit,
        run_id: &str,
        replayed: &Replayed,
    ) -> Result<Option<RecordSet>> {
        let count = |key: &str| commit.info.get("run").and_then(|run| run.get(key)?.as_u64());
        let mut written = RecordSet::default();
        if count("rows_unchanged") != Some(0) {
            let Some(records) = self.of_replay(run_id, count("rows_accepted"), replayed).await? else {
                return Ok(None);
            };
            written = records;
        }
        let session = sibling(ctx);
        let changes = match history::changes(&self.log, &ctx.state(), run_id).boxed().await {
            Ok(changes) => changes,
            // Its files were vacuumed.
            Err(error) if error.class() == Class::Usage => return Ok(None),
            Err(error) => return Err(error),
        };
        let rows = session.read_table(changes)?.select_columns(&[CUSTOMER_ID])?;
        let mut rows = rows.execute_stream().await?;
        while let Some(batch) = rows.try_next().await? {
            for key in batch.column(0).as_string_view().iter().flatten() {
                replayed.add(key, &mut written);
            }
        }
        Ok(Some(written))
    }

    /// Of a replay, events say which records it wrote; `None` for another run, or where it wrote a record that had no
    /// customer when it was rejected.
    async fn of_replay(
        &self,
        run_id: &str,
        accepted_rows: Option<u64>,
        replayed: &Replayed,
    ) -> Result<Option<RecordSet>> {
        let rows = self.states.table("reject_states").await?;
        let rows = rows.filter(col("state_by").eq(lit(run_id)))?;
        let rows = rows.filter(col(CUSTOMER_ID).is_not_null())?;
        let (mut written, mut num_rows) = (RecordSet::default(), 0);
        for batch in rows.select_columns(&[CUSTOMER_ID])?.collect().await? {
            let keys = cast(batch.column(0), &DataType::Utf8View)?;
            num_rows += batch.num_rows() as u64;
            for key in keys.as_string_view().iter().flatten() {
                replayed.add(key, &mut written);
            }
        }
        Ok((accepted_rows == Some(num_rows)).then_some(written))
    }
}

impl Replayed {
    fn of(sorted: &ChangeSet) -> Result<Self> {
        let (mut by_key, mut hashes): (HashMap<Box<str>, Vec<u64>>, Known) = Default::default();
        for number in 0..sorted.num_batches() {
            let batch = sorted.batch(number)?;
            let records = batch.column(RECORD_NO).as_primitive::<Int64Type>().values();
            let keys = batch.column(KEY).as_string_view();
            for (key, record) in keys.iter().zip(records) {
                let (key, record) = (key.unwrap_or_default(), record.unsigned_abs());
                by_key.entry(key.into()).or_default().push(record);
                hashes.insert(record, key_hash(key));
            }
        }
        Ok(Self { by_key, hashes })
    }

    fn add(&self, key: &str, records: &mut RecordSet) {
        for record in self.by_key.get(key).into_iter().flatten() {
            records.insert(*record);
        }
    }

    fn last(&self) -> u64 {
        self.hashes.keys().max().copied().unwrap_or(0)
    }
}
