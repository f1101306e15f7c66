//! The coordinator: leases, order, and how a run ends.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::common::runtime::SpawnedTask;
use datafusion::prelude::SessionContext;
use futures::FutureExt;

use super::guard::GuardReading;
use super::judge::{Judgement, Prepared};
use super::load::{Loading, Staging, load};
use super::merge_step::{Merging, discard_files, merged_status, source_format};
use super::overtaken::{self, Known, Overtaking};
use super::replay::{KeptSource, Parent, Selecting, Which, parent};
use super::request::{Effect, Extent, Overtaken, Phases, Repeat, Report, RunRequest, Watch};
use super::settle::{messages, settle};
use crate::decode::OpenFile;
use crate::error::{Class, Error, Result};
use crate::history::standing_run;
use crate::ids;
use crate::instance::{Instance, all};
use crate::merge::{AttributeCells, ChangeSet, MergeSummary};
use crate::plan::{catalogue, changes_columns, layout, read_options};
use crate::process::{self, Holder, ProcessState, StateFile, renewal_pause};
use crate::report::{RunRecord, RunStatus, append_run};
use crate::session::new_session;
use crate::settings::Settings;
use crate::source::{SourceFile, Sources, blocking, typed_url};
use crate::spec::{Mode, Process, RejectBudget, Strictness};
use crate::split::{RejectOrigin, Verdicts};
use crate::stage::{BatchStore, StageBudget};
use crate::validate::id::CID_OVERTAKEN;
use crate::validate::{RecordSet, Rule};

/// Makes one run. A run that fails is a [`Report`] with an error; only where there was no run is there an `Err`.
///
/// # Errors
/// The process does not exist, has problems, is not ready to run, or is running.
pub async fn run(
    instance: &Instance,
    settings: &Settings,
    request: RunRequest,
    watch: &Watch,
) -> Result<Report> {
    let process = process::check(instance, &request.process).await?;
    let state_file = StateFile::of(instance, &request.process);
    settle(instance, &request.process).await?;
    let parent = match &request.replay {
        Some(replay) => Some(parent(instance, &request.process, replay).await?),
        None => None,
    };
    let mut record = match request.effect {
        Effect::DryRun | Effect::Explain => {
            RunRecord::started(ids::new_run_id(), &process.name, 0, request.trigger.word())
        }
        Effect::Merge => take_lease(&state_file, &process, &request).await?,
    };
    record.mode = process.mode.to_string();
    record.definition_hash = process.hash.clone();
    record.parent_run_id = parent.as_ref().map(|parent| parent.run_id.clone());
    super::faults::point("lease_taken");
    let mut attempt = Attempt::new(instance, settings, &request, process, record, (watch, parent));
    let run_id = attempt.record.run_id.clone();
    let renewal = (request.effect == Effect::Merge).then(|| renew(state_file.clone(), run_id));
    let ended = attempt.run().await;
    let report = attempt.end(ended, &state_file).await;
    drop(renewal);
    report
}

/// What a run would make of its records.
pub(super) struct Judged {
    /// The run, as far as it is known.
    pub record: RunRecord,
    /// Its records.
    pub prepared: Prepared,
    /// What the rules say.
    pub judgement: Judgement,
}

/// Judges what a run would read, and writes nothing; of `parent` its rejects. None if there is nothing to judge.
///
/// # Errors
/// The source or a table cannot be read.
pub(super) async fn judge_again(
    instance: &Instance,
    settings: &Settings,
    request: &RunRequest,
    parent: Option<Parent>,
    watch: &Watch,
) -> Result<Option<Judged>> {
    let process = process::check(instance, &request.process).await?;
    let record = RunRecord::started(ids::new_run_id(), &process.name, 0, request.trigger.word());
    let mut attempt = Attempt::new(instance, settings, request, process, record, (watch, parent));
    attempt.which = Which::Kept;
    attempt.judge().await
}

/// Takes the lease and with it the run's number.
async fn take_lease(file: &StateFile, process: &Process, request: &RunRequest) -> Result<RunRecord> {
    let taken = file.update(|state| {
        let (run_id, holder) = (ids::new_run_id(), Holder::this());
        let term = file.lease_term();
        state.begin(&process.name, run_id, request.trigger, holder, term, Utc::now())
    });
    let lease = taken.await?;
    Ok(RunRecord::started(
        lease.run_id,
        &process.name,
        lease.run_no,
        &lease.trigger,
    ))
}

/// Keeps the run's lease alive until dropped.
fn renew(file: StateFile, run_id: String) -> SpawnedTask<()> {
    SpawnedTask::spawn(async move {
        let term = file.lease_term();
        loop {
            tokio::time::sleep(renewal_pause(term)).await;
            // A renewal that fails is tried again; several may fail before the lease lapses.
            let renewed = file.update(|state| {
                if let Some(lease) = state.lease.as_mut().filter(|lease| lease.run_id == run_id) {
                    lease.renew(term, Utc::now());
                }
                Ok(())
            });
            let _ = renewed.await;
        }
    })
}

/// Whether the lease is the run's.
fn holds(state: &ProcessState, run_id: &str) -> bool {
    state.lease.as_ref().is_some_and(|lease| lease.run_id == run_id)
}

/// What a run reads.
enum Input {
    /// A source.
    File(OpenFile),
    /// Rejects of another run.
    Kept(KeptSource),
}

/// One run under way.
struct Attempt<'a> {
    instance: &'a Instance,
    settings: &'a Settings,
    request: &'a RunRequest,
    process: Process,
    record: RunRecord,
    phases: Phases,
    attributes: Vec<AttributeCells>,
    guards: Vec<GuardReading>,
    merge: MergeSummary,
    warnings: Vec<String>,
    identity: Option<String>,
    columns: Option<Vec<String>>,
    /// Of a replay: the run whose rejects it reads.
    parent: Option<Parent>,
    /// Which of them.
    which: Which,
}

impl<'a> Attempt<'a> {
    fn new(
        instance: &'a Instance,
        settings: &'a Settings,
        request: &'a RunRequest,
        process: Process,
        record: RunRecord,
        (watch, parent): (&Watch, Option<Parent>),
    ) -> Self {
        Self {
            instance,
            settings,
            request,
            process,
            record,
            phases: Phases::new(watch),
            attributes: Vec::new(),
            guards: Vec::new(),
            merge: MergeSummary::default(),
            warnings: Vec::new(),
            identity: None,
            columns: None,
            parent,
            which: Which::Open,
        }
    }

    async fn judge(&mut self) -> Result<Option<Judged>> {
        let budget = StageBudget::new(self.settings.memory_bytes / 5 * 2, std::env::temp_dir());
        let Some(input) = self.input(&budget).await? else {
            return Ok(None);
        };
        let ctx = new_session(self.settings, self.settings.memory_bytes / 5 * 2)?;
        let prepared = self.prepare(&ctx, input, &budget).await?;
        let sorted = self.sort(&budget, &prepared).await?;
        let current = Arc::new(self.instance.customers()?.snapshot(None).await?);
        let visible = Arc::new(process::with_reserved(self.instance, &current).await?);
        let judging = prepared.judge(&ctx, &visible, &sorted, self.settings.threads);
        let judgement = self.phases.stoppable("judge", judging).await?;
        Ok(Some(Judged {
            record: self.record.clone(),
            prepared,
            judgement,
        }))
    }

    async fn run(&mut self) -> Result<RunStatus> {
        let budget = StageBudget::new(self.settings.memory_bytes / 5 * 2, std::env::temp_dir());
        let Some(input) = self.input(&budget).await? else {
            return Ok(RunStatus::Skipped);
        };
        let ctx = new_session(self.settings, self.settings.memory_bytes / 5 * 2)?;
        let prepared = self.prepare(&ctx, input, &budget).await?;
        let sorted = self.sort(&budget, &prepared).await?;
        let merging = Merging {
            instance: self.instance,
            settings: self.settings,
            ctx: &ctx,
            prepared: &prepared,
            sorted: &sorted,
            effect: self.request.effect,
            budget: self.reject_budget(),
            origin: self.origin(),
            identity: self.identity.clone(),
            parent: self.parent.as_ref().map(|parent| parent.run_id.as_str()),
            guards: self.request.guards,
            extent: self.request.extent,
        };
        let merged = merging.run(&mut self.record, &mut self.guards, &mut self.phases);
        let facts = merged.await?;
        self.merge = MergeSummary::of(&facts);
        self.attributes = facts.cells();
        self.warn_of_held();
        Ok(merged_status(&self.record))
    }

    async fn input(&mut self, budget: &StageBudget) -> Result<Option<Input>> {
        Ok(match self.parent.clone() {
            None => self.source().await?.map(Input::File),
            Some(parent) => self.kept(&parent, budget).await?.map(Input::Kept),
        })
    }

    /// The source, unless there is none or it was merged before.
    async fn source(&mut self) -> Result<Option<OpenFile>> {
        let Some(source) = self.find_source().await? else {
            return Ok(None);
        };
        let file = self.open_source(source).await?;
        self.identity = file.source.identity();
        let Some(run_id) = self.merged_before().await? else {
            return Ok(Some(file));
        };
        self.warnings.push(format!(
            "this file was merged by run {run_id}; --force merges it again"
        ));
        Ok(None)
    }

    /// The open rejects of `parent`, unless there are none.
    async fn kept(&mut self, parent: &Parent, budget: &StageBudget) -> Result<Option<KeptSource>> {
        self.record.source_file.clone_from(&parent.source_file);
        let selecting = Selecting {
            instance: self.instance.clone(),
            settings: *self.settings,
            parent: parent.clone(),
            filter: self
                .request
                .replay
                .as_ref()
                .and_then(|replay| replay.filter.clone()),
            which: self.which,
        };
        let options = read_options(&self.process.source, &self.instance.config().limits)?;
        let opening = selecting.open(options, budget.clone()).boxed();
        let kept = self.phases.watch().unless_stopped(opening).await?;
        if kept.is_none() {
            let message = format!(
                "no open reject of run {} was chosen; nothing to do",
                parent.run_id
            );
            self.warnings.push(message);
        }
        Ok(kept)
    }

    /// Says how many records a replay left alone because another run may have written their customers.
    fn warn_of_held(&mut self) {
        let mut counts = self.record.rule_counts.iter();
        let Some(held) = counts.find(|count| count.rule == CID_OVERTAKEN) else {
            return;
        };
        self.warnings.push(format!(
            "held back: {} records whose customer another run may have written since; --force writes them all the same",
            held.records
        ));
    }

    /// The rows that the table is asked about, or that are merged; none where a run does neither.
    async fn sort(&mut self, budget: &StageBudget, prepared: &Prepared) -> Result<ChangeSet> {
        let columns = changes_columns(&self.process);
        let is_asked = self.process.mode == Mode::Update || self.parent.is_some();
        if !self.request.effect.compares() && !is_asked {
            let none = BatchStore::new(Arc::clone(prepared.loaded.staged.schema()), budget.clone());
            return Ok(ChangeSet::new(Arc::new(none), Vec::new(), columns));
        }
        // Queries do not run while rows are sorted, and half of their memory is enough.
        let work_bytes = self.settings.memory_bytes / 5;
        let sorting = prepared.sort(budget, work_bytes, self.settings.threads, columns);
        self.phases.stoppable("sort", sorting).await
    }

    /// A run that judges needs the records again only for rules over all of them.
    fn staging(&self, rules: &[Rule]) -> Staging {
        if self.request.effect.compares() || Prepared::has_set_rules(rules) {
            Staging::Records
        } else {
            Staging::Keys
        }
    }

    /// The run that merged this very source, if one did and that stands.
    async fn merged_before(&self) -> Result<Option<String>> {
        let (Some(identity), Repeat::SkipMerged, Effect::Merge) =
            (&self.identity, self.request.repeat, self.request.effect)
        else {
            return Ok(None);
        };
        let state = StateFile::of(self.instance, &self.process.name).read().await?;
        let merged_by: Vec<&str> = state.merged_by(identity).collect();
        let standing = standing_run(&self.instance.customers()?, &merged_by).await?;
        Ok(standing.map(str::to_owned))
    }

    /// The file that is read; none if a recurring process finds none.
    async fn find_source(&mut self) -> Result<Option<SourceFile>> {
        let sources = Sources::of(self.instance);
        let mut process = self.process.clone();
        if let Some(file) = &self.request.file {
            let url = typed_url(file)?;
            process.source = process
                .source
                .with_file(&url)
                .map_err(|problem| all(&[problem]).in_file(url))?;
            process.schedule = None;
        }
        self.record.source_file = Some(sources.shown(&process.source));
        let none_there = sources.none_there(&process.source);
        let finding = blocking(move || sources.of_process(&process));
        let found = self.phases.watch().unless_stopped(finding).await?;
        match &found {
            Some(found) => self.note_source(found),
            None => {
                self.record.source_file = None;
                self.warnings.push(format!("{none_there}; nothing to do"));
            }
        }
        Ok(found)
    }

    fn note_source(&mut self, source: &SourceFile) {
        self.record.source_file = Some(source.url.clone());
        let version = &source.version;
        let is_table = source.rows().is_some();
        // Nobody knows when what a query reads was changed.
        if !is_table || version.modified_ns != 0 {
            self.record.source_modified_at =
                DateTime::from_timestamp_micros((version.modified_ns / 1000) as i64);
        }
        if is_table {
            return;
        }
        self.phases.watch().expect_bytes(version.size_bytes);
        self.record.source_size_bytes = Some(version.size_bytes);
        self.record.source_etag = version.etag.clone();
    }

    async fn open_source(&mut self, source: SourceFile) -> Result<OpenFile> {
        let options = read_options(&self.process.source, &self.instance.config().limits)?;
        let columns = layout(&self.process)?.source_columns();
        let opening = blocking(move || OpenFile::open(source, options)?.with_rare_keys(&columns));
        let file = self.phases.watch().unless_stopped(opening).await?;
        self.record.source_format = Some(source_format(&file));
        self.compare_columns(&file).await?;
        Ok(file)
    }

    /// Unmapped columns may come and go, with a warning.
    async fn compare_columns(&mut self, file: &OpenFile) -> Result<()> {
        let state = StateFile::of(self.instance, &self.process.name).read().await?;
        let now = &file.header.columns;
        if let Some(before) = &state.source_columns {
            let list = |names: Vec<&String>| {
                names
                    .into_iter()
                    .map(|n| format!("{n:?}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            let new: Vec<&String> = now.iter().filter(|c| !before.contains(c)).collect();
            let gone: Vec<&String> = before.iter().filter(|c| !now.contains(c)).collect();
            if !new.is_empty() {
                self.warnings
                    .push(format!("columns that the last file did not have: {}", list(new)));
            }
            if !gone.is_empty() {
                self.warnings.push(format!(
                    "columns that the last file had and this one lacks: {}",
                    list(gone)
                ));
            }
        }
        self.columns = Some(now.clone());
        Ok(())
    }

    async fn prepare(
        &mut self,
        ctx: &SessionContext,
        input: Input,
        budget: &StageBudget,
    ) -> Result<Prepared> {
        let layout = layout(&self.process)?;
        let mut rules = catalogue(&self.process);
        let (file, overtaking, last_record_no) = match input {
            Input::File(file) => (file, None, None),
            Input::Kept(kept) => {
                let overtaking = self.overtaking(kept.known, kept.states)?;
                rules.extend(overtaking.as_ref().map(|_| overtaken::rule(&self.process.key)));
                (kept.file, overtaking, Some(kept.last_record_no))
            }
        };
        let rules = Arc::new(rules);
        let meter = Arc::clone(&self.phases.watch().meter);
        let loading = Loading {
            file: &file,
            layout: &layout,
            rules: &rules,
            staging: self.staging(&rules),
            budget,
            extent: self.request.extent,
            threads: self.settings.threads,
            meter,
        };
        if let Extent::First(records) = self.request.extent {
            self.warnings
                .push(format!("a sample: only the first {records} records were read"));
        }
        let loading = load(ctx, loading);
        let loaded = self.phases.stoppable("load", loading).await?;
        let source = file.source.clone();
        blocking(move || source.check_unchanged()).await?;
        if loaded.rows_read() == 0 {
            self.warnings
                .push("the file has a header and no records".to_owned());
        }
        let verdicts = Verdicts::new(Arc::clone(&rules));
        let mut prepared = Prepared {
            process: self.process.clone(),
            layout,
            file,
            rules,
            loaded,
            verdicts,
            repeated: RecordSet::default(),
            last_record_no: 0,
            overtaking,
        };
        prepared.last_record_no = last_record_no.unwrap_or_else(|| prepared.loaded.rows_read());
        self.phases
            .stoppable("duplicates", prepared.find_duplicates())
            .await?;
        super::faults::point("loaded");
        Ok(prepared)
    }

    /// What holds records of a replay back, unless they are to be written all the same.
    fn overtaking(&self, known: Known, states: SessionContext) -> Result<Option<Overtaking>> {
        match (&self.parent, &self.request.replay) {
            (Some(parent), Some(replay)) if replay.overtaken == Overtaken::HeldBack => Ok(Some(Overtaking {
                log: self.instance.customers()?,
                parent: parent.run_id.clone(),
                process: self.process.name.clone(),
                known,
                states,
            })),
            _ => Ok(None),
        }
    }

    fn reject_budget(&self) -> RejectBudget {
        if self.parent.is_some() {
            // What fails again was a reject before.
            return RejectBudget::Unlimited;
        }
        let policy = &self.process.policy;
        match (self.request.max_rejects, policy.strict) {
            (Some(budget), _) => budget,
            (None, Strictness::Strict) => RejectBudget::Rows(0),
            (None, Strictness::Lenient) => policy.max_rejects,
        }
    }

    fn origin(&self) -> RejectOrigin {
        RejectOrigin {
            run_id: self.record.run_id.clone(),
            process: self.process.name.clone(),
            source_file: self.record.source_file.clone().unwrap_or_default(),
            rejected_at_micros: ids::now_micros(),
        }
    }

    /// Ends the run, and answers.
    async fn end(mut self, ended: Result<RunStatus>, file: &StateFile) -> Result<Report> {
        let error = match ended {
            Ok(status) => {
                self.record.end(status);
                None
            }
            Err(error) => Some(self.failed(error).await?),
        };
        self.record.phase_ms = self.phases.spent();
        if self.request.effect == Effect::Merge {
            self.give_back(file).await?;
        }
        Ok(Report {
            run: self.record,
            dry_run: self.request.effect != Effect::Merge,
            attributes: self.attributes,
            guards: self.guards,
            merge: self.merge,
            warnings: self.warnings,
            error,
        })
    }

    /// Writes the run's row, and gives the lease back.
    async fn give_back(&self, file: &StateFile) -> Result<()> {
        let run_id = &self.record.run_id;
        if !holds(&file.read().await?, run_id) {
            return Err(Error::conflict(format!(
                "the lease of run {run_id} lapsed, and another program settled it"
            ))
            .hint("see what became of it with: sluice runs")
            .wrote("what sluice runs says of it"));
        }
        append_run(self.instance, &self.record).await?;
        super::faults::point("run_recorded");
        let messages = messages(self.instance, &self.record).await;
        // It may have been edited since the run began.
        let edited = process::check(self.instance, &self.process.name).await.ok();
        let schedule = edited.as_ref().unwrap_or(&self.process).schedule.as_ref();
        let ended = file.update(|state: &mut ProcessState| {
            // Another program may run it by now.
            if !holds(state, run_id) {
                return Ok(());
            }
            if self.record.is_merged() && self.columns.is_some() {
                state.source_columns.clone_from(&self.columns);
            }
            state.end(&self.record, self.identity.clone(), schedule);
            state.undelivered.extend(messages.iter().cloned());
            Ok(())
        });
        ended.await
    }

    async fn failed(&mut self, error: Error) -> Result<Error> {
        let status = if error.class() == Class::Interrupted {
            RunStatus::Interrupted
        } else {
            RunStatus::Failed
        };
        self.record.version_after = None;
        for count in [
            &mut self.record.rows_inserted,
            &mut self.record.rows_updated,
            &mut self.record.rows_unchanged,
            &mut self.record.cells_changed,
            &mut self.record.cells_cleared,
        ] {
            *count = None;
        }
        self.record.end(status);
        self.record.error = Some(error.to_string());
        if self.request.effect == Effect::Merge {
            discard_files(&self.instance.customers()?, &self.record.run_id).await?;
            discard_files(&self.instance.rejects()?, &self.record.run_id).await?;
            discard_files(&self.instance.events()?, &self.record.run_id).await?;
        }
        Ok(error
            .in_file_if_data(self.record.source_file.as_deref())
            .wrote("no customer was changed"))
    }
}
