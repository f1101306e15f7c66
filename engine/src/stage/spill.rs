//! Batches on disk: blocks one after the other in a file.
//!
//! ```text
//!   │ block 0: schema, batch │ block 1: schema, batch │ ...     each an Arrow IPC stream of its own, LZ4
//! ```
//!
//! A block knows nothing of the others: it is encoded on whichever core made the batch, and read by columns.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};

use super::folder::SpillFolder;
use super::store::compact;
use crate::error::{Error, Result};

/// A file of blocks that goes with its folder.
#[derive(Debug)]
pub(super) struct Spill {
    folder: Arc<SpillFolder>,
    path: PathBuf,
    file: File,
    blocks: Vec<Place>,
}

/// Where a block is.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: u64,
    len_bytes: usize,
}

impl Spill {
    /// An empty file in `folder`.
    ///
    /// # Errors
    /// The folder or the file cannot be made.
    pub(super) fn create(folder: &Arc<SpillFolder>) -> Result<Self> {
        let name = format!("{}.blocks", uuid::Uuid::new_v4().simple());
        let path = folder.path()?.join(name);
        let mut options = File::options();
        let file = options.read(true).write(true).create_new(true).open(&path);
        Ok(Self {
            file: file.map_err(|error| folder.full(error))?,
            folder: Arc::clone(folder),
            path,
            blocks: Vec::new(),
        })
    }

    /// Appends an encoded block.
    ///
    /// # Errors
    /// The disk is full.
    pub(super) fn append(&mut self, block: &[u8]) -> Result<()> {
        let start = self
            .blocks
            .last()
            .map_or(0, |last| last.start + last.len_bytes as u64);
        self.file
            .write_all(block)
            .map_err(|error| self.folder.full(error))?;
        self.blocks.push(Place {
            start,
            len_bytes: block.len(),
        });
        Ok(())
    }

    /// A block, or some of its columns, ascending; the others are not decompressed.
    ///
    /// # Errors
    /// The file was cut or overwritten.
    pub(super) fn read(&self, number: usize, columns: Option<&[usize]>) -> Result<RecordBatch> {
        let gone = || Error::runtime("a spilled batch is gone").in_file(self.path.display().to_string());
        let place = self.blocks.get(number).ok_or_else(gone)?;
        let mut block = vec![0; place.len_bytes];
        self.file
            .read_exact_at(&mut block, place.start)
            .map_err(|error| gone().because(error))?;
        decode(&block, columns)?.ok_or_else(gone)
    }
}

/// A block of one batch; its views are compacted.
///
/// # Errors
/// Arrow refuses the columns, which it does not.
pub(super) fn encode(batch: &RecordBatch) -> Result<Vec<u8>> {
    let batch = compact(batch)?;
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), batch.schema_ref(), options)?;
    writer.write(&batch)?;
    Ok(writer.into_inner()?)
}

fn decode(block: &[u8], columns: Option<&[usize]>) -> std::result::Result<Option<RecordBatch>, ArrowError> {
    let mut reader = StreamReader::try_new(block, columns.map(<[usize]>::to_vec))?;
    reader.next().transpose()
}
