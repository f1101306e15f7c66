//! Columns with some of their values replaced, pure.
//!
//! ```text
//!   old       a b c d e f g        pairs  (2, 7) (3, 8) (6, 9)
//!   change    ... C D G ...
//!             └ 7 8 9
//!   patched   a b C D e f G        a copy, with three values written over
//! ```

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, BooleanBufferBuilder, ByteView,
    MAX_INLINE_VIEW_LEN, PrimitiveArray, StringViewArray, downcast_primitive_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::compute::interleave;
use arrow::datatypes::DataType;

use super::algo::Pairs;
use crate::error::{Error, Result};

/// `old` with the values of `change` in the rows that are paired.
///
/// # Errors
/// Columns whose types differ.
pub(super) fn patched(old: &ArrayRef, change: &ArrayRef, pairs: &Pairs) -> Result<ArrayRef> {
    if old.data_type() != change.data_type() {
        return Err(Error::runtime(format!(
            "a change of type {} for a column of type {}",
            change.data_type(),
            old.data_type()
        )));
    }
    if pairs.file_rows.is_empty() {
        return Ok(Arc::clone(old));
    }
    let nulls = patched_nulls(old, change, pairs);
    Ok(downcast_primitive_array!(
        old => patched_values(old, change, pairs, nulls),
        DataType::Utf8View => patched_views(old.as_string_view(), change.as_string_view(), pairs, nulls),
        DataType::Boolean => {
            let values = patched_bits(old.as_boolean().values(), change.as_boolean().values(), pairs);
            Arc::new(BooleanArray::new(values, nulls))
        }
        _ => picked(old, change, pairs)?,
    ))
}

fn rows(pairs: &Pairs) -> impl Iterator<Item = (usize, usize)> {
    let file_rows = pairs.file_rows.iter().map(|row| *row as usize);
    file_rows.zip(pairs.change_rows.iter().map(|row| *row as usize))
}

fn patched_bits(old: &BooleanBuffer, change: &BooleanBuffer, pairs: &Pairs) -> BooleanBuffer {
    let mut bits = BooleanBufferBuilder::new(old.len());
    bits.append_buffer(old);
    for (row, from) in rows(pairs) {
        bits.set_bit(row, change.value(from));
    }
    bits.finish()
}

fn patched_nulls(old: &ArrayRef, change: &ArrayRef, pairs: &Pairs) -> Option<NullBuffer> {
    if old.null_count() == 0 && change.null_count() == 0 {
        return None;
    }
    let valid = |column: &ArrayRef| match column.nulls() {
        Some(nulls) => nulls.inner().clone(),
        None => BooleanBuffer::new_set(column.len()),
    };
    Some(NullBuffer::new(patched_bits(&valid(old), &valid(change), pairs)))
}

fn patched_values<T: ArrowPrimitiveType>(
    old: &PrimitiveArray<T>,
    change: &ArrayRef,
    pairs: &Pairs,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let mut values = old.values().to_vec();
    let new = change.as_primitive::<T>().values();
    for (row, from) in rows(pairs) {
        if let (Some(value), Some(new)) = (values.get_mut(row), new.get(from)) {
            *value = *new;
        }
    }
    Arc::new(PrimitiveArray::<T>::new(values.into(), nulls).with_data_type(old.data_type().clone()))
}

/// Texts stay where they are: the column looks into the buffers of both.
fn patched_views(
    old: &StringViewArray,
    change: &StringViewArray,
    pairs: &Pairs,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let mut views = old.views().to_vec();
    let old_buffers = old.data_buffers().len() as u32;
    for (row, from) in rows(pairs) {
        if let (Some(view), Some(new)) = (views.get_mut(row), change.views().get(from)) {
            *view = match ByteView::from(*new) {
                long if long.length > MAX_INLINE_VIEW_LEN => {
                    long.with_buffer_index(long.buffer_index + old_buffers).as_u128()
                }
                _ => *new,
            };
        }
    }
    let buffers = old.data_buffers().iter().chain(change.data_buffers());
    let buffers: Vec<Buffer> = buffers.cloned().collect();
    #[expect(
        unsafe_code,
        reason = "to look at every text again would cost more than the patch"
    )]
    // SAFETY: each view is one of `old`, whose buffers are the first ones, or one of `change` that counts its buffers
    // behind those; both columns are valid.
    let column = unsafe { StringViewArray::new_unchecked(views.into(), buffers, nulls) };
    Arc::new(column)
}

/// As [`patched`], for any type.
fn picked(old: &ArrayRef, change: &ArrayRef, pairs: &Pairs) -> Result<ArrayRef> {
    let mut places: Vec<(usize, usize)> = (0..old.len()).map(|row| (0, row)).collect();
    for (row, from) in rows(pairs) {
        if let Some(place) = places.get_mut(row) {
            *place = (1, from);
        }
    }
    Ok(interleave(&[old, change], &places)?)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_change_of_another_type_is_refused() {
        let old: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let change: ArrayRef = Arc::new(StringViewArray::from(vec!["1"]));
        assert!(patched(&old, &change, &Pairs::default()).is_err());
    }

    /// Short ones are in their view, long ones in a buffer.
    fn text() -> impl Strategy<Value = Option<String>> {
        proptest::option::of("[a-c]{0,3}|[a-c]{13,16}")
    }

    fn is_patched<A: Array + FromIterator<Option<V>> + 'static, V: Clone>(
        old: &[Option<V>],
        change: &[Option<V>],
        pairs: &Pairs,
        expected: &[Option<V>],
    ) -> bool {
        let column = |values: &[Option<V>]| -> ArrayRef { Arc::new(values.iter().cloned().collect::<A>()) };
        // What is in front of a slice must not be seen.
        let behind = |values: &[Option<V>]| column(&[&values[..1], values].concat()).slice(1, values.len());
        let patched = patched(&behind(old), &behind(change), pairs).unwrap();
        patched.to_data() == column(expected).to_data()
    }

    proptest! {
        #[test]
        fn a_patched_column_has_the_changes_where_there_are_any_and_the_old_values_elsewhere(
            old in proptest::collection::vec(text(), 1..60),
            change in proptest::collection::vec(text(), 60),
            picked in proptest::collection::btree_map(0u32..60, 0u32..60, 0..60),
        ) {
            let picked: Vec<(u32, u32)> =
                picked.into_iter().filter(|(row, _)| (*row as usize) < old.len()).collect();
            let (file_rows, change_rows) = picked.iter().copied().unzip();
            let mut expected = old.clone();
            for (row, from) in picked {
                expected[row as usize] = change[from as usize].clone();
            }
            let pairs = Pairs { file_rows, change_rows };
            prop_assert!(is_patched::<StringViewArray, _>(&old, &change, &pairs, &expected));
            prop_assert!(is_patched::<StringArray, _>(&old, &change, &pairs, &expected));
            let lengths = |texts: &[Option<String>]| -> Vec<Option<i64>> {
                texts.iter().map(|text| text.as_ref().map(|text| text.len() as i64)).collect()
            };
            let (old, change, expected) = (lengths(&old), lengths(&change), lengths(&expected));
            prop_assert!(is_patched::<Int64Array, _>(&old, &change, &pairs, &expected));
            let odd = |lengths: &[Option<i64>]| -> Vec<Option<bool>> {
                lengths.iter().map(|length| length.map(|length| length % 2 == 1)).collect()
            };
            prop_assert!(is_patched::<BooleanArray, _>(&odd(&old), &odd(&change), &pairs, &odd(&expected)));
        }
    }
}
