//! Finds delimiters, quotes and line feeds eight bytes at a time.

const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const WORD_BYTES: usize = 8;

/// Three byte values to look for, each repeated over a word.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needles([u64; 3]);

impl Needles {
    pub(super) fn new(bytes: [u8; 3]) -> Self {
        Self(bytes.map(|byte| u64::from_le_bytes([byte; WORD_BYTES])))
    }

    /// The high bit of every byte of `word` that equals a needle; exact, no carry between bytes.
    fn matches(self, word: u64) -> u64 {
        let [a, b, c] = self.0.map(|needle| {
            let differing = word ^ needle;
            ((differing & LOW_BITS) + LOW_BITS) | differing
        });
        !(a & b & c) & !LOW_BITS
    }
}

/// The positions of the needles in `bytes`, in order.
pub(super) struct Marks<'a> {
    bytes: &'a [u8],
    needles: Needles,
    /// Position of the word under `matches`.
    base: usize,
    /// Matches of that word not yet returned.
    matches: u64,
}

impl<'a> Marks<'a> {
    /// The needles at or after `from`.
    pub(super) fn new(bytes: &'a [u8], from: usize, needles: Needles) -> Self {
        let mut marks = Self {
            bytes,
            needles,
            base: from,
            matches: 0,
        };
        marks.load();
        marks
    }

    fn load(&mut self) {
        let rest = self.bytes.get(self.base..).unwrap_or_default();
        self.matches = match rest.first_chunk::<WORD_BYTES>() {
            Some(word) => self.needles.matches(u64::from_le_bytes(*word)),
            None => self.load_tail(rest),
        };
    }

    #[cold]
    fn load_tail(&self, rest: &[u8]) -> u64 {
        let mut word = [0; WORD_BYTES];
        word[..rest.len()].copy_from_slice(rest);
        let inside = (1 << (8 * rest.len())) - 1;
        self.needles.matches(u64::from_le_bytes(word)) & inside
    }
}

impl Iterator for Marks<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.matches == 0 {
            self.base += WORD_BYTES;
            if self.base >= self.bytes.len() {
                return None;
            }
            self.load();
        }
        let at = self.base + (self.matches.trailing_zeros() / 8) as usize;
        self.matches &= self.matches - 1;
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_the_positions_a_byte_by_byte_search_finds() {
        let bytes: Vec<u8> = (0..2000u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        let needles = [0u8, 0x80, 0x2c];
        for from in 0..40 {
            let expected: Vec<usize> = (from..bytes.len())
                .filter(|i| needles.contains(&bytes[*i]))
                .collect();
            assert!(expected.len() > 5);
            assert_eq!(
                Marks::new(&bytes, from, Needles::new(needles)).collect::<Vec<_>>(),
                expected
            );
        }
    }

    #[test]
    fn an_empty_rest_has_no_marks() {
        let needles = Needles::new([0, 1, 2]);
        assert_eq!(Marks::new(&[], 0, needles).count(), 0);
        assert_eq!(Marks::new(&[0], 1, needles).count(), 0);
    }
}
