//! Batches by number, in memory or on disk.

use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StructArray};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions};

use super::folder::SpillFolder;
use crate::error::Result;

/// Memory that all stages of a run share, and where they go when it is used up.
#[derive(Debug, Clone)]
pub struct StageBudget {
    limit_bytes: usize,
    used_bytes: Arc<AtomicUsize>,
    folder: Arc<SpillFolder>,
}

impl StageBudget {
    /// A budget of `limit_bytes`; what is over it goes to a folder below `parent`, which goes with the last stage.
    #[must_use]
    pub fn new(limit_bytes: usize, parent: PathBuf) -> Self {
        Self {
            limit_bytes,
            used_bytes: Arc::default(),
            folder: Arc::new(SpillFolder::below(parent)),
        }
    }

    /// A budget of its own, of at most `limit_bytes`, that goes to the same folder.
    #[must_use]
    pub fn at_most(&self, limit_bytes: usize) -> Self {
        Self {
            limit_bytes: limit_bytes.min(self.limit_bytes),
            used_bytes: Arc::default(),
            folder: Arc::clone(&self.folder),
        }
    }

    /// The folder.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn folder(&self) -> Result<PathBuf> {
        Ok(self.folder.path()?.to_owned())
    }

    /// Bytes that may be in memory.
    #[must_use]
    pub fn limit_bytes(&self) -> usize {
        self.limit_bytes
    }

    fn take(&self, bytes: usize) -> bool {
        let fits = |used: usize| (used + bytes <= self.limit_bytes).then_some(used + bytes);
        self.used_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits)
            .is_ok()
    }

    fn give(&self, bytes: usize) {
        self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Where one batch is.
#[derive(Debug, Clone)]
enum Slot {
    Memory(RecordBatch),
    /// Block number in the spill file.
    Disk(usize),
}

/// Batches that are appended once and read by number as often as wanted.
#[derive(Debug)]
pub struct BatchStore {
    schema: SchemaRef,
    budget: StageBudget,
    slots: Vec<Slot>,
    held_bytes: usize,
    pushed_bytes: usize,
    num_rows: usize,
    spill: Option<Spill>,
}

struct Spill {
    folder: Arc<SpillFolder>,
    path: PathBuf,
    writer: Option<FileWriter<File>>,
    num_blocks: usize,
    /// Readers that nobody uses now: opening one reads the places of all blocks.
    readers: Mutex<Vec<SpillReader>>,
}

/// A reader of some columns, or of all.
struct SpillReader {
    columns: Option<Vec<usize>>,
    blocks: FileReader<BufReader<File>>,
}

impl std::fmt::Debug for Spill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spill")
            .field("path", &self.path)
            .field("num_blocks", &self.num_blocks)
            .finish_non_exhaustive()
    }
}

impl BatchStore {
    /// An empty store of batches with `schema`.
    #[must_use]
    pub fn new(schema: SchemaRef, budget: StageBudget) -> Self {
        Self {
            schema,
            budget,
            slots: Vec::new(),
            held_bytes: 0,
            pushed_bytes: 0,
            num_rows: 0,
            spill: None,
        }
    }

    /// Keeps a batch. Its buffers are held as they are while memory lasts; on the way to disk views are compacted.
    ///
    /// # Errors
    /// The disk failed.
    pub fn push(&mut self, batch: RecordBatch) -> Result<()> {
        let bytes = buffer_bytes(&batch);
        self.num_rows += batch.num_rows();
        self.pushed_bytes += bytes;
        if self.budget.take(bytes) {
            self.held_bytes += bytes;
            self.slots.push(Slot::Memory(batch));
            return Ok(());
        }
        let spill = match &mut self.spill {
            Some(spill) => spill,
            none => none.insert(Spill::create(&self.budget, &self.schema)?),
        };
        let block = spill.write(&compact(&batch)?)?;
        self.slots.push(Slot::Disk(block));
        Ok(())
    }

    /// Ends the appending; the spill file becomes readable.
    ///
    /// # Errors
    /// The disk failed.
    pub fn seal(&mut self) -> Result<()> {
        match self.spill.as_mut().and_then(|spill| spill.writer.take()) {
            Some(mut writer) => Ok(writer.finish().map_err(|error| self.budget.folder.full(error))?),
            None => Ok(()),
        }
    }

    /// Number of batches.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is no batch.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Rows in all batches.
    #[must_use]
    pub fn num_rows(&self) -> usize {
        self.num_rows
    }

    /// Bytes that a row of the batches took in memory, on average.
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        self.pushed_bytes / self.num_rows.max(1)
    }

    /// Number of batches that are on disk.
    #[must_use]
    pub fn spilled_batches(&self) -> usize {
        self.spill.as_ref().map_or(0, |spill| spill.num_blocks)
    }

    /// The schema of all batches.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// One batch. The store must be sealed.
    ///
    /// # Errors
    /// The disk failed.
    pub fn read(&self, number: usize) -> Result<RecordBatch> {
        match (self.slots.get(number), &self.spill) {
            (Some(Slot::Memory(batch)), _) => Ok(batch.clone()),
            (Some(Slot::Disk(block)), Some(spill)) => spill.read(*block, None),
            _ => Ok(RecordBatch::new_empty(Arc::clone(&self.schema))),
        }
    }

    /// Some columns of one batch, ascending; the others are not decompressed. The store must be sealed.
    ///
    /// # Errors
    /// The disk failed.
    pub fn read_columns(&self, number: usize, columns: &[usize]) -> Result<RecordBatch> {
        match (self.slots.get(number), &self.spill) {
            (Some(Slot::Disk(block)), Some(spill)) => spill.read(*block, Some(columns)),
            _ => Ok(self.read(number)?.project(columns)?),
        }
    }
}

impl Drop for BatchStore {
    fn drop(&mut self) {
        self.budget.give(self.held_bytes);
    }
}

impl Spill {
    fn create(budget: &StageBudget, schema: &SchemaRef) -> Result<Self> {
        let path = budget
            .folder
            .path()?
            .join(format!("{}.arrow", uuid::Uuid::new_v4().simple()));
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
        let full = |error: ArrowError| budget.folder.full(error);
        let file = File::create(&path).map_err(|error| full(error.into()))?;
        let writer = FileWriter::try_new_with_options(file, schema, options).map_err(full)?;
        Ok(Self {
            folder: Arc::clone(&budget.folder),
            path,
            writer: Some(writer),
            num_blocks: 0,
            readers: Mutex::default(),
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<usize> {
        if let Some(writer) = &mut self.writer {
            writer.write(batch).map_err(|error| self.folder.full(error))?;
        }
        self.num_blocks += 1;
        Ok(self.num_blocks - 1)
    }

    fn idle_readers(&self) -> MutexGuard<'_, Vec<SpillReader>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self, columns: Option<&[usize]>) -> Result<SpillReader> {
        let mut idle = self.idle_readers();
        let fitting = idle
            .iter()
            .position(|reader| reader.columns.as_deref() == columns);
        if let Some(fitting) = fitting {
            return Ok(idle.swap_remove(fitting));
        }
        drop(idle);
        let columns = columns.map(<[usize]>::to_vec);
        let file = BufReader::new(File::open(&self.path)?);
        Ok(SpillReader {
            blocks: FileReader::try_new(file, columns.clone())?,
            columns,
        })
    }

    fn read(&self, block: usize, columns: Option<&[usize]>) -> Result<RecordBatch> {
        let mut reader = self.reader(columns)?;
        reader.blocks.set_index(block)?;
        let batch = reader.blocks.next().transpose()?;
        self.idle_readers().push(reader);
        batch.ok_or_else(|| {
            crate::error::Error::runtime("a spilled batch is gone").in_file(self.path.display().to_string())
        })
    }
}

/// Bytes that holding the batch keeps alive; a buffer that several columns share counts once.
fn buffer_bytes(batch: &RecordBatch) -> usize {
    let mut seen: HashSet<usize> = HashSet::new();
    let mut bytes = 0;
    for column in batch.columns() {
        visit(&column.to_data(), &mut |address, len| {
            if seen.insert(address) {
                bytes += len;
            }
        });
    }
    bytes
}

fn visit(data: &arrow::array::ArrayData, found: &mut impl FnMut(usize, usize)) {
    data.buffers()
        .iter()
        .for_each(|buffer| found(buffer.data_ptr().as_ptr() as usize, buffer.capacity()));
    data.child_data().iter().for_each(|child| visit(child, found));
}

/// Views rewritten over buffers that hold just their own bytes.
///
/// # Errors
/// Arrow refuses the columns, which it does not.
pub(crate) fn compact(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = batch
        .columns()
        .iter()
        .map(compacted)
        .collect::<std::result::Result<_, _>>()?;
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

fn compacted(column: &ArrayRef) -> std::result::Result<ArrayRef, ArrowError> {
    Ok(match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()),
        DataType::BinaryView => Arc::new(column.as_binary_view().gc()),
        DataType::Struct(fields) => {
            let of_fields = column.as_struct();
            let columns = of_fields
                .columns()
                .iter()
                .map(compacted)
                .collect::<std::result::Result<_, _>>()?;
            let (fields, nulls) = (fields.clone(), of_fields.nulls().cloned());
            Arc::new(StructArray::try_new_with_length(
                fields,
                columns,
                nulls,
                of_fields.len(),
            )?)
        }
        _ => Arc::clone(column),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::StringViewArray;
    use arrow::datatypes::{Field, Schema};

    fn batch(tag: usize) -> RecordBatch {
        let texts = (0..100).map(|i| format!("a text that is longer than a view {tag} {i}"));
        let schema = Schema::new(vec![Field::new("t", DataType::Utf8View, true)]);
        RecordBatch::try_new(
            Arc::new(schema),
            vec![Arc::new(StringViewArray::from_iter_values(texts))],
        )
        .unwrap()
    }

    #[test]
    fn batches_over_the_budget_go_to_disk_and_come_back_the_same() {
        let budget = StageBudget::new(20_000, std::env::temp_dir());
        let mut store = BatchStore::new(batch(0).schema(), budget.clone());
        (0..20).for_each(|i| store.push(batch(i)).unwrap());
        store.seal().unwrap();
        assert!(store.spilled_batches() > 0 && store.spilled_batches() < 20);
        (0..20).for_each(|i| assert_eq!(store.read(i).unwrap(), batch(i)));
        assert_eq!(store.num_rows(), 2000);
        (0..20).for_each(|i| assert_eq!(store.read_columns(i, &[0]).unwrap(), batch(i)));
        drop(store);
        assert_eq!(budget.used_bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn views_within_structs_are_compacted_too() {
        let fields = batch(0).schema().fields().clone();
        let schema = Arc::new(Schema::new(vec![Field::new(
            "row",
            DataType::Struct(fields),
            false,
        )]));
        let column: ArrayRef = Arc::new(StructArray::from(batch(0)));
        let wide = RecordBatch::try_new(schema, vec![column]).unwrap();
        let one = compact(&wide.slice(7, 1)).unwrap();
        assert_eq!(one, wide.slice(7, 1));
        assert!(buffer_bytes(&one) * 10 < buffer_bytes(&wide));
    }

    #[test]
    fn a_buffer_that_two_columns_share_counts_once() {
        let one = batch(0);
        let schema = Schema::new(vec![
            Field::new("a", DataType::Utf8View, true),
            Field::new("b", DataType::Utf8View, true),
        ]);
        let columns = vec![Arc::clone(one.column(0)), Arc::clone(one.column(0))];
        let two = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
        assert_eq!(buffer_bytes(&one), buffer_bytes(&two));
    }
}
