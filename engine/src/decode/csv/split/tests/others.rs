//! Against the `csv` crate, which reads everything and calls nothing malformed.
//!
//! What is claimed: a file that it writes is read back, and both readers tell the same records, values, bytes and lines
//! of it. In a damaged file they tell the same records up to the first one whose quotes are wrong; and each record that
//! is called well-formed here, also behind the damage, has the same values when the other reader gets it alone.

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
    let damage = (any::<Index>(), select(b"\"\"\n\r,a".to_vec()), 0..3);
    (written(), vec(damage, 1..4)).prop_map(|((_, mut file), damages)| {
        for (at, byte, kind) in damages {
            let at = at.index(file.len() + 1);
            let end = (at + usize::from(kind > 0)).min(file.len());
            file.splice(at..end, Some(byte).filter(|_| kind < 2));
        }
        file
    })
}

/// Reads with the `csv` crate: any number of fields; lines end as given.
fn read(file: &[u8], terminator: Terminator) -> Vec<Other> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(terminator)
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

/// Reads with the `csv` crate where LF alone ends a line, as it does here: a CR before it is taken off afterwards.
fn read_lines(file: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(Terminator::Any(b'\n'))
        .from_reader(file);
    let (mut record, mut records) = (ByteRecord::new(), Vec::new());
    while reader.read_byte_record(&mut record).unwrap() {
        let mut values: Vec<_> = record.iter().map(<[u8]>::to_vec).collect();
        let is_crlf = file[..reader.position().byte() as usize].ends_with(b"\r\n");
        values
            .last_mut()
            .unwrap()
            .pop_if(|byte| is_crlf && *byte == b'\r');
        let is_blank = is_crlf && record.as_slice() == b"\r";
        records.extend(Some(values).filter(|_| !is_blank));
    }
    records
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn what_the_csv_crate_writes_is_read_back_in_chunks_of_any_size((records, file) in written()) {
        let reading = Reading::of(records.first().map_or(1, Vec::len));
        let seen = reading.whole(&file);
        let outline: Vec<_> = seen
            .iter()
            .map(|seen| Other { byte_start: seen.byte_start, line: seen.line, values: seen.values.clone() })
            .collect();
        prop_assert!(seen.iter().all(|seen| seen.shape == WellFormed));
        prop_assert_eq!(&outline, &read(&file, Terminator::CRLF));
        prop_assert_eq!(outline.into_iter().map(|other| other.values).collect::<Vec<_>>(), records);
        for chunk_bytes in 1..=file.len() {
            prop_assert_eq!(&reading.in_chunks(&file, std::iter::repeat(chunk_bytes)), &seen);
        }
    }

    #[test]
    fn a_damaged_file_has_the_records_that_the_csv_crate_sees_up_to_the_first_wrong_quote(file in damaged()) {
        let (reading, theirs) = (Reading { expected_fields: None, ..Reading::of(8) }, read_lines(&file));
        let seen = reading.whole(&file);
        let agreeing = seen.iter().take_while(|seen| seen.shape == WellFormed).count();
        for (seen, theirs) in seen[..agreeing].iter().zip(&theirs) {
            prop_assert_eq!(&seen.values[..theirs.len()], theirs.as_slice());
        }
        prop_assert!(theirs.len() >= agreeing);
        prop_assert_eq!(agreeing < seen.len() || theirs.len() == agreeing, true);
    }

    #[test]
    fn a_record_called_well_formed_has_the_values_that_the_csv_crate_reads_of_it_alone(file in damaged()) {
        for num_fields in 1..5 {
            for seen in Reading::of(num_fields).whole(&file).iter().filter(|seen| seen.shape == WellFormed) {
                prop_assert_eq!(read_lines(&seen.raw), std::slice::from_ref(&seen.values));
            }
        }
    }
}
