//! What the bytes of a fuzzer mean: the way a file is read, and the file.
//!
//! ```text
//!  byte   0       1       2     3        4      5           6     7        8 …
//!         special fields  keep  largest  piece  look-ahead  cuts  stretch  the file
//!         bytes                 record
//! ```
//!
//! Every byte string means something, and a change of one byte is a small change of the meaning.

use crate::decode::csv::{Delimiter, Dialect, Newline, Position};

/// Bytes before the file.
pub const HEAD_BYTES: usize = 8;

/// The byte of the file that is read as many of it.
const STRETCHED: u8 = b'~';

/// Longer files take more time and find nothing that shorter ones do not.
const MAX_FILE_BYTES: usize = 2048;

/// Likewise of more pieces.
const MAX_PIECES: usize = 64;

/// A file and the way to read it.
#[derive(Debug)]
pub struct Input {
    /// The special bytes.
    pub dialect: Dialect,
    /// Fields of a well-formed record.
    pub expected_fields: Option<usize>,
    /// Fields that become cells.
    pub keep: Vec<usize>,
    /// Bytes that a piece owns.
    pub owned_bytes: usize,
    /// Bytes that a piece sees behind its own.
    pub look_ahead_bytes: usize,
    /// Where the chunks are cut.
    pub cuts: Cuts,
    /// Where the file begins: its start, or behind something.
    pub origin: Position,
    /// The file.
    pub file: Vec<u8>,
}

/// Sizes of chunks, without end: a small generator of random numbers.
#[derive(Debug, Clone)]
pub struct Cuts {
    state: u64,
    max_bytes: u64,
}

impl Input {
    /// The meaning of these bytes; `None` if there are too few.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let (head, file) = bytes.split_first_chunk::<HEAD_BYTES>()?;
        let [special, fields, keep, largest, piece, look_ahead, cuts, stretch] = *head;
        let expected_fields = usize::from(fields % 8).checked_sub(1);
        let file = stretched(file, [1, 13, 64, 257][usize::from(stretch % 4)]);
        Some(Self {
            dialect: Dialect {
                record_bytes: record_bytes(largest),
                ..dialect(special)
            },
            expected_fields,
            keep: kept(keep, expected_fields.unwrap_or(4)),
            owned_bytes: (1 + usize::from(piece)).max(file.len() / MAX_PIECES),
            look_ahead_bytes: usize::from(look_ahead),
            cuts: Cuts::of(cuts),
            origin: origin(cuts),
            file,
        })
    }
}

impl Cuts {
    fn of(byte: u8) -> Self {
        Self {
            state: u64::from(byte),
            max_bytes: [1, 4, 70, 300][usize::from(byte % 4)],
        }
    }
}

impl Iterator for Cuts {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let bytes = (self.state >> 33) % (self.max_bytes + 1);
        // An empty chunk now and then is a test, a long row of them is a waste of time.
        Some(if self.max_bytes == 1 { 1 } else { bytes as usize })
    }
}

/// Combinations of special bytes that a source may name.
fn dialect(byte: u8) -> Dialect {
    let delimiters: [&[u8]; 8] = [b",", b",", b"\t", b"|", b"::", b",,", b"<->", b"\0"];
    let delimiter = Delimiter::new(delimiters[usize::from(byte % 8)]).unwrap_or(b','.into());
    let escapes = [None, None, Some(b'\\'), Some(b'"')];
    Dialect {
        delimiter,
        quote: [Some(b'"'), Some(b'"'), Some(b'\''), None][usize::from(byte >> 3 & 3)],
        escape: escapes[usize::from(byte >> 5 & 3)],
        comment: Some(b'#').filter(|_| byte & 0x81 == 0x81),
        newline: if byte & 0xe0 == 0xe0 {
            Newline::CarriageReturn
        } else {
            Newline::LineFeed
        },
        ..Dialect::default()
    }
}

/// The start of a file, or a place far behind it.
fn origin(byte: u8) -> Position {
    if byte < 128 {
        Position::default()
    } else {
        Position {
            byte: 5 << 30,
            line: 77,
            record_no: 1,
        }
    }
}

fn record_bytes(byte: u8) -> u64 {
    match byte {
        0..64 => u64::from(byte),
        64..128 => 4 * u64::from(byte),
        _ => Dialect::default().record_bytes,
    }
}

/// Some selections of fields, in and out of order, with and without fields that no record has.
fn kept(byte: u8, num_fields: usize) -> Vec<usize> {
    match byte % 8 {
        0..3 => (0..num_fields).collect(),
        3 => (0..num_fields).rev().collect(),
        4 => (0..num_fields).step_by(2).collect(),
        5 => vec![num_fields.saturating_sub(1), 0, 0],
        6 => vec![1, num_fields + 2],
        _ => Vec::new(),
    }
}

/// The file with long runs in it, so that there are blocks without a special byte.
fn stretched(file: &[u8], num_times: usize) -> Vec<u8> {
    let times = |byte: u8| if byte == STRETCHED { num_times } else { 1 };
    file.iter()
        .flat_map(|byte| std::iter::repeat_n(*byte, times(*byte)))
        .take(MAX_FILE_BYTES)
        .collect()
}
