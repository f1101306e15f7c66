//! The verdicts that need all rows or the table: duplicates, set rules, unknown customers.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch, StringViewArray};
use arrow::compute::{and, filter_record_batch, is_not_null};
use arrow::datatypes::Int64Type;
use datafusion::execution::SessionState;
use datafusion::prelude::SessionContext;
use futures::{FutureExt, TryStreamExt};

use super::load::Loaded;
use super::overtaken::Overtaking;
use super::relations::{self, change_columns};
use crate::cpu;
use crate::decode::layout::BROKEN;
use crate::decode::{Layout, OpenFile};
use crate::error::{Class, Error, Result};
use crate::merge::{ChangeSet, Columns, known_records};
use crate::session::sibling;
use crate::sort::{KEY, RANGE_BYTES, RECORD_NO, ReadRows, Sorting, Unsorted};
use crate::spec::{Mode, OnDuplicate, Process};
use crate::split::{Tally, Verdicts};
use crate::stage::{BatchStore, StageBudget, StageTable};
use crate::table::schemas::CUSTOMER_ID;
use crate::table::{Snapshot, SnapshotTable};
use crate::validate::duplicates::{KeyIndex, RepeatedBatch};
use crate::validate::{Check, RecordSet, Rule, id};

/// A loaded source and everything about it that no table changes.
pub(super) struct Prepared {
    pub process: Process,
    pub layout: Layout,
    pub file: OpenFile,
    pub rules: Arc<Vec<Rule>>,
    pub loaded: Loaded,
    /// Verdicts of row rules and, under `reject_all`, of duplicates.
    pub verdicts: Verdicts,
    /// Records whose CID stands more than once.
    pub repeated: RecordSet,
    /// The highest number of a record.
    pub last_record_no: u64,
    /// Of a replay that holds records back: what finds them.
    pub overtaking: Option<Overtaking>,
}

/// What the rules say on one version of `customers`.
#[derive(Clone)]
pub(super) struct Judgement {
    pub verdicts: Verdicts,
    pub tally: Tally,
    pub changes: ChangeSet,
}

impl Prepared {
    /// Finds the records whose CID stands more than once; under `reject_all` that is their verdict.
    pub async fn find_duplicates(&mut self) -> Result<()> {
        if let Some(keys) = self.loaded.keys.take() {
            let staged = Arc::clone(&self.loaded.staged);
            self.repeated = cpu::run(move || repeated_records(keys, &staged)).await?;
        }
        if self.process.policy.on_duplicate == OnDuplicate::RejectAll {
            self.verdicts
                .add(self.number_of(id::CID_DUPLICATE), self.repeated.clone());
        }
        Ok(())
    }

    /// Whether any rule of the user's needs all columns of all records.
    pub fn has_set_rules(rules: &[Rule]) -> bool {
        rules.iter().any(|rule| rule.check == Check::UserQuery)
    }

    /// The rows that may be merged, in key order: without those that no version of the table can make acceptable,
    /// unless the table is to be asked about them too. `work_bytes` of memory are there for it.
    pub async fn sort(
        &self,
        budget: &StageBudget,
        work_bytes: usize,
        threads: usize,
        columns: Columns,
    ) -> Result<ChangeSet> {
        let staged = &self.loaded.staged;
        let wanted = change_columns(staged.schema(), &self.layout)?;
        let sorting = Sorting {
            staged: Arc::clone(staged),
            schema: Arc::new(staged.schema().project(&wanted)?),
            read: self.unsorted(wanted)?,
            sample: self.loaded.sample.clone(),
            budget: budget.clone(),
            range_bytes: RANGE_BYTES,
            work_bytes,
            threads,
        };
        Ok(ChangeSet::of(sorting.run().await?, columns))
    }

    /// Reads the columns `wanted` of staged batches, and which of their rows may be merged.
    fn unsorted(&self, wanted: Vec<usize>) -> Result<ReadRows> {
        let (staged, verdicts) = (Arc::clone(&self.loaded.staged), self.verdicts.clone());
        let needs_all =
            self.process.mode == Mode::Update || self.process.policy.on_duplicate != OnDuplicate::RejectAll;
        let mut read = wanted.clone();
        read.push(staged.schema().index_of(BROKEN)?);
        read.sort_unstable();
        let in_read = |column: &usize| read.binary_search(column).unwrap_or(0);
        let wanted: Vec<usize> = wanted.iter().map(in_read).collect();
        Ok(Arc::new(move |number| {
            let batch = staged.read_columns(number, &read)?;
            let rows = batch.project(&wanted)?;
            let mut keep = is_not_null(rows.column(KEY))?;
            if !needs_all {
                keep = and(&keep, &acceptable(&batch, &verdicts)?)?;
            }
            Ok(Unsorted {
                rows: keep.values().set_indices_u32().collect(),
                batch: rows,
            })
        }))
    }

    /// Asks everything that depends on the table, on `snapshot`.
    pub async fn judge(
        &self,
        ctx: &SessionContext,
        snapshot: &Arc<Snapshot>,
        sorted: &ChangeSet,
        threads: usize,
    ) -> Result<Judgement> {
        let mut verdicts = self.verdicts.clone();
        if Self::has_set_rules(&self.rules) {
            let session = self.session(ctx).await?;
            session.register_table(
                "customers",
                Arc::new(SnapshotTable::new(self.with_attributes(snapshot))),
            )?;
            for (number, found) in self
                .query_rules(&session, |rule| rule.check == Check::UserQuery)
                .await?
            {
                verdicts.add(number, found);
            }
        }
        if self.process.mode == Mode::Update {
            let unknown = self.unknown(&ctx.state(), snapshot, sorted, threads).await?;
            verdicts.add(self.number_of(id::CID_UNKNOWN), unknown);
        }
        if let Some(overtaking) = &self.overtaking {
            let overtaken = overtaking.records(ctx, snapshot, sorted, threads).boxed().await?;
            verdicts.add(self.number_of(id::CID_OVERTAKEN), overtaken);
        }
        if self.process.policy.on_duplicate != OnDuplicate::RejectAll {
            let losers = self.losers(ctx, &verdicts).await?;
            verdicts.add(self.number_of(id::CID_DUPLICATE), losers);
        }
        let tally = verdicts.tally(&self.loaded.staged, self.loaded.malformed.num_rows() as u64)?;
        let changes = sorted.without(Arc::clone(&tally.rejected));
        Ok(Judgement {
            verdicts,
            tally,
            changes,
        })
    }

    /// A session in which `incoming` and `records` are this source.
    async fn session(&self, ctx: &SessionContext) -> Result<SessionContext> {
        let session = sibling(ctx);
        relations::register(&session, &self.loaded, &self.layout, &self.file).await?;
        Ok(session)
    }

    /// The table as rules see it: the attributes of a draft, which reserves none, read as NULL too.
    fn with_attributes(&self, snapshot: &Arc<Snapshot>) -> Arc<Snapshot> {
        Arc::new(snapshot.with_fields(&crate::plan::table_fields(&self.process, &self.layout)))
    }

    async fn query_rules(
        &self,
        session: &SessionContext,
        wanted: impl Fn(&Rule) -> bool,
    ) -> Result<Vec<(u16, RecordSet)>> {
        let mut found = Vec::new();
        for (number, rule) in self.rules.iter().enumerate().filter(|(_, rule)| wanted(rule)) {
            let records = self
                .query(session, rule)
                .await
                .map_err(|error| match rule.check {
                    Check::UserQuery => Error::new(Class::Usage, format!("the set rule {} failed", rule.id))
                        .because(error)
                        .hint("try it: paste it into `sluice sql` after `sluice rules` has shown it"),
                    _ => error,
                })?;
            found.push((number as u16, records));
        }
        Ok(found)
    }

    async fn query(&self, session: &SessionContext, rule: &Rule) -> Result<RecordSet> {
        let mut records = RecordSet::default();
        let query = session
            .sql_with_options(&rule.sql, crate::sql::read_only())
            .await?;
        let mut rows = query.execute_stream().await?;
        while let Some(batch) = rows.try_next().await? {
            records.extend_from(&batch, self.last_record_no)?;
        }
        Ok(records)
    }

    /// Records with a CID that no customer has.
    async fn unknown(
        &self,
        state: &SessionState,
        snapshot: &Arc<Snapshot>,
        sorted: &ChangeSet,
        threads: usize,
    ) -> Result<RecordSet> {
        let known = known_records(state, snapshot, sorted, threads).await?;
        let mut unknown = RecordSet::default();
        for number in 0..sorted.num_batches() {
            let batch = sorted.batch_without(number, &known)?;
            let records = batch.column(RECORD_NO).as_primitive::<Int64Type>();
            for record in records.values() {
                unknown.insert(record.unsigned_abs());
            }
        }
        Ok(unknown)
    }

    /// Under `keep_first` and `keep_last`: the repeated records but the kept ones.
    async fn losers(&self, ctx: &SessionContext, verdicts: &Verdicts) -> Result<RecordSet> {
        let session = sibling(ctx);
        let staged = &self.loaded.staged;
        let wanted = change_columns(staged.schema(), &self.layout)?;
        let schema = Arc::new(staged.schema().project(&wanted)?);
        let verdicts = verdicts.clone();
        let derive = move |batch: &RecordBatch, asked: &[usize]| -> Result<RecordBatch> {
            Ok(
                filter_record_batch(&batch.project(&wanted)?, &acceptable(batch, &verdicts)?)?
                    .project(asked)?,
            )
        };
        let passing = StageTable::derived(Arc::clone(staged), schema, Arc::new(derive));
        session.register_table("passing", Arc::new(passing))?;
        let which = if self.process.policy.on_duplicate == OnDuplicate::KeepFirst {
            "min"
        } else {
            "max"
        };
        let sql = format!(
            "SELECT {which}(record_no) FROM passing WHERE {CUSTOMER_ID} IS NOT NULL GROUP BY {CUSTOMER_ID}"
        );
        let mut kept = RecordSet::default();
        let mut rows = session.sql(&sql).await?.execute_stream().await?;
        while let Some(batch) = rows.try_next().await? {
            kept.extend_from(&batch, self.last_record_no)?;
        }
        Ok(self.repeated.without(&kept))
    }

    fn number_of(&self, id: &str) -> u16 {
        self.rules.iter().position(|rule| rule.id == id).unwrap_or(0) as u16
    }
}

/// The records whose key stands more than once: what the rule's SQL would find, by the index that the load made.
fn repeated_records(keys: KeyIndex, staged: &BatchStore) -> Result<RecordSet> {
    let key = staged.schema().index_of(CUSTOMER_ID)?;
    let key_column = |batch: u32| -> Result<StringViewArray> {
        let batch = staged.read_columns(batch as usize, &[key])?;
        Ok(batch.column(0).as_string_view().clone())
    };
    let mut records = RecordSet::default();
    for RepeatedBatch { batch, rows } in keys.repeated(key_column)?.batches {
        let batch = staged.read_columns(batch as usize, &[0])?;
        let numbers = batch.column(0).as_primitive::<Int64Type>().values();
        for repeated in rows {
            if let Some(number) = numbers.get(repeated.row as usize) {
                records.insert(number.unsigned_abs());
            }
        }
    }
    Ok(records)
}

/// The rows of a staged batch that nothing known so far rejects.
fn acceptable(batch: &RecordBatch, verdicts: &Verdicts) -> Result<BooleanArray> {
    let mut acceptable = vec![true; batch.num_rows()];
    verdicts.each_broken(batch, |row, _, rules| {
        if let Some(slot) = acceptable.get_mut(row) {
            *slot = !verdicts.rejects(rules);
        }
        Ok(())
    })?;
    Ok(BooleanArray::from(acceptable))
}
