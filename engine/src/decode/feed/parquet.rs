//! Parquet: batches are read one after the other, everything behind that at the same time.

use std::sync::{Mutex, PoisonError};

use super::{Fed, Feed, Pace};
use crate::decode::chunk::{Chunk, RowChunk};
use crate::decode::parquet::{Batches, ParquetFile};
use crate::error::Result;

/// The chunks of a Parquet file.
#[derive(Debug)]
pub(crate) struct ParquetFeed {
    file: ParquetFile,
    cursor: Mutex<Cursor>,
}

/// Where the reading stands.
#[derive(Debug)]
struct Cursor {
    /// Rows of the row group under way.
    batches: Option<Batches>,
    /// The row group after it.
    next_group: usize,
    /// Number of the next batch.
    number: u64,
    /// Number of its first record.
    record_no: u64,
}

impl ParquetFeed {
    /// All rows and columns of `file`.
    pub(crate) fn new(file: ParquetFile) -> Self {
        let cursor = Cursor {
            batches: None,
            next_group: 0,
            number: 0,
            record_no: 1,
        };
        Self {
            file,
            cursor: Mutex::new(cursor),
        }
    }
}

impl Feed for ParquetFeed {
    fn next(&self, _pace: &Pace) -> Result<Option<Fed>> {
        let mut cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        let columns: Vec<usize> = (0..self.file.columns().len()).collect();
        loop {
            if let Some(batch) = cursor.batches.as_mut().and_then(Iterator::next).transpose()? {
                let (number, first_record_no) = (cursor.number, cursor.record_no);
                cursor.number += 1;
                cursor.record_no += batch.num_rows() as u64;
                let read_bytes = batch.get_array_memory_size() as u64;
                let chunks = vec![Chunk::Rows(RowChunk {
                    batch,
                    first_record_no,
                })];
                return Ok(Some(Fed {
                    number,
                    read_bytes,
                    chunks,
                }));
            }
            let group = cursor.next_group;
            if group >= self.file.row_groups().len() {
                return Ok(None);
            }
            cursor.batches = Some(self.file.read(group, &columns)?);
            cursor.next_group += 1;
        }
    }
}
