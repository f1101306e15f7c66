use arrow::array::{AsArray, Int64Array};
use proptest::prelude::*;

use super::*;
use crate::decode::csv::{Dialect, FieldSelection};

fn records(raws: &[&[u8]]) -> KeptChunk {
    let splitter = Splitter::new(&Dialect::default(), FieldSelection::new([0, 1]), Some(2));
    let kept: Vec<KeptRecord<'_>> = raws
        .iter()
        .map(|raw| KeptRecord { raw, byte_len: None })
        .collect();
    KeptSplitter::Csv(Box::new(splitter)).split(&kept, Encoding::Utf8, Vec::new())
}

fn cells(chunk: &KeptChunk) -> Vec<Vec<u8>> {
    let table = &chunk.text.records;
    (0..table.num_rows())
        .map(|row| table.cell(1, row, &chunk.text.bytes))
        .collect()
}

#[test]
fn a_damaged_record_costs_no_other_one_its_cells() {
    let chunk = records(&[b"1,Ann", b"2,\"Bob", b"3,\"Cy\"\"s\"", b"4", b"5,Di"]);
    assert_eq!(
        (chunk.rows.as_slice(), chunk.malformed.as_slice()),
        ([0, 2, 4].as_slice(), [1, 3].as_slice())
    );
    assert_eq!(
        cells(&chunk),
        [b"Ann".to_vec(), b"Cy\"s".to_vec(), b"Di".to_vec()]
    );
}

#[test]
fn what_is_no_single_record_any_more_is_malformed() {
    let splitter = Splitter::new(
        &Dialect {
            quote: None,
            comment: Some(b'#'),
            ..Dialect::default()
        },
        FieldSelection::new([0]),
        Some(2),
    );
    let kept = [b"1,\"a\nb\"".as_slice(), b"#2,c", b"3,d"].map(|raw| KeptRecord { raw, byte_len: None });
    let chunk = KeptSplitter::Csv(Box::new(splitter)).split(&kept, Encoding::Utf8, Vec::new());
    assert_eq!((chunk.rows, chunk.malformed), (vec![2], vec![0, 1]));
}

#[test]
fn a_record_of_which_only_a_part_was_kept_is_never_taken_for_whole() {
    let splitter = Splitter::new(&Dialect::default(), FieldSelection::new([0]), Some(2));
    let cut = [KeptRecord {
        raw: b"1,aaaa",
        byte_len: Some(99),
    }];
    let chunk = KeptSplitter::Csv(Box::new(splitter)).split(&cut, Encoding::Utf8, Vec::new());
    assert_eq!(chunk.malformed, [0]);
    let json = KeptSplitter::Json(Box::new(JsonSplitter::new(&["a".to_owned()], u64::MAX)));
    assert_eq!(json.split(&cut, Encoding::Utf8, Vec::new()).malformed, [0]);
}

#[test]
fn objects_of_json_keep_their_order_beside_what_is_none() {
    let json = KeptSplitter::Json(Box::new(JsonSplitter::new(&["a".to_owned()], u64::MAX)));
    let kept = [br#"{"a":1}"#.as_slice(), b" ", b"[", br#"{"a":"x\u0041"}"#]
        .map(|raw| KeptRecord { raw, byte_len: None });
    let chunk = json.split(&kept, Encoding::Utf8, Vec::new());
    assert_eq!(
        (chunk.rows.as_slice(), chunk.malformed.as_slice()),
        ([0, 3].as_slice(), [1, 2].as_slice())
    );
    assert_eq!(chunk.text.records.cell(0, 1, &chunk.text.bytes), b"xA");
}

#[test]
fn records_get_the_places_that_they_had() {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![7, 9, 40]));
    let made: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let batch = RecordBatch::try_from_iter([("record_no", made)]).unwrap();
    let batch = placed(&batch, &[(0, &numbers)], &[0, 2]).unwrap();
    assert_eq!(
        batch
            .column(0)
            .as_primitive::<arrow::datatypes::Int64Type>()
            .values(),
        &[7, 40]
    );
}

proptest! {
    /// However they were damaged, kept records and what is made of them are as many, each in one of two ways.
    #[test]
    fn every_kept_record_is_one_row_or_one_malformed_record(
        raws in proptest::collection::vec("[a,\"\n\r ]{1,9}", 1..20),
    ) {
        let bytes: Vec<&[u8]> = raws.iter().map(String::as_bytes).collect();
        let chunk = records(&bytes);
        let mut all: Vec<u32> = chunk.rows.iter().chain(&chunk.malformed).copied().collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..raws.len() as u32).collect::<Vec<_>>());
        prop_assert_eq!(chunk.text.records.num_rows(), chunk.rows.len());
        prop_assert_eq!(chunk.text.records.malformed.len(), chunk.malformed.len());
    }
}
