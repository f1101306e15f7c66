//! Sets of the bytes of a text, one bit a byte, made eight bytes at a time.

/// Bytes of a word.
const WORD_BYTES: usize = size_of::<u64>();

/// The highest bit of every byte.
const HIGHEST_BITS: u64 = everywhere(0x80);

/// Which bytes of a text are what.
#[derive(Default)]
struct Sets {
    /// `@`.
    at: u64,
    /// `.`.
    points: u64,
    /// ASCII letters, digits, hyphens and points.
    in_hosts: u64,
    /// The highest bit of every byte of a word that was met with one there that is not printable, or a blank.
    not_graphic: u64,
}

/// Whether an ASCII text of 8 to 64 bytes is an email address; `None` for any other text.
pub(super) fn is_email(bytes: &[u8]) -> Option<bool> {
    let sets = Sets::of(bytes)?;
    let last = 1 << (bytes.len() - 1);
    let local = sets.at.wrapping_sub(1);
    let host = !(sets.at | local) & (last | (last - 1));
    let points = sets.points & host;
    let has_one_at = sets.at.is_power_of_two();
    // What is in a host is printable, so it is enough to ask all bytes.
    let is_local = (local != 0) & (sets.not_graphic & HIGHEST_BITS == 0);
    let is_host = host & !sets.in_hosts == 0;
    let has_empty_label = points & ((sets.at | points) << 1 | last) != 0;
    Some(has_one_at & is_local & is_host & (points != 0) & !has_empty_label)
}

impl Sets {
    /// The sets of an ASCII text of 8 to 64 bytes.
    fn of(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<WORD_BYTES>();
        if bytes.len() > u64::BITS as usize {
            return None;
        }
        let last = u64::from_le_bytes(*bytes.last_chunk()?);
        // The bytes that are in no whole word, zeros above them.
        let rest = last
            .checked_shr(8 * (WORD_BYTES - rest.len()) as u32)
            .unwrap_or(0);
        let mut sets = Self::default();
        let mut all = rest;
        for (i, word) in words.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            all |= word;
            sets.add(word, 8 * i);
        }
        if rest != 0 {
            // Letters above them: the bits of those lie behind the text, where nobody looks.
            let letters = everywhere(b'a').unbounded_shl(8 * (bytes.len() % WORD_BYTES) as u32);
            sets.add(rest | letters, 8 * words.len());
        }
        (all & HIGHEST_BITS == 0).then_some(sets)
    }

    /// Adds eight ASCII bytes, of which the lowest is the `first` of the text.
    #[inline(always)]
    fn add(&mut self, word: u64, first: usize) {
        let lower_case = word | everywhere(0x20);
        let is_in_host =
            between(lower_case, b'a', b'z') | between(word, b'0', b'9') | between(word, b'-', b'.');
        self.at |= gathered(between(word, b'@', b'@')) << first;
        self.points |= gathered(between(word, b'.', b'.')) << first;
        self.in_hosts |= gathered(is_in_host) << first;
        self.not_graphic |= !between(word, b'!', b'~');
    }
}

/// Sets the highest bits of the ASCII bytes that lie between `low` and `high`; the other bits are of no meaning.
#[inline(always)]
fn between(bytes: u64, low: u8, high: u8) -> u64 {
    let from_low = bytes.wrapping_add(everywhere(0x80 - low));
    let above_high = bytes.wrapping_add(everywhere(0x7F - high));
    from_low & !above_high
}

/// The highest bits of eight bytes, side by side.
#[inline(always)]
fn gathered(bytes: u64) -> u64 {
    ((bytes & HIGHEST_BITS) >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

const fn everywhere(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; WORD_BYTES])
}
