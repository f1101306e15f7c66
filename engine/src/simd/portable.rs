//! Lanes without special instructions: eight words of eight bytes.
//!
//! ```text
//!  word                2c 61 2c 62 …      "a,b" and so on, compared with 2c
//!  high bits           80 00 80 00 …      exact: no carry leaves its byte
//!  one bit a byte      01 00 01 00 …
//!  times GATHER         …0101             the eight bits, side by side, in the top byte
//! ```

use super::byte_set::ByteSet;
use super::lanes::{BLOCK_BYTES, Lanes};

const WORD_BYTES: usize = 8;
const NUM_WORDS: usize = BLOCK_BYTES / WORD_BYTES;
const LOW_BITS: u64 = splat(0x7f);
const HIGH_BITS: u64 = splat(0x80);
/// Moves bit `8 * i` to bit `56 + i`, for `i` in `0..8`: the factors `1 << (56 - 7 * i)`, added up.
const GATHER: u64 = 0x0102_0408_1020_4080;

/// 64 bytes in eight words, the first byte of each in its lowest bits.
#[derive(Clone, Copy)]
pub(super) struct Portable([u64; NUM_WORDS]);

#[expect(unsafe_code, reason = "the contract of the trait")]
impl Lanes for Portable {
    #[inline(always)]
    unsafe fn load(at: *const u8) -> Self {
        // SAFETY: the caller vouches for 64 readable bytes; an array of bytes needs no alignment.
        let words = unsafe { at.cast::<[[u8; WORD_BYTES]; NUM_WORDS]>().read() };
        Self(words.map(u64::from_le_bytes))
    }

    #[inline(always)]
    unsafe fn eq(self, byte: u8) -> u64 {
        let mut mask = 0;
        for word in self.0.into_iter().rev() {
            mask = mask << WORD_BYTES | gather(equal(word, byte));
        }
        mask
    }

    #[inline(always)]
    unsafe fn in_set(self, set: &ByteSet) -> u64 {
        let mut mask = 0;
        for (i, word) in self.0.into_iter().enumerate() {
            for (j, byte) in word.to_le_bytes().into_iter().enumerate() {
                mask |= u64::from(set.contains(byte)) << (WORD_BYTES * i + j);
            }
        }
        mask
    }

    #[inline(always)]
    unsafe fn prefix_xor(mask: u64) -> u64 {
        prefix_xor(mask)
    }
}

/// Prefix XOR in six steps, each over twice the distance of the one before.
#[inline(always)]
pub(super) fn prefix_xor(mut mask: u64) -> u64 {
    for distance in [1, 2, 4, 8, 16, 32] {
        mask ^= mask << distance;
    }
    mask
}

/// `byte` in every byte of a word.
const fn splat(byte: u8) -> u64 {
    u64::from_le_bytes([byte; WORD_BYTES])
}

/// The high bit of every byte of `word` that equals `byte`.
#[inline(always)]
fn equal(word: u64, byte: u8) -> u64 {
    let differing = word ^ splat(byte);
    // The sum of seven bits and 0x7f stays in its byte.
    !(((differing & LOW_BITS) + LOW_BITS) | differing) & HIGH_BITS
}

/// The high bits of the eight bytes, side by side in the lowest byte.
#[inline(always)]
fn gather(high_bits: u64) -> u64 {
    (high_bits >> 7).wrapping_mul(GATHER) >> 56
}
