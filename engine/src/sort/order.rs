//! The order of rows by key, pure.
//!
//! ```text
//!   keys           common   word: 7 bytes, and how many there are          sorted by word, then place
//!   C-00417-A      "C-00"   "417-A"   5                                     "417-A"   5   row 0
//!   C-00982-XY-3            "982-XY-" more                             ─▶   "982-XY-" more  row 1  ┐ the same word and more
//!   C-00982-XY-1            "982-XY-" more                                  "982-XY-" more  row 2  ┘ of the key: 7 bytes on
//! ```
//!
//! Rows are not moved and keys seldom read: what is sorted is 16 bytes a row. Rows that share a word and have more key
//! behind it are a group, and sorted by the next word. What all keys of a group begin with is skipped, so that ids with
//! a common prefix are in order after one word.

use std::cmp::Ordering;

use arrow::array::{Array, StringViewArray};
use rayon::prelude::*;

/// Bytes of the key in a word.
const WORD_BYTES: usize = 7;
/// Rows of a group that are not worth another word: their keys are compared.
const FEW_ROWS: usize = 16;
/// Words of a key, after which keys are compared: keys made to share more and more of each other nest no deeper.
const MOST_WORDS: usize = 32;
/// Rows that one core takes at least.
const ROWS_PER_CORE: usize = 4096;

/// Where a row is: number of the batch and row in it, ordered in this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(u64);

impl Place {
    /// The place of a row.
    #[must_use]
    pub fn new(batch: u32, row: u32) -> Self {
        Self(u64::from(batch) << 32 | u64::from(row))
    }

    /// Number of the batch.
    #[must_use]
    pub fn batch(self) -> usize {
        (self.0 >> 32) as usize
    }

    /// Row in the batch.
    #[must_use]
    pub fn row(self) -> usize {
        self.0 as u32 as usize
    }
}

/// A word of a row's key and the row's place, from the highest bit, so that one comparison orders both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry(u128);

impl Entry {
    fn new(word: u64, place: Place) -> Self {
        Self(u128::from(word) << 64 | u128::from(place.0))
    }

    fn word(self) -> u64 {
        (self.0 >> 64) as u64
    }

    fn place(self) -> Place {
        Place(self.0 as u64)
    }

    /// Whether the key goes on behind the word.
    fn has_more(self) -> bool {
        self.word() as u8 as usize > WORD_BYTES
    }
}

/// The keys of all batches, by batch. NULL counts as the empty key.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a>(pub &'a [StringViewArray]);

impl<'a> Keys<'a> {
    /// The key of a row.
    #[must_use]
    pub fn at(self, place: Place) -> &'a [u8] {
        match self.0.get(place.batch()) {
            Some(keys) if place.row() < keys.len() => keys.value(place.row()).as_bytes(),
            _ => &[],
        }
    }

    fn behind(self, place: Place, depth: usize) -> &'a [u8] {
        self.at(place).get(depth..).unwrap_or_default()
    }

    /// Key bytes, then place.
    fn compare(self, a: Place, b: Place, depth: usize) -> Ordering {
        self.behind(a, depth).cmp(self.behind(b, depth)).then(a.cmp(&b))
    }
}

/// The `rows` of each batch, ordered by key as bytes, rows with the same key by place; on all cores.
#[must_use]
pub fn order(keys: Keys<'_>, rows: &[Vec<u32>]) -> Vec<Place> {
    let places = rows.par_iter().enumerate().flat_map_iter(|(batch, rows)| {
        let place = move |row: &u32| Place::new(batch as u32, *row);
        rows.iter().map(place)
    });
    let mut entries: Vec<Entry> = places.map(|place| Entry::new(0, place)).collect();
    sort(&mut entries, keys, 0, MOST_WORDS);
    entries.into_par_iter().map(Entry::place).collect()
}

/// Sorts rows whose keys are the same up to `depth`.
fn sort(group: &mut [Entry], keys: Keys<'_>, depth: usize, words_left: usize) {
    if group.len() <= FEW_ROWS || words_left == 0 {
        group.sort_unstable_by(|a, b| keys.compare(a.place(), b.place(), depth));
        return;
    }
    let depth = depth + common_bytes(group, keys, depth);
    group
        .par_iter_mut()
        .with_min_len(ROWS_PER_CORE)
        .for_each(|entry| *entry = Entry::new(word(keys.behind(entry.place(), depth)), entry.place()));
    group.par_sort_unstable();
    let open = |group: &&mut [Entry]| group.len() > 1 && group.first().is_some_and(|first| first.has_more());
    let groups: Vec<&mut [Entry]> = group
        .chunk_by_mut(|a, b| a.word() == b.word())
        .filter(open)
        .collect();
    groups
        .into_par_iter()
        .for_each(|group| sort(group, keys, depth + WORD_BYTES, words_left - 1));
}

/// Bytes behind `depth` that all keys of the group have in common.
fn common_bytes(group: &[Entry], keys: Keys<'_>, depth: usize) -> usize {
    let Some(first) = group.first().map(|first| keys.behind(first.place(), depth)) else {
        return 0;
    };
    let common = |known: usize, entry: &Entry| {
        let key = keys.behind(entry.place(), depth);
        let same = first.iter().zip(key).take(known).take_while(|(a, b)| a == b);
        same.count()
    };
    group
        .par_chunks(ROWS_PER_CORE)
        .map(|entries| entries.iter().fold(first.len(), common))
        .min()
        .unwrap_or(0)
}

/// The first bytes of a key and how many they are; of keys with the same bytes, the shorter one is smaller.
fn word(key: &[u8]) -> u64 {
    if let Some(bytes) = key.first_chunk() {
        return u64::from_be_bytes(*bytes) & !0xFF | (WORD_BYTES as u64 + 1);
    }
    let mut bytes = [0; WORD_BYTES + 1];
    for (to, from) in bytes.iter_mut().zip(key) {
        *to = *from;
    }
    bytes[WORD_BYTES] = key.len() as u8;
    u64::from_be_bytes(bytes)
}
