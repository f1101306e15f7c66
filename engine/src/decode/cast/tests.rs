use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, PrimitiveArray, StringViewArray,
};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::cast;
use crate::decode::cell::{self, DateFormat, OnScale};
use crate::decode::layout::{Blanks, CellColumn, CellKind, Strip};
use crate::validate::text::{TextType, strip_unsupported, truncate};

/// Texts of every type, and what is near them.
const TEXTS: &str = "([+-]?[0-9]{0,13}|[0-9]{17,20}|-?[0-9]{1,7}[.][0-9]{1,3}|[0-9]{1,3}[.][0-9]{12,18}e?5?\
    |(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]|[0-3][0-9]/[01][0-9]/20[0-9]{2}|true|F|yEs|no|[01]\
    |20[0-9]{2}-[01][0-9]-[0-2][0-9][ T][0-2][0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]{0,7})?(Z|[+]02:?00)?\
    |NA|NULL|not available at all|[a-zé \u{1F600}]{0,20})";

fn columns() -> impl Strategy<Value = StringViewArray> {
    let rows = proptest::collection::vec(proptest::option::weighted(0.9, TEXTS), 0..150);
    (rows, 0_usize..70).prop_map(|(rows, skipped)| {
        let column = StringViewArray::from_iter(rows);
        let skipped = skipped.min(column.len());
        column.slice(skipped, column.len() - skipped)
    })
}

fn kinds() -> Vec<CellKind> {
    let decimal = |precision, scale, on_scale| CellKind::Decimal {
        precision,
        scale,
        on_scale,
    };
    let date = |formats: &[&str]| CellKind::Date {
        formats: formats
            .iter()
            .map(|pattern| DateFormat::for_date(pattern).unwrap())
            .collect(),
    };
    let timestamp = |zone, formats: &[&str]| CellKind::Timestamp {
        zone,
        formats: formats
            .iter()
            .map(|pattern| DateFormat::for_timestamp(pattern).unwrap())
            .collect(),
    };
    let text = |truncate, strip| CellKind::Text { truncate, strip };
    vec![
        CellKind::Int,
        CellKind::Bigint,
        CellKind::Double,
        CellKind::Boolean,
        decimal(18, 2, OnScale::Reject),
        decimal(6, 1, OnScale::Round),
        decimal(5, -2, OnScale::Reject),
        date(&[]),
        date(&["%d/%m/%Y"]),
        timestamp(Tz::UTC, &[]),
        timestamp(Tz::Europe__Madrid, &[]),
        timestamp(Tz::UTC, &["%Y-%m-%d %H:%M:%S"]),
        text(None, Strip::Nothing),
        text(Some(TextType::Varchar(4)), Strip::Nothing),
        text(Some(TextType::Nvarchar(13)), Strip::Unsupported),
    ]
}

/// The column by one text after the other.
fn naive(texts: &StringViewArray, column: &CellColumn) -> ArrayRef {
    let is_value = |text: &&str| !text.is_empty() && !column.null_tokens.iter().any(|token| token == text);
    let trimmed = |text| match column.blanks {
        Blanks::Data => text,
        Blanks::Trimmed => str::trim(text),
    };
    let texts: Vec<Option<&str>> = texts
        .iter()
        .map(|text| text.map(trimmed).filter(is_value))
        .collect();
    match &column.kind {
        CellKind::Int => Arc::new(each::<Int32Type>(&texts, |text| text.parse().ok())),
        CellKind::Bigint => Arc::new(each::<Int64Type>(&texts, |text| text.parse().ok())),
        CellKind::Double => Arc::new(each::<Float64Type>(&texts, |text| {
            text.parse().ok().filter(|v: &f64| v.is_finite())
        })),
        CellKind::Boolean => Arc::new(
            texts
                .iter()
                .map(|text| text.and_then(cell::parse_boolean))
                .collect::<BooleanArray>(),
        ),
        CellKind::Decimal {
            precision,
            scale,
            on_scale,
        } => {
            let parse = |text: &&str| cell::parse_decimal(text, *precision, *scale, *on_scale);
            let values: Decimal128Array = texts.iter().map(|text| text.as_ref().and_then(parse)).collect();
            Arc::new(values.with_precision_and_scale(*precision, *scale).unwrap())
        }
        CellKind::Date { formats } => Arc::new(each::<Date32Type>(&texts, |text| match formats.as_slice() {
            [] => cell::parse_date(text),
            formats => cell::parse_date_with(text, formats),
        })),
        CellKind::Timestamp { zone, formats } => {
            let values = each::<TimestampMicrosecondType>(&texts, |text| match formats.as_slice() {
                [] => cell::parse_timestamp(text, zone),
                formats => cell::parse_timestamp_with(text, formats, zone),
            });
            Arc::new(values.with_timezone("UTC"))
        }
        CellKind::Text { truncate, strip } => {
            let mended = |text| mended(text, *truncate, *strip);
            Arc::new(
                texts
                    .iter()
                    .map(|text| text.map(mended).filter(|t| !t.is_empty()))
                    .collect::<StringViewArray>(),
            )
        }
    }
}

fn each<T: ArrowPrimitiveType>(
    texts: &[Option<&str>],
    parse: impl Fn(&str) -> Option<T::Native>,
) -> PrimitiveArray<T> {
    texts.iter().map(|text| text.and_then(&parse)).collect()
}

fn mended(text: &str, width: Option<TextType>, strip: Strip) -> String {
    let stripped = match strip {
        Strip::Nothing => text.to_owned(),
        Strip::Unsupported => strip_unsupported(text).into_owned(),
    };
    match width {
        Some(TextType::Varchar(_)) if !crate::validate::text::is_windows_1252(&stripped) => stripped,
        Some(width) => truncate(&stripped, width).to_owned(),
        None => stripped,
    }
}

fn column(kind: CellKind, null_tokens: &[&str], blanks: Blanks) -> CellColumn {
    CellColumn {
        source: "Source".to_owned(),
        name: "name".to_owned(),
        kind,
        null_tokens: null_tokens.iter().map(|token| (*token).to_owned()).collect(),
        blanks,
    }
}

#[test]
fn a_column_that_is_whole_has_no_nulls() {
    let texts = StringViewArray::from_iter_values((0..200).map(|i| i.to_string()));
    for kind in [CellKind::Int, CellKind::Double, kinds().swap_remove(12)] {
        let values = cast(&texts, &column(kind, &["NA"], Blanks::Data)).unwrap();
        assert!(values.nulls().is_none());
    }
}

#[test]
fn texts_that_nothing_changes_are_shared() {
    let texts = StringViewArray::from(vec!["short", "", "longer than a view can hold"]);
    let cast = cast(&texts, &column(kinds().swap_remove(12), &[], Blanks::Trimmed)).unwrap();
    let shared = cast.as_string_view();
    assert_eq!(
        shared.iter().collect::<Vec<_>>(),
        [Some("short"), None, Some("longer than a view can hold")]
    );
    assert_eq!(
        shared.data_buffers()[0].as_ptr(),
        texts.data_buffers()[0].as_ptr()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_column_is_cast_as_its_texts_are_one_by_one(
        texts in columns(),
        tokens in prop_oneof![Just(&[][..]), Just(&["NA", "0", ""][..]), Just(&["NULL", "not available at all"][..])],
        blanks in prop_oneof![Just(Blanks::Data), Just(Blanks::Trimmed)],
    ) {
        for kind in kinds() {
            let column = column(kind, tokens, blanks);
            let values = cast(&texts, &column).unwrap();
            prop_assert_eq!(values.data_type(), &column.data_type());
            prop_assert_eq!(&values, &naive(&texts, &column), "{:?}", column);
        }
    }
}
