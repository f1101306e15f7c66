use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, Date32Array, Date64Array, Decimal128Array,
    Decimal256Array, DictionaryArray, FixedSizeBinaryArray, Float32Array, Float64Array, Int8Array,
    Int64Array, Int64Builder, LargeStringArray, ListArray, MapBuilder, NullArray, StringArray, StringBuilder,
    StringViewArray, StructArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Int8Type, Int32Type, i256};
use proptest::prelude::*;

use super::super::texts;
use super::{shown, some};
use crate::decode::cell::{self, OnScale};

#[test]
fn integers_are_digits() {
    let largest = UInt64Array::from(vec![Some(u64::MAX), None]);
    assert_eq!(shown(largest), [Some("18446744073709551615".to_owned()), None]);
    assert_eq!(
        shown(Int64Array::from(vec![i64::MIN, 0])),
        some(&["-9223372036854775808", "0"])
    );
    assert_eq!(shown(Int8Array::from(vec![-128])), some(&["-128"]));
}

#[test]
fn decimals_are_plain_and_end_at_their_last_digit() {
    let of_scale = |values: Vec<i128>, scale: i8| {
        shown(
            Decimal128Array::from(values)
                .with_precision_and_scale(38, scale)
                .unwrap(),
        )
    };
    let hundredths = of_scale(vec![0, 5, -5, 50, -500, 1230, 12345], 2);
    assert_eq!(
        hundredths,
        some(&["0", "0.05", "-0.05", "0.5", "-5", "12.3", "123.45"])
    );
    assert_eq!(of_scale(vec![100, -7], 0), some(&["100", "-7"]));
    assert_eq!(of_scale(vec![0, 12], -3), some(&["0", "12000"]));
    assert_eq!(
        of_scale(vec![1], 38),
        some(&["0.00000000000000000000000000000000000001"])
    );
    let wide = Decimal256Array::from(vec![i256::from_i128(-i128::MAX)])
        .with_precision_and_scale(76, 40)
        .unwrap();
    assert_eq!(
        shown(wide),
        some(&["-0.0170141183460469231731687303715884105727"])
    );
}

#[test]
fn floats_are_the_shortest_digits_of_their_own_width() {
    let doubles = vec![0.1, 123.0, 1e21, -2.5e-7, f64::NAN, f64::NEG_INFINITY];
    let expected = [
        "0.1",
        "123",
        "1000000000000000000000",
        "-0.00000025",
        "NaN",
        "-inf",
    ];
    assert_eq!(shown(Float64Array::from(doubles)), some(&expected));
    assert_eq!(
        shown(Float32Array::from(vec![0.1, 16_777_216.0])),
        some(&["0.1", "16777216"])
    );
}

#[test]
fn booleans_times_of_day_and_nulls_have_their_text() {
    assert_eq!(
        shown(BooleanArray::from(vec![true, false])),
        some(&["true", "false"])
    );
    assert_eq!(
        shown(Time64MicrosecondArray::from(vec![3_600_000_000])),
        some(&["01:00:00"])
    );
    assert_eq!(shown(NullArray::new(2)), [None, None]);
}

#[test]
fn dates_are_days_of_the_calendar_and_far_ones_fit_nothing() {
    let days = shown(Date32Array::from(vec![
        0,
        -1,
        19_850,
        -719_162,
        2_932_896,
        2_932_897,
        i32::MAX,
    ]));
    let in_range = [
        "1970-01-01",
        "1969-12-31",
        "2024-05-07",
        "0001-01-01",
        "9999-12-31",
    ];
    assert_eq!(days[..5], some(&in_range));
    for far in &days[5..] {
        assert_eq!(cell::parse_date(far.as_deref().unwrap()), None, "{far:?}");
    }
    let millis = Date64Array::from(vec![86_400_000, 86_400_001, i64::MAX]);
    assert_eq!(
        shown(millis)[..2],
        some(&["1970-01-02", "1970-01-02 00:00:00.001"])
    );
}

#[test]
fn timestamps_drop_zeros_and_name_their_zone() {
    let nanos = TimestampNanosecondArray::from(vec![1_715_083_200_000_250_000, 1_715_083_200_000_000_001]);
    assert_eq!(
        shown(nanos),
        some(&["2024-05-07 12:00:00.00025", "2024-05-07 12:00:00.000000001"])
    );
    let millis = TimestampMillisecondArray::from(vec![1_715_083_200_250, -1]).with_timezone("Europe/Madrid");
    assert_eq!(
        shown(millis),
        some(&["2024-05-07 12:00:00.25Z", "1969-12-31 23:59:59.999Z"])
    );
    let seconds = shown(TimestampSecondArray::from(vec![0, i64::MAX]));
    assert_eq!(
        seconds,
        some(&["1970-01-01 00:00:00", "9223372036854775807s from 1970-01-01"])
    );
}

#[test]
fn strings_are_themselves_in_every_form() {
    let words = vec![Some("a text of more than twelve bytes"), None, Some("")];
    let expected: Vec<Option<String>> = words.iter().map(|word| word.map(str::to_owned)).collect();
    assert_eq!(shown(StringArray::from(words.clone())), expected);
    assert_eq!(shown(LargeStringArray::from(words.clone())), expected);
    assert_eq!(shown(StringViewArray::from(words.clone())), expected);
    assert_eq!(
        shown(words.into_iter().collect::<DictionaryArray<Int8Type>>()),
        expected
    );
}

#[test]
fn a_dictionary_of_numbers_is_its_numbers() {
    let keys = Int8Array::from(vec![Some(1), None, Some(0)]);
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![10, 20]));
    let dictionary = DictionaryArray::<Int8Type>::new(keys, numbers);
    assert_eq!(
        shown(dictionary),
        [Some("20".to_owned()), None, Some("10".to_owned())]
    );
}

#[test]
fn binary_that_is_no_text_is_null_and_named() {
    let values: Vec<Option<&[u8]>> = vec![Some(b"Ann"), Some(b"\xff12"), None, Some("né".as_bytes())];
    let fixed = vec![Some(&b"ab"[..]), Some(b"\xff\xff"), None, Some(b"cd")];
    let arrays: [ArrayRef; 3] = [
        Arc::new(BinaryArray::from(values.clone())),
        Arc::new(BinaryViewArray::from(values)),
        Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(fixed.into_iter(), 2).unwrap()),
    ];
    for column in arrays {
        let read = texts(&column).unwrap();
        assert_eq!(read.invalid_rows, [1], "{}", column.data_type());
        let nulls: Vec<bool> = read.texts.iter().map(|text| text.is_none()).collect();
        assert_eq!(nulls, [false, true, true, false]);
    }
    assert_eq!(shown(BinaryArray::from(vec![&b"Ann"[..]])), some(&["Ann"]));
}

#[test]
fn what_is_nested_is_json() {
    let list =
        ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None, Some(vec![])]);
    assert_eq!(
        shown(list),
        [Some("[1,null]".to_owned()), None, Some("[]".to_owned())]
    );
    let name: ArrayRef = Arc::new(StringArray::from(vec!["\"Ann\"", "\u{1}"]));
    let rate: ArrayRef = Arc::new(Float64Array::from(vec![f64::NAN, 0.5]));
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"ok"[..], b"\xff"]));
    let pairs = [
        ("name", DataType::Utf8, name),
        ("rate", DataType::Float64, rate),
        ("bytes", DataType::Binary, bytes),
    ];
    let fields = pairs.map(|(name, data_type, column)| (Arc::new(Field::new(name, data_type, true)), column));
    let expected = [
        r#"{"name":"\"Ann\"","rate":"NaN","bytes":"ok"}"#,
        r#"{"name":"\u0001","rate":0.5,"bytes":"\udcff"}"#,
    ];
    assert_eq!(shown(StructArray::from(fields.to_vec())), some(&expected));
}

#[test]
fn a_map_is_an_object_whatever_its_keys_are() {
    let mut maps = MapBuilder::new(None, Int64Builder::new(), StringBuilder::new());
    maps.keys().append_value(7);
    maps.values().append_value("x");
    maps.append(true).unwrap();
    maps.append(false).unwrap();
    assert_eq!(shown(maps.finish()), [Some(r#"{"7":"x"}"#.to_owned()), None]);
}

proptest! {
    #[test]
    fn every_decimal_reads_back(value in -(10_i128.pow(38) - 1)..10_i128.pow(38), shift in 0..38_u32, scale in 0..=38_i8) {
        let value = value / 10_i128.pow(shift);
        let text = shown(Decimal128Array::from(vec![value]).with_precision_and_scale(38, scale).unwrap());
        let text = text[0].clone().unwrap();
        prop_assert_eq!(cell::parse_decimal(&text, 38, scale, OnScale::Reject), Some(value), "{}", text);
        // A whole number fits a whole type.
        let divisor = 10_i128.pow(scale.unsigned_abs().into());
        let whole = (value % divisor == 0).then(|| i64::try_from(value / divisor).ok()).flatten();
        prop_assert_eq!(cell::parse_bigint(&text), whole, "{}", text);
    }

    #[test]
    fn every_finite_float_reads_back_bit_for_bit(double: f64, single: f32) {
        let text = shown(Float64Array::from(vec![double]))[0].clone().unwrap();
        let expected = double.is_finite().then_some(double.to_bits());
        prop_assert_eq!(cell::parse_double(&text).map(f64::to_bits), expected, "{}", text);
        let text = shown(Float32Array::from(vec![single]))[0].clone().unwrap();
        let read: f32 = text.parse().unwrap();
        prop_assert!(read.to_bits() == single.to_bits() || single.is_nan(), "{}", text);
    }

    #[test]
    fn every_date_reads_back(days in -719_162..=2_932_896_i32) {
        let text = shown(Date32Array::from(vec![days]))[0].clone().unwrap();
        prop_assert_eq!(cell::parse_date(&text), Some(days), "{}", text);
    }

    #[test]
    fn every_instant_reads_back_unless_it_has_nanoseconds(
        micros in -62_135_596_800_000_000..=253_402_300_799_999_999_i64,
        unit in proptest::sample::select(vec![1_i64, 1_000, 1_000_000]),
        nanos: i64,
    ) {
        let micros = micros / unit * unit;
        let with_zone = TimestampMicrosecondArray::from(vec![micros]).with_timezone("+05:00");
        for text in [shown(TimestampMicrosecondArray::from(vec![micros])), shown(with_zone)] {
            let text = text[0].clone().unwrap();
            prop_assert_eq!(cell::parse_timestamp(&text, &chrono_tz::Tz::UTC), Some(micros), "{}", text);
        }
        let text = shown(TimestampNanosecondArray::from(vec![nanos]))[0].clone().unwrap();
        let expected = (nanos % 1_000 == 0).then_some(nanos / 1_000);
        prop_assert_eq!(cell::parse_timestamp(&text, &chrono_tz::Tz::UTC), expected, "{}", text);
    }
}
