//! Random files: against the referee, and however they are cut.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::damage::{Damage, toll};
use super::reference;
use super::*;
use crate::decode::csv::dialect::{Delimiter, Newline};

/// Bytes that matter, and two that do not.
fn byte() -> impl Strategy<Value = u8> {
    select(b"\"\"\"\n\n,,\r\\#ab".to_vec())
}

fn chunks() -> impl Strategy<Value = Vec<usize>> {
    vec(0..12usize, 0..40)
}

fn reading() -> impl Strategy<Value = Reading> {
    let record_bytes = prop_oneof![Just(1000), 0..24u64];
    let expected_fields = prop_oneof![Just(None), (1..4usize).prop_map(Some)];
    (record_bytes, expected_fields, any::<[bool; 3]>()).prop_map(
        |(record_bytes, expected_fields, special)| Reading {
            dialect: Dialect {
                newline: if special == [true; 3] {
                    Newline::CarriageReturn
                } else {
                    Newline::LineFeed
                },
                delimiter: if special == [false, true, true] {
                    Delimiter::new(b",\\").unwrap()
                } else {
                    Delimiter::from(b',')
                },
                quote: Some(b'"').filter(|_| special[0] || special[1] || special[2]),
                escape: Some(b'\\').filter(|_| special[0]),
                comment: Some(b'#').filter(|_| special[1]),
                record_bytes,
            },
            keep: (0..expected_fields.unwrap_or(4)).collect(),
            expected_fields,
        },
    )
}

/// A value and whether it is written in quotes although it need not be.
fn cell() -> impl Strategy<Value = (Vec<u8>, bool)> {
    (vec(byte(), 0..6), any::<bool>())
}

/// A record as values and as text.
fn record(num_fields: usize) -> impl Strategy<Value = (Vec<Vec<u8>>, Vec<u8>)> {
    (vec(cell(), num_fields), any::<bool>()).prop_map(|(cells, crlf)| {
        let texts: Vec<_> = cells
            .iter()
            .map(|(value, quoted)| written(value, *quoted))
            .collect();
        let line_end = if crlf { &b"\r\n"[..] } else { b"\n" };
        (
            cells.into_iter().map(|cell| cell.0).collect(),
            [&texts.join(&b','), line_end].concat(),
        )
    })
}

fn written(value: &[u8], quoted: bool) -> Vec<u8> {
    if !quoted && !value.iter().any(|byte| b"\",\r\n".contains(byte)) {
        return value.to_vec();
    }
    let inner = value
        .iter()
        .flat_map(|byte| std::iter::repeat_n(*byte, if *byte == b'"' { 2 } else { 1 }));
    [b'"'].into_iter().chain(inner).chain([b'"']).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn well_formed_files_give_their_values(records in vec(record(3), 0..12), chunks in chunks(), last_line_end: bool) {
        let mut file: Vec<u8> = records.iter().flat_map(|record| record.1.clone()).collect();
        if !last_line_end && file.last() == Some(&b'\n') {
            let crlf = file.ends_with(b"\r\n");
            file.truncate(file.len() - 1 - usize::from(crlf));
        }
        let seen = Reading::of(3).in_chunks(&file, chunks);
        let (mut byte_start, mut line) = (0, 1);
        prop_assert_eq!(seen.len(), records.len());
        for (i, (values, text)) in records.iter().enumerate() {
            prop_assert_eq!(&seen[i].values, values);
            prop_assert_eq!((seen[i].record_no, seen[i].line, seen[i].byte_start), (i as u64 + 1, line, byte_start));
            byte_start += text.len() as u64;
            line += text.iter().filter(|byte| **byte == b'\n').count() as u64;
        }
    }

    #[test]
    fn the_way_a_file_is_cut_does_not_matter(file in vec(byte(), 0..120), chunks in chunks(), reading in reading()) {
        let whole = reading.whole(&file);
        prop_assert_eq!(&reading.in_chunks(&file, chunks), &whole);
        prop_assert_eq!(&reading.in_chunks(&file, std::iter::repeat(1)), &whole);
    }

    #[test]
    fn pieces_split_on_their_own_and_linked_give_the_records_of_one_splitter(
        file in vec(byte(), 0..160), reading in reading(), owned_bytes in 1..40usize, look_ahead_bytes in 0..30usize,
    ) {
        prop_assert_eq!(reading.in_pieces(&file, owned_bytes, look_ahead_bytes), reading.whole(&file));
    }

    #[test]
    fn pieces_of_a_well_formed_file_give_its_records(
        records in vec(record(3), 0..40), owned_bytes in 1..90usize, look_ahead_bytes in 0..30usize,
    ) {
        let file: Vec<u8> = records.iter().flat_map(|record| record.1.clone()).collect();
        let reading = Reading::of(3);
        prop_assert_eq!(reading.in_pieces(&file, owned_bytes, look_ahead_bytes), reading.whole(&file));
    }

    #[test]
    fn the_fast_path_gives_what_the_grammar_gives(file in vec(byte(), 0..400), reading in reading()) {
        prop_assert_eq!(reading.whole(&file), reading.by_the_grammar(&file));
    }

    #[test]
    fn the_fast_path_gives_what_the_grammar_gives_of_mostly_good_files(
        records in vec(record(3), 0..60), damages in vec((any::<proptest::sample::Index>(), byte()), 0..3),
        crowded: bool,
    ) {
        let mut file: Vec<u8> = records.iter().flat_map(|record| record.1.clone()).collect();
        if !file.is_empty() {
            for (at, byte) in damages {
                let at = at.index(file.len());
                file[at] = byte;
            }
        }
        if !crowded {
            // Plain text between, so that blocks without a quote occur too.
            file = file.iter().flat_map(|byte| if *byte == b'a' { vec![b'a'; 50] } else { vec![*byte] }).collect();
        }
        let reading = Reading::of(3);
        prop_assert_eq!(reading.whole(&file), reading.by_the_grammar(&file));
        prop_assert_eq!(reading.in_pieces(&file, 100, 30), reading.by_the_grammar(&file));
    }

    #[test]
    fn records_cover_the_file_but_for_line_ends_blank_lines_and_comments(
        file in vec(byte(), 0..120), reading in reading(),
    ) {
        let mut covered = 0;
        for (i, seen) in reading.whole(&file).iter().enumerate() {
            let (start, end) = (seen.byte_start as usize, (seen.byte_start + seen.byte_len) as usize);
            prop_assert!(is_no_record(&file[covered..start], &reading));
            prop_assert_eq!((seen.record_no, seen.line), (i as u64 + 1, 1 + lines(&file[..start], &reading)));
            prop_assert!(file[start..end].starts_with(&seen.raw));
            prop_assert!(seen.shape == TooLong || seen.raw.len() == end - start);
            prop_assert_eq!(seen.shape == TooLong, seen.byte_len > reading.dialect.record_bytes);
            let rest = &file[end..];
            let newline = reading.dialect.newline;
            let crlf = newline == Newline::LineFeed && rest.starts_with(b"\r\n");
            prop_assert!(rest.is_empty() || rest[0] == newline.byte() || crlf);
            covered = end + rest.iter().position(|byte| *byte == newline.byte()).map_or(0, |line_end| line_end + 1);
        }
        prop_assert!(is_no_record(&file[covered..], &reading));
    }

    #[test]
    fn a_record_is_well_formed_exactly_if_the_referee_says_so(file in vec(byte(), 0..120), reading in reading()) {
        for seen in reading.whole(&file) {
            let strict = reference::parse(&file, seen.byte_start as usize, &reading.dialect).filter(|strict| {
                let byte_len = strict.end as u64 - seen.byte_start;
                reading.expected_fields.is_none_or(|expected| expected == strict.values.len())
                    && byte_len <= reading.dialect.record_bytes
            });
            prop_assert_eq!(seen.shape == WellFormed, strict.is_some());
            if let Some(mut strict) = strict {
                strict.values.resize(reading.keep.len(), Vec::new());
                prop_assert_eq!(seen.values, strict.values);
                prop_assert_eq!(seen.byte_len, strict.end as u64 - seen.byte_start);
            }
        }
    }

    #[test]
    fn one_damaged_byte_costs_no_undamaged_record(
        records in vec(record(3), 1..10), at in any::<proptest::sample::Index>(), byte in byte(), kind in 0..3,
    ) {
        let damage = [Damage::Insert(byte), Damage::Replace(byte), Damage::Delete][kind as usize];
        let records: Vec<_> = records.into_iter().map(|record| record.1).collect();
        let num_bytes = records.iter().map(Vec::len).sum::<usize>();
        let toll = toll(&records, at.index(num_bytes), damage, &Reading::of(3));
        prop_assert_eq!(&toll.lost, &Vec::<usize>::new());
    }
}

/// Whether these are only line ends, blank lines and comments.
fn is_no_record(gap: &[u8], reading: &Reading) -> bool {
    let newline = reading.dialect.newline;
    gap.split(|byte| *byte == newline.byte()).all(|line| {
        line.is_empty()
            || newline == Newline::LineFeed && line == b"\r"
            || (reading.dialect.comment.is_some() && line.first().copied() == reading.dialect.comment)
    })
}

/// Number of line ends.
fn lines(bytes: &[u8], reading: &Reading) -> u64 {
    let newline = reading.dialect.newline.byte();
    bytes.iter().filter(|byte| **byte == newline).count() as u64
}
