//! Delimited text: split at once, linked in order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::buffer::Buffer;

use super::{Fed, Feed, Pace, owned, recycled};
use crate::decode::bytes::{Block, Blocks, Encoding};
use crate::decode::chunk::{Chunk, TextChunk};
use crate::decode::csv::{End, Linked, Linker, Piece, RecordTable, Speculation, Splitter};
use crate::error::Result;

/// The chunks of a delimited file.
#[derive(Debug)]
pub(crate) struct CsvFeed {
    blocks: Arc<dyn Blocks>,
    splitter: Splitter,
    /// The source's own encoding.
    encoding: Encoding,
    /// Locked in turn only.
    linking: Mutex<Linking>,
    /// Rows of the largest block so far.
    expected_rows: AtomicUsize,
}

/// What goes in order.
#[derive(Debug)]
struct Linking {
    linker: Linker,
    /// First byte of the next block in the source's own encoding.
    source_byte: u64,
}

impl CsvFeed {
    /// The records of `blocks` as `splitter` finds them; the first byte is `source_byte` in the source's own encoding.
    pub(crate) fn new(
        blocks: Arc<dyn Blocks>,
        splitter: Splitter,
        encoding: Encoding,
        source_byte: u64,
    ) -> Self {
        Self {
            blocks,
            encoding,
            linking: Mutex::new(Linking {
                linker: Linker::new(splitter.clone()),
                source_byte,
            }),
            splitter,
            expected_rows: AtomicUsize::new(0),
        }
    }

    /// The chunks of a linked block, and of the record before it that did not fit into its own.
    fn chunks(&self, block: Block, linked: Linked, source_byte: u64) -> Vec<Chunk> {
        // A little more than the largest so far: most blocks then need no second allocation.
        let num_rows = linked.table.num_rows();
        self.expected_rows
            .fetch_max(num_rows + num_rows / 16, Ordering::Relaxed);
        let seam = linked.seam.map(|(bytes, records)| {
            let carried_bytes = (block.start - records.origin.byte) as usize;
            let carried = bytes.get(..carried_bytes).unwrap_or_default();
            let source_byte = source_byte - self.encoding.original_bytes(carried);
            TextChunk {
                bytes: Buffer::from_vec(bytes),
                source_byte,
                records,
            }
        });
        let records = linked.table;
        let own = (!records.is_empty()).then(|| TextChunk {
            bytes: recycled::buffer(block, &self.blocks),
            source_byte,
            records,
        });
        seam.into_iter()
            .chain(own)
            .map(|chunk| Chunk::Text(Box::new(chunk)))
            .collect()
    }
}

impl Feed for CsvFeed {
    fn next(&self, pace: &Pace) -> Result<Option<Fed>> {
        let Some(block) = self.blocks.next()? else {
            return Ok(None);
        };
        let (number, read_bytes) = (block.number, block.read_bytes);
        let piece = Piece {
            bytes: block.content(),
            start: block.start,
            owned_bytes: block.owned_bytes,
            end: if block.is_last { End::Last } else { End::More },
            is_first: number == 0,
        };
        let table = RecordTable::expecting(self.expected_rows.load(Ordering::Relaxed));
        let speculation = Speculation::of(&self.splitter, piece, table);
        let source_bytes = self.encoding.original_bytes(owned(&block));
        let linked = pace.in_turn(number, || {
            let mut linking = self.linking.lock().unwrap_or_else(PoisonError::into_inner);
            let source_byte = linking.source_byte;
            linking.source_byte += source_bytes;
            (linking.linker.link(piece, speculation), source_byte)
        });
        Ok(linked.map(|(linked, source_byte)| Fed {
            number,
            read_bytes,
            chunks: self.chunks(block, linked, source_byte),
        }))
    }
}
