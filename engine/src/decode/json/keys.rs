//! Which column a key is of, guessed from the records before.
//!
//! ```text
//!  records have their keys in the same order, so each key remembers which one came next:
//!
//!  (start) ─▶ "id" ─▶ "name" ─▶ "note" ─▶ "spend"
//!                         └────── one record without "note" turns the arrow to "spend" until the next with it
//! ```
//! A right guess is one comparison of the bytes with their quotes; the string need not be scanned again.

use std::collections::HashMap;

use super::fault::Fault;
use super::scan::{Kind, Scanner};
use super::unescape::unescape;

/// Keys that are remembered; records beyond all measure of width are looked up one by one.
const MAX_LEARNED_KEYS: usize = 4096;

/// Longest key, quotes included, that is remembered.
const MAX_LEARNED_BYTES: usize = 256;

/// The wanted keys, and what is known of the order of all keys.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    names: Vec<String>,
    slots: HashMap<Vec<u8>, u32>,
    /// The first one is the start of a record.
    learned: Vec<Learned>,
    /// Places in `learned` by the key as written, quotes included.
    places: HashMap<Vec<u8>, usize>,
    /// The key before the next one.
    last: usize,
}

/// A key as written, quotes included.
#[derive(Debug, Clone, Default)]
struct Learned {
    quoted: Vec<u8>,
    slot: Option<u32>,
    /// The key that came after it.
    next: usize,
}

impl Keys {
    pub(super) fn new(names: &[String]) -> Self {
        let mut slots = HashMap::new();
        for (slot, name) in names.iter().enumerate() {
            slots.entry(name.clone().into_bytes()).or_insert(slot as u32);
        }
        Self {
            names: names.to_vec(),
            slots,
            learned: vec![Learned::default()],
            places: HashMap::new(),
            last: 0,
        }
    }

    /// The wanted keys by slot.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Begins a record.
    #[inline]
    pub(super) fn begin(&mut self) {
        self.last = 0;
    }

    /// Passes the key whose opening quote is here; its slot if it is a wanted one.
    #[inline]
    pub(super) fn next(&mut self, scan: &mut Scanner<'_>) -> Result<Option<u32>, Fault> {
        let guess = self.learned.get(self.last).map_or(0, |last| last.next);
        if let Some(key) = self.learned.get(guess)
            && guess > 0
            && scan.take_all(&key.quoted)
        {
            self.last = guess;
            return Ok(key.slot);
        }
        self.look_up(scan)
    }

    fn look_up(&mut self, scan: &mut Scanner<'_>) -> Result<Option<u32>, Fault> {
        let span = scan.string()?;
        let quoted = scan.input.get(span.start - 1..scan.at).unwrap_or_default();
        let place = match self.places.get(quoted) {
            Some(place) => *place,
            None => {
                let slot = self.slot(span.bytes(scan.input), span.kind);
                if quoted.len() > MAX_LEARNED_BYTES || self.learned.len() > MAX_LEARNED_KEYS {
                    return Ok(slot);
                }
                self.learn(quoted, slot)
            }
        };
        if let Some(last) = self.learned.get_mut(self.last) {
            last.next = place;
        }
        self.last = place;
        Ok(self.learned.get(place).and_then(|key| key.slot))
    }

    fn learn(&mut self, quoted: &[u8], slot: Option<u32>) -> usize {
        let place = self.learned.len();
        self.places.insert(quoted.to_vec(), place);
        self.learned.push(Learned {
            quoted: quoted.to_vec(),
            slot,
            next: 0,
        });
        place
    }

    /// The slot of a key; one that is no text is no wanted one.
    fn slot(&self, key: &[u8], kind: Kind) -> Option<u32> {
        if kind != Kind::Escaped {
            return self.slots.get(key).copied();
        }
        let mut name = Vec::with_capacity(key.len());
        unescape(key, &mut name).ok()?;
        self.slots.get(&name).copied()
    }
}
