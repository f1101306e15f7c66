//! A column of typed values to a column of texts.
//!
//! ```text
//!  Int64          [ 7, NULL ]               [ 7, NULL ]
//!  Decimal(9,2)   [ 5.00, 5.10 ]            [ 5, 5.1 ]              one text a number, whatever type holds it
//!  Timestamp(ns)  [ 12:00:00.000250000 ]    [ 2024-05-07 12:00:00.00025 ]
//!  Binary         [ "Ann", 0xff ]           [ Ann, NULL ]           and row 1 is invalid
//!  List           [ [1, 2] ]                [ [1,2] ]               JSON
//!  arrow.json     [ "a", {"b": 1}, null ]   [ a, {"b":1}, NULL ]    a text of JSON is the text itself
//! ```

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryViewArray, PrimitiveArray, StringViewArray,
    StringViewBuilder, downcast_integer,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Field,
    Float32Type, Float64Type, Int64Type, TimeUnit,
};

use super::calendar::{write_date, write_date_millis, write_timestamp};
use super::json::nested_texts;
use super::number::{write_decimal, write_number};
use crate::error::Result;
use crate::source::is_json;

/// A column of texts and the rows whose bytes are not UTF-8.
#[derive(Debug, Clone)]
pub struct TextColumn {
    /// The texts; NULL where there is no value, and where the bytes are not UTF-8.
    pub texts: StringViewArray,
    /// Rows whose bytes are not UTF-8, in order.
    pub invalid_rows: Vec<usize>,
}

/// The values of `column`, which `field` describes, as text: where a field holds JSON, a text in it is taken out of its
/// quotes, and `null` is NULL.
///
/// # Errors
/// As [`texts`].
pub fn texts_of(field: &Field, column: &ArrayRef) -> Result<TextColumn> {
    let found = texts(column)?;
    if !is_json(field) {
        return Ok(found);
    }
    let mut values = StringViewBuilder::with_capacity(column.len());
    for json in &found.texts {
        match json.map(|json| (json, json.as_bytes().first())) {
            None | Some(("null", _)) => values.append_null(),
            Some((json, Some(b'"'))) => match serde_json::from_str::<String>(json) {
                Ok(text) => values.try_append_value(text)?,
                Err(_) => values.try_append_value(json)?,
            },
            Some((json, _)) => values.try_append_value(json)?,
        }
    }
    Ok(TextColumn {
        texts: values.finish(),
        invalid_rows: found.invalid_rows,
    })
}

/// How the texts of a type stand in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonForm {
    /// As they are, but in quotes if they are no numbers.
    Number,
    /// As they are.
    Bare,
    /// In quotes.
    String,
}

/// The values of `column` as text.
///
/// # Errors
/// A type that no Parquet file holds, or texts too large for one column.
pub fn texts(column: &ArrayRef) -> Result<TextColumn> {
    if let DataType::Dictionary(_, values) = column.data_type() {
        return texts(&cast(column, values)?);
    }
    if is_binary(column.data_type()) {
        return decoded(column);
    }
    Ok(TextColumn {
        texts: written(column)?,
        invalid_rows: Vec::new(),
    })
}

impl JsonForm {
    pub(super) fn of(field: &Field) -> Self {
        match is_json(field) {
            true => Self::Bare,
            false => Self::of_type(field.data_type()),
        }
    }

    fn of_type(data_type: &DataType) -> Self {
        match data_type {
            DataType::Dictionary(_, values) => Self::of_type(values),
            DataType::Boolean => Self::Bare,
            nested if nested.is_nested() => Self::Bare,
            number if number.is_numeric() => Self::Number,
            _ => Self::String,
        }
    }
}

fn is_binary(data_type: &DataType) -> bool {
    use DataType::{Binary, BinaryView, FixedSizeBinary, LargeBinary};
    matches!(data_type, Binary | LargeBinary | BinaryView | FixedSizeBinary(_))
}

/// Bytes that are text, mostly.
fn decoded(column: &ArrayRef) -> Result<TextColumn> {
    let bytes = cast(column, &DataType::BinaryView)?;
    let bytes = bytes.as_binary_view();
    let is_text = |row: &usize| bytes.is_null(*row) || simdutf8::basic::from_utf8(bytes.value(*row)).is_ok();
    let (_, invalid_rows): (Vec<usize>, Vec<usize>) = (0..bytes.len()).partition(is_text);
    let texts = if invalid_rows.is_empty() {
        bytes.clone().to_string_view()?
    } else {
        texts_of_valid(bytes)?
    };
    Ok(TextColumn { texts, invalid_rows })
}

fn texts_of_valid(bytes: &BinaryViewArray) -> Result<StringViewArray> {
    let mut texts = StringViewBuilder::with_capacity(bytes.len());
    for value in bytes {
        match value.and_then(|value| simdutf8::basic::from_utf8(value).ok()) {
            Some(text) => texts.try_append_value(text)?,
            None => texts.append_null(),
        }
    }
    Ok(texts.finish())
}

fn written(column: &ArrayRef) -> Result<StringViewArray> {
    macro_rules! integers {
        ($type:ty) => {
            numbers::<$type>(column)
        };
    }
    Ok(downcast_integer! {
        column.data_type() => (integers),
        DataType::Float16 => numbers::<Float32Type>(&cast(column, &DataType::Float32)?),
        DataType::Float32 => numbers::<Float32Type>(column),
        DataType::Float64 => numbers::<Float64Type>(column),
        DataType::Decimal32(_, scale) => decimals::<Decimal32Type>(column, *scale),
        DataType::Decimal64(_, scale) => decimals::<Decimal64Type>(column, *scale),
        DataType::Decimal128(_, scale) => decimals::<Decimal128Type>(column, *scale),
        DataType::Decimal256(_, scale) => decimals::<Decimal256Type>(column, *scale),
        DataType::Date32 => each(column.as_primitive::<Date32Type>(), write_date),
        DataType::Date64 => each(column.as_primitive::<Date64Type>(), write_date_millis),
        DataType::Timestamp(unit, zone) => timestamps(column, *unit, zone.is_some())?,
        nested if nested.is_nested() => nested_texts(column)?,
        // Strings share their bytes; booleans, times of day, durations and NULLs have one text each.
        _ => cast(column, &DataType::Utf8View)?.as_string_view().clone(),
    })
}

fn numbers<T: ArrowPrimitiveType<Native: std::fmt::Display>>(column: &ArrayRef) -> StringViewArray {
    each(column.as_primitive::<T>(), write_number)
}

fn decimals<T: ArrowPrimitiveType<Native: std::fmt::Display>>(
    column: &ArrayRef,
    scale: i8,
) -> StringViewArray {
    each(column.as_primitive::<T>(), |text, value| {
        write_decimal(text, value, scale)
    })
}

/// An instant says that it is UTC; a time of a clock somewhere has no zone.
fn timestamps(column: &ArrayRef, unit: TimeUnit, has_zone: bool) -> Result<StringViewArray> {
    let counts = cast(column, &DataType::Int64)?;
    let zone = if has_zone { "Z" } else { "" };
    let write = |text: &mut String, value| write_timestamp(text, value, unit, zone);
    Ok(each(counts.as_primitive::<Int64Type>(), write))
}

/// One text a value, all by way of the same buffer.
fn each<T: ArrowPrimitiveType>(
    values: &PrimitiveArray<T>,
    write: impl Fn(&mut String, T::Native),
) -> StringViewArray {
    let mut texts = StringViewBuilder::with_capacity(values.len());
    let mut text = String::new();
    for value in values {
        match value {
            Some(value) => {
                text.clear();
                write(&mut text, value);
                texts.append_value(&text);
            }
            None => texts.append_null(),
        }
    }
    texts.finish()
}
