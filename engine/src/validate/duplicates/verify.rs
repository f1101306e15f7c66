//! The keys of the candidates, compared byte by byte.
//!
//! ```text
//!   candidates                  keys read                groups                  result
//!   batch 0: row 1 class 0      "C2"               ─▶    0 "C2", met again  ─▶   batch 0: row 1 group 0
//!            row 5 class 1      "C9"                     1 "C9", once            batch 2: row 4 group 0
//!   batch 2: row 4 class 0      "C2"                     2 "C8", once
//!            row 6 class 1      "C8" (a collision)
//! ```
//!
//! Each group's key is kept once, so that memory is for the repeated keys and not for all their rows.

use std::collections::BTreeMap;

use arrow::array::{Array, StringViewArray};

use super::gather::Candidates;
use super::hash::INLINE_BYTES;
use super::repeated::{Repeated, RepeatedRow};
use crate::error::{Error, Result};

/// No group yet.
const NONE: u32 = u32::MAX;

impl Candidates {
    /// Reads the keys of the candidates and keeps the rows whose key is repeated.
    ///
    /// `fetch` is called once for each batch that has candidates, in ascending order, and returns the keys that were
    /// hashed.
    ///
    /// # Errors
    /// Those of `fetch`, and keys that are not those that were hashed.
    pub fn verify(self, mut fetch: impl FnMut(u32) -> Result<StringViewArray>) -> Result<Repeated> {
        let Self {
            mut batches,
            num_classes,
        } = self;
        let mut groups = Groups::new(num_classes);
        for batch in &mut batches {
            let keys = fetch(batch.batch)?;
            for row in &mut batch.rows {
                row.group = groups.enter(row.group, key(&keys, batch.batch, row.row)?)?;
            }
        }
        let (renumbered, num_groups) = groups.repeated();
        for batch in &mut batches {
            keep_repeated(&mut batch.rows, &renumbered);
        }
        batches.retain(|batch| !batch.rows.is_empty());
        Ok(Repeated { batches, num_groups })
    }
}

/// Drops the rows of groups that have no number.
fn keep_repeated(rows: &mut Vec<RepeatedRow>, renumbered: &[u32]) {
    rows.retain_mut(|row| {
        row.group = renumbered.get(row.group as usize).copied().unwrap_or(NONE);
        row.group != NONE
    });
}

fn key(keys: &StringViewArray, batch: u32, row: u32) -> Result<Key<'_>> {
    let index = row as usize;
    match keys.views().get(index) {
        Some(view) if keys.is_valid(index) => Ok(Key {
            view: *view,
            bytes: keys.value(index).as_bytes(),
        }),
        _ => Err(Error::runtime(format!(
            "row {row} of batch {batch} had a key when it was hashed and has none now"
        ))
        .hint("did the source change during the run?")),
    }
}

/// A key in its array.
#[derive(Clone, Copy)]
struct Key<'a> {
    view: u128,
    bytes: &'a [u8],
}

/// The different keys met, each a group, numbered in the order of their first row.
struct Groups {
    /// The first group of each class, or `NONE`.
    first: Vec<u32>,
    /// The key of that group.
    texts: Texts,
    /// The other groups, of classes where keys collided: ordered, so that many collisions do not make it slow.
    others: BTreeMap<u32, BTreeMap<Box<[u8]>, u32>>,
    /// Whether the group has a second row.
    repeated: Vec<bool>,
}

impl Groups {
    fn new(num_classes: u32) -> Self {
        Self {
            first: vec![NONE; num_classes as usize],
            texts: Texts::new(num_classes),
            others: BTreeMap::new(),
            repeated: Vec::new(),
        }
    }

    /// The group of a key, a new one if it was not met before.
    fn enter(&mut self, class: u32, key: Key<'_>) -> Result<u32> {
        let new = u32::try_from(self.repeated.len()).ok().filter(|new| *new != NONE);
        let new = new.ok_or_else(too_many_groups)?;
        let group = match self.first.get_mut(class as usize) {
            Some(first) if *first == NONE => {
                self.texts.set(class, key);
                *first = new;
                new
            }
            Some(first) if self.texts.is(class, key) => *first,
            _ => other(self.others.entry(class).or_default(), key.bytes, new),
        };
        match self.repeated.get_mut(group as usize) {
            Some(repeated) => *repeated = true,
            None => self.repeated.push(false),
        }
        Ok(group)
    }

    /// The groups of two rows and more, numbered anew, and how many they are.
    fn repeated(self) -> (Vec<u32>, u32) {
        let mut num_groups = 0;
        let number = |repeated| {
            let number = if repeated { num_groups } else { NONE };
            num_groups += u32::from(repeated);
            number
        };
        let renumbered = self.repeated.into_iter().map(number).collect();
        (renumbered, num_groups)
    }
}

/// The group of a key that is not the first of its class.
fn other(others: &mut BTreeMap<Box<[u8]>, u32>, key: &[u8], new: u32) -> u32 {
    match others.get(key) {
        Some(group) => *group,
        None => {
            others.insert(key.into(), new);
            new
        }
    }
}

fn too_many_groups() -> Error {
    Error::runtime("more than 4 billion different keys have to be compared")
        .hint("is the right column declared as the key?")
}

/// One key for each class: a short one is its view, a long one its length and where it stands.
///
/// ```text
///   views   │ 2, "C2"   │ 36, at 0                             │ 36, at 36 │
///   long                │ 0f8f2c1e-...                         │ 77b1...   │
/// ```
struct Texts {
    views: Vec<u128>,
    long: Vec<u8>,
}

impl Texts {
    fn new(num_classes: u32) -> Self {
        Self {
            views: vec![0; num_classes as usize],
            long: Vec::new(),
        }
    }

    fn set(&mut self, class: u32, key: Key<'_>) {
        let Some(view) = self.views.get_mut(class as usize) else {
            return;
        };
        *view = key.view;
        if key.is_long() {
            *view = (self.long.len() as u128) << 64 | u128::from(key.view as u32);
            self.long.extend_from_slice(key.bytes);
        }
    }

    fn is(&self, class: u32, key: Key<'_>) -> bool {
        let view = self.views.get(class as usize).copied().unwrap_or_default();
        match key.is_long() {
            false => view == key.view,
            true => view as u32 == key.view as u32 && self.long_text(view) == Some(key.bytes),
        }
    }

    fn long_text(&self, view: u128) -> Option<&[u8]> {
        let start = (view >> 64) as usize;
        self.long.get(start..start + view as u32 as usize)
    }
}

impl Key<'_> {
    fn is_long(self) -> bool {
        self.view as u32 > INLINE_BYTES
    }
}
