//! Batches on disk: blocks one after the other in a file.
//!
//! ```text
//!   │ block 0: schema, batch │ block 1: schema, batch │ ...     each an Arrow IPC stream of its own, LZ4
//! ```
//!
//! A block knows nothing of the others: it is encoded on whichever core made the batch, and read by columns. A small one
//! is compressed as a whole, without a frame for each of its buffers: with pieces of 100 KB a merge takes a sixth less.

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
    compressed: Compressed,
}

/// An encoded batch.
#[derive(Debug)]
pub(super) struct Block {
    bytes: Vec<u8>,
    compressed: Compressed,
}

/// What LZ4 was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compressed {
    /// Every buffer, in a frame of its own: those that are not asked for are not decompressed.
    Buffers,
    /// The block, of so many bytes.
    Whole { stream_bytes: usize },
}

/// Bytes of a batch below which a block is compressed as a whole.
const SMALL_BYTES: usize = 1 << 20;

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
    pub(super) fn append(&mut self, block: &Block) -> Result<()> {
        let start = self
            .blocks
            .last()
            .map_or(0, |last| last.start + last.len_bytes as u64);
        self.file
            .write_all(&block.bytes)
            .map_err(|error| self.folder.full(error))?;
        self.blocks.push(Place {
            start,
            len_bytes: block.bytes.len(),
            compressed: block.compressed,
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
        if let Compressed::Whole { stream_bytes } = place.compressed {
            block =
                lz4_flex::block::decompress(&block, stream_bytes).map_err(|error| gone().because(error))?;
        }
        decode(&block, columns)?.ok_or_else(gone)
    }
}

/// A block of one batch; its views are compacted.
///
/// # Errors
/// Arrow refuses the columns, which it does not.
pub(super) fn encode(batch: &RecordBatch) -> Result<Block> {
    let batch = compact(batch)?;
    if batch.get_array_memory_size() >= SMALL_BYTES {
        return Ok(Block {
            bytes: stream(&batch, Some(CompressionType::LZ4_FRAME))?,
            compressed: Compressed::Buffers,
        });
    }
    let stream = stream(&batch, None)?;
    Ok(Block {
        bytes: lz4_flex::block::compress(&stream),
        compressed: Compressed::Whole {
            stream_bytes: stream.len(),
        },
    })
}

fn stream(batch: &RecordBatch, compression: Option<CompressionType>) -> Result<Vec<u8>> {
    let options = IpcWriteOptions::default().try_with_compression(compression)?;
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), batch.schema_ref(), options)?;
    writer.write(batch)?;
    Ok(writer.into_inner()?)
}

fn decode(block: &[u8], columns: Option<&[usize]>) -> std::result::Result<Option<RecordBatch>, ArrowError> {
    let mut reader = StreamReader::try_new(block, columns.map(<[usize]>::to_vec))?;
    reader.next().transpose()
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array, StringViewArray};

    use super::*;

    fn batch(num_rows: i64) -> RecordBatch {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter(
            (0..num_rows).map(|i| (i % 3 > 0).then_some(i)),
        ));
        let texts =
            (0..num_rows).map(|i| (i % 5 > 0).then(|| format!("a text that is longer than a view {i}")));
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter(texts));
        RecordBatch::try_from_iter([("n", numbers), ("t", texts)]).unwrap()
    }

    #[test]
    fn small_and_large_blocks_come_back_whole_and_by_column() {
        let sizes = [1, 100_000, 0, 7, 40_000];
        let folder = Arc::new(SpillFolder::below(std::env::temp_dir()));
        let mut spill = Spill::create(&folder).unwrap();
        let mut by_buffer = Vec::new();
        for rows in sizes {
            let block = encode(&batch(rows)).unwrap();
            by_buffer.push(block.compressed == Compressed::Buffers);
            spill.append(&block).unwrap();
        }
        assert_eq!(by_buffer, [false, true, false, false, true]);
        for (number, rows) in sizes.into_iter().enumerate() {
            assert_eq!(spill.read(number, None).unwrap(), batch(rows));
            let texts = batch(rows).project(&[1]).unwrap();
            assert_eq!(spill.read(number, Some(&[1])).unwrap(), texts);
        }
    }

    #[test]
    fn a_block_that_was_cut_off_or_overwritten_is_an_error() {
        let folder = Arc::new(SpillFolder::below(std::env::temp_dir()));
        let mut spill = Spill::create(&folder).unwrap();
        spill.append(&encode(&batch(7)).unwrap()).unwrap();
        spill.file.write_all_at(&[0xff; 8], 0).unwrap();
        let overwritten = spill.read(0, None).unwrap_err().to_string();
        assert!(overwritten.contains("a spilled batch is gone"), "{overwritten}");
        spill.file.set_len(9).unwrap();
        assert!(spill.read(0, None).is_err());
        assert!(spill.read(1, None).is_err(), "there never was one");
    }
}
