//! Texts of up to 16 bytes in two words, and their digits eight at a time.
//!
//! ```text
//!                       low                       high
//!   "-12345.67"   ..  .. .. .. '-'    '1' '2' '3' '4' '5' '.' '6' '7'     the last byte is the highest
//!   digits         0   0  0  0  0      1   2   3   4   5  1E   6   7      zeros lead, no sign
//!   joined         0   0  0  0  0      0   1   2   3   4   5   6   7      two of them behind the point
//!   pairs                    0  0         01      23      45      67      a byte x 10 + the next one
//!   fours                       0               0123            4567      a pair x 100 + the next one
//! ```
//! What is read this way is the common form only. `None` says nothing but that another way must decide.

#[cfg(test)]
mod tests;

/// A text of 1 to 16 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Short {
    /// Its first byte.
    first: u8,
    /// The bytes before the last eight, the last one highest. Those before the text are of no meaning.
    pub(super) low: u64,
    /// The last eight bytes, likewise.
    pub(super) high: u64,
    /// How many there are.
    pub(super) num_bytes: usize,
}

/// Bytes of a word.
const WORD_BYTES: usize = size_of::<u64>();

/// Most bytes of a [`Short`].
const MAX_BYTES: usize = 2 * WORD_BYTES;

/// Longest text that a string view holds itself, behind four bytes of length.
const INLINE_BYTES: usize = 12;

/// The highest bit of every byte.
const HIGHEST_BITS: u64 = everywhere(0x80);

/// Keeps the last bytes of the low and of the high word, by their number in all.
static LAST_BYTES: [[u64; 2]; MAX_BYTES + 1] = {
    let mut masks = [[0; 2]; MAX_BYTES + 1];
    let mut num_bytes = 1;
    while num_bytes <= MAX_BYTES {
        let [low, high] = masks[num_bytes - 1];
        masks[num_bytes] = [low >> 8 | (high & 0xFF) << 56, high >> 8 | 0xFF << 56];
        num_bytes += 1;
    }
    masks
};

impl Short {
    /// The text of a string view that holds it; `None` if a buffer does, or if it is empty.
    #[inline(always)]
    pub(crate) fn of_view(view: &[u8; 16]) -> Option<Self> {
        let num_bytes = num_bytes(view);
        if num_bytes == 0 || num_bytes > INLINE_BYTES {
            return None;
        }
        // The eight bytes that end with the text, the length before it among them; a text of fewer than four ends
        // before the eighth byte.
        let start = num_bytes.saturating_sub(4);
        let missing = 4_usize.saturating_sub(num_bytes);
        Some(Self {
            first: view[4],
            low: u64::from_le_bytes(*view.first_chunk()?).wrapping_shl(8 * (INLINE_BYTES - num_bytes) as u32),
            high: u64::from_le_bytes(*view.get(start..)?.first_chunk()?) << (8 * missing),
            num_bytes,
        })
    }

    /// The text in `bytes`, unless they are none or more than 16.
    #[inline]
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (num_bytes, first) = (bytes.len(), *bytes.first()?);
        let (low, high) = match (bytes.first_chunk(), bytes.last_chunk()) {
            _ if num_bytes > MAX_BYTES => return None,
            (Some(head), Some(tail)) => {
                let low = u64::from_le_bytes(*head).wrapping_shl(8 * (MAX_BYTES - num_bytes) as u32);
                (low, u64::from_le_bytes(*tail))
            }
            _ => (
                0,
                bytes
                    .iter()
                    .fold(0, |word, byte| word >> 8 | u64::from(*byte) << 56),
            ),
        };
        Some(Self {
            first,
            low,
            high,
            num_bytes,
        })
    }

    /// The number that it spells if it is all digits.
    #[inline(always)]
    pub(super) fn number(self) -> Option<u64> {
        all_digits(self.digits(self.num_bytes)?)
    }

    /// Whether it begins with a minus, and the number that its digits spell, behind a sign or none.
    #[inline(always)]
    pub(super) fn signed_number(self) -> Option<(bool, u64)> {
        let number = all_digits(self.digits(self.num_unsigned()?)?)?;
        Some((self.first == b'-', number))
    }

    /// The same with one point among the digits or none, and how many digits stand behind it.
    #[inline(always)]
    pub(super) fn signed_decimals(self) -> Option<(bool, u64, usize)> {
        let num_unsigned = self.num_unsigned()?;
        let [low, high] = self.digits(num_unsigned)?;
        let (in_low, in_high) = (not_digits(low), not_digits(high));
        let (joined, num_decimals) = match (in_low, in_high) {
            (0, 0) => ([low, high], 0),
            _ if num_unsigned == 1 => return None,
            (0, _) => {
                let (joined, at) = without_point(high, in_high)?;
                ([low << 8, joined | low >> 56], 7 - at)
            }
            (_, 0) => {
                let (joined, at) = without_point(low, in_low)?;
                ([joined, high], 15 - at)
            }
            _ => return None,
        };
        Some((self.first == b'-', sixteen_digits(joined), num_decimals))
    }

    /// Its bytes behind a sign, one or more.
    #[inline(always)]
    fn num_unsigned(self) -> Option<usize> {
        let has_sign = (self.first == b'-') | (self.first == b'+');
        // Signs come at random: a branch on them would be guessed wrong.
        let num_unsigned = self.num_bytes - usize::from(has_sign);
        (num_unsigned > 0).then_some(num_unsigned)
    }

    /// The last `num_bytes` as digits, zeros before them.
    #[inline(always)]
    fn digits(self, num_bytes: usize) -> Option<[u64; 2]> {
        let [low, high] = *LAST_BYTES.get(num_bytes)?;
        Some([
            (self.low ^ everywhere(b'0')) & low,
            (self.high ^ everywhere(b'0')) & high,
        ])
    }

    /// The last eight bytes, zeros before the text.
    #[inline(always)]
    pub(super) fn last_word(self) -> Option<u64> {
        Some(self.high & LAST_BYTES.get(self.num_bytes)?[1])
    }
}

/// The length in a string view.
#[inline(always)]
pub(crate) fn num_bytes(view: &[u8; 16]) -> usize {
    u32::from_le_bytes([view[0], view[1], view[2], view[3]]) as usize
}

/// How many digits a word begins with, up to 8, and the number they make with zeros behind them up to 8.
#[inline]
pub(super) fn leading_digits(word: u64) -> (usize, u64) {
    let digits = word ^ everywhere(b'0');
    let others = not_digits(digits);
    if others == 0 {
        return (WORD_BYTES, eight_digits(digits));
    }
    let bits = others.trailing_zeros() / 8 * 8;
    let leading = digits & ((1 << bits) - 1);
    ((bits / 8) as usize, eight_digits(leading))
}

/// A word whose only byte that is no digit is a point, without that, and the place where it was.
#[inline(always)]
fn without_point(digits: u64, others: u64) -> Option<(u64, usize)> {
    let at = others.trailing_zeros() / 8;
    let is_point = (digits >> (8 * at)) as u8 == b'.' ^ b'0';
    let is_alone = others & (others - 1) == 0;
    let below = (others >> 7) - 1;
    let joined = (digits & !(below << 8 | 0xFF)) | (digits & below) << 8;
    (is_point & is_alone).then_some((joined, at as usize))
}

#[inline(always)]
fn all_digits([low, high]: [u64; 2]) -> Option<u64> {
    (not_digits(low) | not_digits(high) == 0).then(|| sixteen_digits([low, high]))
}

/// The highest bits of the bytes that are more than 9.
#[inline(always)]
fn not_digits(bytes: u64) -> u64 {
    // 9 + 0x76 is 0x7F.
    (bytes.wrapping_add(everywhere(0x76)) | bytes) & HIGHEST_BITS
}

/// The number that 16 bytes of 0 to 9 make.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn sixteen_digits(digits: [u64; 2]) -> u64 {
    eight_digits_each(digits)
}

/// The number that 16 bytes of 0 to 9 make.
#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "vector instructions take a third off the cost of a column of integers"
)]
#[inline(always)]
fn sixteen_digits(digits: [u64; 2]) -> u64 {
    // SAFETY: SSE2, which is all that it needs, is part of the architecture.
    unsafe { sixteen_digits_at_once(digits) }
}

/// Sixteen digits in one register: pairs, fours and eights as in the picture above.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[inline]
fn sixteen_digits_at_once([low, high]: [u64; 2]) -> u64 {
    use std::arch::x86_64 as cpu;
    let digits = cpu::_mm_set_epi64x(high as i64, low as i64);
    let even = cpu::_mm_and_si128(digits, cpu::_mm_set1_epi16(0xFF));
    let tens = cpu::_mm_mullo_epi16(even, cpu::_mm_set1_epi16(10));
    let pairs = cpu::_mm_add_epi16(tens, cpu::_mm_srli_epi16(digits, 8));
    let fours = cpu::_mm_madd_epi16(pairs, cpu::_mm_set1_epi32(1 << 16 | 100));
    let fours = cpu::_mm_packs_epi32(fours, fours);
    let eights = cpu::_mm_madd_epi16(fours, cpu::_mm_set1_epi32(1 << 16 | 10_000));
    let eights = cpu::_mm_cvtsi128_si64(eights) as u64;
    (eights & 0xFFFF_FFFF) * 100_000_000 + (eights >> 32)
}

/// The number that 16 bytes of 0 to 9 make, one word after the other.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn eight_digits_each([low, high]: [u64; 2]) -> u64 {
    eight_digits(low) * 100_000_000 + eight_digits(high)
}

/// The number that eight bytes of 0 to 9 make, the lowest one leading.
#[inline(always)]
fn eight_digits(digits: u64) -> u64 {
    let pairs = (digits * 10 + (digits >> 8)) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    (fours * 10_000 + (fours >> 32)) & 0xFFFF_FFFF
}

const fn everywhere(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; WORD_BYTES])
}
