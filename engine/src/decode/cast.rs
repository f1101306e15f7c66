//! Texts to typed columns. A cell that does not fit becomes NULL; that its text was not empty is what the rule
//! `type_mismatch` sees.
//!
//! ```text
//!   views of 16 bytes          short and plain: read from the register      values    validity, 64 rows a word
//!   | 4 "1234"          | ─▶   Short ─▶ short_int ────────────────────▶      1234      1
//!   | 0                 | ─▶   empty ─────────────────────────────────▶         0      0
//!   | 13 "0000" buffer  | ─▶   any other text ─▶ parse_int ───────────▶        12      1
//! ```

mod column;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringViewArray, make_view};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};

use super::cell;
use super::layout::{Blanks, CellColumn, CellKind, Strip};
use crate::error::Result;
use crate::validate::text;
use crate::validate::text::cells::{INLINE_BYTES, bits, mapped, nulls_where_not, with_nulls};
use column::{Readers, booleans, parsed};

/// Casts one column of texts.
///
/// # Errors
/// A decimal type that arrow does not have.
pub fn cast(texts: &StringViewArray, column: &CellColumn) -> Result<ArrayRef> {
    let trimmed;
    let texts = match column.blanks {
        Blanks::Data => texts,
        Blanks::Trimmed => {
            trimmed = text::trimmed_column(texts);
            &trimmed
        }
    };
    if let CellKind::Text { truncate, strip } = column.kind {
        let texts = null_where_empty(texts, &column.null_tokens);
        return Ok(Arc::new(mended_texts(texts, truncate, strip)));
    }
    let without_tokens;
    let texts = if column.null_tokens.is_empty() {
        // An empty text is no value of any of these types, so that parsing finds it.
        texts
    } else {
        without_tokens = null_where_empty(texts, &column.null_tokens);
        &without_tokens
    };
    typed(texts, &column.kind)
}

fn typed(texts: &StringViewArray, kind: &CellKind) -> Result<ArrayRef> {
    Ok(match kind {
        CellKind::Text { .. } => Arc::new(texts.clone()),
        CellKind::Int => Arc::new(parsed::<Int32Type>(
            texts,
            Readers {
                short: cell::short_int,
                any: cell::parse_int,
            },
        )),
        CellKind::Bigint => Arc::new(parsed::<Int64Type>(
            texts,
            Readers {
                short: cell::short_bigint,
                any: cell::parse_bigint,
            },
        )),
        CellKind::Double => Arc::new(parsed::<Float64Type>(
            texts,
            Readers {
                short: cell::short_double,
                any: cell::parse_double,
            },
        )),
        CellKind::Boolean => Arc::new(booleans(texts)),
        CellKind::Decimal {
            precision,
            scale,
            on_scale,
        } => {
            let values = parsed::<Decimal128Type>(
                texts,
                Readers {
                    short: |text| cell::short_decimal(text, *precision, *scale),
                    any: |text: &str| cell::parse_decimal(text, *precision, *scale, *on_scale),
                },
            );
            Arc::new(values.with_precision_and_scale(*precision, *scale)?)
        }
        CellKind::Date { formats } if formats.is_empty() => Arc::new(parsed::<Date32Type>(
            texts,
            Readers {
                short: cell::short_date,
                any: cell::parse_date,
            },
        )),
        CellKind::Date { formats } => Arc::new(parsed::<Date32Type>(
            texts,
            Readers {
                short: |_| None,
                any: |text: &str| cell::parse_date_with(text, formats),
            },
        )),
        CellKind::Timestamp { zone, formats } => {
            let any = |text: &str| match formats.as_slice() {
                [] => cell::parse_timestamp(text, zone),
                formats => cell::parse_timestamp_with(text, formats, zone),
            };
            let values = parsed::<TimestampMicrosecondType>(texts, Readers { short: |_| None, any });
            Arc::new(values.with_timezone("UTC"))
        }
    })
}

/// Empty cells and null tokens as NULL; shares the texts.
fn null_where_empty(texts: &StringViewArray, tokens: &[String]) -> StringViewArray {
    // The low 32 bits of a view are its length.
    let valid = if tokens.is_empty() {
        bits(texts, |_, view| view as u32 != 0)
    } else {
        let (short, long): (Vec<&str>, Vec<&str>) = tokens
            .iter()
            .map(String::as_str)
            .partition(|token| token.len() <= INLINE_BYTES);
        // A view that holds its text is equal to that of an equal text.
        let short: Vec<u128> = short
            .iter()
            .map(|token| make_view(token.as_bytes(), 0, 0))
            .collect();
        bits(texts, |row, view| match view as u32 as usize {
            0 => false,
            1..=INLINE_BYTES => !short.contains(&view),
            _ => long.is_empty() || !long.contains(&texts.value(row)),
        })
    };
    with_nulls(texts, nulls_where_not(valid, texts.nulls()))
}

fn mended_texts(texts: StringViewArray, truncate: Option<text::TextType>, strip: Strip) -> StringViewArray {
    if truncate.is_none() && strip == Strip::Nothing {
        return texts;
    }
    null_where_empty(&mapped(&texts, |value| mended(value, truncate, strip)), &[])
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
