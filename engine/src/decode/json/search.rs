//! Keys that the first records of a file lack and a later one has.

use memchr::{memmem, memrchr};

use super::discover::keys_seen;
use crate::decode::csv::End;

/// A line longer than this is no record that could have a key.
const MAX_LINE_BYTES: usize = 64 << 20;

/// Looks for keys in the bytes of a file, fed in pieces of any size.
#[derive(Debug)]
pub struct KeySearch {
    missing: Vec<String>,
    found: Vec<String>,
    /// The beginning of a line that no piece so far has ended.
    carry: Vec<u8>,
}

impl KeySearch {
    /// Looks for `keys`.
    #[must_use]
    pub fn new(keys: Vec<String>) -> Self {
        Self {
            missing: keys,
            found: Vec::new(),
            carry: Vec::new(),
        }
    }

    /// Whether there is nothing left to look for.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.missing.is_empty()
    }

    /// Looks at the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.carry.extend_from_slice(bytes);
        if let Some(at) = memrchr(b'\n', &self.carry) {
            let rest = self.carry.split_off(at + 1);
            let lines = std::mem::replace(&mut self.carry, rest);
            self.look(&lines);
        }
        if self.carry.len() > MAX_LINE_BYTES {
            self.carry.clear();
        }
    }

    /// Looks at a last line without its end; the keys that were found.
    #[must_use]
    pub fn finish(mut self) -> Vec<String> {
        let last = std::mem::take(&mut self.carry);
        self.look(&last);
        self.found
    }

    fn look(&mut self, lines: &[u8]) {
        if !self.may_be_in(lines) {
            return;
        }
        for key in keys_seen(lines, End::Last, usize::MAX) {
            if let Some(at) = self.missing.iter().position(|name| *name == key) {
                self.found.push(self.missing.swap_remove(at));
            }
        }
    }

    /// Whether a key is written in the lines as it is, or something is that may be an escape in a key.
    fn may_be_in(&self, lines: &[u8]) -> bool {
        let is_in = |name: &String| memmem::find(lines, format!("\"{name}\"").as_bytes()).is_some();
        memchr::memchr(b'\\', lines).is_some() || self.missing.iter().any(is_in)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_wherever_the_pieces_are_cut() {
        let file = b"{\"id\": 1}\n{\"id\": 2, \"note\": \"\\\"late\\\": 1\"}\n{\"la\\u0074e\": \"x\", \"last\": {\"never\": 1}}";
        for piece_bytes in 1..=file.len() {
            let keys = ["late", "never", "last"].map(str::to_owned).to_vec();
            let mut search = KeySearch::new(keys);
            file.chunks(piece_bytes).for_each(|piece| search.feed(piece));
            assert!(!search.is_over());
            let mut found = search.finish();
            found.sort();
            assert_eq!(found, ["last", "late"], "{piece_bytes}");
        }
    }
}
