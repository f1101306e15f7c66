//! Against the `csv` crate, which reads everything and calls nothing malformed.
//!
//! What is claimed: a file that it writes is read back, and both readers tell the same records, values, bytes and lines
//! of it. Of a damaged file they tell the same records up to the first one whose quotes are wrong; and each record that
//! is called well-formed here, also behind the damage, has the same values when the other reader gets it alone. Only a
//! CR before an LF occurs outside quotes: to the other reader any CR ends a record, here a lone one is data.

use csv::{ByteRecord, QuoteStyle, ReaderBuilder, Terminator, WriterBuilder};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

/// A record as the other reader sees it.
#[derive(Debug, PartialEq, Eq)]
struct Other {
    byte_start: u64,
    line: u64,
    values: Vec<Vec<u8>>,
}

/// Values of up to 80 bytes, so that some do not fit into a block.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let text = vec(select(b"\"\"\n\r,,ab ".to_vec()), 0..6);
    (text, prop_oneof![9 => Just(1), 1 => Just(16)]).prop_map(|(text, times)| text.repeat(times))
}

/// Records of one number of fields, and how they are written.
fn written() -> impl Strategy<Value = (Vec<Vec<Vec<u8>>>, Vec<u8>)> {
    let records = (1..5usize).prop_flat_map(|num_fields| vec(vec(value(), num_fields), 0..9));
    let style = select(vec![
        QuoteStyle::Necessary,
        QuoteStyle::Always,
        QuoteStyle::NonNumeric,
    ]);
    let terminator = select(vec![Terminator::CRLF, Terminator::Any(b'\n')]);
    (records, style, terminator).prop_map(|(records, style, terminator)| {
        let mut writer = WriterBuilder::new()
            .quote_style(style)
            .terminator(terminator)
            .from_writer(Vec::new());
        records
            .iter()
            .for_each(|record| writer.write_record(record).unwrap());
        (records, writer.into_inner().unwrap())
    })
}

/// The file with a few bytes put in, replaced and taken out.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let damage = (any::<Index>(), select(b"\"\"\n,a".to_vec()), 0..3);
    (written(), vec(damage, 1..4)).prop_map(|((_, mut file), damages)| {
        for (at, byte, kind) in damages {
            let at = at.index(file.len() + 1);
            let end = (at + usize::from(kind > 0)).min(file.len());
            file.splice(at..end, Some(byte).filter(|_| kind < 2));
        }
        without_lone_cr(file)
    })
}

/// Each CR without an LF behind it becomes a letter.
fn without_lone_cr(mut file: Vec<u8>) -> Vec<u8> {
    for at in 0..file.len() {
        if file[at] == b'\r' && file.get(at + 1) != Some(&b'\n') {
            file[at] = b'r';
        }
    }
    file
}

/// Reads with the `csv` crate, any number of fields.
fn read(file: &[u8]) -> Vec<Other> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(file);
    reader
        .byte_records()
        .map(|record| other(&record.unwrap(), file))
        .collect()
}

/// It takes the LF of a CRLF, and blank lines, for the beginning of the record behind them.
fn other(record: &ByteRecord, file: &[u8]) -> Other {
    let position = record.position().unwrap();
    let before = &file[position.byte() as usize..];
    let line_ends = before.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let num_bytes = line_ends.clone().count() as u64;
    Other {
        byte_start: position.byte() + num_bytes,
        line: position.line() + line_ends.filter(|byte| **byte == b'\n').count() as u64,
        values: record.iter().map(<[u8]>::to_vec).collect(),
    }
}

/// What the other reader also tells of a record.
fn in_common(seen: &Seen) -> Other {
    Other {
        byte_start: seen.byte_start,
        line: seen.line,
        values: seen.values.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_the_csv_crate_writes_is_read_back_in_chunks_of_any_size((records, file) in written()) {
        let reading = Reading::of(records.first().map_or(1, Vec::len));
        let seen = reading.whole(&file);
        prop_assert!(seen.iter().all(|seen| seen.shape == WellFormed));
        prop_assert_eq!(seen.iter().map(|seen| &seen.values).collect::<Vec<_>>(), records.iter().collect::<Vec<_>>());
        prop_assert_eq!(seen.iter().map(in_common).collect::<Vec<_>>(), read(&file));
        for chunk_bytes in 1..=file.len() {
            prop_assert_eq!(&reading.in_chunks(&file, std::iter::repeat(chunk_bytes)), &seen);
        }
    }

    #[test]
    fn a_record_called_well_formed_has_the_values_that_the_csv_crate_reads_of_it_alone(file in damaged()) {
        for num_fields in 1..5 {
            let seen = Reading::of(num_fields).whole(&file);
            for seen in seen.iter().filter(|seen| seen.shape == WellFormed) {
                let alone: Vec<_> = read(&seen.raw).into_iter().map(|other| other.values).collect();
                prop_assert_eq!(alone, std::slice::from_ref(&seen.values));
            }
        }
    }
}
