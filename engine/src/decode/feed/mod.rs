//! Where the chunks of an opened file come from.
//!
//! ```text
//!  CSV      block ─▶ split, guessing ─▶ link in order ─▶ chunk        `csv`
//!  NDJSON   block ─▶ split by lines  ─▶ number in order ─▶ chunk      `ndjson`
//!  typed    rows ─▶ batch, in order ─▶ chunk                          `rows`
//!  kept     records, one by one ─▶ split ─▶ chunk                     `kept`
//! ```
//!
//! A [`Feed`] is asked by all threads of a load at once. What must be done in file order is done in the turn of the
//! block ([`Pace`]); everything else at the same time.

mod csv;
mod kept;
mod ndjson;
mod pace;
mod recycled;
mod rows;

pub(super) use csv::CsvFeed;
pub(super) use kept::KeptFeed;
pub(super) use ndjson::JsonFeed;
pub(super) use pace::Pace;
pub(super) use rows::RowsFeed;

use super::bytes::Block;
use super::chunk::Chunk;
use crate::error::Result;

/// The chunks of one block, with the block's place among all.
#[derive(Debug)]
pub(super) struct Fed {
    /// Place among the blocks, from 0, without a gap.
    pub number: u64,
    /// Bytes of the source read for it.
    pub read_bytes: u64,
    /// Its records; none if none start in it.
    pub chunks: Vec<Chunk>,
}

/// Gives the chunks of a file, a block at a time, to any number of threads.
pub(super) trait Feed: Send + Sync {
    /// The next block; `None` at the end, and when the load was stopped.
    ///
    /// # Errors
    /// Input that failed or is damaged.
    fn next(&self, pace: &Pace) -> Result<Option<Fed>>;

    /// Ends the waiting of threads for input that may take long to come: nobody wants it any more.
    fn stop(&self) {}
}

/// The bytes that a block alone owns.
fn owned(block: &Block) -> &[u8] {
    block.content().get(..block.owned_bytes).unwrap_or_default()
}
