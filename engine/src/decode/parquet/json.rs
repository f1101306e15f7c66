//! Lists, structs and maps as JSON text, and strings of any bytes as JSON strings.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, StringViewArray, StringViewBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Float16Type, Float32Type, Float64Type};
use arrow::error::ArrowError;
use arrow::json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder, make_encoder};

use super::number::write_number;
use crate::error::Result;

/// The JSON text of each value of a nested column.
pub(super) fn nested_texts(column: &ArrayRef) -> Result<StringViewArray> {
    let writable = with_text_keys(column.data_type());
    let column = if &writable == column.data_type() {
        Arc::clone(column)
    } else {
        cast(column, &writable)?
    };
    let field = Arc::new(Field::new("item", writable, true));
    let options = EncoderOptions::default()
        .with_explicit_nulls(true)
        .with_encoder_factory(Arc::new(Lossless));
    let mut encoder = make_encoder(&field, column.as_ref(), &options)?;
    let mut texts = StringViewBuilder::with_capacity(column.len());
    let mut json = Vec::new();
    for row in 0..column.len() {
        if column.is_null(row) {
            texts.append_null();
            continue;
        }
        json.clear();
        encoder.encode(row, &mut json);
        texts.try_append_value(String::from_utf8_lossy(&json))?;
    }
    Ok(texts.finish())
}

/// The same type with text for the keys of maps: JSON has no other.
fn with_text_keys(data_type: &DataType) -> DataType {
    let changed =
        |field: &FieldRef, data_type: DataType| Arc::new(field.as_ref().clone().with_data_type(data_type));
    let inside = |field: &FieldRef| changed(field, with_text_keys(field.data_type()));
    match data_type {
        DataType::List(item) => DataType::List(inside(item)),
        DataType::LargeList(item) => DataType::LargeList(inside(item)),
        DataType::FixedSizeList(item, num_items) => DataType::FixedSizeList(inside(item), *num_items),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inside).collect()),
        DataType::Map(entries, sorted) => {
            let DataType::Struct(fields) = entries.data_type() else {
                return data_type.clone();
            };
            let pair = fields
                .iter()
                .enumerate()
                .map(|(at, field)| match field.data_type() {
                    DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Arc::clone(field),
                    _ if at == 0 => changed(field, DataType::Utf8),
                    _ => inside(field),
                });
            DataType::Map(changed(entries, DataType::Struct(pair.collect())), *sorted)
        }
        other => other.clone(),
    }
}

/// Writes what JSON has no form for as strings, where the default is null or hexadecimal digits.
#[derive(Debug)]
struct Lossless;

impl EncoderFactory for Lossless {
    fn make_default_encoder<'a>(
        &self,
        _field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let encoder: Box<dyn Encoder + 'a> = match array.data_type() {
            DataType::Float16 => Box::new(Float(array.as_primitive::<Float16Type>())),
            DataType::Float32 => Box::new(Float(array.as_primitive::<Float32Type>())),
            DataType::Float64 => Box::new(Float(array.as_primitive::<Float64Type>())),
            DataType::Binary => Box::new(Bytes(array.as_binary::<i32>(), |a, row| a.value(row))),
            DataType::LargeBinary => Box::new(Bytes(array.as_binary::<i64>(), |a, row| a.value(row))),
            DataType::BinaryView => Box::new(Bytes(array.as_binary_view(), |a, row| a.value(row))),
            DataType::FixedSizeBinary(_) => {
                Box::new(Bytes(array.as_fixed_size_binary(), |a, row| a.value(row)))
            }
            _ => return Ok(None),
        };
        Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

/// Floats; those that are no numbers in quotes.
struct Float<'a, T: ArrowPrimitiveType>(&'a PrimitiveArray<T>);

impl<T: ArrowPrimitiveType<Native: std::fmt::Display>> Encoder for Float<'_, T> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let mut text = String::new();
        write_number(&mut text, self.0.value(row));
        push_bare_or_string(out, &text);
    }
}

/// Binary values of one array type, and how to get at one.
struct Bytes<'a, A>(&'a A, fn(&A, usize) -> &[u8]);

impl<A> Encoder for Bytes<'_, A> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        push_string(out, (self.1)(self.0, row));
    }
}

/// Appends a number; `NaN` and `inf` in quotes, for JSON has no form for them.
pub(super) fn push_bare_or_string(out: &mut Vec<u8>, number: &str) {
    if number.ends_with(|last: char| last.is_ascii_digit()) {
        out.extend_from_slice(number.as_bytes());
    } else {
        push_string(out, number.as_bytes());
    }
}

/// Appends a JSON string. A byte `0xNN` that is no UTF-8 becomes the lone surrogate `\udcNN` (as in PEP 383): the text
/// is JSON, and stays undecodable for whoever reads it.
pub(super) fn push_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for chunk in bytes.utf8_chunks() {
        chunk
            .valid()
            .chars()
            .for_each(|character| push_character(out, character));
        for byte in chunk.invalid() {
            out.extend_from_slice(format!("\\udc{byte:02x}").as_bytes());
        }
    }
    out.push(b'"');
}

fn push_character(out: &mut Vec<u8>, character: char) {
    match character {
        '"' | '\\' => out.extend_from_slice(&[b'\\', character as u8]),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\0'..' ' => out.extend_from_slice(format!("\\u{:04x}", character as u32).as_bytes()),
        _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}
