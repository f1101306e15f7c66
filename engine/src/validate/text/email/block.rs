//! A column of addresses, each judged by sets of its bytes, one bit a byte.
//!
//! ```text
//!   text       a n n . l e e @ m a i l . x . o r g
//!   graphic    1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1      all: printable ASCII, no blank
//!   at         . . . . . . . 1 . . . . . . . . . .      exactly one
//!   local      1 1 1 1 1 1 1 . . . . . . . . . . .      all below it: some
//!   host       . . . . . . . . 1 1 1 1 1 1 1 1 1 1      all above it: letters, digits, hyphens, points
//!   points     . . . . . . . . . . . . 1 . 1 . . .      none after `@` or a point, none at the end, and some
//! ```

use arrow::array::StringViewArray;
use arrow::buffer::{BooleanBuffer, Buffer};

use super::is_email;
use crate::simd::{BLOCK_BYTES, ByteSet, Kernel, Lanes};
use crate::validate::text::cells::{INLINE_BYTES, WORD_ROWS};

/// Printable ASCII without the blank.
const GRAPHIC: ByteSet = ByteSet::of_ranges(&[(b'!', b'~')]);

/// ASCII letters, digits, hyphens and points.
const IN_HOSTS: ByteSet = ByteSet::of_ranges(&[
    (b'a', b'z'),
    (b'A', b'Z'),
    (b'0', b'9'),
    (b'-', b'-'),
    (b'.', b'.'),
]);

/// Whether each text is an address; a NULL is asked about like any other row.
pub(super) struct Emails<'a> {
    pub(super) texts: &'a StringViewArray,
}

impl Kernel for Emails<'_> {
    type Output = BooleanBuffer;

    #[inline(always)]
    fn run<L: Lanes>(self) -> BooleanBuffer {
        let views = self.texts.views();
        let mut words: Vec<u64> = Vec::with_capacity(views.len().div_ceil(WORD_ROWS));
        for (number, views) in views.chunks(WORD_ROWS).enumerate() {
            let mut word = 0;
            for (i, view) in views.iter().enumerate() {
                let row = number * WORD_ROWS + i;
                let is_email = match block_of(self.texts, *view) {
                    Some(block) => is_address::<L>(block, *view as u32).unwrap_or_else(|| self.ask(row)),
                    None => self.ask(row),
                };
                word |= u64::from(is_email) << i;
            }
            words.push(word);
        }
        BooleanBuffer::new(Buffer::from_vec(words), 0, views.len())
    }
}

impl Emails<'_> {
    #[inline(never)]
    fn ask(&self, row: usize) -> bool {
        is_email(self.texts.value(row))
    }
}

/// A text of a buffer with what stands behind it, 64 bytes in all; `None` for a text that is longer, that its view
/// holds, or that ends near the end of its buffer.
#[inline(always)]
fn block_of(texts: &StringViewArray, view: u128) -> Option<&[u8; BLOCK_BYTES]> {
    let (num_bytes, buffer, offset) = (view as u32 as usize, (view >> 64) as u32, (view >> 96) as usize);
    if num_bytes <= INLINE_BYTES || num_bytes > BLOCK_BYTES {
        return None;
    }
    texts
        .data_buffers()
        .get(buffer as usize)?
        .get(offset..)?
        .first_chunk()
}

/// Whether the first `num_bytes` of a block are an address; `None` if one of them is not graphic ASCII.
#[inline(always)]
#[expect(unsafe_code, reason = "the lanes read from a pointer")]
fn is_address<L: Lanes>(block: &[u8; BLOCK_BYTES], num_bytes: u32) -> Option<bool> {
    // SAFETY: a block has 64 bytes; `dispatch` chose lanes that the processor has.
    let (graphic, in_hosts, at, points) = unsafe {
        let block = L::load(block.as_ptr());
        (
            block.in_set(&GRAPHIC),
            block.in_set(&IN_HOSTS),
            block.eq(b'@'),
            block.eq(b'.'),
        )
    };
    let text = u64::MAX >> (BLOCK_BYTES as u32 - num_bytes);
    let last = 1 << (num_bytes - 1);
    if !graphic & text != 0 {
        return None;
    }
    let at = at & text;
    let local = at.wrapping_sub(1);
    let host = !(at | local) & text;
    let points = points & host;
    let has_empty_label = points & ((at | points) << 1 | last) != 0;
    Some(at.is_power_of_two() & (local != 0) & (host & !in_hosts == 0) & (points != 0) & !has_empty_label)
}
