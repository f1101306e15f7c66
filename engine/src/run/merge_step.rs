//! Plan 2 and its commit, again on the new version whenever another writer was faster.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema};
use datafusion::prelude::SessionContext;
use deltalake_core::kernel::{Action, MetadataExt, StructType};
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::{Value, json};

use super::guard::{self, GuardReading, heed};
use super::judge::{Judgement, Prepared};
use super::reject_step::{CommittedRows, commit_rejects};
use super::repeat::{self, CONTENT};
use super::replay_step::commit_replayed;
use super::request::{Effect, Extent, Guards, Phases, Watch};
use crate::commit::{Commit, CommitOutcome, Txn, allows_vectors, commit};
use crate::decode::{ColumnNames, OpenFile};
use crate::error::{Error, Result};
use crate::ids::is_written_by;
use crate::instance::Instance;
use crate::merge::{
    Apply, Attempt, ChangeSet, MergeFacts, MergeJob, Preference, Repeated, Room, Strategy, Vectors,
};
use crate::plan::table_fields;
use crate::process::{check_ownership, with_reserved};
use crate::report::{RunRecord, RunStatus};
use crate::settings::Settings;
use crate::spec::{DeletionVectors, MergeStrategy, Mode, NoneAccepted, RejectBudget};
use crate::split::{RejectOrigin, Tally};
use crate::table::{Snapshot, TableLog};

/// Lost races after which a run gives up.
const ATTEMPTS: usize = 50;

/// What the end of a run needs to know.
pub(super) struct Merging<'a> {
    pub instance: &'a Instance,
    pub settings: &'a Settings,
    pub ctx: &'a SessionContext,
    pub prepared: &'a Prepared,
    pub sorted: &'a ChangeSet,
    pub effect: Effect,
    pub budget: RejectBudget,
    pub origin: RejectOrigin,
    /// Identity of the source, for exactly-once; a query has none.
    pub identity: Option<String>,
    /// Of a replay: the run whose rejects it judges again.
    pub parent: Option<&'a str>,
    /// Whether a guard may stop it.
    pub guards: Guards,
    /// How much of the source was read.
    pub extent: Extent,
}

impl Merging<'_> {
    /// Judges, keeps rejects, merges and commits. Fills in `record` and what the guards read.
    pub async fn run(
        &self,
        record: &mut RunRecord,
        readings: &mut Vec<GuardReading>,
        phases: &mut Phases,
    ) -> Result<MergeFacts> {
        let log = self.instance.customers()?;
        let mut rejects = CommittedRows::default();
        let mut last: Option<Judgement> = None;
        let mut attempt: Option<Attempt> = None;
        // Without turns, a run among eight that never rest is overtaken fifty times in a row about once in 800 runs.
        let mut turn = None;
        for _ in 0..ATTEMPTS {
            let current = Arc::new(log.snapshot(None).await?);
            record.version_before = Some(current.version);
            self.check_number(&log, &current, record.run_no).await?;
            check_ownership(self.instance, &self.prepared.process, &current).await?;
            let visible = Arc::new(with_reserved(self.instance, &current).await?);
            let judge = self
                .prepared
                .judge(self.ctx, &visible, self.sorted, self.settings.threads);
            let judgement = phases.stoppable("judge", judge).await?;
            counted(record, &judgement.tally);
            if self.effect == Effect::Merge && last.as_ref().is_none_or(|last| differs(last, &judgement)) {
                let watch = phases.watch().clone();
                rejects = phases
                    .time("commit", self.note(&judgement, rejects, &watch))
                    .await?;
            }
            self.check_budget(&judgement.tally)?;
            *readings = self.guard_rows(&log, &judgement.tally).await?;
            self.heed(readings)?;
            if !self.effect.compares() {
                return Ok(MergeFacts::default());
            }
            let content = self.content(&judgement.tally);
            let merged = phases
                .stoppable(
                    "merge",
                    self.merge(&current, &judgement, attempt, content.as_deref()),
                )
                .await?;
            let facts = &merged.facts;
            self.balanced(record, facts, &judgement.tally)?;
            let guard = &self.prepared.process.guard;
            readings.extend(guard::cells(guard, self.ctx, &current, &facts.cells()).await?);
            self.heed(readings)?;
            if self.effect != Effect::Merge {
                return Ok(merged.facts);
            }
            super::faults::point("files_written");
            match phases
                .time("commit", self.commit(&log, &current, facts, record, content))
                .await?
            {
                CommitOutcome::Committed { version } => {
                    record.version_after = Some(version);
                    super::faults::point("customers_committed");
                    return Ok(merged.facts);
                }
                CommitOutcome::Lost => {}
            }
            if turn.is_none() {
                let wait = async { Ok(self.instance.turn().await) };
                turn = Some(phases.stoppable("commit", wait).await?);
            }
            let is_redone = merged.facts.repeats.is_some();
            (last, attempt) = (Some(judgement), Some(merged).filter(|_| !is_redone));
        }
        Err(Error::conflict(format!("other runs were faster {ATTEMPTS} times in a row")).hint("run it again"))
    }

    /// What the guard of rows reads; a replay and a sample have no number of rows to compare.
    async fn guard_rows(&self, log: &TableLog, tally: &Tally) -> Result<Vec<GuardReading>> {
        if self.parent.is_some() || self.extent != Extent::Whole {
            return Ok(Vec::new());
        }
        let process = &self.prepared.process;
        let reading = guard::row_drop(&process.guard, log, &process.name, tally.rows_read).await?;
        Ok(reading.into_iter().collect())
    }

    fn heed(&self, readings: &[GuardReading]) -> Result<()> {
        match self.guards {
            Guards::Heeded => heed(readings, self.kept()),
            Guards::Overruled => Ok(()),
        }
    }

    /// What a run that fails leaves.
    fn kept(&self) -> &'static str {
        match self.effect {
            Effect::Merge => "no customer was changed; the rejects are kept: sluice rejects --by-rule",
            Effect::DryRun | Effect::Explain => "nothing; this was a dry run",
        }
    }

    /// Keeps the rejects, or of a replay, which leaves them where they are, what became of them.
    async fn note(
        &self,
        judgement: &Judgement,
        before: CommittedRows,
        watch: &Watch,
    ) -> Result<CommittedRows> {
        let (instance, prepared, origin) = (self.instance, self.prepared, &self.origin);
        match self.parent {
            None => commit_rejects(instance, prepared, judgement, origin, before, watch).await,
            Some(parent) => commit_replayed(instance, prepared, judgement, (parent, origin), before).await,
        }
    }

    /// What is merged, for runs to come; `None` of a sample, a replay or a run that merges nothing.
    fn content(&self, tally: &Tally) -> Option<String> {
        let is_whole = self.extent == Extent::Whole && self.parent.is_none();
        let is_merged = self.effect == Effect::Merge && is_whole;
        is_merged.then(|| repeat::content(self.prepared, self.sorted, tally))?
    }

    /// Merges into `current`; after a lost race, what of the attempt `before` it no longer holds.
    async fn merge(
        &self,
        current: &Snapshot,
        judgement: &Judgement,
        before: Option<Attempt>,
        content: Option<&str>,
    ) -> Result<Attempt> {
        let (job, threads) = (Arc::new(self.job(current, judgement)), self.settings.threads);
        let made = match before {
            None => self.made_before(current, content).await?,
            Some(_) => None,
        };
        let merged = match (before, made) {
            (Some(before), _) => before.again(job, threads).await?,
            (None, Some(made)) => Attempt::repeated(job, made, judgement.tally.rows_accepted()),
            (None, None) => Attempt::first(job, threads).await?,
        };
        if merged.facts.rows_inserted > 0 && self.prepared.process.mode == Mode::Update {
            return Err(Error::runtime(
                "an accepted record of a run in mode update met no customer",
            ));
        }
        Ok(merged)
    }

    /// The run that made `current` what this one would make it.
    async fn made_before(&self, current: &Snapshot, content: Option<&str>) -> Result<Option<Repeated>> {
        let Some(content) = content else { return Ok(None) };
        let log = self.instance.customers()?;
        repeat::made_before(&log, current.version, &self.prepared.process.name, content).await
    }

    fn job(&self, current: &Snapshot, judgement: &Judgement) -> MergeJob {
        let fields = self.new_fields(current);
        let config = self.instance.config();
        MergeJob {
            changes: judgement.changes.clone(),
            snapshot: Arc::new(current.with_fields(&fields)),
            run_id: self.origin.run_id.clone(),
            apply: match self.effect {
                Effect::Merge => Apply::Write,
                Effect::DryRun | Effect::Explain => Apply::CountOnly,
            },
            deletion_timestamp_ms: chrono::Utc::now().timestamp_millis(),
            session: self.ctx.state(),
            vectors: match config.defaults.deletion_vectors {
                DeletionVectors::On if allows_vectors(current) => Vectors::Allowed {
                    max_overlapping_files: config.maintenance.overlap_files,
                },
                _ => Vectors::Forbidden,
            },
            preference: preference(config.defaults.merge),
            room: Arc::new(Room::of(self.settings.memory_bytes / 5)),
        }
    }

    /// The attributes that this run adds to the table.
    fn new_fields(&self, current: &Snapshot) -> Vec<FieldRef> {
        let fields = table_fields(&self.prepared.process, &self.prepared.layout).into_iter();
        let missing = fields.filter(|field| current.schema.field_with_name(field.name()).is_err());
        let since = (current.version + 1).to_string();
        missing
            .map(|field| {
                let mut metadata = field.metadata().clone();
                metadata.insert("sluice.since_version".to_owned(), since.clone());
                Arc::new(field.as_ref().clone().with_metadata(metadata))
            })
            .collect()
    }

    async fn commit(
        &self,
        log: &TableLog,
        current: &Snapshot,
        facts: &MergeFacts,
        record: &RunRecord,
        content: Option<String>,
    ) -> Result<CommitOutcome> {
        let mut actions: Vec<Action> = Vec::new();
        let fields = self.new_fields(current);
        if !fields.is_empty() {
            let metadata = current.metadata.clone().with_schema(&evolved(current, fields)?);
            actions.push(Action::Metadata(
                metadata.map_err(deltalake_core::DeltaTableError::from)?,
            ));
        }
        actions.extend(facts.actions().map(Action::from));
        let mut ended = record.clone();
        ended.version_after = Some(current.version + 1);
        ended.end(merged_status(record));
        let mut info = HashMap::from([
            ("run_id".to_owned(), Value::from(record.run_id.as_str())),
            ("process".to_owned(), Value::from(record.process.as_str())),
            ("source_identity".to_owned(), Value::from(self.identity.clone())),
            ("run".to_owned(), serde_json::to_value(&ended)?),
        ]);
        info.extend(content.map(|content| (CONTENT.to_owned(), Value::from(content))));
        let txn = Some(Txn {
            application: record.process.clone(),
            number: record.run_no,
        });
        commit(log, current, Commit { actions, info, txn }).await
    }

    /// A number that another run committed under means that two runs hold it.
    async fn check_number(&self, log: &TableLog, current: &Snapshot, run_no: i64) -> Result<()> {
        if self.effect != Effect::Merge {
            return Ok(());
        }
        let name = self.prepared.process.name.as_str();
        let committed = current
            .base
            .transaction_version(log.store().as_ref(), name)
            .await?;
        match committed {
            Some(number) if number >= run_no => Err(Error::conflict(format!(
                "run {number} of {name} is committed already; this is run {run_no}"
            ))
            .hint("another instance of Sluice lost its state file, or runs this process too; run it again")),
            _ => Ok(()),
        }
    }

    fn check_budget(&self, tally: &Tally) -> Result<()> {
        let kept = self.kept();
        let Tally {
            rows_rejected,
            rows_read,
            ..
        } = tally;
        if self.budget.is_exceeded(*rows_rejected, *rows_read) {
            let message = format!(
                "{rows_rejected} of {rows_read} records were rejected, over the budget of {}",
                self.budget
            );
            return Err(Error::data("budget_exceeded", message)
                .wrote(kept)
                .hint("mend the file, or raise --max-rejects"));
        }
        if rows_rejected == rows_read
            && *rows_read > 0
            && self.prepared.process.policy.allow_none == NoneAccepted::Fails
            && self.parent.is_none()
        {
            let message = format!("none of the {rows_read} records was accepted");
            return Err(Error::data("none_accepted", message)
                .wrote(kept)
                .hint("see why with: sluice rejects --by-rule"));
        }
        Ok(())
    }

    /// The books must balance before anything is committed.
    fn balanced(&self, record: &mut RunRecord, facts: &MergeFacts, tally: &Tally) -> Result<()> {
        record.rows_inserted = Some(facts.rows_inserted);
        record.rows_updated = Some(facts.rows_updated());
        record.rows_unchanged = Some(facts.rows_unchanged());
        let cells = facts.cells();
        record.cells_changed = Some(cells.iter().map(|c| c.cells_changed).sum());
        record.cells_cleared = Some(cells.iter().map(|c| c.cells_cleared).sum());
        let accepted = tally.rows_accepted();
        let merged = facts.rows_inserted + facts.rows_updated() + facts.rows_unchanged();
        if accepted == merged {
            return Ok(());
        }
        Err(Error::runtime(format!(
            "the books do not balance: {accepted} records accepted, {merged} merged"
        ))
        .wrote("no customer was changed"))
    }
}

fn preference(configured: MergeStrategy) -> Preference {
    match configured {
        MergeStrategy::Auto => Preference::Cheapest,
        MergeStrategy::DeletionVector => Preference::Always(Strategy::DeletionVector),
        MergeStrategy::Splice => Preference::Always(Strategy::Splice),
        MergeStrategy::Rewrite => Preference::Always(Strategy::Rewrite),
    }
}

/// How a run that merged ends.
pub(super) fn merged_status(record: &RunRecord) -> RunStatus {
    if record.rows_rejected.unwrap_or(0) > 0 {
        RunStatus::CompletedWithRejects
    } else {
        RunStatus::Completed
    }
}

fn counted(record: &mut RunRecord, tally: &Tally) {
    record.rows_read = Some(tally.rows_read);
    record.rows_rejected = Some(tally.rows_rejected);
    record.rows_accepted = Some(tally.rows_accepted());
    record.rows_warned = Some(tally.rows_warned);
    record.rule_counts = tally.rule_counts.clone();
}

fn differs(a: &Judgement, b: &Judgement) -> bool {
    a.tally.rule_counts != b.tally.rule_counts || a.tally.rejected != b.tally.rejected
}

/// The log's own schema and the new columns after it.
fn evolved(current: &Snapshot, fields: Vec<FieldRef>) -> Result<StructType> {
    let added = crate::table::kernel_schema(&Schema::new(fields))?;
    let all = current
        .base
        .schema()
        .fields()
        .cloned()
        .chain(added.fields().cloned())
        .collect::<Vec<_>>();
    StructType::try_new(all).map_err(|e| Error::runtime("the new columns do not fit the table").because(e))
}

/// Deletes what a run wrote to a table and did not commit: files of data and of deletion vectors that carry its name
/// and are not live.
///
/// # Errors
/// The store failed.
pub(crate) async fn discard_files(log: &TableLog, run_id: &str) -> Result<()> {
    let mut live = HashSet::new();
    for file in log.snapshot(None).await?.files {
        live.extend(file.vector_path());
        live.insert(file.add.path);
    }
    let store = log.store().object_store(None);
    for file in store.list_with_delimiter(None).await?.objects {
        let name = file.location.as_ref();
        if is_written_by(run_id, name) && !live.contains(name) {
            store.delete(&file.location).await?;
        }
    }
    Ok(())
}

/// What a source looks like, as JSON.
pub(super) fn source_format(file: &OpenFile) -> String {
    let dialect = &file.options.dialect;
    json!({
        "format": file.format().word(),
        "compression": file.text().map(|text| text.compression.name()),
        "encoding": file.text().map(|text| text.encoding.name()),
        "delimiter": String::from_utf8_lossy(dialect.delimiter.as_bytes()),
        "quote": dialect.quote.map(|q| char::from(q).to_string()),
        "header": file.header.columns,
        "names": match file.options.names {
            ColumnNames::Header => "header",
            ColumnNames::Numbered => "numbered",
            ColumnNames::Given(_) => "given",
        },
    })
    .to_string()
}
