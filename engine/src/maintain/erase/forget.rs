//! `customer --forget`: a person leaves the instance, and every version of it.

use std::collections::HashSet;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use serde_json::json;

use super::edits::{scrubbed, without_customer};
use super::log::cut;
use super::needle::Needle;
use super::purge::{RejectEdit, erase_rejects, refuse_runs};
use super::report::ForgetReport;
use super::rewrite::{Edit, Rewriting};
use super::search::{Holds, Searcher, text_columns};
use super::states;
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::maintain::vacuum::delete_partial_files;
use crate::maintain::{Effect, MaintainedTable, MaintenanceLock};
use crate::report::{Event, record_event};
use crate::settings::Settings;
use crate::table::{LiveFile, Snapshot, TableLog};
use crate::write::discard;

/// A customer that is about to be forgotten. It holds the maintenance lease.
pub struct Forgetting {
    work: Work,
    lock: MaintenanceLock,
    report: ForgetReport,
}

/// What forgetting needs.
struct Work {
    instance: Instance,
    settings: Settings,
    needle: Needle,
    searchers: Vec<(MaintainedTable, Searcher)>,
}

impl Forgetting {
    /// Searches the instance for the customer. Writes nothing.
    ///
    /// # Errors
    /// A run or other maintenance is under way; a file cannot be read.
    pub async fn plan(instance: &Instance, settings: &Settings, cid: &str) -> Result<Self> {
        let lock = MaintenanceLock::take(instance, "forgetting a customer").await?;
        match Work::plan(instance, settings, cid).await {
            Ok((work, report)) => Ok(Self { work, lock, report }),
            Err(error) => {
                lock.release().await;
                Err(error)
            }
        }
    }

    /// What would be done.
    #[must_use]
    pub fn report(&self) -> &ForgetReport {
        &self.report
    }

    /// Leaves the instance as it is.
    pub async fn give_up(self) -> ForgetReport {
        self.lock.release().await;
        self.report
    }

    /// Does it, and searches again: nothing may be left. What a failure leaves undone is done by calling it again.
    ///
    /// # Errors
    /// The instance cannot be read or written; the customer is still in a file.
    pub async fn carry_out(mut self) -> Result<ForgetReport> {
        self.lock.confirm().await?;
        let done = self.work.carry_out().await;
        self.lock.release().await;
        let again = "the customer is not forgotten yet: run it again";
        done.map_err(|error| error.wrote(again))
    }
}

async fn searched(instance: &Instance, needle: &Needle) -> Result<Vec<(MaintainedTable, Searcher)>> {
    let mut searchers = Vec::new();
    for table in MaintainedTable::ALL {
        let mut searcher = Searcher::new(needle.clone(), table, table.log(instance)?);
        searcher.all().await?;
        searchers.push((table, searcher));
    }
    Ok(searchers)
}

impl Work {
    async fn plan(instance: &Instance, settings: &Settings, cid: &str) -> Result<(Self, ForgetReport)> {
        refuse_runs(instance).await?;
        let needle = Needle::new(cid);
        let mut work = Self {
            instance: instance.clone(),
            settings: *settings,
            searchers: searched(instance, &needle).await?,
            needle,
        };
        let report = work.planned().await?;
        Ok((work, report))
    }

    async fn planned(&mut self) -> Result<ForgetReport> {
        let mut report = self.rewritten(Effect::Plan).await?;
        report.dry_run = true;
        for (table, searcher) in &self.searchers {
            let live = live_files(&table.log(&self.instance)?).await?;
            let holding = searcher.found.holding(false);
            report.deleted_files += holding.iter().filter(|path| !live.contains(*path)).count() as u64;
            if !searcher.found.holding(true).is_empty() {
                report.cut_logs.push(*table);
            }
        }
        self.read(&mut report).await?;
        Ok(report)
    }

    async fn carry_out(&mut self) -> Result<ForgetReport> {
        let mut report = self.rewritten(Effect::Apply).await?;
        states::scrub(&self.instance, &self.needle).await?;
        for (table, searcher) in &mut self.searchers {
            let log = table.log(&self.instance)?;
            let live = live_files(&log).await?;
            let mut holding = searcher.found.holding(false);
            holding.retain(|path| !live.contains(path));
            discard(
                &log.store().object_store(None),
                holding.iter().map(String::as_str),
            )
            .await?;
            report.deleted_files += holding.len() as u64 + delete_partial_files(&log)?;
            crate::run::faults::point("forget_deleted");
            searcher.all().await?;
            if !searcher.found.holding(true).is_empty() {
                cut(&log, searcher, "forgotten").await?;
                report.cut_logs.push(*table);
            }
        }
        self.prove(&mut report).await?;
        let detail = serde_json::to_string(&json!({
            "customers_rows": report.customers_rows, "rejects_rows": report.rejects_rows,
            "customers_version": report.customers_version,
        }))?;
        let event = Event {
            process: None,
            detail: Some(detail),
            ..Event::lifecycle("forgotten", "")
        };
        record_event(&self.instance, event).await?;
        Ok(report)
    }

    /// Writes what readers see anew, or counts it.
    async fn rewritten(&mut self, effect: Effect) -> Result<ForgetReport> {
        let mut report = ForgetReport::default();
        for (table, searcher) in std::mem::take(&mut self.searchers) {
            let searcher = match table {
                MaintainedTable::Rejects => {
                    let mut edit = RejectEdit::with(searcher, self.needle.clone());
                    let erased = erase_rejects(&self.instance, &self.settings, &mut edit, effect).await?;
                    report.rejects_rows = edit.gone_rows();
                    report.blanked_rows = edit.blanked_rows;
                    report.rewritten_files += erased.0;
                    edit.searcher
                }
                _ => self.other_table(table, searcher, effect, &mut report).await?,
            };
            self.searchers.push((table, searcher));
        }
        report.customers_version = self.instance.customers()?.snapshot(None).await?.version;
        Ok(report)
    }

    async fn other_table(
        &self,
        table: MaintainedTable,
        searcher: Searcher,
        effect: Effect,
        report: &mut ForgetReport,
    ) -> Result<Searcher> {
        let log = table.log(&self.instance)?;
        let rewriting = Rewriting {
            table,
            log: &log,
            settings: &self.settings,
            reason: "forgotten",
            effect,
        };
        let mut edit = Forget {
            needle: self.needle.clone(),
            table,
            searcher,
            removed_rows: 0,
        };
        report.rewritten_files += rewriting.run(&mut edit).await?.files;
        if table == MaintainedTable::Customers {
            report.customers_rows = edit.removed_rows;
        }
        Ok(edit.searcher)
    }

    /// Searches everything once more.
    async fn prove(&mut self, report: &mut ForgetReport) -> Result<()> {
        self.searchers = searched(&self.instance, &self.needle).await?;
        let left = self.read(report).await?;
        if left.is_empty() {
            return Ok(());
        }
        Err(
            Error::runtime(format!("the customer is still in {}", left.join(", ")))
                .hint("somebody may have written it meanwhile; run it again"),
        )
    }

    /// What was read, and where the customer is only mentioned. Returns where it still is.
    async fn read(&self, report: &mut ForgetReport) -> Result<Vec<String>> {
        let mut found = states::search(&self.instance, &self.needle).await?;
        for (table, searcher) in &self.searchers {
            report.read_files += searcher.found.read_files;
            report.read_bytes += searcher.found.read_bytes;
            let files = searcher.found.files.iter();
            found.extend(files.map(|(path, holds)| (format!("{}/{path}", table.word()), *holds)));
        }
        found.sort();
        let of = |wanted: Holds| {
            let files = found.iter().filter(move |(_, holds)| *holds == wanted);
            files.map(|(path, _)| path.clone()).collect::<Vec<_>>()
        };
        report.mentions = of(Holds::Mention);
        Ok(of(Holds::Customer))
    }
}

async fn live_files(log: &TableLog) -> Result<HashSet<String>> {
    let files = log.snapshot(None).await?.files;
    Ok(files.into_iter().map(|file| file.add.path).collect())
}

/// Takes a customer out of a table other than `rejects`.
struct Forget {
    needle: Needle,
    table: MaintainedTable,
    searcher: Searcher,
    removed_rows: u64,
}

#[async_trait]
impl Edit for Forget {
    async fn concerns(&mut self, _snapshot: &Snapshot, file: &LiveFile) -> Result<bool> {
        Ok(self.searcher.file(&file.add.path).await? == Holds::Customer)
    }

    fn apply(&mut self, rows: RecordBatch) -> Result<RecordBatch> {
        if self.table != MaintainedTable::Customers {
            return scrubbed(&rows, text_columns(self.table), &self.needle);
        }
        let stay = without_customer(&rows, &self.needle)?;
        self.removed_rows += (rows.num_rows() - stay.num_rows()) as u64;
        Ok(stay)
    }

    fn begin(&mut self) {
        self.removed_rows = 0;
    }
}
