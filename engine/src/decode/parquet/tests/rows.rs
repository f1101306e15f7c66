use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Decimal128Array, DictionaryArray, Float64Array, Int64Array,
    ListArray, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Float64Type, Int8Type, Schema};
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::{row_json, texts, texts_of};
use crate::decode::csv::End;
use crate::decode::json::{JsonSplitter, TextTable};

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let with_nulls = columns.into_iter().map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(with_nulls).unwrap()
}

fn strings(json: Vec<Vec<u8>>) -> Vec<String> {
    json.into_iter()
        .map(|object| String::from_utf8(object).unwrap())
        .collect()
}

#[test]
fn the_rows_asked_for_come_whole_and_in_the_order_asked() {
    let prices = Decimal128Array::from(vec![Some(510), Some(500), None])
        .with_precision_and_scale(9, 2)
        .unwrap();
    let batch = batch(vec![
        ("id", Arc::new(Int64Array::from(vec![7, 8, 9]))),
        ("a \"price\"", Arc::new(prices)),
        (
            "name",
            Arc::new(StringArray::from(vec![Some("Ann"), Some("a\nb\\"), Some("")])),
        ),
        (
            "active",
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        ),
    ]);
    let expected = [
        r#"{"id":9,"a \"price\"":null,"name":"","active":false}"#,
        r#"{"id":7,"a \"price\"":5.1,"name":"Ann","active":true}"#,
    ];
    assert_eq!(strings(row_json(&batch, &[2, 0]).unwrap()), expected);
    assert!(row_json(&batch, &[]).unwrap().is_empty());
}

#[test]
fn a_row_that_the_batch_has_not_is_an_error() {
    let batch = batch(vec![("id", Arc::new(Int64Array::from(vec![7])))]);
    assert!(row_json(&batch, &[1]).is_err());
}

#[test]
fn a_field_of_json_is_that_json_in_a_row_and_its_texts_are_out_of_their_quotes() {
    let json = [r#"{"a":[1]}"#, r#""a \"b\"""#, "null", "1.50", r#""half"#];
    let field = crate::source::json_field("v");
    let column: ArrayRef = Arc::new(StringViewArray::from_iter(
        json.map(Some).into_iter().chain([None]),
    ));
    let found = texts_of(&field, &column).unwrap().texts;
    let expected = [
        Some(json[0]),
        Some(r#"a "b""#),
        None,
        Some("1.50"),
        Some(json[4]),
        None,
    ];
    assert_eq!(found.iter().collect::<Vec<_>>(), expected);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![column]).unwrap();
    let rows = strings(row_json(&batch, &[0, 1, 2, 3, 5]).unwrap());
    let expected = [
        r#"{"v":{"a":[1]}}"#,
        r#"{"v":"a \"b\""}"#,
        r#"{"v":null}"#,
        r#"{"v":1.50}"#,
        r#"{"v":null}"#,
    ];
    assert_eq!(rows, expected);
}

/// A batch of every kind of column.
fn any_batch() -> impl Strategy<Value = RecordBatch> {
    type Row = (
        Option<i64>,
        i64,
        Option<f64>,
        Option<String>,
        Option<Vec<u8>>,
        i64,
        Vec<f64>,
    );
    vec(any::<Row>(), 1..8).prop_map(|rows| {
        let column = |name, array: ArrayRef| (name, array);
        let words = rows
            .iter()
            .map(|row| row.3.as_deref().map(|text| &text[..text.floor_char_boundary(3)]));
        let decimals: Decimal128Array = rows.iter().map(|row| i128::from(row.1)).map(Some).collect();
        let instants: TimestampMicrosecondArray = rows.iter().map(|row| Some(row.5)).collect();
        let lists = rows.iter().map(|row| Some(row.6.iter().copied().map(Some)));
        batch(vec![
            column(
                "int",
                Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
            ),
            column(
                "decimal",
                Arc::new(decimals.with_precision_and_scale(19, 4).unwrap()),
            ),
            column(
                "double",
                Arc::new(rows.iter().map(|row| row.2).collect::<Float64Array>()),
            ),
            column(
                "text",
                Arc::new(rows.iter().map(|row| row.3.as_deref()).collect::<StringArray>()),
            ),
            column("word", Arc::new(words.collect::<DictionaryArray<Int8Type>>())),
            column(
                "bytes",
                Arc::new(rows.iter().map(|row| row.4.as_deref()).collect::<BinaryArray>()),
            ),
            column("instant", Arc::new(instants.with_timezone("UTC"))),
            column(
                "list",
                Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(lists)),
            ),
        ])
    })
}

proptest! {
    #[test]
    fn a_row_read_as_ndjson_has_the_texts_of_its_columns(batch in any_batch()) {
        let rows: Vec<usize> = (0..batch.num_rows()).collect();
        let input = row_json(&batch, &rows).unwrap().join(&b'\n');
        for line in input.split(|byte| *byte == b'\n') {
            prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok());
        }
        let wanted: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        let mut table = TextTable::default();
        let consumed = JsonSplitter::new(&wanted, u64::MAX).split(&input, input.len(), End::Last, &mut table);
        prop_assert_eq!(consumed.num_bytes, input.len());
        prop_assert!(table.malformed.is_empty(), "{:?}", table.malformed);
        for (slot, column) in batch.columns().iter().enumerate() {
            let expected = texts(column).unwrap();
            for row in 0..batch.num_rows() {
                let text = if expected.texts.is_null(row) { "" } else { expected.texts.value(row) };
                prop_assert_eq!(String::from_utf8(table.cell(slot, row, &input)).unwrap(), text);
                let is_invalid = table.invalid.contains(&(row as u32, slot as u32));
                prop_assert_eq!(is_invalid, expected.invalid_rows.contains(&row));
            }
        }
    }
}
