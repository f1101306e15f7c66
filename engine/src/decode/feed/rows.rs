//! Typed rows: batches are read one after the other, everything behind that at the same time.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Fed, Feed, Pace};
use crate::decode::chunk::{Chunk, RowChunk};
use crate::error::Result;
use crate::source::{RowBatches, Rows, Stop};

/// The chunks of a source that gives rows.
pub(crate) struct RowsFeed {
    cursor: Mutex<Cursor>,
    /// Ends the waiting of whoever has the cursor.
    stop: Stop,
}

/// Where the reading stands.
struct Cursor {
    rows: Arc<dyn Rows>,
    /// Begun by the first thread that asks, which may wait.
    batches: Option<RowBatches>,
    /// Number of the next batch.
    number: u64,
    /// Number of its first record.
    record_no: u64,
}

impl RowsFeed {
    /// All of `rows`.
    pub(crate) fn new(rows: Arc<dyn Rows>) -> Self {
        let cursor = Cursor {
            rows,
            batches: None,
            number: 0,
            record_no: 1,
        };
        Self {
            cursor: Mutex::new(cursor),
            stop: Stop::default(),
        }
    }
}

impl Feed for RowsFeed {
    fn next(&self, _pace: &Pace) -> Result<Option<Fed>> {
        let mut cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        if cursor.batches.is_none() {
            cursor.batches = Some(cursor.rows.batches(self.stop.clone())?);
        }
        let Some(batch) = cursor.batches.as_mut().and_then(Iterator::next).transpose()? else {
            return Ok(None);
        };
        let (number, first_record_no) = (cursor.number, cursor.record_no);
        cursor.number += 1;
        cursor.record_no += batch.num_rows() as u64;
        let read_bytes = batch.get_array_memory_size() as u64;
        let chunks = vec![Chunk::Rows(RowChunk {
            batch,
            first_record_no,
        })];
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
