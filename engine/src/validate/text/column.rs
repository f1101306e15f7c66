//! What the text functions answer for whole columns: NULL for NULL, 64 rows a word.
//!
//! Most cells are short and plain ASCII: their view alone gives the answer, by a few operations on all its bytes at
//! once. Other cells are asked one by one.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use arrow::array::{Array, BooleanArray, Int64Array, StringViewArray};
use arrow::buffer::{BooleanBuffer, MutableBuffer};
use arrow::util::bit_util;

use super::cells::{INLINE_BYTES, bits, mapped};
use super::{has_unsupported, is_windows_1252, utf16_units};

/// The highest bit of every byte.
const HIGHEST_BITS: u128 = 0x8080_8080_8080_8080_8080_8080_8080_8080;

/// The text of a view, moved down to its lowest byte, has these blanks put behind it; by its length.
const BLANKS: [u128; INLINE_BYTES + 1] = {
    let mut blanks = [everywhere(b' '); INLINE_BYTES + 1];
    let mut num_bytes = 1;
    while num_bytes <= INLINE_BYTES {
        blanks[num_bytes] = blanks[num_bytes - 1] << 8;
        num_bytes += 1;
    }
    blanks
};

/// [`has_unsupported`] of every text.
#[must_use]
pub fn has_unsupported_column(texts: &StringViewArray) -> BooleanArray {
    let plain = |row: usize, view: u128| match BLANKS.get(view as u32 as usize) {
        Some(blanks) => is_plain(view >> 32 | blanks),
        None => is_plain_bytes(texts.value(row).as_bytes()),
    };
    answers(texts, |row, view| {
        !plain(row, view) && has_unsupported(texts.value(row))
    })
}

/// [`has_unsupported`] of every text of the rows of `suspected`; the others are known to have nothing unsupported.
#[must_use]
pub fn has_unsupported_among(texts: &StringViewArray, suspected: &BooleanArray) -> BooleanArray {
    let mut found = MutableBuffer::from_len_zeroed(texts.len().div_ceil(8));
    for row in suspected.values().set_indices() {
        if has_unsupported(texts.value(row)) {
            bit_util::set_bit(found.as_slice_mut(), row);
        }
    }
    BooleanArray::new(
        BooleanBuffer::new(found.into(), 0, texts.len()),
        texts.nulls().cloned(),
    )
}

/// [`is_windows_1252`] of every text.
#[must_use]
pub fn is_windows_1252_column(texts: &StringViewArray) -> BooleanArray {
    answers(texts, |row, view| {
        is_ascii(texts, row, view) || is_windows_1252(texts.value(row))
    })
}

/// [`utf16_units`] of every text.
#[must_use]
pub fn utf16_units_column(texts: &StringViewArray) -> Int64Array {
    let rows = texts.views().iter().enumerate();
    let units: Vec<i64> = rows
        .map(|(row, view)| {
            if is_ascii(texts, row, *view) {
                i64::from(*view as u32)
            } else {
                utf16_units(texts.value(row)) as i64
            }
        })
        .collect();
    Int64Array::new(units.into(), texts.nulls().cloned())
}

/// Whether each text has more than so many [`utf16_units`]; no NULL has.
#[must_use]
pub fn longer_than_column(texts: &StringViewArray, units: usize) -> BooleanArray {
    // A unit takes a byte at least.
    let may_be = |view: u128| view as u32 as usize > units;
    let longer = bits(texts, |row, view| {
        may_be(view) && texts.is_valid(row) && utf16_units(texts.value(row)) > units
    });
    BooleanArray::new(longer, None)
}

/// Every text without the blanks around it, shared with `texts`. SQL's `trim` takes off spaces and no other blank.
#[must_use]
pub fn trimmed_column(texts: &StringViewArray) -> StringViewArray {
    let is_plain = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    mapped(texts, |text| {
        let bytes = text.as_bytes();
        if is_plain(bytes.first()) && is_plain(bytes.last()) {
            Cow::Borrowed(text)
        } else {
            Cow::Borrowed(text.trim())
        }
    })
}

fn answers(texts: &StringViewArray, ask: impl Fn(usize, u128) -> bool) -> BooleanArray {
    BooleanArray::new(bits(texts, ask), texts.nulls().cloned())
}

/// Whether the text of a row is ASCII.
#[inline(always)]
fn is_ascii(texts: &StringViewArray, row: usize, view: u128) -> bool {
    if view as u32 as usize <= INLINE_BYTES {
        (view >> 32) & HIGHEST_BITS == 0
    } else {
        is_ascii_bytes(texts.value(row).as_bytes())
    }
}

const fn everywhere(byte: u8) -> u128 {
    u128::from_ne_bytes([byte; size_of::<u128>()])
}

/// Whether all 16 bytes are plain.
#[inline(always)]
fn is_plain(bytes: u128) -> bool {
    odd(bytes as u64) | odd((bytes >> 64) as u64) == 0
}

/// Whether all of 8 or more bytes are plain; `false` of fewer.
fn is_plain_bytes(bytes: &[u8]) -> bool {
    united(bytes, odd).is_some_and(|found| found == 0)
}

/// The highest bit of every byte that is not plain: a text without one has no unsupported character.
///
/// ```text
///   00 to 1F   control                       odd
///   20 to 7E   printable ASCII, a blank      plain
///   7F         DEL                           odd
///   80 to BF   second byte and later ones    plain
///   C2         leads U+0080 to U+00BF        odd
///   C3 to E1   leads letters                 plain
///   E2 to FF   leads symbols and all above   odd
/// ```
#[inline(always)]
fn odd(word: u64) -> u64 {
    const HIGHEST: u64 = HIGHEST_BITS as u64;
    // Additions to the lower seven bits carry into the highest bit of their own byte and no further.
    let low = word & !HIGHEST;
    let is_zero = |word: u64| !(((word & !HIGHEST) + !HIGHEST) | word);
    let from = |byte: u8| low + everywhere(0x80 - byte) as u64;
    let control = !(from(0x20) | word);
    let high = from(0xE2 - 0x80) & word;
    let named = is_zero(word ^ everywhere(0x7F) as u64) | is_zero(word ^ everywhere(0xC2) as u64);
    (control | high | named) & HIGHEST
}

/// Whether all of 8 or more bytes are ASCII; `false` of fewer.
fn is_ascii_bytes(bytes: &[u8]) -> bool {
    united(bytes, |word| word).is_some_and(|found| found & HIGHEST_BITS as u64 == 0)
}

/// All bits that `of_word` finds in any 8 bytes; `None` if there are fewer.
///
/// The last block overlaps those before it where the length is no multiple.
#[inline(always)]
fn united(bytes: &[u8], of_word: impl Fn(u64) -> u64) -> Option<u64> {
    const LONG: usize = 32;
    if let (Some(first), Some(last)) = (bytes.first_chunk::<LONG>(), bytes.last_chunk::<LONG>()) {
        let (blocks, _) = bytes.get(LONG..)?.as_chunks::<LONG>();
        let ends = block(first, &of_word) | block(last, &of_word);
        return Some(
            blocks
                .iter()
                .fold(ends, |found, bytes| found | block(bytes, &of_word)),
        );
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
        return Some(block(first, &of_word) | block(last, &of_word));
    }
    let (first, last) = (bytes.first_chunk::<8>()?, bytes.last_chunk::<8>()?);
    Some(block(first, &of_word) | block(last, &of_word))
}

#[inline(always)]
fn block(bytes: &[u8], of_word: impl Fn(u64) -> u64) -> u64 {
    let (words, _) = bytes.as_chunks();
    words
        .iter()
        .fold(0, |found, word| found | of_word(u64::from_le_bytes(*word)))
}
