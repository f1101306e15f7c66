//! `vacuum`: deletes the files that no version within the retention names.

use chrono::{DateTime, Duration, Utc};
use futures::TryStreamExt;
use object_store::ObjectStore;
use serde::Serialize;

use super::garbage::{FileKind, Guard, ListedFile, is_garbage, kind};
use super::leases::Leases;
use super::lock::MaintenanceLock;
use super::reachable::Reachable;
use super::tables::MaintainedTable;
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::spec::Retention;
use crate::table::TableLog;
use crate::write::discard;

/// The shortest retention that needs no force.
const SAFE_RETENTION: Duration = Duration::hours(24);

/// Whether vacuum deletes or only says what it would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VacuumEffect {
    /// Files are deleted.
    Delete,
    /// Nothing is.
    DryRun,
}

/// Whether a short retention is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShortRetention {
    /// Below a day it is.
    Refused,
    /// Whoever asks knows that nobody reads older versions.
    Forced,
}

/// What vacuum is asked for.
#[derive(Debug, Clone)]
pub struct VacuumRequest {
    /// The tables.
    pub tables: Vec<MaintainedTable>,
    /// How long versions are kept whole.
    pub retention: Retention,
    /// Whether anything is deleted.
    pub effect: VacuumEffect,
    /// Whether a short retention is refused.
    pub short: ShortRetention,
    /// The time that the retention counts back from.
    pub now: DateTime<Utc>,
}

/// What vacuum did, or would do.
#[derive(Debug, Serialize)]
pub struct VacuumReport {
    /// Whether nothing was deleted on purpose.
    pub dry_run: bool,
    /// How long versions are kept whole.
    pub retention: Retention,
    /// By table.
    pub tables: Vec<VacuumedTable>,
}

/// What it did to one table.
#[derive(Debug, Serialize)]
pub struct VacuumedTable {
    /// The table.
    pub table: MaintainedTable,
    /// The oldest version that can still be read whole.
    pub oldest_version: u64,
    /// The newest version.
    pub latest_version: u64,
    /// Files of rows.
    pub data_files: u64,
    /// Files of deletion vectors.
    pub vector_files: u64,
    /// What dead programs were writing.
    pub partial_files: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Their paths, relative to the table.
    pub files: Vec<String>,
}

/// Deletes what no version within the retention names, nothing that a run under way may be writing.
///
/// # Errors
/// The retention is short and not forced; maintenance is under way already; a log cannot be read whole, and then
/// nothing of that table is deleted; the store failed.
pub async fn vacuum(instance: &Instance, request: &VacuumRequest) -> Result<VacuumReport> {
    check_retention(request)?;
    let lock = MaintenanceLock::take(instance, "vacuum").await?;
    let report = vacuum_tables(instance, request, &lock).await;
    lock.release().await;
    report
}

async fn vacuum_tables(
    instance: &Instance,
    request: &VacuumRequest,
    lock: &MaintenanceLock,
) -> Result<VacuumReport> {
    let mut tables = Vec::new();
    for table in &request.tables {
        let log = table.log(instance)?;
        // In this order: a run that began after the listing has no file in it, and of one that ended after it, the
        // commit is in the versions read last.
        let listed = list(&log).await?;
        let leases = Leases::read(instance).await?;
        lock.confirm().await?;
        let vacuumed = vacuum_table(*table, &log, listed, &leases, request).await;
        tables.push(vacuumed.map_err(|error| error.in_file(table.word()))?);
    }
    Ok(VacuumReport {
        dry_run: request.effect == VacuumEffect::DryRun,
        retention: request.retention,
        tables,
    })
}

fn check_retention(request: &VacuumRequest) -> Result<()> {
    if request.retention.duration() >= SAFE_RETENTION || request.short == ShortRetention::Forced {
        return Ok(());
    }
    let message = format!(
        "a retention of {} deletes files of versions that were current within the last day: whoever reads one of \
         them fails midway, and neither history, diff nor rollback reaches back further",
        request.retention
    );
    Err(Error::usage(message)
        .hint("ask for 24h or more, or add --force if nobody reads this instance")
        .wrote("nothing"))
}

async fn vacuum_table(
    table: MaintainedTable,
    log: &TableLog,
    listed: Vec<ListedFile>,
    leases: &Leases,
    request: &VacuumRequest,
) -> Result<VacuumedTable> {
    let cutoff = request.now - request.retention.duration();
    let reachable = Reachable::read(log, cutoff).await?;
    let garbage = garbage_of(listed, &reachable, leases, cutoff, request.now);
    if request.effect == VacuumEffect::Delete {
        delete(log, &garbage).await?;
    }
    let count = |wanted| garbage.iter().filter(|file| kind(&file.path) == wanted).count() as u64;
    Ok(VacuumedTable {
        table,
        oldest_version: reachable.oldest_version,
        latest_version: reachable.latest_version,
        data_files: count(FileKind::Data),
        vector_files: count(FileKind::Vectors),
        partial_files: count(FileKind::Partial),
        bytes: garbage.iter().map(|file| file.size_bytes).sum(),
        files: garbage.into_iter().map(|file| file.path).collect(),
    })
}

fn garbage_of(
    listed: Vec<ListedFile>,
    reachable: &Reachable,
    leases: &Leases,
    cutoff: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<ListedFile> {
    let guard = Guard {
        is_named: &|path| reachable.names(path),
        is_leased: &|path| leases.cover(path),
        oldest_lease: leases.oldest,
        cutoff,
        now,
    };
    listed
        .into_iter()
        .filter(|file| is_garbage(file, &guard))
        .collect()
}

/// All files of a table, in the order of their names.
async fn list(log: &TableLog) -> Result<Vec<ListedFile>> {
    let store = log.store().object_store(None);
    let mut listed: Vec<ListedFile> = store
        .list(None)
        .map_ok(|file| ListedFile {
            path: file.location.to_string(),
            size_bytes: file.size,
            modified: file.last_modified,
        })
        .try_collect()
        .await?;
    listed.extend(partial_files(log)?);
    listed.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(listed)
}

/// Files that a local store does not list because they are not whole.
fn partial_files(log: &TableLog) -> Result<Vec<ListedFile>> {
    let mut files = Vec::new();
    let Ok(folder) = log.store().root_url().to_file_path() else {
        return Ok(files);
    };
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Some(path) = entry.file_name().to_str().map(str::to_owned) else {
            continue;
        };
        if kind(&path) == FileKind::Partial {
            let metadata = entry.metadata()?;
            files.push(ListedFile {
                path,
                size_bytes: metadata.len(),
                modified: metadata.modified()?.into(),
            });
        }
    }
    Ok(files)
}

/// Deletes what dead programs were writing to a table; only where no run and no other maintenance is under way. Returns how
/// many files.
///
/// # Errors
/// The folder cannot be read or written.
pub(super) fn delete_partial_files(log: &TableLog) -> Result<u64> {
    let files = partial_files(log)?;
    if let Ok(folder) = log.store().root_url().to_file_path() {
        for file in &files {
            std::fs::remove_file(folder.join(&file.path))?;
        }
    }
    Ok(files.len() as u64)
}

async fn delete(log: &TableLog, garbage: &[ListedFile]) -> Result<()> {
    let (partial, whole): (Vec<&ListedFile>, Vec<&ListedFile>) = garbage
        .iter()
        .partition(|file| kind(&file.path) == FileKind::Partial);
    let paths = whole.iter().map(|file| file.path.as_str());
    let deleted = discard(&log.store().object_store(None), paths).await;
    deleted.map_err(|error| error.wrote("some files are deleted; run vacuum again"))?;
    let Ok(folder) = log.store().root_url().to_file_path() else {
        return Ok(());
    };
    for file in partial {
        std::fs::remove_file(folder.join(&file.path))?;
    }
    Ok(())
}
