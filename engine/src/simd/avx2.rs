//! Lanes of x86-64 processors with AVX2: two registers of 32 bytes.

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::{
    __m256i, _mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_loadu_si128, _mm_set1_epi8,
    _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256,
    _mm256_movemask_epi8, _mm256_set1_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16,
};

use super::byte_set::ByteSet;
use super::lanes::{BLOCK_BYTES, Lanes};
use super::level::Kernel;

/// The processor has all the features of [`run`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Present {
    /// Keeps other modules from making one.
    _private: (),
}

impl Present {
    /// Asks the processor.
    #[inline]
    pub(super) fn detect() -> Option<Self> {
        let present = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt");
        present.then_some(Self { _private: () })
    }
}

/// Runs `kernel` compiled for this level.
///
/// # Safety
/// The processor must have the features named: whoever holds a [`Present`] knows that it does.
#[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2,lzcnt,popcnt")]
#[expect(unsafe_code, reason = "the features are not on every processor")]
pub(super) unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx2>()
}

/// 64 bytes, the first 32 in the first register.
#[derive(Clone, Copy)]
struct Avx2([__m256i; 2]);

#[expect(unsafe_code, reason = "the contract of the trait")]
impl Lanes for Avx2 {
    #[inline(always)]
    unsafe fn load(at: *const u8) -> Self {
        // SAFETY: the caller vouches for 64 readable bytes, so both halves are readable, and for the features; the
        // instruction needs no alignment.
        unsafe {
            Self([
                _mm256_loadu_si256(at.cast()),
                _mm256_loadu_si256(at.add(BLOCK_BYTES / 2).cast()),
            ])
        }
    }

    #[inline(always)]
    unsafe fn eq(self, byte: u8) -> u64 {
        let [low, high] = self.0;
        // SAFETY: the caller vouches for the features.
        unsafe {
            let byte = _mm256_set1_epi8(byte.cast_signed());
            let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, byte)).cast_unsigned();
            let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, byte)).cast_unsigned();
            u64::from(high) << 32 | u64::from(low)
        }
    }

    #[inline(always)]
    unsafe fn in_set(self, set: &ByteSet) -> u64 {
        // SAFETY: the caller vouches for the features, and both tables have the 16 bytes that are read.
        unsafe {
            let low = _mm256_broadcastsi128_si256(_mm_loadu_si128(set.low.as_ptr().cast()));
            let high = _mm256_broadcastsi128_si256(_mm_loadu_si128(set.high.as_ptr().cast()));
            let half = _mm256_set1_epi8(0x0F);
            let mut mask = 0;
            for bytes in self.0.into_iter().rev() {
                let of_low = _mm256_shuffle_epi8(low, _mm256_and_si256(bytes, half));
                let of_high =
                    _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), half));
                let none = _mm256_cmpeq_epi8(_mm256_and_si256(of_low, of_high), _mm256_setzero_si256());
                mask = mask << (BLOCK_BYTES / 2) | u64::from(!_mm256_movemask_epi8(none).cast_unsigned());
            }
            mask
        }
    }

    #[inline(always)]
    unsafe fn prefix_xor(mask: u64) -> u64 {
        // SAFETY: the caller vouches for the features.
        unsafe {
            // Without carries, a product with all ones adds up (XOR) all lower bits in every bit.
            let product = _mm_clmulepi64_si128::<0>(_mm_cvtsi64_si128(mask.cast_signed()), _mm_set1_epi8(-1));
            _mm_cvtsi128_si64(product).cast_unsigned()
        }
    }
}
