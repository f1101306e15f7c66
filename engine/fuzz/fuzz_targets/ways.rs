//! The ways to read a file: whole, in chunks, a few records at a time, in pieces.

use crate::decode::csv::{End, FieldSelection, Linker, Piece, RecordTable, Shape, Speculation, Splitter};
use crate::input::Input;

/// One record, wherever it was found.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    pub record_no: u64,
    pub line: u64,
    pub byte_start: u64,
    pub byte_len: u64,
    pub shape: Shape,
    pub raw: Vec<u8>,
    /// Values of the fields kept; none of a malformed record.
    pub values: Vec<Vec<u8>>,
}

/// The splitter that stands at the first byte of the file.
pub fn splitter(input: &Input) -> Splitter {
    let keep = FieldSelection::new(input.keep.iter().copied());
    Splitter::new(&input.dialect, keep, input.expected_fields).starting_at(input.origin)
}

/// In one call.
pub fn whole(mut splitter: Splitter, file: &[u8], table: &mut RecordTable) -> Vec<Seen> {
    let mut seen = Vec::new();
    let consumed = splitter.split(file, End::Last, table);
    assert_eq!(consumed, file.len(), "the last input is consumed");
    see(table, file, &mut seen);
    table.clear();
    seen
}

/// Chunk by chunk, the rest carried over; the last chunk is what the others leave.
pub fn in_chunks(
    mut splitter: Splitter,
    file: &[u8],
    cuts: impl Iterator<Item = usize>,
    table: &mut RecordTable,
) -> Vec<Seen> {
    let start = splitter.position().byte;
    let (mut seen, mut consumed, mut read) = (Vec::new(), 0, 0);
    for chunk_bytes in cuts {
        let end = if read + chunk_bytes <= file.len() {
            End::More
        } else {
            End::Last
        };
        read = (read + chunk_bytes).min(file.len());
        // A copy, so that a read behind the chunk is one behind the allocation.
        let buffer = file[consumed..read].to_vec();
        let here = splitter.split(&buffer, end, table);
        see(table, &buffer, &mut seen);
        table.clear();
        consumed += here;
        assert!(
            buffer.len() - here <= splitter.max_carry_bytes(),
            "the carry is bounded"
        );
        assert_eq!(
            splitter.position().byte,
            start + consumed as u64,
            "the position is that of the first byte not consumed"
        );
        if end == End::Last {
            break;
        }
    }
    assert_eq!(consumed, file.len(), "the last input is consumed");
    seen
}

/// So many records a call, from one buffer.
pub fn a_few_at_a_time(
    mut splitter: Splitter,
    file: &[u8],
    max_records: usize,
    table: &mut RecordTable,
) -> Vec<Seen> {
    let (mut seen, mut at) = (Vec::new(), 0);
    loop {
        at = splitter.split_some(file, at, End::Last, max_records, table);
        let num_records = table.num_records();
        assert!(num_records <= max_records, "no more records than asked for");
        see(table, file, &mut seen);
        table.clear();
        if num_records < max_records {
            assert_eq!(at, file.len(), "the last input is consumed");
            return seen;
        }
    }
}

/// In pieces that are split on their own, in the order of `turn`, and then linked.
pub fn in_pieces(splitter: Splitter, input: &Input, turn: usize, table: &RecordTable) -> Vec<Seen> {
    let pieces = pieces(input);
    let mut guesses: Vec<Option<Speculation>> = pieces.iter().map(|_| None).collect();
    for at in (0..pieces.len()).rev() {
        let at = (at + turn) % pieces.len();
        guesses[at] = Some(Speculation::of(&splitter, pieces[at], table.clone()));
    }
    let (mut linker, mut seen) = (Linker::new(splitter), Vec::new());
    for (piece, guess) in pieces.into_iter().zip(guesses) {
        let Some(guess) = guess else {
            unreachable!("every piece had its turn")
        };
        let linked = linker.link(piece, guess);
        if let Some((bytes, table)) = &linked.seam {
            see(table, bytes, &mut seen);
        }
        see(&linked.table, piece.bytes, &mut seen);
    }
    assert_eq!(
        linker.position().byte,
        input.origin.byte + input.file.len() as u64,
        "the file is consumed"
    );
    seen
}

/// The pieces of the file; the one whose look-ahead reaches its end is the last one.
fn pieces(input: &Input) -> Vec<Piece<'_>> {
    let file = input.file.as_slice();
    let mut pieces = Vec::new();
    for start in (0..file.len().max(1)).step_by(input.owned_bytes) {
        let owned_end = (start + input.owned_bytes).min(file.len());
        let seen_end = (owned_end + input.look_ahead_bytes).min(file.len());
        let end = if seen_end == file.len() {
            End::Last
        } else {
            End::More
        };
        pieces.push(Piece {
            bytes: &file[start..seen_end],
            start: input.origin.byte + start as u64,
            owned_bytes: owned_end - start,
            end,
            is_first: start == 0,
        });
        if end == End::Last {
            break;
        }
    }
    pieces
}

/// Appends the records of a table in file order.
fn see(table: &RecordTable, input: &[u8], seen: &mut Vec<Seen>) {
    let first = seen.len();
    for (row, record_no) in table.record_numbers().enumerate() {
        seen.push(Seen {
            record_no,
            line: table.origin.line + u64::from(table.line[row]),
            byte_start: table.origin.byte.wrapping_add(u64::from(table.offset[row])),
            byte_len: u64::from(table.byte_len[row]),
            shape: Shape::WellFormed,
            raw: table.raw(row, input).to_vec(),
            values: (0..table.columns.len())
                .map(|slot| table.cell(slot, row, input))
                .collect(),
        });
    }
    seen.extend(table.malformed.iter().map(|bad| Seen {
        record_no: bad.record_no,
        line: bad.line,
        byte_start: bad.byte_start,
        byte_len: bad.byte_len,
        shape: bad.shape,
        raw: bad.raw(input).to_vec(),
        values: Vec::new(),
    }));
    seen[first..].sort_by_key(|seen| seen.record_no);
}
