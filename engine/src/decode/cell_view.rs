//! One cell as a string view, in Arrow's layout: into the input, or into the values that had escapes.
//!
//! ```text
//!  up to 12 bytes   │ length u32 │ the bytes, zeros behind them             │
//!  longer           │ length u32 │ first 4 bytes │ buffer u32 │ offset u32 │
//! ```

/// Longest value that a view holds itself.
pub(super) const INLINE_BYTES: usize = 12;

/// The buffer of values that had escapes.
const UNESCAPED: u128 = 1;

/// A view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CellView(pub(super) u128);

/// Keeps the first `n` bytes of a little-endian word.
const MASKS: [u128; INLINE_BYTES + 1] = {
    let mut masks = [0; INLINE_BYTES + 1];
    let mut n = 1;
    while n <= INLINE_BYTES {
        masks[n] = (1 << (8 * n)) - 1;
        n += 1;
    }
    masks
};

impl CellView {
    /// The view of `input[start..end]`.
    #[inline(always)]
    pub(super) fn of_input(input: &[u8], start: usize, end: usize) -> Self {
        let num_bytes = end - start;
        match input.get(start..start + size_of::<u128>()) {
            Some(word) => {
                let word = u128::from_le_bytes(word.try_into().unwrap_or_default());
                let view = match MASKS.get(num_bytes) {
                    Some(mask) => ((word & mask) << 32) | num_bytes as u128,
                    None => num_bytes as u128 | ((word as u32 as u128) << 32) | ((start as u128) << 96),
                };
                Self(view)
            }
            None => Self::near_the_end(input, start, end),
        }
    }

    /// Where 16 bytes cannot be read.
    #[cold]
    fn near_the_end(input: &[u8], start: usize, end: usize) -> Self {
        Self::of_bytes(input.get(start..end).unwrap_or_default(), 0, start)
    }

    /// The view of a value that was appended to the unescaped ones at `offset`.
    pub(super) fn of_unescaped(value: &[u8], offset: usize) -> Self {
        Self::of_bytes(value, UNESCAPED, offset)
    }

    fn of_bytes(value: &[u8], buffer: u128, offset: usize) -> Self {
        let mut word = [0; size_of::<u128>()];
        if value.len() <= INLINE_BYTES {
            word[4..4 + value.len()].copy_from_slice(value);
            return Self(u128::from_le_bytes(word) | value.len() as u128);
        }
        word[4..8].copy_from_slice(&value[..4]);
        Self(u128::from_le_bytes(word) | value.len() as u128 | (buffer << 64) | ((offset as u128) << 96))
    }

    /// The same cell when `num_bytes` stand before the unescaped values.
    pub(super) fn moved_unescaped(self, num_bytes: u32) -> Self {
        let is_unescaped = self.0 as u32 as usize > INLINE_BYTES && (self.0 >> 64) as u32 == UNESCAPED as u32;
        if is_unescaped {
            Self(self.0 + (u128::from(num_bytes) << 96))
        } else {
            self
        }
    }

    /// The value.
    pub(super) fn bytes(self, input: &[u8], unescaped: &[u8]) -> Vec<u8> {
        let num_bytes = self.0 as u32 as usize;
        if num_bytes <= INLINE_BYTES {
            return self.0.to_le_bytes()[4..4 + num_bytes].to_vec();
        }
        let buffer = if (self.0 >> 64) as u32 == 0 {
            input
        } else {
            unescaped
        };
        let start = (self.0 >> 96) as usize;
        buffer.get(start..start + num_bytes).unwrap_or_default().to_vec()
    }
}
