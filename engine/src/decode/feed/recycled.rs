//! The bytes of a block as an Arrow buffer that goes back to the pool when nobody looks at it any more.

use std::sync::Arc;

use arrow::buffer::Buffer;
use bytes::Bytes;

use crate::decode::bytes::{Block, Blocks};

/// A block's bytes, on their way through a load.
struct Recycled {
    buffer: Vec<u8>,
    blocks: Arc<dyn Blocks>,
}

impl AsRef<[u8]> for Recycled {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Recycled {
    fn drop(&mut self) {
        self.blocks.recycle(std::mem::take(&mut self.buffer));
    }
}

/// The block's content and the zeros behind it.
pub(super) fn buffer(block: Block, blocks: &Arc<dyn Blocks>) -> Buffer {
    let recycled = Recycled {
        buffer: block.into_buffer(),
        blocks: Arc::clone(blocks),
    };
    Buffer::from(Bytes::from_owner(recycled))
}
