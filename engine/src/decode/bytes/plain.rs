//! An uncompressed local file in UTF-8: every block is read where it stands, by the thread that asks.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::block::{Block, Blocks, Cut, Place};
use super::pool::Pool;
use crate::error::Result;
use crate::source::fill;

/// Blocks of a local file.
///
/// Threads share one number; what it names they read side by side, without a lock.
///
/// ```text
///   thread 1   ├ block 0 ┤          ├ block 2 ┤
///   thread 2             ├ block 1 ┤          ├ block 3 ┤
/// ```
#[derive(Debug)]
pub struct PlainFile {
    file: Arc<File>,
    shown: String,
    /// Size when it was opened; nothing is read behind it.
    size_bytes: u64,
    cut: Cut,
    next_number: AtomicU64,
    pool: Pool,
}

impl PlainFile {
    /// Blocks of `file`, of which the first `size_bytes` count; `shown` is its name.
    #[must_use]
    pub fn new(file: Arc<File>, shown: &str, size_bytes: u64, cut: Cut) -> Self {
        Self {
            file,
            shown: shown.to_owned(),
            size_bytes,
            cut,
            next_number: AtomicU64::new(0),
            pool: Pool::new(cut.buffer_bytes()),
        }
    }

    /// First byte of a block; `None` at the end of the file and behind it.
    fn start_of(&self, number: u64) -> Option<u64> {
        let offset = number.checked_mul(self.cut.owned_bytes() as u64)?;
        let start = self.cut.start.checked_add(offset)?;
        (start < self.size_bytes).then_some(start)
    }

    fn read(&self, number: u64, start: u64) -> Result<Block> {
        let left = usize::try_from(self.size_bytes - start).unwrap_or(usize::MAX);
        let content_bytes = left.min(self.cut.content_bytes());
        let owned_bytes = left.min(self.cut.owned_bytes());
        let mut buffer = self.pool.take();
        let content = buffer.get_mut(..content_bytes).unwrap_or_default();
        fill(&self.file, content, start, self.size_bytes).map_err(|e| e.in_file(&self.shown))?;
        let place = Place {
            number,
            start,
            owned_bytes,
            is_last: content_bytes == left,
            // The look-ahead is counted by the block that owns it.
            read_bytes: owned_bytes as u64,
        };
        Ok(Block::seal(place, buffer, content_bytes))
    }
}

impl Blocks for PlainFile {
    fn next(&self) -> Result<Option<Block>> {
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        match self.start_of(number) {
            Some(start) => self.read(number, start).map(Some),
            None => Ok(None),
        }
    }

    fn recycle(&self, buffer: Vec<u8>) {
        self.pool.give(buffer);
    }
}

#[cfg(test)]
mod tests;
