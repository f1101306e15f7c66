//! However a file is read, its records are the same: by the fast path, by the grammar alone, in chunks, and in pieces
//! that were split on their own. They cover the file, and a byte-by-byte referee agrees on the well-formed ones.

#![no_main]

mod decode;
mod input;
#[path = "../../src/decode/csv/split/tests/reference.rs"]
mod reference;
#[path = "../../src/simd/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the engine uses more of it than is fuzzed")]
mod simd;
mod ways;

use decode::csv::{Newline, RecordTable, Shape, fields, parse_header, suspect_delimiter};
use input::Input;
use ways::Seen;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(input) = Input::of(bytes) {
        check(&input);
    }
});

fn check(input: &Input) {
    let (fast, file) = (ways::splitter(input), input.file.as_slice());
    let grammar = fast.clone().without_fast_path();
    // The memory of one reading serves the next, as it does in a load.
    let mut table = RecordTable::default();
    let truth = ways::whole(grammar.clone(), file, &mut table);
    check_cover(input, &truth);
    truth.iter().for_each(|seen| check_record(input, seen));
    assert_eq!(
        ways::whole(fast.clone(), file, &mut table),
        truth,
        "the fast path"
    );
    assert_eq!(
        ways::in_chunks(fast.clone(), file, input.cuts.clone(), &mut table),
        truth,
        "chunks"
    );
    assert_eq!(
        ways::in_chunks(grammar.clone(), file, input.cuts.clone(), &mut table),
        truth,
        "chunks by the grammar"
    );
    let max_records = 1 + input.look_ahead_bytes % 5;
    assert_eq!(
        ways::a_few_at_a_time(grammar.clone(), file, max_records, &mut table),
        truth,
        "a few at a time"
    );
    assert_eq!(
        ways::in_pieces(fast, input, input.look_ahead_bytes, &table),
        truth,
        "pieces"
    );
    assert_eq!(
        ways::in_pieces(grammar, input, 0, &table),
        truth,
        "pieces by the grammar"
    );
}

/// Every byte belongs to a record, or to a line end, a blank line or a comment between two; the numbers are in order.
fn check_cover(input: &Input, truth: &[Seen]) {
    let (file, newline) = (input.file.as_slice(), input.dialect.newline.byte());
    let (mut covered, mut line) = (0, input.origin.line);
    for (seen, record_no) in truth.iter().zip(input.origin.record_no..) {
        let start = (seen.byte_start - input.origin.byte) as usize;
        let end = start + seen.byte_len as usize;
        assert!(
            is_no_record(&file[covered..start], input),
            "only blank lines and comments between records"
        );
        line += lines(&file[covered..start], newline);
        assert_eq!((seen.record_no, seen.line), (record_no, line));
        assert!(file[start..end].starts_with(&seen.raw));
        let line_end = file[end..].iter().position(|byte| *byte == newline);
        let is_crlf = input.dialect.newline == Newline::LineFeed && file[end..].starts_with(b"\r\n");
        assert!(
            line_end.map_or(end == file.len(), |bytes| bytes == usize::from(is_crlf)),
            "a record ends with a line"
        );
        covered = line_end.map_or(file.len(), |bytes| end + bytes + 1);
        line += lines(&file[start..covered], newline);
    }
    assert!(
        is_no_record(&file[covered..], input),
        "only blank lines and comments behind the last record"
    );
}

fn lines(bytes: &[u8], newline: u8) -> u64 {
    bytes.iter().filter(|byte| **byte == newline).count() as u64
}

/// Whether these are only line ends, blank lines and comments.
fn is_no_record(gap: &[u8], input: &Input) -> bool {
    let newline = input.dialect.newline;
    gap.split(|byte| *byte == newline.byte()).all(|line| {
        let is_comment = input.dialect.comment.is_some() && line.first().copied() == input.dialect.comment;
        line.is_empty() || is_comment || newline == Newline::LineFeed && line == b"\r"
    })
}

/// The verdict on a record is the referee's, and its fields read again are those of the splitter.
fn check_record(input: &Input, seen: &Seen) {
    let start = (seen.byte_start - input.origin.byte) as usize;
    let is_oversized = seen.byte_len > input.dialect.record_bytes;
    assert_eq!(seen.shape == Shape::Oversized, is_oversized);
    assert!(is_oversized || seen.raw.len() as u64 == seen.byte_len);
    let strict = referee(input, start);
    assert_eq!(
        seen.shape == Shape::WellFormed,
        strict.is_some(),
        "the referee's verdict"
    );
    let again = fields(&seen.raw, &input.dialect);
    let header = parse_header(&again);
    assert_eq!(header.names.len(), again.len());
    // Must not panic; a suspicion is no statement about the record.
    let _ = suspect_delimiter(&seen.raw, &[&seen.raw], &input.dialect);
    let Some(strict) = strict else { return };
    assert_eq!(seen.byte_len, (strict.end - start) as u64);
    assert_eq!(again, strict.values, "the record read again");
    for (slot, field) in first_places(&input.keep).enumerate() {
        let value = strict
            .values
            .get(field)
            .map_or(&b""[..], |value| value.as_slice());
        assert_eq!(seen.values[slot], value, "field {field}");
    }
}

/// The record at `start` if nothing is wrong with it.
fn referee(input: &Input, start: usize) -> Option<reference::Strict> {
    // An escape that is the quote is the doubling that every file may use.
    let mut dialect = input.dialect.clone();
    dialect.escape = dialect.escape.filter(|escape| dialect.quote != Some(*escape));
    reference::parse(&input.file, start, &dialect).filter(|strict| {
        (strict.end - start) as u64 <= input.dialect.record_bytes
            && input
                .expected_fields
                .is_none_or(|expected| expected == strict.values.len())
    })
}

/// The fields kept, each once.
fn first_places(keep: &[usize]) -> impl Iterator<Item = usize> {
    keep.iter()
        .enumerate()
        .filter(|(at, field)| !keep[..*at].contains(field))
        .map(|(_, field)| *field)
}
