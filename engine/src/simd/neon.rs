//! Lanes of 64-bit ARM processors: four registers of 16 bytes, filled in turn.
//!
//! ```text
//!  input       0  1  2  3  4  5  6  7  8 … 63
//!  register a  0  4  8 … 60
//!  register b  1  5  9 … 61          neighbours of the input are at the same place of four registers, so that
//!  register c  2  6 10 … 62          three instructions bring their bits into one byte
//!  register d  3  7 11 … 63
//! ```

use std::arch::aarch64::{
    uint8x16_t, uint8x16x4_t, vandq_u8, vceqq_u8, vdupq_n_u8, vget_lane_u64, vld1q_u8, vld4q_u8, vmull_p64,
    vqtbl1q_u8, vreinterpret_u64_u8, vreinterpretq_u16_u8, vshrn_n_u16, vshrq_n_u8, vsriq_n_u8, vtstq_u8,
};
use std::arch::is_aarch64_feature_detected;

use super::byte_set::ByteSet;
use super::lanes::{BLOCK_BYTES, Lanes};
use super::level::Kernel;
use super::portable;

/// Bytes in a register.
const REGISTER_BYTES: usize = 16;
const NUM_REGISTERS: usize = BLOCK_BYTES / REGISTER_BYTES;

/// The processor has NEON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Present {
    /// It also has the features of [`run_multiplying`].
    multiplies: bool,
}

impl Present {
    /// Asks the processor.
    #[inline]
    pub(super) fn detect() -> Option<Self> {
        let multiplies = is_aarch64_feature_detected!("aes") && is_aarch64_feature_detected!("pmull");
        is_aarch64_feature_detected!("neon").then_some(Self { multiplies })
    }

    /// The same processor, its carry-less multiplication left unused.
    #[cfg(test)]
    pub(super) fn without_multiplication(self) -> Self {
        Self { multiplies: false }
    }

    /// Whether [`run_multiplying`] may be called.
    #[inline]
    pub(super) fn multiplies(self) -> bool {
        self.multiplies
    }
}

/// Runs `kernel` compiled for this level.
///
/// # Safety
/// The processor must have NEON: whoever holds a [`Present`] knows that it does.
#[target_feature(enable = "neon")]
#[expect(unsafe_code, reason = "NEON is not on every processor")]
pub(super) unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Neon<false>>()
}

/// Runs `kernel` compiled for this level, with carry-less multiplication.
///
/// # Safety
/// The processor must have the features named: [`Present::multiplies`] says whether it does.
#[target_feature(enable = "neon,aes")]
#[expect(unsafe_code, reason = "the features are not on every processor")]
pub(super) unsafe fn run_multiplying<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Neon<true>>()
}

/// 64 bytes, the byte at `i` in register `i % 4`; `MULTIPLIES` where the processor has carry-less multiplication.
#[derive(Clone, Copy)]
struct Neon<const MULTIPLIES: bool>([uint8x16_t; NUM_REGISTERS]);

#[expect(unsafe_code, reason = "the contract of the trait")]
impl<const MULTIPLIES: bool> Lanes for Neon<MULTIPLIES> {
    #[inline(always)]
    unsafe fn load(at: *const u8) -> Self {
        // SAFETY: the caller vouches for 64 readable bytes, and for NEON; the instruction needs no alignment.
        let uint8x16x4_t(a, b, c, d) = unsafe { vld4q_u8(at) };
        Self([a, b, c, d])
    }

    #[inline(always)]
    unsafe fn eq(self, byte: u8) -> u64 {
        let [a, b, c, d] = self.0;
        // SAFETY: the caller vouches for NEON.
        unsafe {
            let byte = vdupq_n_u8(byte);
            gather([
                vceqq_u8(a, byte),
                vceqq_u8(b, byte),
                vceqq_u8(c, byte),
                vceqq_u8(d, byte),
            ])
        }
    }

    #[inline(always)]
    unsafe fn in_set(self, set: &ByteSet) -> u64 {
        // SAFETY: the caller vouches for NEON, and both tables have the 16 bytes that are read.
        unsafe {
            let (low, high) = (vld1q_u8(set.low.as_ptr()), vld1q_u8(set.high.as_ptr()));
            let half = vdupq_n_u8(0x0F);
            let mut members = self.0;
            for bytes in &mut members {
                let of_low = vqtbl1q_u8(low, vandq_u8(*bytes, half));
                *bytes = vtstq_u8(of_low, vqtbl1q_u8(high, vshrq_n_u8::<4>(*bytes)));
            }
            gather(members)
        }
    }

    #[inline(always)]
    unsafe fn prefix_xor(mask: u64) -> u64 {
        if !MULTIPLIES {
            return portable::prefix_xor(mask);
        }
        // SAFETY: the caller vouches for the multiplication.
        unsafe { multiplied_prefix_xor(mask) }
    }
}

/// Prefix XOR in one multiplication.
///
/// # Safety
/// The processor must have carry-less multiplication.
// The compiler inlines `vmull_p64` only into a function that has its features.
#[inline]
#[target_feature(enable = "neon,aes")]
#[expect(unsafe_code, reason = "the features are not on every processor")]
unsafe fn multiplied_prefix_xor(mask: u64) -> u64 {
    // Without carries, a product with all ones adds up (XOR) all lower bits in every bit.
    vmull_p64(mask, u64::MAX) as u64
}

/// One bit for every byte, from bytes that are all ones or zero.
///
/// ```text
///  a       aaaaaaaa ──┐
///  b       bbbbbbbb ──┴▶ baaaaaaa ──┐                              the byte at 4 * i of each, its bits:
///  c       cccccccc ──┐             ├▶ dcbaaaaa ──▶ dcbadcba       every step keeps the top bits of one
///  d       dddddddd ──┴▶ dccccccc ──┘                              and shifts the other in below them
///  two neighbours  hgfehgfe dcbadcba ──▶ hgfedcba                  the middle of each pair is the mask
/// ```
///
/// # Safety
/// The processor must have NEON.
#[inline(always)]
#[expect(unsafe_code, reason = "NEON is not on every processor")]
unsafe fn gather(matches: [uint8x16_t; NUM_REGISTERS]) -> u64 {
    let [a, b, c, d] = matches;
    // SAFETY: the caller vouches for NEON.
    unsafe {
        let fours = vsriq_n_u8::<2>(vsriq_n_u8::<1>(d, c), vsriq_n_u8::<1>(b, a));
        let pairs = vreinterpretq_u16_u8(vsriq_n_u8::<4>(fours, fours));
        vget_lane_u64::<0>(vreinterpret_u64_u8(vshrn_n_u16::<4>(pairs)))
    }
}
