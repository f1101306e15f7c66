//! The index: all batches' hashes, in memory up to a budget.

use std::path::PathBuf;

use arrow::array::StringViewArray;
use rayon::prelude::*;

use super::candidates::{Finder, PartitionCandidates};
use super::gather::Candidates;
use super::partition::{KeyHashes, NUM_PARTITIONS};
use super::repeated::Repeated;
use super::spill::SpillFile;
use crate::error::{Error, Result};

/// Finds the rows of a source whose key occurs more than once.
///
/// | batch | row | key | | batch | row | group |
/// |---|---|---|---|---|---|---|
/// | 0 | 0 | A | | 0 | 1 | 0 |
/// | 0 | 1 | B | ⇒ | 1 | 0 | 0 |
/// | 1 | 0 | B | | | | |
/// | 1 | 1 | NULL | | | | |
#[derive(Debug)]
pub struct KeyIndex {
    /// Batch numbers in the order of arrival; a place in this list is a batch's position.
    numbers: Vec<u32>,
    /// The last batches to arrive.
    resident: Vec<KeyHashes>,
    /// Bytes of `resident`.
    resident_bytes: usize,
    /// Most bytes that may be resident after a batch was added.
    limit_bytes: usize,
    /// The batches before those.
    spilled: Option<SpillFile>,
    /// Where the temporary file goes.
    folder: PathBuf,
    /// Rows that have a key.
    num_rows: u64,
    /// Most bits that a row takes in any batch.
    row_bits: u32,
}

impl KeyIndex {
    /// An empty index that keeps up to `limit_bytes` in memory and the rest in a temporary file in `folder`.
    #[must_use]
    pub fn new(limit_bytes: usize, folder: impl Into<PathBuf>) -> Self {
        Self {
            numbers: Vec::new(),
            resident: Vec::new(),
            resident_bytes: 0,
            limit_bytes,
            spilled: None,
            folder: folder.into(),
            num_rows: 0,
            row_bits: 0,
        }
    }

    /// Adds the batch of that number. Batches may come in any order, each once.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn add(&mut self, batch: u32, hashes: KeyHashes) -> Result<()> {
        self.num_rows += hashes.num_rows() as u64;
        self.row_bits = self.row_bits.max(hashes.row_bits());
        self.resident_bytes += hashes.size_bytes();
        self.numbers.push(batch);
        self.resident.push(hashes);
        if self.resident_bytes > self.limit_bytes {
            self.spill()
        } else {
            Ok(())
        }
    }

    /// Number of rows that have a key.
    #[must_use]
    pub fn num_rows(&self) -> u64 {
        self.num_rows
    }

    /// Bytes in memory.
    #[must_use]
    pub fn resident_bytes(&self) -> usize {
        self.resident_bytes
    }

    /// Bytes in the temporary file.
    #[must_use]
    pub fn spilled_bytes(&self) -> u64 {
        self.spilled.as_ref().map_or(0, SpillFile::size_bytes)
    }

    /// Rows that may share their key with another, on all cores of the current rayon pool.
    ///
    /// # Errors
    /// The temporary file cannot be read, or a batch number was added twice.
    pub fn candidates(self) -> Result<Candidates> {
        self.check_numbers()?;
        let partitions: Result<Vec<_>> = (0..NUM_PARTITIONS)
            .into_par_iter()
            .map_init(Default::default, |buffers, number| self.find(number, buffers))
            .collect();
        let Self {
            numbers,
            resident,
            spilled,
            ..
        } = self;
        drop((resident, spilled));
        Candidates::gather(&numbers, partitions?)
    }

    /// The rows that share their key with another: [`candidates`](Self::candidates), then
    /// [`verify`](Candidates::verify).
    ///
    /// # Errors
    /// Those of the two, and those of `fetch`.
    pub fn repeated(self, fetch: impl FnMut(u32) -> Result<StringViewArray>) -> Result<Repeated> {
        self.candidates()?.verify(fetch)
    }

    fn find(&self, number: usize, (finder, bytes): &mut (Finder, Vec<u8>)) -> Result<PartitionCandidates> {
        let partition = &mut finder.partition;
        partition.clear();
        if let Some(spilled) = &self.spilled {
            spilled.read(number, bytes, partition)?;
        }
        for (position, batch) in (self.first_resident()..).zip(&self.resident) {
            partition.push(position, batch.row_bits(), batch.partition(number));
        }
        Ok(finder.find(self.row_bits))
    }

    /// Moves what is resident to the temporary file.
    fn spill(&mut self) -> Result<()> {
        let first_position = self.first_resident();
        let file = match &mut self.spilled {
            Some(file) => file,
            none => none.insert(SpillFile::create_in(&self.folder)?),
        };
        file.write(first_position, &self.resident)?;
        self.resident.clear();
        self.resident_bytes = 0;
        Ok(())
    }

    /// Position of the first resident batch.
    fn first_resident(&self) -> u32 {
        (self.numbers.len() - self.resident.len()) as u32
    }

    fn check_numbers(&self) -> Result<()> {
        let mut numbers = self.numbers.clone();
        numbers.sort_unstable();
        match numbers.array_windows().find(|[a, b]| a == b) {
            Some([batch, _]) => Err(Error::runtime(format!(
                "batch {batch} is twice in the index of keys"
            ))),
            None => Ok(()),
        }
    }
}
