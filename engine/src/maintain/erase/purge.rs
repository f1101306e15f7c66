//! `rejects purge`: a customer's rejects leave the table.

use arrow::array::RecordBatch;
use async_trait::async_trait;
use deltalake_core::kernel::Action;
use serde_json::json;

use super::edits::{Left, RejectRows};
use super::needle::Needle;
use super::report::PurgeReport;
use super::rewrite::{Edit, Rewriting};
use super::search::{Holds, Searcher};
use crate::commit::{Commit, append};
use crate::error::{Error, Result};
use crate::ids;
use crate::instance::Instance;
use crate::maintain::leases::Leases;
use crate::maintain::{Effect, MaintainedTable, MaintenanceLock};
use crate::report::{RejectEvents, RejectFate};
use crate::settings::Settings;
use crate::table::{LiveFile, Snapshot, schemas};
use crate::write::{RollingWriter, WriterOptions};

/// Removes the rejects of a customer: its records, and records of nobody that name it. Other records that name it lose
/// their values and bytes. Older versions of `rejects` have them until they are vacuumed.
///
/// # Errors
/// A run or other maintenance is under way; the table cannot be read or written.
pub async fn purge(
    instance: &Instance,
    settings: &Settings,
    cid: &str,
    effect: Effect,
) -> Result<PurgeReport> {
    let lock = MaintenanceLock::take(instance, "purge").await?;
    let purged = purge_alone(instance, settings, cid, effect).await;
    lock.release().await;
    purged
}

async fn purge_alone(
    instance: &Instance,
    settings: &Settings,
    cid: &str,
    effect: Effect,
) -> Result<PurgeReport> {
    refuse_runs(instance).await?;
    let mut edit = RejectEdit::new(instance, Needle::new(cid))?;
    let (rewritten_files, version) = erase_rejects(instance, settings, &mut edit, effect).await?;
    Ok(PurgeReport {
        dry_run: effect == Effect::Plan,
        rejects_rows: edit.gone_rows(),
        blanked_rows: edit.blanked_rows,
        rewritten_files,
        version,
    })
}

/// Whoever runs may bring the customer back, and takes files of its own back by name.
pub(super) async fn refuse_runs(instance: &Instance) -> Result<()> {
    match Leases::read(instance).await?.oldest {
        None => Ok(()),
        Some(_) => Err(Error::conflict("a run is under way, and may hold the customer")
            .hint("try again when it has ended: sluice status")
            .wrote("nothing")),
    }
}

/// Rewrites `rejects` and notes what left. Returns the files written anew, and the version without it.
pub(super) async fn erase_rejects(
    instance: &Instance,
    settings: &Settings,
    edit: &mut RejectEdit,
    effect: Effect,
) -> Result<(u64, Option<u64>)> {
    let log = instance.rejects()?;
    let rewriting = Rewriting {
        table: MaintainedTable::Rejects,
        log: &log,
        settings,
        reason: "purged",
        effect,
    };
    let rewritten = rewriting.run(edit).await?;
    if effect == Effect::Apply {
        note(instance, &edit.left).await?;
    }
    Ok((rewritten.files, rewritten.version))
}

/// An event for each reject that left; its customer is in none.
async fn note(instance: &Instance, left: &Left) -> Result<()> {
    if left.is_empty() {
        return Ok(());
    }
    let (log, id) = (instance.events()?, ids::new_run_id());
    let store = log.store().object_store(None);
    let mut writer = RollingWriter::new(
        store,
        &id,
        schemas::events(),
        WriterOptions::appended(log.encoding()),
    );
    for ((process, run_id), records) in left {
        let events = RejectEvents {
            fate: RejectFate::Purged,
            process: process.clone(),
            run_id: run_id.clone(),
            detail: json!({ "why": "erasure" }).to_string(),
            at_micros: ids::now_micros(),
        };
        writer.write(&events.batch(records)?).await?;
    }
    let actions = writer.finish().await?.into_iter().map(Action::Add).collect();
    let info = [("run_id".to_owned(), json!(id))].into_iter().collect();
    append(
        &log,
        Commit {
            actions,
            info,
            txn: None,
        },
    )
    .await?;
    Ok(())
}

/// Takes a customer out of `rejects`.
pub(super) struct RejectEdit {
    needle: Needle,
    pub searcher: Searcher,
    /// What left.
    pub left: Left,
    /// Rows that lost their payload.
    pub blanked_rows: u64,
}

impl RejectEdit {
    pub fn new(instance: &Instance, needle: Needle) -> Result<Self> {
        let searcher = Searcher::new(needle.clone(), MaintainedTable::Rejects, instance.rejects()?);
        Ok(Self::with(searcher, needle))
    }

    pub fn with(searcher: Searcher, needle: Needle) -> Self {
        Self {
            needle,
            searcher,
            left: Left::new(),
            blanked_rows: 0,
        }
    }

    pub fn gone_rows(&self) -> u64 {
        self.left.values().map(|records| records.len() as u64).sum()
    }
}

#[async_trait]
impl Edit for RejectEdit {
    async fn concerns(&mut self, _snapshot: &Snapshot, file: &LiveFile) -> Result<bool> {
        Ok(self.searcher.file(&file.add.path).await? == Holds::Customer)
    }

    fn apply(&mut self, rows: RecordBatch) -> Result<RecordBatch> {
        let found = RejectRows::naming(&rows, &self.needle)?;
        self.blanked_rows += found.blanked.true_count() as u64;
        found.apply(&rows, &mut self.left)
    }

    fn begin(&mut self) {
        self.left.clear();
        self.blanked_rows = 0;
    }
}
