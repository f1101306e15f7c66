//! A filter that knows which slots were met more than once.
//!
//! ```text
//!   fingerprint ─▶ slot ─▶ 2 bits    00 never    01 once    11 more than once
//! ```
//!
//! Most keys of most sources occur once and share a slot with no other: two passes over 2 bits a slot sort them out,
//! without a comparison and at the same cost for every row, whatever its neighbours are.

/// Slots for each row, before rounding up to a power of two.
const SLOTS_PER_ROW: usize = 4;

/// Slots in one word.
const SLOTS_PER_WORD: usize = 32;

/// Two bits for each slot.
#[derive(Debug, Default)]
pub(super) struct Filter {
    words: Vec<u64>,
    multiplier: u64,
    shift: u32,
}

impl Filter {
    /// Forgets everything and makes room for `num_rows`; the odd `multiplier` decides which fingerprints share a slot.
    pub(super) fn reset(&mut self, num_rows: usize, multiplier: u64) {
        let num_slots = (num_rows * SLOTS_PER_ROW).next_power_of_two().max(SLOTS_PER_WORD);
        self.words.clear();
        self.words.resize(num_slots / SLOTS_PER_WORD, 0);
        self.multiplier = multiplier;
        self.shift = u64::BITS - num_slots.trailing_zeros();
    }

    /// Notes that a fingerprint was met.
    #[inline]
    pub(super) fn note(&mut self, fingerprint: u64) {
        let (word, bit) = self.slot(fingerprint);
        if let Some(word) = self.words.get_mut(word) {
            let met = (*word >> bit) & 1;
            *word |= (1 | met << 1) << bit;
        }
    }

    /// Whether the fingerprint, or another of its slot, was met again.
    #[inline]
    pub(super) fn met_again(&self, fingerprint: u64) -> bool {
        let (word, bit) = self.slot(fingerprint);
        self.words.get(word).is_some_and(|word| word >> bit & 2 != 0)
    }

    /// Word and bit.
    #[inline]
    fn slot(&self, fingerprint: u64) -> (usize, u32) {
        let slot = fingerprint.wrapping_mul(self.multiplier) >> self.shift;
        (
            (slot / SLOTS_PER_WORD as u64) as usize,
            (slot as u32 % SLOTS_PER_WORD as u32) * 2,
        )
    }
}
