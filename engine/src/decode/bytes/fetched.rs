//! An uncompressed file elsewhere in UTF-8: parts come in order, threads copy their blocks out of them side by side.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use ::bytes::Bytes;

use super::block::{Block, Blocks, Cut, Place};
use super::failure::Failure;
use super::pool::Pool;
use crate::error::Result;
use crate::source::Parts;

/// Blocks of a file that is fetched.
///
/// ```text
///   parts    │ part          │ part          │ coming ...
///   blocks   ├ 0 ──┼ 1 ──┼ 2 ──┼ 3 ──┤          taken in order under the lock, copied outside it
/// ```
#[derive(Debug)]
pub(super) struct FetchedBlocks {
    queue: Mutex<Queue>,
    cut: Cut,
    pool: Pool,
    shown: String,
}

#[derive(Debug)]
struct Queue {
    parts: Parts,
    /// Parts that no block has taken whole.
    ready: VecDeque<Bytes>,
    /// Bytes in them.
    ready_bytes: usize,
    number: u64,
    start: u64,
    is_at_end: bool,
    failure: Option<Failure>,
}

impl FetchedBlocks {
    /// Blocks of `parts`, which begin where `cut` does; `shown` is the file's name.
    pub(super) fn new(parts: Parts, shown: &str, cut: Cut) -> Self {
        Self {
            queue: Mutex::new(Queue {
                parts,
                ready: VecDeque::new(),
                ready_bytes: 0,
                number: 0,
                start: cut.start,
                is_at_end: false,
                failure: None,
            }),
            cut,
            pool: Pool::new(cut.buffer_bytes()),
            shown: shown.to_owned(),
        }
    }
}

impl Queue {
    /// The place of the next block and the pieces of its content.
    fn take(&mut self, cut: Cut) -> Result<Option<(Place, Vec<Bytes>)>> {
        if let Some(failure) = &self.failure {
            return Err(failure.error());
        }
        // One byte more than the content tells whether the stream goes on.
        if let Err(error) = self.fill(cut.content_bytes().saturating_add(1)) {
            self.failure = Some(Failure::of(&error));
            return Err(error);
        }
        if self.ready_bytes == 0 {
            return Ok(None);
        }
        let content_bytes = self.ready_bytes.min(cut.content_bytes());
        let owned_bytes = self.ready_bytes.min(cut.owned_bytes());
        let place = Place {
            number: self.number,
            start: self.start,
            owned_bytes,
            is_last: content_bytes == self.ready_bytes,
            read_bytes: owned_bytes as u64,
        };
        let pieces = self.front(content_bytes);
        self.drop_front(owned_bytes);
        self.number += 1;
        self.start += owned_bytes as u64;
        Ok(Some((place, pieces)))
    }

    fn fill(&mut self, wanted_bytes: usize) -> Result<()> {
        while self.ready_bytes < wanted_bytes && !self.is_at_end {
            match self.parts.next_part()? {
                Some(part) => {
                    self.ready_bytes += part.len();
                    self.ready.push_back(part);
                }
                None => self.is_at_end = true,
            }
        }
        Ok(())
    }

    fn front(&self, num_bytes: usize) -> Vec<Bytes> {
        let mut left = num_bytes;
        let mut pieces = Vec::new();
        for part in &self.ready {
            if left == 0 {
                break;
            }
            let piece = part.slice(..left.min(part.len()));
            left -= piece.len();
            pieces.push(piece);
        }
        pieces
    }

    fn drop_front(&mut self, num_bytes: usize) {
        let mut left = num_bytes;
        while left > 0
            && let Some(part) = self.ready.front_mut()
        {
            let dropped = part.split_to(left.min(part.len())).len();
            left -= dropped;
            if part.is_empty() {
                self.ready.pop_front();
            }
        }
        self.ready_bytes -= num_bytes;
    }
}

impl Blocks for FetchedBlocks {
    fn next(&self) -> Result<Option<Block>> {
        let taken = self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(self.cut)
            .map_err(|error| error.in_file(&self.shown))?;
        let Some((place, pieces)) = taken else {
            return Ok(None);
        };
        let mut buffer = self.pool.take();
        let mut at = 0;
        for piece in pieces {
            if let Some(out) = buffer.get_mut(at..at + piece.len()) {
                out.copy_from_slice(&piece);
            }
            at += piece.len();
        }
        Ok(Some(Block::seal(place, buffer, at)))
    }

    fn recycle(&self, buffer: Vec<u8>) {
        self.pool.give(buffer);
    }
}
