//! Batches by number, in memory or on disk.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StructArray};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use rayon::prelude::*;

use super::folder::SpillFolder;
use super::spill::{Block, Spill, encode};
use crate::error::Result;

/// Batches that are encoded before they are written.
const EVICTED_AT_ONCE: usize = 16;

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

/// Where the batches of a store are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Residence {
    /// All in memory.
    Memory,
    /// All on disk.
    Disk,
}

/// Where one batch is.
#[derive(Debug, Clone)]
enum Slot {
    Memory(RecordBatch),
    /// The block of its number.
    Disk,
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
    packer: Packer,
}

/// Makes batches ready for a store, on whichever core has them.
#[derive(Debug, Clone, Default)]
pub struct Packer {
    /// Whether the store is on disk.
    spills: Arc<AtomicBool>,
}

/// A batch ready for a store.
#[derive(Debug)]
pub struct Packed {
    form: Form,
    num_rows: usize,
    bytes: usize,
}

#[derive(Debug)]
enum Form {
    Memory(RecordBatch),
    Block(Block),
}

impl Packer {
    /// Encodes the batch if it is to go to disk.
    ///
    /// # Errors
    /// Arrow refuses the columns, which it does not.
    pub fn pack(&self, batch: RecordBatch) -> Result<Packed> {
        Ok(Packed {
            num_rows: batch.num_rows(),
            bytes: buffer_bytes(&batch),
            form: match self.spills.load(Ordering::Relaxed) {
                true => Form::Block(encode(&batch)?),
                false => Form::Memory(batch),
            },
        })
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
            packer: Packer::default(),
        }
    }

    /// What makes batches ready for this store.
    #[must_use]
    pub fn packer(&self) -> Packer {
        self.packer.clone()
    }

    /// Keeps a batch. Its buffers are held as they are while memory lasts; on the way to disk views are compacted. Once a
    /// batch does not fit, all of them go to disk: what comes after the stage needs the memory.
    ///
    /// # Errors
    /// The disk is full.
    pub fn push(&mut self, batch: RecordBatch) -> Result<()> {
        self.push_packed(self.packer.pack(batch)?)
    }

    /// Keeps a batch that [`packer`](Self::packer) made ready.
    ///
    /// # Errors
    /// The disk is full.
    pub fn push_packed(&mut self, packed: Packed) -> Result<()> {
        self.num_rows += packed.num_rows;
        self.pushed_bytes += packed.bytes;
        match packed.form {
            Form::Memory(batch) if self.spill.is_none() && self.budget.take(packed.bytes) => {
                self.held_bytes += packed.bytes;
                self.slots.push(Slot::Memory(batch));
                Ok(())
            }
            Form::Memory(batch) => {
                self.slots.push(Slot::Memory(batch));
                self.evict()
            }
            Form::Block(block) => {
                self.slots.push(Slot::Disk);
                self.spill()?.append(&block)
            }
        }
    }

    /// Writes what is in memory to disk, encoded on all cores.
    fn evict(&mut self) -> Result<()> {
        self.packer.spills.store(true, Ordering::Relaxed);
        let first = self
            .slots
            .iter()
            .take_while(|slot| matches!(slot, Slot::Disk))
            .count();
        let mut slots = self.slots.split_off(first);
        for slots in slots.chunks_mut(EVICTED_AT_ONCE) {
            let blocks: Vec<Block> = slots
                .par_iter_mut()
                .filter_map(|slot| match std::mem::replace(slot, Slot::Disk) {
                    Slot::Memory(batch) => Some(encode(&batch)),
                    Slot::Disk => None,
                })
                .collect::<Result<_>>()?;
            let spill = self.spill()?;
            blocks.iter().try_for_each(|block| spill.append(block))?;
        }
        self.slots.append(&mut slots);
        self.budget.give(std::mem::take(&mut self.held_bytes));
        Ok(())
    }

    fn spill(&mut self) -> Result<&mut Spill> {
        Ok(match &mut self.spill {
            Some(spill) => spill,
            none => none.insert(Spill::create(&self.budget.folder)?),
        })
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

    /// Where the batches are.
    #[must_use]
    pub fn residence(&self) -> Residence {
        match self.spill {
            Some(_) => Residence::Disk,
            None => Residence::Memory,
        }
    }

    /// The schema of all batches.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// One batch.
    ///
    /// # Errors
    /// The disk failed.
    pub fn read(&self, number: usize) -> Result<RecordBatch> {
        match (self.slots.get(number), &self.spill) {
            (Some(Slot::Memory(batch)), _) => Ok(batch.clone()),
            (Some(Slot::Disk), Some(spill)) => spill.read(number, None),
            _ => Ok(RecordBatch::new_empty(Arc::clone(&self.schema))),
        }
    }

    /// Some columns of one batch, ascending; the others are not decompressed.
    ///
    /// # Errors
    /// The disk failed.
    pub fn read_columns(&self, number: usize, columns: &[usize]) -> Result<RecordBatch> {
        match (self.slots.get(number), &self.spill) {
            (Some(Slot::Disk), Some(spill)) => spill.read(number, Some(columns)),
            _ => Ok(self.read(number)?.project(columns)?),
        }
    }
}

impl Drop for BatchStore {
    fn drop(&mut self) {
        self.budget.give(self.held_bytes);
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
        let residence =
            |store: &BatchStore| (store.residence(), budget.used_bytes.load(Ordering::Relaxed) > 0);
        store.push(batch(0)).unwrap();
        assert_eq!(residence(&store), (Residence::Memory, true));
        (1..20).for_each(|i| store.push(batch(i)).unwrap());
        assert_eq!(residence(&store), (Residence::Disk, false));
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
