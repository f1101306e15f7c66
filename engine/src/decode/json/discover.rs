//! The keys of a file, before anybody says which are wanted.

use std::collections::HashSet;

use memchr::memchr;

use super::scan::{Kind, Scanner};
use super::unescape::unescape;
use crate::decode::csv::End;

/// The top-level keys of the first `max_rows` well-formed records of `input`, in the order of their first
/// appearance. `input` begins at the start of a line; a last line without its end counts if the file ends there too.
/// Keys that are not UTF-8 are left out: no process can name them.
#[must_use]
pub fn keys_seen(input: &[u8], end: End, max_rows: usize) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut keys = Vec::new();
    let mut rows = 0;
    let mut start = 0;
    while rows < max_rows && start < input.len() {
        let rest = input.get(start..).unwrap_or_default();
        let line_end = match memchr(b'\n', rest) {
            Some(at) => start + at,
            None if end == End::Last => input.len(),
            None => break,
        };
        if let Some(names) = keys_of(input, start, line_end) {
            rows += 1;
            keys.extend(names.into_iter().filter(|name| seen.insert(name.clone())));
        }
        start = line_end + 1;
    }
    keys
}

/// The keys of one record; `None` if it is malformed or a blank line.
fn keys_of(input: &[u8], start: usize, line_end: usize) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let read = Scanner::new(input, start).record(line_end, |scan| {
        let key = scan.string()?;
        names.extend(name(key.bytes(scan.input), key.kind));
        scan.colon()?;
        scan.value()?;
        Ok(())
    });
    read.ok().map(|()| names)
}

fn name(key: &[u8], kind: Kind) -> Option<String> {
    let mut bytes = Vec::with_capacity(key.len());
    match kind {
        Kind::Escaped => unescape(key, &mut bytes).ok()?,
        Kind::Plain | Kind::Null => bytes.extend_from_slice(key),
    }
    String::from_utf8(bytes).ok()
}
