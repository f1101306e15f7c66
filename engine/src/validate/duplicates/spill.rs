//! Index entries beyond the memory budget, in a temporary file.
//!
//! ```text
//!   file   │ run 0                                     │ run 1 ...
//!          │ partition 0        │ partition 1        │ …│
//!          │ rows of each batch │                    │
//!          │ entries ...        │ entries ...        │      one partition of one run is one read
//! ```
//!
//! The file has no name from the start: it disappears with its handle, also when the process is killed.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::candidates::Partition;
use super::partition::{KeyHashes, NUM_PARTITIONS};
use crate::error::{Error, Result};

/// Bytes handed to the operating system at a time.
const WRITE_BUFFER_BYTES: usize = 1 << 20;

/// A temporary file of runs.
#[derive(Debug)]
pub(super) struct SpillFile {
    file: File,
    /// Where the file was made.
    folder: PathBuf,
    /// What was written at once, in the order of the batches.
    runs: Vec<Run>,
    /// Where the next run starts.
    end_bytes: u64,
}

/// Some batches, by partition.
#[derive(Debug)]
struct Run {
    /// Position of the first batch.
    first_position: u32,
    /// Bits of an entry that are the row, of each batch.
    row_bits: Vec<u8>,
    /// Where each partition starts, and where the last one ends.
    starts_bytes: Vec<u64>,
}

impl SpillFile {
    /// Makes the file in `folder`.
    pub(super) fn create_in(folder: &Path) -> Result<Self> {
        Ok(Self {
            file: tempfile::tempfile_in(folder).map_err(|error| Error::not_spilled(folder, error))?,
            folder: folder.to_owned(),
            runs: Vec::new(),
            end_bytes: 0,
        })
    }

    /// Bytes in the file.
    pub(super) fn size_bytes(&self) -> u64 {
        self.end_bytes
    }

    /// Writes batches, the first of which stands at `first_position`.
    pub(super) fn write(&mut self, first_position: u32, batches: &[KeyHashes]) -> Result<()> {
        let mut end_bytes = self.end_bytes;
        let mut starts_bytes = vec![end_bytes];
        let full = |error: io::Error| Error::not_spilled(&self.folder, error);
        let mut writer = self.writer().map_err(full)?;
        for partition in 0..NUM_PARTITIONS {
            end_bytes += write_partition(&mut writer, batches, partition).map_err(full)?;
            starts_bytes.push(end_bytes);
        }
        writer.flush().map_err(full)?;
        drop(writer);
        self.end_bytes = end_bytes;
        self.runs.push(Run {
            first_position,
            row_bits: batches.iter().map(|batch| batch.row_bits() as u8).collect(),
            starts_bytes,
        });
        Ok(())
    }

    /// A writer behind the last whole run: what a failed attempt left there is written over.
    fn writer(&self) -> io::Result<BufWriter<&File>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.end_bytes))?;
        Ok(BufWriter::with_capacity(WRITE_BUFFER_BYTES, file))
    }

    /// Adds all that the file has of one partition; `bytes` is a buffer.
    pub(super) fn read(&self, number: usize, bytes: &mut Vec<u8>, to: &mut Partition) -> Result<()> {
        for run in &self.runs {
            let &[start, end] = run.starts_bytes.get(number..number + 2).unwrap_or(&[]) else {
                continue;
            };
            bytes.resize((end - start) as usize, 0);
            self.file.read_exact_at(bytes, start).map_err(|error| {
                Error::runtime("the temporary file of the duplicate check could not be read").because(error)
            })?;
            run.decode(bytes, to);
        }
        Ok(())
    }
}

impl Run {
    /// One partition of the run.
    fn decode(&self, bytes: &[u8], to: &mut Partition) {
        let (lengths, entries) = bytes
            .split_at_checked(self.row_bits.len() * size_of::<u32>())
            .unwrap_or_default();
        let (entries, _) = entries.as_chunks();
        to.entries
            .extend(entries.iter().map(|entry| u64::from_le_bytes(*entry)));
        let (lengths, _) = lengths.as_chunks();
        for ((position, row_bits), length) in (self.first_position..).zip(&self.row_bits).zip(lengths) {
            to.segment(position, u32::from(*row_bits), u32::from_le_bytes(*length));
        }
    }
}

/// Lengths, then entries; says how many bytes.
fn write_partition(to: &mut impl Write, batches: &[KeyHashes], partition: usize) -> io::Result<u64> {
    let mut num_bytes = 0;
    for batch in batches {
        let length = (batch.partition(partition).len() as u32).to_le_bytes();
        to.write_all(&length)?;
        num_bytes += length.len();
    }
    for entry in batches.iter().flat_map(|batch| batch.partition(partition)) {
        to.write_all(&entry.to_le_bytes())?;
        num_bytes += size_of::<u64>();
    }
    Ok(num_bytes as u64)
}
