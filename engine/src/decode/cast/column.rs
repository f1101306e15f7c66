//! The loops over the views of a column.

use arrow::array::{Array, ArrowPrimitiveType, BooleanArray, PrimitiveArray, StringViewArray};
use arrow::buffer::{BooleanBuffer, ScalarBuffer};

use crate::decode::cell::{Short, num_bytes, short_boolean};
use crate::validate::text::cells::{WORD_ROWS, nulls_where_not, view_bytes};

/// The two ways to read a cell.
pub(super) struct Readers<S, A> {
    /// Reads a short plain text; `None` leaves it to `any`.
    pub short: S,
    /// Reads any text that is not empty; `None` if it is no value.
    pub any: A,
}

/// The values of the texts; NULL where there is none.
pub(super) fn parsed<T: ArrowPrimitiveType>(
    texts: &StringViewArray,
    readers: Readers<impl Fn(Short) -> Option<T::Native>, impl Fn(&str) -> Option<T::Native>>,
) -> PrimitiveArray<T> {
    let read =
        |row: usize, view: &[u8; 16]| match Short::of_view(view).and_then(|short| (readers.short)(short)) {
            None if num_bytes(view) != 0 => (readers.any)(texts.value(row)),
            value => value,
        };
    let mut values = vec![T::default_value(); texts.len()];
    let mut fits = Vec::with_capacity(texts.len().div_ceil(WORD_ROWS));
    let words = values
        .chunks_mut(WORD_ROWS)
        .zip(view_bytes(texts).chunks(WORD_ROWS));
    for (word, (values, views)) in words.enumerate() {
        let mut bits = 0_u64;
        for (i, (value, view)) in values.iter_mut().zip(views).enumerate() {
            if let Some(read) = read(word * WORD_ROWS + i, view) {
                *value = read;
                bits |= 1 << i;
            }
        }
        fits.push(bits);
    }
    let fits = BooleanBuffer::new(fits.into(), 0, texts.len());
    PrimitiveArray::new(ScalarBuffer::from(values), nulls_where_not(fits, texts.nulls()))
}

/// The booleans that the texts are; NULL where there is none.
pub(super) fn booleans(texts: &StringViewArray) -> BooleanArray {
    let num_words = texts.len().div_ceil(WORD_ROWS);
    let (mut values, mut fits) = (Vec::with_capacity(num_words), Vec::with_capacity(num_words));
    for views in view_bytes(texts).chunks(WORD_ROWS) {
        let (mut value_bits, mut fit_bits) = (0_u64, 0_u64);
        for (i, view) in views.iter().enumerate() {
            let read = Short::of_view(view).and_then(short_boolean);
            value_bits |= u64::from(read == Some(true)) << i;
            fit_bits |= u64::from(read.is_some()) << i;
        }
        values.push(value_bits);
        fits.push(fit_bits);
    }
    let [values, fits] = [values, fits].map(|words| BooleanBuffer::new(words.into(), 0, texts.len()));
    BooleanArray::new(values, nulls_where_not(fits, texts.nulls()))
}
