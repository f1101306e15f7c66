//! Columns of texts, read by their views: 16 bytes a row, which hold a text of up to 12 bytes themselves.
//!
//! ```text
//!   view, short    | length 4 | the text, zeros behind it 12                        |
//!   view, long     | length 4 | first bytes 4 | number of a buffer 4 | offset in it 4 |
//! ```

#[cfg(test)]
pub(super) mod tests;

use std::borrow::Cow;

use arrow::array::{Array, GenericByteViewArray, StringViewArray, make_view};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::datatypes::StringViewType;

/// Longest text that a view holds itself.
pub(crate) const INLINE_BYTES: usize = 12;

/// Rows whose bits share a word.
pub(crate) const WORD_ROWS: usize = 64;

/// Changed texts begin another buffer where this one would grow longer: offsets in it have 32 bits.
const BUFFER_BYTES: usize = 1 << 30;

/// The views, byte by byte.
pub(crate) fn view_bytes(texts: &StringViewArray) -> &[[u8; 16]] {
    texts.views().inner().as_slice().as_chunks().0
}

/// A bit for each row: what `ask` answers to its number and its view. A NULL is asked about like any other row.
pub(crate) fn bits(texts: &StringViewArray, mut ask: impl FnMut(usize, u128) -> bool) -> BooleanBuffer {
    let words: Vec<u64> = texts
        .views()
        .chunks(WORD_ROWS)
        .enumerate()
        .map(|(word, views)| {
            let first_row = word * WORD_ROWS;
            let rows = views.iter().enumerate();
            rows.fold(0, |bits, (i, view)| {
                bits | u64::from(ask(first_row + i, *view)) << i
            })
        })
        .collect();
    BooleanBuffer::new(Buffer::from_vec(words), 0, texts.len())
}

/// The rows that are valid in both, and no buffer if those are all.
pub(crate) fn nulls_where_not(valid: BooleanBuffer, nulls: Option<&NullBuffer>) -> Option<NullBuffer> {
    let nulls = NullBuffer::union(Some(&NullBuffer::new(valid)), nulls);
    nulls.filter(|nulls| nulls.null_count() > 0)
}

/// The same texts under other nulls; shares them.
#[expect(unsafe_code, reason = "the views are those of a valid array")]
pub(crate) fn with_nulls(texts: &StringViewArray, nulls: Option<NullBuffer>) -> StringViewArray {
    let (views, buffers) = (texts.views().clone(), texts.data_buffers());
    // SAFETY: views and buffers come from a valid array, whose rows hold valid views under NULL too.
    unsafe { GenericByteViewArray::<StringViewType>::new_unchecked(views, buffers.to_vec(), nulls) }
}

/// Every text as `change` makes it. Texts that stay, and parts of texts, are shared.
#[expect(
    unsafe_code,
    reason = "checking every view again would cost more than making it"
)]
pub(crate) fn mapped(texts: &StringViewArray, change: impl Fn(&str) -> Cow<'_, str>) -> StringViewArray {
    let mut added = Added::after(texts.data_buffers());
    let is_null = |row| texts.nulls().is_some_and(|nulls| nulls.is_null(row));
    let rows = texts.views().iter().enumerate();
    let views: Vec<u128> = rows
        .map(|(row, view)| {
            let text = texts.value(row);
            match change(text) {
                _ if is_null(row) => *view,
                Cow::Borrowed(part) => part_of(text, *view, part).unwrap_or_else(|| added.view(part)),
                Cow::Owned(new) => added.view(&new),
            }
        })
        .collect();
    let (views, nulls) = (views.into(), texts.nulls().cloned());
    // SAFETY: every view is one of a valid array, or of a part of its text that is a `str` itself, or was made by
    // `Added` over a `str` that it put into the buffer that the view names, at the offset that it names.
    unsafe { GenericByteViewArray::<StringViewType>::new_unchecked(views, added.into_buffers(), nulls) }
}

/// The view of a part of the text that `view` is of; `None` if it lies elsewhere.
fn part_of(text: &str, view: u128, part: &str) -> Option<u128> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    if start + part.len() > text.len() {
        return None;
    }
    if part.len() == text.len() {
        return Some(view);
    }
    // A longer one leaves the text in a buffer, so the view has an offset.
    let (buffer, offset) = ((view >> 64) as u32, (view >> 96) as u32);
    Some(make_view(
        part.as_bytes(),
        buffer,
        offset.wrapping_add(start as u32),
    ))
}

/// Buffers, and texts that are added behind them.
struct Added {
    /// Full ones, those of the column first.
    full: Vec<Buffer>,
    /// The one that grows.
    last: Vec<u8>,
}

impl Added {
    fn after(buffers: &[Buffer]) -> Self {
        Self {
            full: buffers.to_vec(),
            last: Vec::new(),
        }
    }

    /// The view of `text`, which is added to the last buffer if it is long.
    fn view(&mut self, text: &str) -> u128 {
        if text.len() <= INLINE_BYTES {
            return make_view(text.as_bytes(), 0, 0);
        }
        if !self.last.is_empty() && self.last.len() + text.len() > BUFFER_BYTES {
            self.full.push(std::mem::take(&mut self.last).into());
        }
        let offset = self.last.len() as u32;
        self.last.extend_from_slice(text.as_bytes());
        make_view(text.as_bytes(), self.full.len() as u32, offset)
    }

    fn into_buffers(mut self) -> Vec<Buffer> {
        if !self.last.is_empty() {
            self.full.push(self.last.into());
        }
        self.full
    }
}
