//! The merge as an execution plan: a few neighbouring files a partition, facts as rows.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::DataFusionError;
use datafusion::execution::{SessionState, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream, execute_stream};
use futures::{TryStreamExt, stream};

use super::changes::{ChangeSet, FIRST_ATTRIBUTE, KEY, NullCells};
use super::cost::{Preference, Vectors};
use super::facts::{self, MergeFacts, MergedFile};
use super::file_merge::{FileMerge, Merged};
use super::overlap::Overlaps;
use super::room::Room;
use super::sinks::Sinks;
use crate::error::Result;
use crate::table::schemas::CUSTOMER_ID;
use crate::table::{LiveFile, Snapshot};
use crate::tasks::for_each_spawned;
use crate::validate::RecordSet;
use crate::write::{FileAction, RollingWriter, WriterOptions};

/// Partitions for each thread, all at work at once: while one waits for its bytes to be read or written, another computes.
/// With one a thread, a merge of 1 % took a sixth longer; each more is a file of new versions more.
const PARTITIONS_PER_THREAD: usize = 2;

/// New customers for which a writer of their own pays: their file is not a small one.
const ROWS_OF_A_WRITER: u64 = 256 << 10;

/// Whether a merge writes files or finds out what it would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apply {
    /// Files are written.
    Write,
    /// Nothing is written.
    CountOnly,
}

/// What the merge of every file shares.
#[derive(Debug, Clone)]
pub struct MergeJob {
    /// The accepted rows.
    pub changes: ChangeSet,
    /// The version merged into; its schema already has the columns of this run.
    pub snapshot: Arc<Snapshot>,
    /// The run, for file names.
    pub run_id: String,
    /// Whether files are written.
    pub apply: Apply,
    /// Time of the Removes, milliseconds since the epoch.
    pub deletion_timestamp_ms: i64,
    /// The session that scans.
    pub session: SessionState,
    /// Whether deletion vectors may be written.
    pub vectors: Vectors,
    /// Who chooses how a file is merged.
    pub preference: Preference,
    /// Memory for the changes of files that are merged at the same time.
    pub room: Arc<Room>,
}

impl MergeJob {
    pub(super) fn key_position(&self) -> Result<usize> {
        Ok(self.snapshot.schema.index_of(CUSTOMER_ID)?)
    }

    /// Positions of the attributes in the table, in change order.
    pub(super) fn attribute_positions(&self) -> Result<Vec<usize>> {
        let names = self.changes.columns.attributes.iter();
        names
            .map(|(name, _)| Ok(self.snapshot.schema.index_of(name)?))
            .collect()
    }

    pub(super) fn null_policies(&self) -> Vec<NullCells> {
        self.changes
            .columns
            .attributes
            .iter()
            .map(|(_, nulls)| *nulls)
            .collect()
    }

    pub(super) fn touched(&self) -> Vec<LiveFile> {
        let Some(range) = self.changes.key_range() else {
            return Vec::new();
        };
        self.snapshot.files_of(&range)
    }
}

/// Merges the changes into the live files that may hold their customers.
///
/// # Errors
/// The table or the stage cannot be read or written; a customer that stands in two live files.
pub async fn merge(job: Arc<MergeJob>, threads: usize) -> Result<MergeFacts> {
    let found = MergeFacts::of(&job);
    let files = job.touched();
    merge_into(job, files, found, threads).await
}

/// Merges the changes into `files`, some of those they touch, and adds what that comes to to `found`.
pub(super) async fn merge_into(
    job: Arc<MergeJob>,
    files: Vec<LiveFile>,
    mut found: MergeFacts,
    threads: usize,
) -> Result<MergeFacts> {
    let Some(plan) = plan(&job, files, threads)? else {
        return Ok(found);
    };
    let task = job.session.task_ctx();
    // A task of its own: there a partition that panics is an error of the run.
    let absorbing = SpawnedTask::spawn(async move {
        // All partitions at once; what they find is taken in as it comes, since the records met may be all there are.
        let mut rows = execute_stream(plan, task)?;
        while let Some(batch) = rows.try_next().await? {
            found.absorb(&batch)?;
        }
        Ok(found)
    });
    absorbing.join().await?
}

/// The plan whose rows are facts; `None` when no file can hold a change.
fn plan(job: &Arc<MergeJob>, files: Vec<LiveFile>, threads: usize) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let overlaps = Overlaps::of(&job.snapshot.files);
    let groups = partitions(files, threads.max(1) * PARTITIONS_PER_THREAD);
    let partitions: Vec<Arc<dyn PartitionStream>> = groups
        .into_iter()
        .map(|files| -> Arc<dyn PartitionStream> {
            let files = files.into_iter().map(|file| (overlaps.most_over(&file), file));
            Arc::new(FilesPartition {
                job: Arc::clone(job),
                files: files.collect(),
                schema: facts::schema(),
            })
        })
        .collect();
    if partitions.is_empty() {
        return Ok(None);
    }
    Ok(Some(Arc::new(StreamingTableExec::try_new(
        facts::schema(),
        partitions,
        None,
        [],
        false,
        None,
    )?)))
}

/// Neighbours in key order go together, so that what they write together is in key order too: `most` groups of about
/// as many bytes.
fn partitions(files: Vec<LiveFile>, most: usize) -> Vec<Vec<LiveFile>> {
    let size_bytes = |file: &LiveFile| file.add.size.unsigned_abs().max(1);
    let total_bytes: u64 = files.iter().map(size_bytes).sum();
    let mut groups: Vec<Vec<LiveFile>> = Vec::new();
    let (mut begun_bytes, mut slot) = (0, None);
    for file in files {
        // The slot of `most` equal ones in which the file's middle lies.
        let middle = begun_bytes + size_bytes(&file) / 2;
        let of_file = middle.saturating_mul(most as u64) / total_bytes.max(1);
        begun_bytes += size_bytes(&file);
        match groups.last_mut() {
            Some(group) if slot == Some(of_file) => group.push(file),
            _ => groups.push(vec![file]),
        }
        slot = Some(of_file);
    }
    groups
}

#[derive(Debug)]
struct FilesPartition {
    job: Arc<MergeJob>,
    /// Each with the number of live files over its worst key.
    files: Vec<(usize, LiveFile)>,
    schema: SchemaRef,
}

impl PartitionStream for FilesPartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, task: Arc<TaskContext>) -> SendableRecordBatchStream {
        let merging = FilesMerge {
            job: Arc::clone(&self.job),
            task,
            files: self.files.clone().into_iter(),
            sinks: None,
            merged: Vec::new(),
        };
        let rows = stream::try_unfold(Some(merging), |merging| async move {
            match merging {
                Some(merging) => Ok(Some(merging.next().await?)),
                None => Ok::<_, DataFusionError>(None),
            }
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}

/// Files that are merged one after the other; what does not stay in them goes to files that they share.
struct FilesMerge {
    job: Arc<MergeJob>,
    task: Arc<TaskContext>,
    files: std::vec::IntoIter<(usize, LiveFile)>,
    sinks: Option<Sinks>,
    merged: Vec<MergedFile>,
}

impl FilesMerge {
    /// Merges the next file that holds a sent customer and says which; after the last one, what became of them all.
    async fn next(mut self) -> Result<(RecordBatch, Option<Self>)> {
        let mut sinks = match self.sinks.take() {
            Some(sinks) => sinks,
            None => Sinks::of(&self.job)?,
        };
        while let Some((overlapping_files, file)) = self.files.next() {
            let merge = FileMerge {
                job: Arc::clone(&self.job),
                file,
                overlapping_files,
                task: Arc::clone(&self.task),
            };
            if let Some(Merged { file, matched }) = merge.run(&mut sinks).await? {
                self.merged.push(file);
                self.sinks = Some(sinks);
                return Ok((matched, Some(self)));
            }
        }
        let versions = sinks.finish(&mut self.merged).await?;
        Ok((facts::merged(&self.merged, &versions)?, None))
    }
}

/// Writes the accepted rows that met no customer to sorted files of their own, and counts them.
///
/// # Errors
/// The stage cannot be read, the store cannot be written.
pub async fn register_new(
    job: &Arc<MergeJob>,
    matched: &RecordSet,
    threads: usize,
) -> Result<(u64, Vec<FileAction>)> {
    let matched = Arc::new(matched.clone());
    let new_rows = (job.changes.num_rows() as u64).saturating_sub(matched.len());
    let writers = (new_rows / ROWS_OF_A_WRITER).clamp(1, threads.max(1) as u64) as usize;
    let work = |batches: Range<usize>| {
        let (job, matched) = (Arc::clone(job), Arc::clone(&matched));
        async move {
            let first = batches.start;
            Ok((first, register_batches(&job, batches, &matched).await?))
        }
    };
    let mut parts = Vec::new();
    let each = |part| {
        parts.push(part);
        Ok(())
    };
    for_each_spawned(evenly(job.changes.num_batches(), writers), writers, work, each).await?;
    parts.sort_by_key(|(first, _)| *first);
    let rows_inserted = parts.iter().map(|(_, (rows, _))| rows).sum();
    Ok((
        rows_inserted,
        parts.into_iter().flat_map(|(_, (_, files))| files).collect(),
    ))
}

/// Neighbouring numbers below `num`, in `parts` of about as many.
fn evenly(num: usize, parts: usize) -> impl Iterator<Item = Range<usize>> {
    (0..parts).map(move |part| num * part / parts..num * (part + 1) / parts)
}

async fn register_batches(
    job: &MergeJob,
    batches: Range<usize>,
    matched: &RecordSet,
) -> Result<(u64, Vec<FileAction>)> {
    let store = job.snapshot.log.object_store(None);
    let schema = Arc::clone(&job.snapshot.schema);
    let options = WriterOptions::clustered(CUSTOMER_ID, job.snapshot.encoding);
    let mut writer = RollingWriter::new(store, &job.run_id, schema, options);
    let mut rows_inserted = 0;
    for number in batches {
        let batch = job.changes.batch_without(number, matched)?;
        rows_inserted += batch.num_rows() as u64;
        if job.apply == Apply::Write && batch.num_rows() > 0 {
            writer.write(&as_customers(&batch, job)?).await?;
        }
    }
    let files = writer.finish().await?;
    Ok((rows_inserted, files.into_iter().map(FileAction::Add).collect()))
}

/// Change rows in the table's columns; attributes of other processes are NULL.
fn as_customers(batch: &RecordBatch, job: &MergeJob) -> Result<RecordBatch> {
    let schema = &job.snapshot.schema;
    let mut columns: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| new_null_array(field.data_type(), batch.num_rows()))
        .collect();
    if let Some(key) = columns.get_mut(job.key_position()?) {
        *key = Arc::clone(batch.column(KEY));
    }
    for (position, values) in job
        .attribute_positions()?
        .into_iter()
        .zip(batch.columns().iter().skip(FIRST_ATTRIBUTE))
    {
        if let Some(column) = columns.get_mut(position) {
            *column = Arc::clone(values);
        }
    }
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}
