//! A rollback from plan to commit.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::prelude::SessionContext;
use deltalake_core::kernel::Action;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::draft::{Draft, OfRun, count, of_version};
use super::edit::Editing;
use super::events;
use super::later::Later;
use super::request::{LaterWrites, RollbackReport, RollbackRequest, Target, refused};
use super::target::{Undoing, undoing};
use super::undo::Undo;
use crate::commit::{Commit, CommitOutcome, commit};
use crate::error::{Error, Result};
use crate::history::timeline::Timeline;
use crate::ids;
use crate::instance::Instance;
use crate::maintain::MaintenanceLock;
use crate::run::{discard_files, faults};
use crate::session::new_session;
use crate::settings::Settings;
use crate::stage::StageBudget;
use crate::table::{Snapshot, TableLog};

/// How long a rollback waits for maintenance that is under way; what runs do by themselves takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(20);
/// Lost races after which a rollback gives up.
const ATTEMPTS: usize = 50;

/// A rollback that is planned and can be committed.
pub struct Rollback {
    instance: Instance,
    settings: Settings,
    request: RollbackRequest,
    ctx: SessionContext,
    budget: StageBudget,
    planned: Planned,
}

/// What it would do to one version of the table.
struct Planned {
    base: Arc<Snapshot>,
    timeline: Timeline,
    draft: Draft,
    report: RollbackReport,
}

impl Rollback {
    /// Finds out what the rollback does. Writes nothing.
    ///
    /// # Errors
    /// The run merged nothing or is undone already; there is no such version, or it was vacuumed; later runs wrote the
    /// same cells and the request does not overwrite them.
    pub async fn plan(instance: &Instance, settings: &Settings, request: RollbackRequest) -> Result<Self> {
        let ctx = new_session(settings, settings.memory_bytes / 5 * 2)?;
        let budget = StageBudget::new(settings.memory_bytes / 5 * 2, std::env::temp_dir());
        let planning = Planning {
            log: instance.customers()?,
            settings,
            request: &request,
            ctx: &ctx,
            budget: &budget,
        };
        let planned = planning.plan(ids::new_run_id()).await?;
        Ok(Self {
            instance: instance.clone(),
            settings: *settings,
            request,
            ctx,
            budget,
            planned,
        })
    }

    /// What it would do.
    #[must_use]
    pub fn report(&self) -> &RollbackReport {
        &self.planned.report
    }

    /// Does it, as one commit. A lost race plans again. `stop` ends it up to the commit, and not after.
    ///
    /// # Errors
    /// The table cannot be written; the plan on the new version is another, or is refused.
    pub async fn commit(self, stop: &Notify) -> Result<RollbackReport> {
        // Files of a rollback carry no run's lease: this keeps a vacuum from them, and from those it goes back to.
        let lock = MaintenanceLock::take_within(&self.instance, "rollback", PATIENCE).await?;
        let done = self.carry_out(stop, &lock).await;
        lock.release().await;
        done
    }

    async fn carry_out(mut self, stop: &Notify, lock: &MaintenanceLock) -> Result<RollbackReport> {
        let log = self.instance.customers()?;
        for _ in 0..ATTEMPTS {
            lock.confirm().await?;
            match self.attempt(&log, stop).await {
                Ok(CommitOutcome::Committed { version }) => {
                    faults::point("rollback_committed");
                    return self.committed(version).await;
                }
                Ok(CommitOutcome::Lost) => discard_files(&log, &self.planned.report.run_id).await?,
                Err(error) => {
                    // What cannot be discarded is in no version either; vacuum finds it.
                    let _ = discard_files(&log, &self.planned.report.run_id).await;
                    return Err(error.wrote("nothing was rolled back"));
                }
            }
            self.plan_again(&log).await?;
        }
        Err(
            Error::conflict(format!("other runs were faster {ATTEMPTS} times in a row"))
                .hint("run it again")
                .wrote("nothing was rolled back"),
        )
    }

    /// Writes the files of the plan and commits them on the version it was made for.
    async fn attempt(&self, log: &TableLog, stop: &Notify) -> Result<CommitOutcome> {
        let planned = &self.planned;
        let editing = Editing {
            ctx: &self.ctx,
            base: &planned.base,
            run_id: &planned.report.run_id,
            threads: self.settings.threads,
            room_bytes: self.settings.memory_bytes / 5,
        };
        let files = tokio::select! {
            written = planned.draft.edit.write(&editing) => written?,
            () = stop.notified() => return Err(Error::interrupted()),
        };
        faults::point("rollback_written");
        let actions = files.into_iter().map(Action::from).collect();
        commit(log, &planned.base, self.entry(actions)?).await
    }

    async fn plan_again(&mut self, log: &TableLog) -> Result<()> {
        let planning = Planning {
            log: log.clone(),
            settings: &self.settings,
            request: &self.request,
            ctx: &self.ctx,
            budget: &self.budget,
        };
        let again = planning.plan(self.planned.report.run_id.clone()).await?;
        if again.report.undoes != self.planned.report.undoes {
            return Err(
                Error::conflict("another run was committed meanwhile and would be undone too")
                    .hint("see what: sluice history; then run the rollback again")
                    .wrote("nothing was rolled back"),
            );
        }
        self.planned = again;
        Ok(())
    }

    fn entry(&self, actions: Vec<Action>) -> Result<Commit> {
        let report = &self.planned.report;
        let mut rollback = serde_json::to_value(report)?;
        if let Value::Object(fields) = &mut rollback {
            fields.insert("dry_run".to_owned(), json!(false));
            fields.insert("version_after".to_owned(), json!(self.planned.base.version + 1));
        }
        let mut info = HashMap::from([
            ("run_id".to_owned(), json!(report.run_id)),
            ("rollback".to_owned(), rollback),
        ]);
        if let Some(process) = &report.process {
            info.insert("process".to_owned(), json!(process));
        }
        Ok(Commit {
            actions,
            info,
            txn: None,
        })
    }

    async fn committed(self, version: u64) -> Result<RollbackReport> {
        let mut report = self.planned.report;
        report.dry_run = false;
        report.version_after = Some(version);
        events::record(
            &self.instance,
            &self.planned.timeline,
            &report.run_id,
            &report.undoes,
            version,
        )
        .await
        .map_err(|e| e.wrote(format!("customers was rolled back; it is at version {version}")))?;
        Ok(report)
    }
}

/// What planning needs.
struct Planning<'a> {
    log: TableLog,
    settings: &'a Settings,
    request: &'a RollbackRequest,
    ctx: &'a SessionContext,
    budget: &'a StageBudget,
}

impl Planning<'_> {
    async fn plan(&self, run_id: String) -> Result<Planned> {
        let timeline = Timeline::read(&self.log).await?;
        let newest = timeline.commits().last().map(|commit| commit.version);
        let base = Arc::new(self.log.snapshot(newest).await?);
        let Undoing {
            undoes,
            difference,
            columns,
            later,
        } = undoing(&self.log, &base, &timeline, &self.request.target).await?;
        let undo = Undo::stage(self.ctx, self.budget, &base, &difference, columns).await?;
        let draft = match &later {
            None => of_version(&undo, self.budget)?,
            Some(writers) => {
                let later = Later::find(&self.log, self.ctx, &base, &undo, writers).await?;
                let of_run = OfRun {
                    undo: Arc::new(undo),
                    later,
                    base: &base,
                    ctx: self.ctx,
                    budget: self.budget,
                    threads: self.settings.threads,
                };
                of_run.draft().await?
            }
        };
        if let (Target::Run(run_id), LaterWrites::Refuse) = (&self.request.target, self.request.later)
            && !draft.conflicts.is_empty()
        {
            return Err(refused(run_id, &draft.conflicts));
        }
        let report = self.report(run_id, &base, &timeline, undoes, &draft)?;
        Ok(Planned {
            base,
            timeline,
            draft,
            report,
        })
    }

    fn report(
        &self,
        run_id: String,
        base: &Snapshot,
        timeline: &Timeline,
        undoes: Vec<String>,
        draft: &Draft,
    ) -> Result<RollbackReport> {
        let processes = undoes.iter().map(|id| timeline.of_run(id)?.process());
        let mut processes: Vec<Option<&str>> = processes.collect();
        processes.dedup();
        let process = match processes.as_slice() {
            [only] => only.map(str::to_owned),
            _ => None,
        };
        Ok(RollbackReport {
            run_id,
            dry_run: true,
            process,
            undoes,
            to_version: match self.request.target {
                Target::Version(version) => Some(version),
                Target::Run(_) => None,
            },
            version_before: base.version,
            version_after: None,
            rows_updated: count(&draft.edit.updates)?,
            rows_removed: count(&draft.edit.leaving)?,
            rows_inserted: count(&draft.edit.inserts)?,
            rows_kept: draft.rows_kept,
            rows_gone: draft.rows_gone,
            cells_changed: draft.cells.iter().map(|cells| cells.cells_changed).sum(),
            attributes: draft.cells.clone(),
            conflicts: draft.conflicts.clone(),
        })
    }
}
