use std::sync::Arc;

use arrow::array::{
    BinaryArray, BinaryViewArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array,
    Int64Array, ListArray, MapBuilder, NullArray, StringArray, StringBuilder, StringViewArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, Fields, Int32Type, Int64Type};

use super::*;

fn text(array: impl Array + 'static, row: usize) -> String {
    let array: ArrayRef = Arc::new(array);
    Cells::of(&array).unwrap().text(row).unwrap()
}

fn json(array: impl Array + 'static, row: usize) -> String {
    let array: ArrayRef = Arc::new(array);
    let mut out = String::new();
    Cells::of(&array).unwrap().write_json(row, &mut out).unwrap();
    out
}

#[test]
fn null_is_no_text_and_null_in_json() {
    let numbers = || Int64Array::from(vec![None, Some(7)]);
    assert_eq!(text(numbers(), 0), "");
    assert_eq!(json(numbers(), 0), "null");
    assert_eq!(text(numbers(), 1), "7");
    assert_eq!(json(numbers(), 1), "7");
    assert_eq!(json(NullArray::new(1), 0), "null");
}

#[test]
fn a_decimal_keeps_every_digit_of_its_scale() {
    let spend = || {
        Decimal128Array::from(vec![1_050, -5])
            .with_precision_and_scale(38, 2)
            .unwrap()
    };
    assert_eq!(text(spend(), 0), "10.50");
    assert_eq!(json(spend(), 0), "10.50");
    assert_eq!(text(spend(), 1), "-0.05");
}

#[test]
fn a_timestamp_in_utc_ends_in_z_and_a_local_one_does_not() {
    let moment = || TimestampMicrosecondArray::from(vec![1_704_067_200_000_000, 1_704_067_200_123_456]);
    assert_eq!(text(moment().with_timezone("UTC"), 0), "2024-01-01T00:00:00Z");
    assert_eq!(
        text(moment().with_timezone("UTC"), 1),
        "2024-01-01T00:00:00.123456Z"
    );
    assert_eq!(json(moment().with_timezone("UTC"), 0), "\"2024-01-01T00:00:00Z\"");
    assert_eq!(text(moment(), 0), "2024-01-01T00:00:00");
}

#[test]
fn a_date_is_iso_and_a_string_in_json() {
    assert_eq!(text(Date32Array::from(vec![19_723]), 0), "2024-01-01");
    assert_eq!(json(Date32Array::from(vec![19_723]), 0), "\"2024-01-01\"");
}

#[test]
fn binary_is_utf8_with_the_other_bytes_in_hexadecimal() {
    let raw: &[u8] = b"C1,M\xFCnchen,\xC3\xA9";
    assert_eq!(text(BinaryArray::from(vec![raw]), 0), "C1,M\\xFCnchen,é");
    assert_eq!(json(BinaryArray::from(vec![raw]), 0), "\"C1,M\\\\xFCnchen,é\"");
    assert_eq!(text(BinaryViewArray::from(vec![raw]), 0), "C1,M\\xFCnchen,é");
}

#[test]
fn a_list_is_json_in_every_format() {
    let rules = || {
        let mut rules = arrow::array::ListBuilder::new(StringBuilder::new());
        rules.append_value([Some("cid_null"), None]);
        rules.append_null();
        rules.append_value([] as [Option<&str>; 0]);
        rules.finish()
    };
    assert_eq!(text(rules(), 0), r#"["cid_null",null]"#);
    assert_eq!(text(rules(), 1), "");
    assert_eq!(text(rules(), 2), "[]");
    assert_eq!(json(rules(), 0), r#"["cid_null",null]"#);
}

#[test]
fn a_slice_of_a_list_shows_its_own_items() {
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>([
        Some(vec![Some(1)]),
        Some(vec![Some(2), Some(3)]),
    ]);
    assert_eq!(text(lists.slice(1, 1), 0), "[2,3]");
}

#[test]
fn a_struct_is_an_object_with_its_fields_in_order() {
    let fields = Fields::from(vec![
        Field::new("rule", DataType::Utf8, true),
        Field::new("records", DataType::Int64, true),
        Field::new("seen", DataType::Date32, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["say \"no\"\n"])),
        Arc::new(Int64Array::from(vec![3])),
        Arc::new(Date32Array::from(vec![None])),
    ];
    let counts = StructArray::new(fields, columns, None);
    assert_eq!(
        text(counts, 0),
        r#"{"rule":"say \"no\"\n","records":3,"seen":null}"#
    );
}

#[test]
fn a_map_is_an_object_named_by_its_keys() {
    let mut map = MapBuilder::new(None, StringBuilder::new(), arrow::array::Int64Builder::new());
    map.keys().append_value("load");
    map.values().append_value(12);
    map.append(true).unwrap();
    assert_eq!(text(map.finish(), 0), r#"{"load":12}"#);
}

#[test]
fn a_dictionary_shows_its_values_and_knows_its_nulls() {
    let tiers = || {
        [Some("Gold"), None, Some("Gold")]
            .into_iter()
            .collect::<DictionaryArray<Int32Type>>()
    };
    assert_eq!(text(tiers(), 2), "Gold");
    assert_eq!(json(tiers(), 0), "\"Gold\"");
    assert_eq!(json(tiers(), 1), "null");
}

#[test]
fn what_is_no_number_in_json_is_null_there_and_text_elsewhere() {
    let doubles = || Float64Array::from(vec![0.5, f64::NAN, f64::INFINITY]);
    assert_eq!(json(doubles(), 0), "0.5");
    assert_eq!(json(doubles(), 1), "null");
    assert_eq!(text(doubles(), 1), "NaN");
    assert_eq!(text(doubles(), 2), "inf");
}

#[test]
fn booleans_are_bare_and_control_characters_escaped_in_json() {
    assert_eq!(json(BooleanArray::from(vec![true]), 0), "true");
    assert_eq!(
        json(StringViewArray::from(vec!["a\u{1}\t\\"]), 0),
        "\"a\\u0001\\t\\\\\""
    );
}
