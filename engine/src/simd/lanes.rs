//! What every level of the processor can do with 64 bytes.

use super::byte_set::ByteSet;

/// Bytes in one block.
pub(crate) const BLOCK_BYTES: usize = 64;

/// 64 bytes of input, ready to be compared.
///
/// The implementations are named nowhere but in [`dispatch`](super::dispatch): a [`Kernel`](super::Kernel) that
/// is generic over its lanes only ever runs with lanes that the processor has.
#[expect(
    unsafe_code,
    reason = "the instructions behind these methods are not on every processor"
)]
pub(crate) trait Lanes: Copy {
    /// Reads 64 bytes, aligned or not.
    ///
    /// # Safety
    /// `at..at + 64` must be readable, and the processor must have the features of the implementation.
    unsafe fn load(at: *const u8) -> Self;

    /// Bit `i` is set where byte `i` equals `byte`.
    ///
    /// # Safety
    /// The processor must have the features of the implementation.
    unsafe fn eq(self, byte: u8) -> u64;

    /// Bit `i` is set where byte `i` is in `set`.
    ///
    /// # Safety
    /// The processor must have the features of the implementation.
    unsafe fn in_set(self, set: &ByteSet) -> u64;

    /// Bit `i` of the result is the XOR of bits `0..=i`.
    ///
    /// # Safety
    /// The processor must have the features of the implementation.
    unsafe fn prefix_xor(mask: u64) -> u64;
}
