//! Attempts of one run to merge: the first merges everything, each after a lost race what others changed.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use deltalake_core::kernel::Add;

use super::changes::{ChangeSet, KEY, RECORD_NO};
use super::facts::{LostRaces, MergeFacts, MergedFile, Repeated, Share, Versions};
use super::keep::{Fate, Premises};
use super::known::known_records;
use super::plan::{MergeJob, merge, merge_into, register_new};
use crate::error::Result;
use crate::ids::is_written_by;
use crate::table::schemas::CUSTOMER_ID;
use crate::table::{FileIdentity, LiveFile, Snapshot};
use crate::validate::RecordSet;
use crate::write::{FileAction, VectorWriter, discard};

/// The accepted rows merged into one version of `customers`, and not committed yet.
#[derive(Debug)]
pub struct Attempt {
    /// What was merged into which version.
    pub job: Arc<MergeJob>,
    /// What came of it.
    pub facts: MergeFacts,
}

impl Attempt {
    /// Merges all changes, and registers those that met no customer.
    ///
    /// # Errors
    /// The table or the stage cannot be read or written; a customer that stands in two live files.
    pub async fn first(job: Arc<MergeJob>, threads: usize) -> Result<Self> {
        let mut facts = merge(Arc::clone(&job), threads).await?;
        (facts.rows_inserted, facts.new_customers) = register_new(&job, &facts.matched, threads).await?;
        Ok(Self { job, facts })
    }

    /// Merges nothing: `before` made the table what the accepted `rows` would make it.
    #[must_use]
    pub fn repeated(job: Arc<MergeJob>, before: Repeated, rows: u64) -> Self {
        let mut facts = MergeFacts::of(&job);
        facts.repeats = Some((before, rows));
        Self { job, facts }
    }

    /// Brings an attempt to the version of `job`, after others have committed: results that still hold are kept,
    /// files that others removed, marked or added are merged, and what is written and no longer used is deleted.
    ///
    /// # Errors
    /// As [`first`](Self::first).
    pub async fn again(self, job: Arc<MergeJob>, threads: usize) -> Result<Self> {
        let Self { job: before, facts } = self;
        let written = written_files(&facts, &job.run_id);
        let premises = premises(&before, &job)?;
        let (kept, dropped): (Vec<MergedFile>, Vec<MergedFile>) = facts
            .files
            .into_iter()
            .partition(|file| premises.fate(file) == Fate::Kept);
        let lost = records_of(&before, &dropped, threads).await?;
        let found = MergeFacts {
            attributes: facts.attributes,
            versions: trimmed(&job, facts.versions, &paths(&dropped)).await?,
            matched: facts.matched.without(&lost),
            files: kept,
            ..MergeFacts::default()
        };
        let kept_files = found.files.len();
        let rest = others(&job, &found.files);
        let mut found = merge_into(Arc::clone(&job), rest, found, threads).await?;
        found.races = LostRaces {
            lost_races: facts.races.lost_races + 1,
            kept_files: facts.races.kept_files + kept_files as u64,
            redone_files: facts.races.redone_files + (found.files.len() - kept_files) as u64,
        };
        let are_same_new = premises.has_all_columns()
            && facts.matched.is_same(&found.matched)
            && before.changes.rejected().is_same(job.changes.rejected());
        (found.rows_inserted, found.new_customers) = match are_same_new {
            true => (facts.rows_inserted, facts.new_customers),
            false => register_new(&job, &found.matched, threads).await?,
        };
        let used = written_files(&found, &job.run_id);
        let unused = written.difference(&used).map(String::as_str);
        discard(&job.snapshot.log.object_store(None), unused).await?;
        Ok(Self { job, facts: found })
    }
}

fn premises(before: &MergeJob, now: &MergeJob) -> Result<Premises> {
    let mapped = now.changes.columns.attributes.iter();
    let mapped: BTreeSet<String> = mapped.map(|(name, _)| name.clone()).collect();
    Ok(Premises::new(
        &before.snapshot.schema,
        &now.snapshot,
        now.vectors,
        mapped,
        judged_anew(&before.changes, &now.changes)?,
    ))
}

/// Keys, ascending, of the records that are accepted in one of two judgements of the same rows.
fn judged_anew(before: &ChangeSet, now: &ChangeSet) -> Result<Vec<String>> {
    let (old, new) = (before.rejected(), now.rejected());
    if old.is_same(new) {
        return Ok(Vec::new());
    }
    let all = now.without(Arc::default());
    let mut keys = Vec::new();
    for number in 0..all.num_batches() {
        let batch = all.batch(number)?;
        let records = batch.column(RECORD_NO).as_primitive::<Int64Type>().values();
        for (key, record) in keys_of(&batch).zip(records) {
            let record = record.unsigned_abs();
            if old.contains(record) != new.contains(record) {
                keys.push(key.to_owned());
            }
        }
    }
    Ok(keys)
}

fn keys_of(batch: &RecordBatch) -> impl Iterator<Item = &str> {
    batch
        .column(KEY)
        .as_string_view()
        .iter()
        .map(Option::unwrap_or_default)
}

/// The records that met a customer of `files`. Reads their key columns again: kept for every file, these sets would
/// be as large as the changes.
async fn records_of(before: &MergeJob, files: &[MergedFile], threads: usize) -> Result<RecordSet> {
    let wanted = identities(files);
    let mut snapshot = before.snapshot.as_ref().clone();
    snapshot.files.retain(|file| wanted.contains(&file.identity()));
    let snapshot: Arc<Snapshot> = Arc::new(snapshot);
    known_records(&before.session, &snapshot, &before.changes, threads).await
}

/// The files that the changes touch beside those that are done.
fn others(job: &MergeJob, done: &[MergedFile]) -> Vec<LiveFile> {
    let done = identities(done);
    let mut files = job.touched();
    files.retain(|file| !done.contains(&file.identity()));
    files
}

fn identities(files: &[MergedFile]) -> HashSet<FileIdentity> {
    files.iter().map(|file| file.identity.clone()).collect()
}

fn paths(files: &[MergedFile]) -> HashSet<&str> {
    files.iter().map(|file| file.identity.0.as_str()).collect()
}

/// Files of new versions without those of the files at `dropped`: they are marked as dead.
async fn trimmed(job: &MergeJob, versions: Vec<Versions>, dropped: &HashSet<&str>) -> Result<Vec<Versions>> {
    let shares = versions.iter().flat_map(|written| written.shares.iter().cloned());
    let gone: Vec<Share> = shares
        .filter(|share| dropped.contains(share.of.as_str()))
        .collect();
    let mut vectors = VectorWriter::new(&job.snapshot.log, &job.run_id, job.deletion_timestamp_ms);
    let mut kept = Vec::new();
    for mut written in versions {
        written
            .shares
            .retain(|share| !dropped.contains(share.of.as_str()));
        let mut whole = Vec::new();
        for add in written.adds {
            let rows = gone.iter().filter(|share| share.path == add.path);
            let rows: Vec<u64> = rows.flat_map(|share| share.rows.clone()).collect();
            if rows.is_empty() {
                whole.push(add);
            } else {
                let file = LiveFile::from_add(add, Some(CUSTOMER_ID));
                let already = file.deleted_rows(job.snapshot.log.as_ref())?;
                vectors.mark(&file, &already, rows)?;
            }
        }
        kept.push(Versions {
            adds: whole,
            ..written
        });
    }
    let marked = vectors.finish().await?;
    kept.push(Versions {
        adds: marked.actions.into_iter().filter_map(added).collect(),
        shares: Vec::new(),
        vector_bytes: marked.written_bytes,
    });
    Ok(kept)
}

fn added(action: FileAction) -> Option<Add> {
    match action {
        FileAction::Add(add) => Some(add),
        FileAction::Remove(_) => None,
    }
}

/// Paths of the files, of data and of deletion vectors, that the run wrote for this result.
fn written_files(facts: &MergeFacts, run_id: &str) -> HashSet<String> {
    let adds = facts.actions().filter_map(added);
    let paths = adds.flat_map(|add| {
        let file = LiveFile::from_add(add, None);
        [file.vector_path(), Some(file.add.path)]
    });
    paths
        .flatten()
        .filter(|path| is_written_by(run_id, path))
        .collect()
}
