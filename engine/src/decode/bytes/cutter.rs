//! From a reader to blocks; the look-ahead of one is the beginning of the next.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::block::{Block, Cut, Place};
use super::pool::Pool;

/// The most that is asked of the reader at once, so that a request to stop is soon seen.
const READ_BYTES: usize = 1 << 20;

/// Cuts the bytes of a reader into blocks.
///
/// ```text
///   buffer   │ block 0           │ look-ahead │ 1 │     one byte more tells whether the stream goes on
///                                └──────┬─────────┘
///                                       ▼ copied
///   next     │ look-ahead │ 1 │ read ...
/// ```
#[derive(Debug)]
pub(super) struct Cutter<R> {
    reader: R,
    cut: Cut,
    pool: Arc<Pool>,
    /// Stored bytes behind what the reader gave, as the reader counts them.
    stored_bytes: Arc<AtomicU64>,
    /// Of these, what earlier blocks have reported.
    reported_bytes: u64,
    number: u64,
    /// Bytes before `start` that are still to be passed over.
    skip_bytes: u64,
    start: u64,
    buffer: Vec<u8>,
    filled_bytes: usize,
    is_at_end: bool,
}

impl<R: Read> Cutter<R> {
    /// Cuts what `reader` gives.
    pub(super) fn new(reader: R, cut: Cut, pool: Arc<Pool>, stored_bytes: Arc<AtomicU64>) -> Self {
        Self {
            reader,
            cut,
            pool,
            stored_bytes,
            reported_bytes: 0,
            number: 0,
            skip_bytes: cut.start,
            start: cut.start,
            buffer: Vec::new(),
            filled_bytes: 0,
            is_at_end: false,
        }
    }

    /// The next block; `None` when the reader is at its end.
    pub(super) fn next(&mut self) -> io::Result<Option<Block>> {
        self.skip()?;
        self.fill()?;
        if self.filled_bytes == 0 {
            return Ok(None);
        }
        let content_bytes = self.filled_bytes.min(self.cut.content_bytes());
        let owned_bytes = self.filled_bytes.min(self.cut.owned_bytes());
        let place = Place {
            number: self.number,
            start: self.start,
            owned_bytes,
            is_last: self.filled_bytes == content_bytes,
            read_bytes: self.newly_read(),
        };
        let buffer = self.carry_over(owned_bytes);
        self.number += 1;
        self.start += owned_bytes as u64;
        Ok(Some(Block::seal(place, buffer, content_bytes)))
    }

    fn skip(&mut self) -> io::Result<()> {
        if self.skip_bytes > 0 {
            let wanted = std::mem::take(&mut self.skip_bytes);
            io::copy(&mut self.reader.by_ref().take(wanted), &mut io::sink())?;
        }
        Ok(())
    }

    /// Fills the buffer with a block, its look-ahead and one byte, or to the end of the stream.
    fn fill(&mut self) -> io::Result<()> {
        let wanted = self.cut.content_bytes().saturating_add(1);
        if self.buffer.is_empty() && !self.is_at_end {
            self.buffer = self.pool.take();
        }
        while self.filled_bytes < wanted && !self.is_at_end {
            let until = wanted.min(self.filled_bytes.saturating_add(READ_BYTES));
            let free = self.buffer.get_mut(self.filled_bytes..until).unwrap_or_default();
            let free_bytes = free.len();
            match self.reader.read(free) {
                Ok(0) => self.is_at_end = true,
                Ok(read) => self.filled_bytes += read.min(free_bytes),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes the filled buffer out and begins the next one with what follows the block.
    fn carry_over(&mut self, owned_bytes: usize) -> Vec<u8> {
        let carried_bytes = self.filled_bytes - owned_bytes;
        let mut next = if carried_bytes > 0 || !self.is_at_end {
            self.pool.take()
        } else {
            Vec::new()
        };
        let carried = self
            .buffer
            .get(owned_bytes..self.filled_bytes)
            .unwrap_or_default();
        if let Some(front) = next.get_mut(..carried_bytes) {
            front.copy_from_slice(carried);
        }
        self.filled_bytes = carried_bytes;
        std::mem::replace(&mut self.buffer, next)
    }

    fn newly_read(&mut self) -> u64 {
        let read = self.stored_bytes.load(Ordering::Relaxed);
        read - std::mem::replace(&mut self.reported_bytes, read)
    }
}

#[cfg(test)]
mod tests;
