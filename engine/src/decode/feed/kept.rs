//! Records kept from a source: batches are read one after the other and split at the same time.

use std::sync::{Mutex, PoisonError};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};

use super::{Fed, Feed, Pace};
use crate::decode::bytes::Encoding;
use crate::decode::chunk::Chunk;
use crate::decode::kept::{KEPT_RAW, Kept, KeptRecord, KeptSplitter};
use crate::error::Result;
use crate::source::{RowBatches, Stop};

/// Bytes of the records of a chunk, if a single one is not more.
const CHUNK_BYTES: usize = 64 << 20;

/// The chunks of kept records.
pub(crate) struct KeptFeed {
    kept: Kept,
    splitter: KeptSplitter,
    cursor: Mutex<Cursor>,
    stop: Stop,
}

/// Where the reading stands.
#[derive(Default)]
struct Cursor {
    /// Begun by the first thread that asks.
    batches: Option<RowBatches>,
    /// Number of the next batch.
    number: u64,
}

impl KeptFeed {
    /// The records of `kept` as `splitter` finds them.
    pub(crate) fn new(kept: Kept, splitter: KeptSplitter) -> Self {
        Self {
            kept,
            splitter,
            cursor: Mutex::default(),
            stop: Stop::default(),
        }
    }

    fn take(&self) -> Result<Option<(u64, RecordBatch)>> {
        let mut cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        if cursor.batches.is_none() {
            cursor.batches = Some(self.kept.rows.batches(self.stop.clone())?);
        }
        let Some(batch) = cursor.batches.as_mut().and_then(Iterator::next).transpose()? else {
            return Ok(None);
        };
        let number = cursor.number;
        cursor.number += 1;
        Ok(Some((number, batch)))
    }

    fn chunk(&self, batch: &RecordBatch, encoding: Encoding) -> Result<Chunk> {
        let raw = cast(batch.column(KEPT_RAW), &DataType::BinaryView)?;
        let raw = raw.as_binary_view();
        let lengths = batch.column(KEPT_RAW - 1).as_primitive::<Int64Type>();
        let records: Vec<KeptRecord<'_>> = (0..batch.num_rows())
            .map(|row| KeptRecord {
                raw: raw.value(row),
                byte_len: lengths.is_valid(row).then(|| lengths.value(row).unsigned_abs()),
            })
            .collect();
        let places = batch.columns().iter().take(KEPT_RAW).cloned().collect();
        Ok(Chunk::Kept(Box::new(
            self.splitter.split(&records, encoding, places),
        )))
    }
}

impl Feed for KeptFeed {
    fn next(&self, _pace: &Pace) -> Result<Option<Fed>> {
        let Some((number, batch)) = self.take()? else {
            return Ok(None);
        };
        let read_bytes = batch.get_array_memory_size() as u64;
        let chunks = pieces(&batch)
            .iter()
            .map(|piece| self.chunk(piece, self.kept.encoding))
            .collect::<Result<_>>()?;
        Ok(Some(Fed {
            number,
            read_bytes,
            chunks,
        }))
    }

    fn stop(&self) {
        self.stop.ask();
    }
}

/// The batch in pieces of about [`CHUNK_BYTES`].
fn pieces(batch: &RecordBatch) -> Vec<RecordBatch> {
    let pieces = batch.get_array_memory_size().div_ceil(CHUNK_BYTES).max(1);
    let rows = batch.num_rows().div_ceil(pieces).max(1);
    let starts = (0..batch.num_rows()).step_by(rows);
    starts
        .map(|start| batch.slice(start, rows.min(batch.num_rows() - start)))
        .collect()
}
