//! Texts to typed columns. A cell that does not fit becomes NULL; that its text was not empty is what the rule
//! `type_mismatch` sees.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, GenericByteViewArray, PrimitiveArray, StringViewArray,
    StringViewBuilder,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Float64Type, Int32Type, Int64Type, StringViewType,
    TimestampMicrosecondType,
};

use super::cell;
use super::layout::{Blanks, CellColumn, CellKind, Strip};
use crate::error::Result;
use crate::validate::text;

/// Casts one column of texts.
///
/// # Errors
/// A decimal type that arrow does not have.
pub fn cast(texts: &StringViewArray, column: &CellColumn) -> Result<ArrayRef> {
    let trimmed;
    let texts = match column.blanks {
        Blanks::Data => texts,
        Blanks::Trimmed => {
            trimmed = mapped(texts, |text| Cow::Borrowed(text.trim()));
            &trimmed
        }
    };
    let texts = &null_where_empty(texts, &column.null_tokens);
    Ok(match &column.kind {
        CellKind::Text {
            truncate: None,
            strip: Strip::Nothing,
        } => Arc::new(texts.clone()),
        CellKind::Text { truncate, strip } => {
            let mended = mapped(texts, |value| mended(value, *truncate, *strip));
            Arc::new(null_where_empty(&mended, &[]))
        }
        CellKind::Int => Arc::new(parsed::<Int32Type>(texts, cell::parse_int)),
        CellKind::Bigint => Arc::new(parsed::<Int64Type>(texts, cell::parse_bigint)),
        CellKind::Double => Arc::new(parsed::<Float64Type>(texts, cell::parse_double)),
        CellKind::Boolean => Arc::new(
            texts
                .iter()
                .map(|t| t.and_then(cell::parse_boolean))
                .collect::<BooleanArray>(),
        ),
        CellKind::Decimal {
            precision,
            scale,
            on_scale,
        } => {
            let parse = |text: &str| cell::parse_decimal(text, *precision, *scale, *on_scale);
            let values: Decimal128Array = parsed(texts, parse);
            Arc::new(values.with_precision_and_scale(*precision, *scale)?)
        }
        CellKind::Date { formats } if formats.is_empty() => {
            Arc::new(parsed::<Date32Type>(texts, cell::parse_date))
        }
        CellKind::Date { formats } => Arc::new(parsed::<Date32Type>(texts, |text| {
            cell::parse_date_with(text, formats)
        })),
        CellKind::Timestamp { zone, formats } => {
            let parse = |text: &str| match formats.as_slice() {
                [] => cell::parse_timestamp(text, zone),
                formats => cell::parse_timestamp_with(text, formats, zone),
            };
            Arc::new(parsed::<TimestampMicrosecondType>(texts, parse).with_timezone("UTC"))
        }
    })
}

/// Empty cells and null tokens as NULL; shares the texts.
fn null_where_empty(texts: &StringViewArray, tokens: &[String]) -> StringViewArray {
    let is_value =
        |text: Option<&str>| text.is_some_and(|t| !t.is_empty() && !tokens.iter().any(|token| token == t));
    let valid: NullBuffer = if tokens.is_empty() {
        // The low 32 bits of a view are its length.
        let lengths = texts.views().iter().map(|view| *view as u32 != 0);
        NullBuffer::from_iter(lengths)
    } else {
        NullBuffer::from_iter(texts.iter().map(is_value))
    };
    let nulls = NullBuffer::union(texts.nulls(), Some(&valid)).filter(|nulls| nulls.null_count() > 0);
    with_nulls(texts, nulls)
}

#[expect(
    unsafe_code,
    reason = "the views are those of a valid array; only more of them become NULL"
)]
fn with_nulls(texts: &StringViewArray, nulls: Option<NullBuffer>) -> StringViewArray {
    // SAFETY: views and buffers come from a valid array.
    unsafe {
        GenericByteViewArray::<StringViewType>::new_unchecked(
            texts.views().clone(),
            texts.data_buffers().to_vec(),
            nulls,
        )
    }
}

fn parsed<T: ArrowPrimitiveType>(
    texts: &StringViewArray,
    parse: impl Fn(&str) -> Option<T::Native>,
) -> PrimitiveArray<T> {
    texts.iter().map(|text| text.and_then(&parse)).collect()
}

fn mapped(texts: &StringViewArray, change: impl Fn(&str) -> Cow<'_, str>) -> StringViewArray {
    let mut builder = StringViewBuilder::with_capacity(texts.len());
    for text in texts {
        builder.append_option(text.map(&change));
    }
    builder.finish()
}

fn mended(value: &str, truncate: Option<text::TextType>, strip: Strip) -> Cow<'_, str> {
    let stripped = match strip {
        Strip::Nothing => Cow::Borrowed(value),
        Strip::Unsupported => text::strip_unsupported(value),
    };
    // A character outside a varchar's alphabet is for a rule to reject: cutting before it would hide it.
    let truncate = truncate
        .filter(|width| !matches!(width, text::TextType::Varchar(_)) || text::is_windows_1252(&stripped));
    match (truncate, stripped) {
        (None, stripped) => stripped,
        (Some(width), Cow::Borrowed(value)) => Cow::Borrowed(text::truncate(value, width)),
        (Some(width), Cow::Owned(value)) => Cow::Owned(text::truncate(&value, width).to_owned()),
    }
}
