//! Views of the splitter as Arrow columns: no cell is copied.
//!
//! ```text
//!   chunk:   1,Ann,"a ""b"""\n2,Bob,c\n          unescaped:  a "b"
//!   views:   [0: 1] [0: Ann] [1: a "b"]          (buffer: text)
//!            [0: 2] [0: Bob] [0: c]
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryViewArray, GenericByteViewArray, StringViewArray, make_view};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::ByteViewType;

use super::cell_view::INLINE_BYTES;
use super::csv::{Malformed, RecordTable};
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
    /// Looks at the records of a chunk; its first and last bytes may be parts of characters that others own.
    pub(super) fn of(chunk: &[u8], records: &RecordTable) -> Self {
        let text = chunk.get(records.extent()).unwrap_or_default();
        if simdutf8::basic::from_utf8(text).is_ok() {
            Self::Utf8
        } else {
            Self::Mixed
        }
    }
}

/// One kept field of all rows; `buffers` are the chunk and the unescaped values.
pub(super) fn texts(mut views: Vec<u128>, buffers: &[Buffer], encoding: ChunkEncoding) -> TextColumn {
    let mut invalid_rows = Vec::new();
    if encoding == ChunkEncoding::Mixed {
        for (row, view) in views.iter_mut().enumerate() {
            if !is_utf8(*view, buffers) {
                invalid_rows.push(row);
                *view = 0;
            }
        }
    }
    let nulls = (!invalid_rows.is_empty()).then(|| null_rows(views.len(), &invalid_rows));
    TextColumn {
        texts: text_array(views.into(), buffers.to_vec(), nulls),
        invalid_rows,
    }
}

fn is_utf8(view: u128, buffers: &[Buffer]) -> bool {
    let num_bytes = view as u32 as usize;
    if num_bytes <= INLINE_BYTES {
        return std::str::from_utf8(&view.to_le_bytes()[4..4 + num_bytes]).is_ok();
    }
    let (buffer, start) = ((view >> 64) as u32 as usize, (view >> 96) as usize);
    let bytes = buffers
        .get(buffer)
        .and_then(|buffer| buffer.get(start..start + num_bytes));
    bytes.is_some_and(|bytes| simdutf8::basic::from_utf8(bytes).is_ok())
}

/// The whole bytes of the rows, line ends left out.
pub(super) fn raw_bytes(chunk: &Buffer, records: &RecordTable) -> Result<ArrayRef> {
    let views: Vec<u128> = (records.offset.iter().enumerate())
        .map(|(row, offset)| make_view(records.raw(row, chunk), 0, *offset))
        .collect();
    Ok(Arc::new(BinaryViewArray::try_new(
        views.into(),
        vec![chunk.clone()],
        None,
    )?))
}

/// The bytes of malformed records: the whole of them, of an oversized one the head.
pub(super) fn malformed_bytes(chunk: &[u8], malformed: &[Malformed]) -> ArrayRef {
    Arc::new(BinaryViewArray::from_iter_values(
        malformed.iter().map(|bad| bad.raw(chunk)),
    ))
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
    // SAFETY: every view was made by the splitter over bytes of the buffer it names, at the offset it names. Its bytes
    // are UTF-8: the chunk was checked whole and fields are cut at ASCII bytes, or the cell itself was checked;
    // unescaping takes out ASCII bytes only. An invalid cell is the empty view under a NULL.
    unsafe { GenericByteViewArray::new_unchecked(views, buffers, nulls) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::csv::{Dialect, End, FieldSelection, Splitter};
    use arrow::array::Array;

    #[test]
    fn views_of_the_splitter_are_valid_arrow_views() {
        let file = b"1,short\n2,a text of more than twelve bytes\n3,\"with \"\"quotes\"\" and more\"\n4,\"\xc3\xa9\"\n";
        let mut records = RecordTable::default();
        Splitter::new(&Dialect::default(), FieldSelection::new([0, 1]), Some(2)).split(
            file,
            End::Last,
            &mut records,
        );
        let buffers = [
            Buffer::from(&file[..]),
            Buffer::from_vec(std::mem::take(&mut records.unescaped)),
        ];
        for views in std::mem::take(&mut records.columns) {
            let column = texts(views, &buffers, ChunkEncoding::of(file, &records)).texts;
            column.to_data().validate_full().unwrap();
        }
    }

    #[test]
    fn a_cell_that_is_not_utf_8_is_null_and_its_neighbours_are_not() {
        let file = b"1,\xff\n\xfe bytes that are not text,2\n3,ok\n";
        let mut records = RecordTable::default();
        Splitter::new(&Dialect::default(), FieldSelection::new([0, 1]), Some(2)).split(
            file,
            End::Last,
            &mut records,
        );
        assert_eq!(ChunkEncoding::of(file, &records), ChunkEncoding::Mixed);
        let buffers = [Buffer::from(&file[..])];
        let columns: Vec<TextColumn> = std::mem::take(&mut records.columns)
            .into_iter()
            .map(|views| texts(views, &buffers, ChunkEncoding::Mixed))
            .collect();
        assert_eq!(columns[0].invalid_rows, [1]);
        assert_eq!(columns[1].invalid_rows, [0]);
        assert_eq!(
            columns[1].texts.iter().collect::<Vec<_>>(),
            [None, Some("2"), Some("ok")]
        );
    }
}
