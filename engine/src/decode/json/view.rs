//! One text as a string view, in Arrow's layout.
//!
//! ```text
//!  up to 12 bytes   │ length u32 │ the bytes, zeros behind them             │
//!  longer           │ length u32 │ first 4 bytes │ buffer u32 │ offset u32 │
//! ```

/// Longest text that a view holds itself.
pub(super) const INLINE_BYTES: usize = 12;

/// The buffer of texts that had escapes; the input is buffer 0.
const UNESCAPED: u128 = 1;

/// Keeps the first `n` bytes of a little-endian word.
const MASKS: [u128; INLINE_BYTES + 1] = {
    let mut masks = [0; INLINE_BYTES + 1];
    let mut n = 1;
    while n < masks.len() {
        masks[n] = (1 << (8 * n)) - 1;
        n += 1;
    }
    masks
};

/// The view of `input[start..end]`.
#[inline(always)]
pub(super) fn of_input(input: &[u8], start: usize, end: usize) -> u128 {
    let Some(word) = input.get(start..start + size_of::<u128>()) else {
        return near_the_end(input, start, end);
    };
    let word = u128::from_le_bytes(word.try_into().unwrap_or_default());
    let num_bytes = end - start;
    match MASKS.get(num_bytes) {
        Some(mask) => ((word & mask) << 32) | num_bytes as u128,
        None => num_bytes as u128 | (u128::from(word as u32) << 32) | ((start as u128) << 96),
    }
}

/// Where 16 bytes cannot be read at once.
#[cold]
fn near_the_end(input: &[u8], start: usize, end: usize) -> u128 {
    of_bytes(input.get(start..end).unwrap_or_default(), 0, start)
}

/// The view of a text that stands at `offset` of the unescaped ones.
pub(super) fn of_unescaped(text: &[u8], offset: usize) -> u128 {
    of_bytes(text, UNESCAPED, offset)
}

fn of_bytes(text: &[u8], buffer: u128, offset: usize) -> u128 {
    let head = text
        .iter()
        .take(INLINE_BYTES)
        .rev()
        .fold(0_u128, |head, byte| head << 8 | u128::from(*byte));
    let num_bytes = text.len() as u128;
    if text.len() <= INLINE_BYTES {
        return head << 32 | num_bytes;
    }
    num_bytes | (u128::from(head as u32) << 32) | (buffer << 64) | ((offset as u128) << 96)
}

/// The bytes of a view.
pub(super) fn bytes(view: u128, input: &[u8], unescaped: &[u8]) -> Vec<u8> {
    let num_bytes = view as u32 as usize;
    if num_bytes <= INLINE_BYTES {
        let inline = view.to_le_bytes();
        return inline.get(4..4 + num_bytes).unwrap_or_default().to_vec();
    }
    let buffer = if (view >> 64) as u32 == 0 {
        input
    } else {
        unescaped
    };
    let start = (view >> 96) as usize;
    buffer.get(start..start + num_bytes).unwrap_or_default().to_vec()
}
