//! NDJSON: a line is a record, so that only numbers, and a line longer than its block, need an order.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::buffer::Buffer;

use super::{Fed, Feed, Pace, owned, recycled};
use crate::decode::bytes::{Block, Blocks, Encoding};
use crate::decode::chunk::{Chunk, TextChunk};
use crate::decode::csv::{End, HEAD_BYTES, Position, RecordTable};
use crate::decode::json::{JsonSplitter, TextTable, records};
use crate::decode::open::Text;
use crate::error::Result;

/// The chunks of an NDJSON file.
#[derive(Debug)]
pub(crate) struct JsonFeed {
    blocks: Arc<dyn Blocks>,
    splitter: JsonSplitter,
    /// Longest record that is not malformed.
    record_bytes: usize,
    /// The source's own encoding.
    encoding: Encoding,
    /// Locked in turn only.
    numbering: Mutex<Numbering>,
}

/// What goes in order.
#[derive(Debug)]
struct Numbering {
    /// Where the next line starts in the stream.
    position: Position,
    /// First byte of the next block in the source's own encoding.
    source_byte: u64,
    /// The beginning of a line that no block so far has ended.
    carry: Vec<u8>,
    /// Bytes of that line, those not kept counted.
    carried_bytes: u64,
    /// The same in the source's own encoding.
    carried_source_bytes: u64,
    /// The last of them.
    last: Option<u8>,
}

/// A block split on its own.
struct Split {
    /// First byte of its first line.
    start: usize,
    table: TextTable,
    /// First byte behind its last whole line.
    end: usize,
    num_lines: u32,
}

impl JsonFeed {
    /// The records of `blocks`, which are those of `text`; the `wanted` keys become cells.
    pub(crate) fn new(blocks: Arc<dyn Blocks>, wanted: &[String], record_bytes: u64, text: &Text) -> Self {
        Self {
            blocks,
            splitter: JsonSplitter::new(wanted, record_bytes),
            record_bytes: usize::try_from(record_bytes).unwrap_or(usize::MAX),
            encoding: text.encoding,
            numbering: Mutex::new(Numbering {
                position: text.start,
                source_byte: text.source_start,
                carry: Vec::new(),
                carried_bytes: 0,
                carried_source_bytes: 0,
                last: None,
            }),
        }
    }

    /// Splits the lines that start in the block, behind its first byte: that one belongs to the block before.
    fn split(&self, block: &Block) -> Split {
        let content = block.content();
        let start = match (block.number, memchr::memchr(b'\n', owned(block))) {
            (0, _) => 0,
            (_, Some(at)) => at + 1,
            (_, None) => content.len(),
        };
        let end = if block.is_last { End::Last } else { End::More };
        let owned_bytes = (block.owned_bytes + usize::from(!is_end(block))).saturating_sub(start);
        let mut table = TextTable::default();
        let lines = content.get(start..).unwrap_or_default();
        let consumed = self.splitter.clone().split(lines, owned_bytes, end, &mut table);
        Split {
            start,
            table,
            end: start + consumed.num_bytes,
            num_lines: consumed.num_lines,
        }
    }

    /// The line that began in an earlier block, if this one ends it.
    fn seam(&self, block: &Block, numbering: &mut Numbering) -> Option<TextChunk> {
        let content = block.content();
        let line_end = memchr::memchr(b'\n', owned(block)).map(|at| at + 1);
        let rest = content
            .get(..line_end.unwrap_or(block.owned_bytes))
            .unwrap_or_default();
        let source_byte = numbering.source_byte - numbering.carried_source_bytes;
        let line_end_bytes = match rest.split_last() {
            Some((b'\n', line)) if line.last().copied().or(numbering.last) == Some(b'\r') => 2,
            Some((b'\n', _)) => 1,
            _ => 0,
        };
        self.extend(numbering, rest);
        if line_end.is_none() && !is_end(block) {
            return None;
        }
        let (bytes, line_bytes) = (
            std::mem::take(&mut numbering.carry),
            std::mem::take(&mut numbering.carried_bytes),
        );
        let source_bytes = std::mem::take(&mut numbering.carried_source_bytes);
        let mut table = TextTable::default();
        let consumed = self
            .splitter
            .clone()
            .split(&bytes, bytes.len(), End::Last, &mut table);
        let mut records = records(table, &bytes, numbering.position, self.encoding);
        for bad in records
            .malformed
            .iter_mut()
            .filter(|_| line_bytes > bytes.len() as u64)
        {
            bad.byte_len = source_bytes - line_end_bytes * self.encoding.original_bytes(b"\n");
        }
        numbering.position.record_no += records.num_records() as u64;
        numbering.position.line += u64::from(consumed.num_lines);
        numbering.position.byte += line_bytes;
        Some(TextChunk {
            bytes: Buffer::from_vec(bytes),
            source_byte,
            records,
        })
    }

    /// Numbers the records of a block.
    fn number(
        &self,
        block: &Block,
        split: Split,
        numbering: &mut Numbering,
    ) -> (Option<TextChunk>, RecordTable, usize) {
        let seam = if numbering.carried_bytes > 0 {
            self.seam(block, numbering)
        } else {
            None
        };
        let content = block.content();
        let lines = content.get(split.start..).unwrap_or_default();
        let records = records(split.table, lines, numbering.position, self.encoding);
        if numbering.carried_bytes == 0 {
            numbering.position.record_no += records.num_records() as u64;
            numbering.position.line += u64::from(split.num_lines);
            numbering.position.byte = block.start + split.end as u64;
            let open = content.get(split.end..block.owned_bytes).unwrap_or_default();
            self.extend(numbering, open);
        }
        numbering.source_byte += self.encoding.original_bytes(owned(block));
        (seam, records, split.start)
    }

    /// Adds the bytes of a line that goes on; of a malformed one only the head is kept.
    fn extend(&self, numbering: &mut Numbering, bytes: &[u8]) {
        numbering.carried_bytes += bytes.len() as u64;
        numbering.carried_source_bytes += self.encoding.original_bytes(bytes);
        numbering.last = bytes.last().copied().or(numbering.last);
        numbering.carry.extend_from_slice(bytes);
        numbering
            .carry
            .truncate(self.record_bytes.saturating_add(HEAD_BYTES));
    }
}

/// Whether the stream ends with what the block owns.
fn is_end(block: &Block) -> bool {
    block.is_last && block.owned_bytes == block.content().len()
}

impl Feed for JsonFeed {
    fn next(&self, pace: &Pace) -> Result<Option<Fed>> {
        let Some(block) = self.blocks.next()? else {
            return Ok(None);
        };
        let (number, read_bytes) = (block.number, block.read_bytes);
        let split = self.split(&block);
        let numbered = pace.in_turn(number, || {
            let mut numbering = self.numbering.lock().unwrap_or_else(PoisonError::into_inner);
            let source_byte = numbering.source_byte;
            (self.number(&block, split, &mut numbering), source_byte)
        });
        let Some(((seam, records, start), source_byte)) = numbered else {
            return Ok(None);
        };
        let own = (!records.is_empty()).then(|| {
            let before = self
                .encoding
                .original_bytes(block.content().get(..start).unwrap_or_default());
            TextChunk {
                bytes: recycled::buffer(block, &self.blocks).slice(start),
                source_byte: source_byte + before,
                records,
            }
        });
        let chunks = seam
            .into_iter()
            .chain(own)
            .map(|chunk| Chunk::Text(Box::new(chunk)))
            .collect();
        Ok(Some(Fed {
            number,
            read_bytes,
            chunks,
        }))
    }
}
