//! A block, and where blocks come from.

use std::fmt::Debug;

use crate::error::Result;

/// Zeros after the content of a block, so that a wide load at its last byte stays within the buffer.
pub const PADDING_BYTES: usize = 64;

/// How a stream is cut.
///
/// ```text
///            start          + block_bytes     + 2 x block_bytes
///              ├────── block 0 ──┼────── block 1 ──┼── ...
///   content 0  ├─────────────────┼──────┤
///   content 1                    ├─────────────────┼──────┤
///                                         lookahead_bytes
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Bytes of a block; 0 is taken as 1.
    pub block_bytes: usize,
    /// Bytes of what follows that a block shows besides.
    pub lookahead_bytes: usize,
    /// First byte of the decoded stream that is wanted.
    pub start: u64,
}

impl Cut {
    /// Blocks of `block_bytes` from the first byte on.
    #[must_use]
    pub fn new(block_bytes: usize, lookahead_bytes: usize) -> Self {
        Self {
            block_bytes: block_bytes.max(1),
            lookahead_bytes,
            start: 0,
        }
    }

    /// The same, from `start` on.
    #[must_use]
    pub fn starting_at(self, start: u64) -> Self {
        Self { start, ..self }
    }

    /// Bytes of a block, at least one.
    pub(super) fn owned_bytes(&self) -> usize {
        self.block_bytes.max(1)
    }

    /// Bytes of a full block and its look-ahead.
    pub(super) fn content_bytes(&self) -> usize {
        self.owned_bytes().saturating_add(self.lookahead_bytes)
    }

    /// Bytes of a buffer that holds any block.
    pub(super) fn buffer_bytes(&self) -> usize {
        self.content_bytes().saturating_add(PADDING_BYTES)
    }
}

/// A piece of the stream.
///
/// ```text
///   buffer  ┌──────────────────┬────────────┬──────────┐
///           │      block       │ look-ahead │ 64 zeros │
///           └──────────────────┴────────────┴──────────┘
///           ◀── owned_bytes ──▶
///           ◀───────── content() ──────────▶
///           ◀───────────────── padded() ──────────────▶
/// ```
#[derive(Debug)]
pub struct Block {
    /// Place among the blocks, from 0.
    pub number: u64,
    /// First byte of the block in the (decompressed, decoded to UTF-8) stream.
    pub start: u64,
    /// Bytes of the block alone: records that start here belong to this block.
    pub owned_bytes: usize,
    /// Whether the stream ends with this block's content; also true of a block whose look-ahead reaches the end.
    pub is_last: bool,
    /// Bytes of the source as stored that were read for this block; over all blocks, what was read in all.
    pub read_bytes: u64,
    /// The bytes: the block, the look-ahead, then zeros.
    buffer: Vec<u8>,
    /// Bytes of the block and its look-ahead.
    content_bytes: usize,
}

impl Block {
    /// The block and its look-ahead.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        self.buffer.get(..self.content_bytes).unwrap_or_default()
    }

    /// The content and the [`PADDING_BYTES`] zeros after it.
    #[must_use]
    pub fn padded(&self) -> &[u8] {
        &self.buffer
    }

    /// The buffer: what [`Self::padded`] shows. Hand it to [`Blocks::recycle`] when it is done with.
    #[must_use]
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// A block whose content is the first `content_bytes` of `buffer`; what follows becomes zeros.
    pub(super) fn seal(place: Place, mut buffer: Vec<u8>, content_bytes: usize) -> Self {
        buffer.truncate(content_bytes.saturating_add(PADDING_BYTES));
        buffer.get_mut(content_bytes..).unwrap_or_default().fill(0);
        buffer.resize(content_bytes.saturating_add(PADDING_BYTES), 0);
        Self {
            number: place.number,
            start: place.start,
            owned_bytes: place.owned_bytes,
            is_last: place.is_last,
            read_bytes: place.read_bytes,
            buffer,
            content_bytes,
        }
    }
}

/// The facts of a block besides its bytes.
pub(super) struct Place {
    /// Place among the blocks.
    pub(super) number: u64,
    /// First byte in the stream.
    pub(super) start: u64,
    /// Bytes of the block alone.
    pub(super) owned_bytes: usize,
    /// Whether the stream ends with the content.
    pub(super) is_last: bool,
    /// Stored bytes read for it.
    pub(super) read_bytes: u64,
}

/// Gives blocks, in order of number, to whichever thread asks.
pub trait Blocks: Send + Sync + Debug {
    /// The next block; `None` after the last one.
    ///
    /// # Errors
    /// `source_changed`, `source_corrupt`, or input that failed. A stream that failed never ends with `None`.
    fn next(&self) -> Result<Option<Block>>;

    /// Takes the buffer of a block back, to be used again: fresh memory is dear.
    fn recycle(&self, buffer: Vec<u8>);
}
