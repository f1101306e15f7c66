//! Field positions as string views into the chunk: no cell is copied unless its quotes must be unescaped.
//!
//! ```text
//!   chunk:   1,Ann,"a ""b"""\n2,Bob,c\n          unescaped:  a "b"
//!   views:   [0: 1] [0: Ann] [1: a "b"]          (buffer: text)
//!            [0: 2] [0: Bob] [0: c]
//! ```

use arrow::array::{ArrayRef, BinaryViewArray, StringViewArray};
use arrow::array::{GenericByteViewArray, make_view};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::ByteViewType;
use std::sync::Arc;

use super::csv::{Dialect, FieldSpan, Quoting, RecordTable, unescape};
use crate::error::Result;

/// A column of texts and the rows whose bytes are not UTF-8.
pub(super) struct TextColumn {
    /// The texts; NULL where the bytes are not UTF-8.
    pub texts: StringViewArray,
    /// Rows (of the column) whose bytes are not UTF-8.
    pub invalid_rows: Vec<usize>,
}

/// What is known of the encoding of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChunkEncoding {
    /// Every byte belongs to valid UTF-8, so every field does: fields begin and end at ASCII bytes.
    Utf8,
    /// Some byte does not; each field is checked.
    Mixed,
}

impl ChunkEncoding {
    pub(super) fn of(chunk: &[u8]) -> Self {
        if simdutf8::basic::from_utf8(chunk).is_ok() {
            Self::Utf8
        } else {
            Self::Mixed
        }
    }
}

/// The texts of one kept field of `rows`.
pub(super) fn texts(
    chunk: &Buffer,
    table: &RecordTable,
    rows: &[usize],
    slot: usize,
    dialect: &Dialect,
    encoding: ChunkEncoding,
) -> Result<TextColumn> {
    let input = chunk.as_slice();
    let mut views: Vec<u128> = Vec::with_capacity(rows.len());
    let mut unescaped: Vec<u8> = Vec::new();
    let mut invalid_rows = Vec::new();
    for (i, &row) in rows.iter().enumerate() {
        let span = table.fields(row).get(slot).copied().unwrap_or_default();
        let view = view_of(span, input, dialect, &mut unescaped);
        if encoding == ChunkEncoding::Mixed && std::str::from_utf8(span.bytes(input)).is_err() {
            invalid_rows.push(i);
            views.push(0);
        } else {
            views.push(view);
        }
    }
    let nulls = (!invalid_rows.is_empty()).then(|| null_rows(rows.len(), &invalid_rows));
    let buffers = buffers(chunk, unescaped);
    let texts = text_array(views.into(), buffers, nulls);
    Ok(TextColumn { texts, invalid_rows })
}

/// The whole bytes of `rows`, line ends left out.
pub(super) fn raw_bytes(chunk: &Buffer, table: &RecordTable, rows: &[usize]) -> Result<ArrayRef> {
    let input = chunk.as_slice();
    let mut heads: Vec<u8> = Vec::new();
    let views: Vec<u128> = rows
        .iter()
        .map(|&row| {
            let bytes = table.raw(row, input);
            let start = table.offset.get(row).copied().unwrap_or(0);
            let in_chunk = input
                .get(start as usize..)
                .is_some_and(|rest| std::ptr::eq(rest.as_ptr(), bytes.as_ptr()));
            if in_chunk {
                make_view(bytes, 0, start)
            } else {
                let offset = heads.len() as u32;
                heads.extend_from_slice(bytes);
                make_view(bytes, 1, offset)
            }
        })
        .collect();
    Ok(Arc::new(BinaryViewArray::try_new(
        views.into(),
        buffers(chunk, heads),
        None,
    )?))
}

fn view_of(span: FieldSpan, input: &[u8], dialect: &Dialect, unescaped: &mut Vec<u8>) -> u128 {
    let bytes = span.bytes(input);
    if span.quoting == Quoting::Escaped {
        let offset = unescaped.len() as u32;
        unescaped.extend_from_slice(&unescape(bytes, dialect));
        make_view(&unescaped[offset as usize..], 1, offset)
    } else {
        make_view(bytes, 0, span.start)
    }
}

fn buffers(chunk: &Buffer, second: Vec<u8>) -> Vec<Buffer> {
    let mut buffers = vec![chunk.clone()];
    if !second.is_empty() {
        buffers.push(Buffer::from_vec(second));
    }
    buffers
}

fn null_rows(len: usize, rows: &[usize]) -> NullBuffer {
    let mut valid = vec![true; len];
    for &row in rows {
        valid[row] = false;
    }
    NullBuffer::from(valid)
}

#[expect(
    unsafe_code,
    reason = "checking every view again would double the cost of a decode"
)]
fn text_array<T: ByteViewType>(
    views: ScalarBuffer<u128>,
    buffers: Vec<Buffer>,
    nulls: Option<NullBuffer>,
) -> GenericByteViewArray<T> {
    // SAFETY: every view was made by `make_view` over bytes of the buffer it names, at the offset it names. Its bytes
    // are UTF-8: the chunk was checked whole and fields are cut at ASCII bytes, or the field itself was checked;
    // unescaping takes out ASCII bytes only. An invalid field is the empty view under a NULL.
    unsafe { GenericByteViewArray::new_unchecked(views, buffers, nulls) }
}
