//! `optimize`: plan, write anew, commit; again for what others changed meanwhile.
//!
//! ```text
//!   snapshot ─▶ plan ─▶ pieces of groups ─▶ fold on all cores ─▶ commit ─▶ next piece ... next round
//!                                                   ▲               │ lost race
//!                                                   │               ▼
//!                             next round ◀── files of the group gone or re-marked: its result goes
//!                                            all still live: kept, committed on the new version
//! ```

use std::sync::Arc;

use datafusion::common::runtime::SpawnedTask;
use datafusion::prelude::SessionContext;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::Notify;

use super::checkpoint::checkpoint_if_due;
use super::commit_groups::{FoldedGroup, commit_groups};
use super::erase::expire;
use super::fold::Fold;
use super::leases::Leases;
use super::lock::MaintenanceLock;
use super::plan::{FileFacts, Group, Layout, Thresholds, plan};
use super::report::{GroupReport, OptimizeReport, TableReport, TableState};
use super::tables::MaintainedTable;
use crate::error::{Error, Result};
use crate::ids;
use crate::instance::Instance;
use crate::session::new_session;
use crate::settings::Settings;
use crate::spec::Maintenance;
use crate::table::{LiveFile, Snapshot, TableLog};
use crate::write::discard;

/// Times a table is planned again because others changed it meanwhile.
const ROUNDS: usize = 5;
/// Bytes written anew before they are committed, so that a lost race or a crash costs no more.
const PIECE_BYTES: u64 = 4 << 30;
/// Cells of a batch of few columns; one of many columns has fewer rows, so that lanes hold little.
const BATCH_CELLS: usize = 256 << 10;

/// Whether optimize writes or only says what it would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Files are written anew and committed.
    Apply,
    /// Nothing is written.
    Plan,
}

/// How much of a plan is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// The most pressing groups of about so many bytes, one at least.
    Bytes(u64),
}

/// What optimize is asked for.
#[derive(Debug, Clone)]
pub struct OptimizeRequest {
    /// The tables.
    pub tables: Vec<MaintainedTable>,
    /// Whether anything is written.
    pub effect: Effect,
    /// When a file is worth writing anew.
    pub thresholds: Thresholds,
    /// How much is done.
    pub extent: Extent,
    /// Notified to stop; what is committed by then stays.
    pub stop: Arc<Notify>,
}

impl OptimizeRequest {
    /// All of all tables.
    #[must_use]
    pub fn whole(config: &Maintenance) -> Self {
        Self {
            tables: MaintainedTable::ALL.to_vec(),
            effect: Effect::Apply,
            thresholds: Thresholds::thorough(config),
            extent: Extent::Whole,
            stop: Arc::default(),
        }
    }
}

/// Lays out tables anew where they need it. No row changes.
///
/// # Errors
/// Maintenance is under way already, the store failed, or a customer stands in two files. What was committed before
/// stays; nothing else is left behind.
pub async fn optimize(
    instance: &Instance,
    settings: &Settings,
    request: &OptimizeRequest,
) -> Result<OptimizeReport> {
    let lock = match request.effect {
        Effect::Apply => Some(MaintenanceLock::take(instance, "optimize").await?),
        Effect::Plan => None,
    };
    let mut report = optimize_tables(instance, settings, request, lock.as_ref()).await;
    if let (Ok(report), Some(_)) = (&mut report, &lock)
        && request.tables.contains(&MaintainedTable::Rejects)
    {
        report.expired = expire(instance, settings, chrono::Utc::now()).await?;
    }
    if let Some(lock) = lock {
        lock.release().await;
    }
    report
}

async fn optimize_tables(
    instance: &Instance,
    settings: &Settings,
    request: &OptimizeRequest,
    lock: Option<&MaintenanceLock>,
) -> Result<OptimizeReport> {
    let mut tables: Vec<TableReport> = Vec::new();
    for table in &request.tables {
        let committed: usize = tables.iter().map(TableReport::written_groups).sum();
        let report = optimize_table(instance, settings, request, *table, lock).await;
        tables.push(report.map_err(|error| {
            error.in_file(table.word()).wrote(match committed {
                0 => "no row changed",
                _ => "no row changed; tables before this one are laid out anew",
            })
        })?);
    }
    Ok(OptimizeReport {
        dry_run: request.effect == Effect::Plan,
        tables,
        expired: Vec::new(),
    })
}

/// Lays out one table, and gives its log a checkpoint where one is due. Only who holds the lock may apply anything.
pub(super) async fn optimize_table(
    instance: &Instance,
    settings: &Settings,
    request: &OptimizeRequest,
    table: MaintainedTable,
    lock: Option<&MaintenanceLock>,
) -> Result<TableReport> {
    let log = table.log(instance)?;
    let optimizer = Optimizer {
        instance,
        settings,
        request,
        table,
        log: &log,
    };
    let mut report = optimizer.run().await?;
    if lock.is_some() {
        let every = instance.config().maintenance.checkpoint_commits;
        report.checkpoint = checkpoint_if_due(&log, every).await?.version();
    }
    Ok(report)
}

/// The work on one table.
struct Optimizer<'a> {
    instance: &'a Instance,
    settings: &'a Settings,
    request: &'a OptimizeRequest,
    table: MaintainedTable,
    log: &'a TableLog,
}

impl Optimizer<'_> {
    async fn run(&self) -> Result<TableReport> {
        let mut snapshot = self.log.snapshot(None).await?;
        let mut report = TableReport::of(self.table, &snapshot);
        for _ in 0..ROUNDS {
            let groups = self.plan(&snapshot).await?;
            if groups.is_empty() {
                break;
            }
            if self.request.effect == Effect::Plan {
                report.groups = groups
                    .iter()
                    .map(|group| GroupReport::planned(group, &snapshot))
                    .collect();
                return Ok(report);
            }
            for piece in pieces(groups) {
                report.groups.extend(self.carry_out(&snapshot, piece).await?);
            }
            snapshot = self.log.snapshot(None).await?;
            report.after = TableState::of(&snapshot);
            if self.request.extent != Extent::Whole {
                break;
            }
        }
        Ok(report)
    }

    /// What to do, the most pressing first.
    async fn plan(&self, snapshot: &Snapshot) -> Result<Vec<Group>> {
        let leases = match self.table.layout() {
            // A run that lost a race takes its rejects back by name. Read after the snapshot: a run that is not in
            // it and not leased has not begun.
            Layout::Appended => Leases::read(self.instance).await?,
            Layout::Clustered => Leases::default(),
        };
        let target_bytes = self.request.thresholds.target_bytes;
        let facts: Vec<FileFacts> = snapshot
            .files
            .iter()
            .map(|file| match leases.cover(&file.add.path) {
                true => FileFacts::settled(target_bytes),
                false => FileFacts::from(file),
            })
            .collect();
        let mut groups = plan(&facts, self.table.layout(), &self.request.thresholds);
        groups.sort_by(|a, b| (b.reason, a.live_bytes).cmp(&(a.reason, b.live_bytes)));
        if let Extent::Bytes(bytes) = self.request.extent {
            groups.truncate(within(&groups, bytes).max(1));
        }
        Ok(groups)
    }

    /// Writes groups anew and commits them.
    async fn carry_out(&self, snapshot: &Snapshot, groups: Vec<Group>) -> Result<Vec<GroupReport>> {
        let names: Vec<String> = groups.iter().map(|group| self.name(group, snapshot)).collect();
        let work = self.fold(snapshot, groups, &names);
        let folded = tokio::select! {
            folded = work => folded,
            () = self.request.stop.notified() => Err(Error::interrupted()),
        };
        let committed = match folded {
            Ok(folded) => {
                let target_bytes = self.request.thresholds.target_bytes;
                commit_groups(self.log, target_bytes, folded).await
            }
            Err(error) => Err(error),
        };
        match committed {
            Ok(groups) => Ok(groups),
            Err(error) => {
                self.sweep(&names).await?;
                Err(error)
            }
        }
    }

    /// What the files of a group are called after. Rows that lie as they came keep their place: a snapshot lists
    /// files by name, and names sort by the time in their id.
    fn name(&self, group: &Group, snapshot: &Snapshot) -> String {
        let first = group.files.first().and_then(|at| snapshot.files.get(*at));
        let run_id = first.and_then(|file| ids::run_of_data_file(&file.add.path));
        match (self.table.layout(), run_id) {
            (Layout::Appended, Some(run_id)) => ids::new_id_beside(run_id),
            _ => ids::new_run_id(),
        }
    }

    async fn fold(
        &self,
        snapshot: &Snapshot,
        groups: Vec<Group>,
        names: &[String],
    ) -> Result<Vec<FoldedGroup>> {
        let (ctx, snapshot) = (self.session(snapshot)?, Arc::new(snapshot.clone()));
        let folds = groups.into_iter().zip(names.to_vec()).map(|(group, id)| {
            let (snapshot, ctx, layout) = (Arc::clone(&snapshot), ctx.clone(), self.table.layout());
            // Spawned, so that groups are written on all cores; dropped with the command.
            SpawnedTask::spawn(async move { fold(&snapshot, &ctx, layout, group, id).await })
        });
        stream::iter(folds)
            .map(|task| async move { task.join().await? })
            .buffered(self.settings.threads.max(1))
            .try_collect()
            .await
    }

    fn session(&self, snapshot: &Snapshot) -> Result<SessionContext> {
        let ctx = new_session(self.settings, self.settings.memory_bytes / 5 * 3)?;
        let columns = snapshot.schema.fields().len().max(1);
        let config = ctx.copied_config();
        let batch_rows = config.batch_size().min(BATCH_CELLS / columns).max(256);
        Ok(SessionContext::new_with_config_rt(
            config.with_batch_size(batch_rows),
            ctx.runtime_env(),
        ))
    }

    /// Deletes what was written under `names` and not committed.
    async fn sweep(&self, names: &[String]) -> Result<()> {
        let live = self.log.snapshot(None).await?.files;
        let store = self.log.store().object_store(None);
        let listed = store.list_with_delimiter(None).await?.objects;
        let ours = listed.iter().map(|file| file.location.as_ref()).filter(|file| {
            names.iter().any(|id| ids::is_written_by(id, file)) && live.iter().all(|l| l.add.path != *file)
        });
        discard(&store, ours).await
    }
}

async fn fold(
    snapshot: &Snapshot,
    ctx: &SessionContext,
    layout: Layout,
    group: Group,
    id: String,
) -> Result<FoldedGroup> {
    let members = group.files.iter().filter_map(|at| snapshot.files.get(*at));
    let files: Vec<LiveFile> = members.cloned().collect();
    let fold = Fold {
        snapshot,
        ctx,
        layout,
        files,
        id,
        output_files: group.output_files,
    };
    let adds = fold.run().await?;
    Ok(FoldedGroup {
        reason: group.reason,
        files: fold.files,
        adds,
    })
}

/// How many of the first groups have about so many bytes together.
fn within(groups: &[Group], bytes: u64) -> usize {
    let mut sum = 0;
    groups
        .iter()
        .take_while(|group| {
            sum += group.live_bytes;
            sum <= bytes
        })
        .count()
}

/// Groups in pieces that are committed together.
fn pieces(groups: Vec<Group>) -> Vec<Vec<Group>> {
    let mut pieces: Vec<Vec<Group>> = Vec::new();
    let mut bytes = u64::MAX;
    for group in groups {
        if bytes.saturating_add(group.live_bytes) > PIECE_BYTES {
            pieces.push(Vec::new());
            bytes = 0;
        }
        bytes += group.live_bytes;
        if let Some(piece) = pieces.last_mut() {
            piece.push(group);
        }
    }
    pieces
}
