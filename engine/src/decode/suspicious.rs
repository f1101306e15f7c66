//! Which records hold a byte that an unsupported character has: 64 bytes at a time, whatever fields they are in.
//!
//! ```text
//!   chunk     1,Ann,Bonn\n2,Bob,Ulm 😀\n3,Cyd,Kiel\n
//!   blocks    |···············|·█··············|···       a bit a block of 64 bytes
//!   rows      ·          █     █                          every row that a marked block touches
//! ```
//!
//! Nearly all records of nearly all files are plain, so the rule about characters looks at few texts.

use arrow::array::BooleanArray;
use arrow::buffer::{BooleanBuffer, MutableBuffer};
use arrow::util::bit_util;

use super::csv::RecordTable;
use crate::simd::{BLOCK_BYTES, ByteSet, Kernel, Lanes, Level, dispatch};
use crate::validate::text::is_suspicious;

/// Bytes that mark a block. A JSON text spells what it likes behind a backslash.
///
/// Of the bytes that [`is_suspicious`] suspects, C2 and F0 are common in texts that have nothing unsupported, such as
/// `©` and rare ideographs: these mark with certain bytes behind them only ([`PAIRS`]).
const MARKING: ByteSet = suspicious_and(b"\\");

/// Bytes that may mark a block.
const SUSPECTED: ByteSet = suspicious_and(b"\\\xC2\xF0\xBF");

/// First bytes and second bytes that mark a block together.
///
/// ```text
///   C2, 80 to 9F    U+0080 to U+009F, controls; what is between © or ® and an emoji's selector is the selector's EF
///   F0, 9F          U+1F000 to U+1FFFF, the emoji beyond the basic plane
///   BF, BE or BF    the end of U+1FFFE, U+1FFFF and so on, noncharacters
/// ```
const PAIRS: [(u8, ByteSet); 3] = [
    (0xC2, ByteSet::of_ranges(&[(0x80, 0x9F)])),
    (0xF0, ByteSet::of_ranges(&[(0x9F, 0x9F)])),
    (0xBF, ByteSet::of_ranges(&[(0xBE, 0xBF)])),
];

/// The suspicious bytes but the first ones of [`PAIRS`], and these.
const fn suspicious_and(more: &[u8]) -> ByteSet {
    let mut members = [false; 256];
    let mut byte = 0;
    while byte < members.len() {
        members[byte] = is_suspicious(byte as u8) && !matches!(byte, 0xC2 | 0xF0);
        byte += 1;
    }
    let mut i = 0;
    while i < more.len() {
        members[more[i] as usize] = true;
        i += 1;
    }
    ByteSet::of(&members)
}

/// For each row of `records`, whether a text of it may have an unsupported character.
pub(super) fn suspicious_rows(chunk: &[u8], records: &RecordTable) -> BooleanArray {
    let num_rows = records.num_rows();
    let mut rows = MutableBuffer::from_len_zeroed(num_rows.div_ceil(8));
    let mut row = 0;
    for block in dispatch(Level::detect(), Blocks { chunk }) {
        let end = |row: usize| records.offset[row] as usize + records.byte_len[row] as usize;
        while row < num_rows && end(row) <= block {
            row += 1;
        }
        let touched = (row..num_rows).take_while(|row| (records.offset[*row] as usize) < block + BLOCK_BYTES);
        touched.for_each(|row| bit_util::set_bit(rows.as_slice_mut(), row));
    }
    BooleanArray::new(BooleanBuffer::new(rows.into(), 0, num_rows), None)
}

/// Where the marked blocks of a chunk begin.
struct Blocks<'a> {
    chunk: &'a [u8],
}

impl Kernel for Blocks<'_> {
    type Output = Vec<usize>;

    #[inline(always)]
    fn run<L: Lanes>(self) -> Vec<usize> {
        let (blocks, rest) = self.chunk.as_chunks::<BLOCK_BYTES>();
        let mut last = [b' '; BLOCK_BYTES];
        last[..rest.len()].copy_from_slice(rest);
        let mut marked = Vec::new();
        let mut before = b' ';
        for (number, block) in blocks.iter().chain([&last]).enumerate() {
            if is_marked::<L>(block, before) {
                marked.push(number * BLOCK_BYTES);
            }
            before = block[BLOCK_BYTES - 1];
        }
        marked
    }
}

/// Whether a block holds a byte, or the second one of a pair, that an unsupported character has.
#[inline(always)]
#[expect(unsafe_code, reason = "the lanes read from a pointer")]
fn is_marked<L: Lanes>(block: &[u8; BLOCK_BYTES], before: u8) -> bool {
    // SAFETY: a block has 64 bytes; `dispatch` chose lanes that the processor has.
    unsafe {
        let lanes = L::load(block.as_ptr());
        if lanes.in_set(&SUSPECTED) == 0 && before < 0x80 {
            return false;
        }
        let mut marks = lanes.in_set(&MARKING);
        for (first, second) in &PAIRS {
            let behind = lanes.eq(*first) << 1 | u64::from(before == *first);
            marks |= behind & lanes.in_set(second);
        }
        marks != 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decode::csv::{Dialect, End, FieldSelection, Splitter};
    use crate::validate::text::has_unsupported;

    fn split(file: &str) -> RecordTable {
        let mut records = RecordTable::default();
        let fields = FieldSelection::new([0, 1]);
        Splitter::new(&Dialect::default(), fields, Some(2)).split(file.as_bytes(), End::Last, &mut records);
        records
    }

    #[test]
    fn plain_records_far_from_others_are_not_suspected() {
        let file = [
            "1,Łódź ®𠮷¿\n".repeat(20),
            "2,\u{1F600}\n".into(),
            "3,Ulm\tum\r\n".repeat(20),
        ]
        .concat();
        let suspected = suspicious_rows(file.as_bytes(), &split(&file));
        assert!(suspected.value(20));
        assert!(suspected.true_count() < 20, "{suspected:?}");
    }

    proptest! {
        #[test]
        fn a_record_with_an_unsupported_character_is_suspected(
            texts in prop::collection::vec("[a-zé]{0,40}(\u{1F600}|\u{2764}\u{FE0F}|\u{7}|1\u{20E3}|\u{85}|©\u{FE0F}|\u{E0041}|[\u{2FFFE}\u{FFFF}\u{FDD0}\u{10FFFF}]|\u{1F1E6}|👨\u{200D}👩)?[a-z©𠮷¿\"]{0,9}", 1..40),
        ) {
            let quoted = texts.iter().map(|text| text.replace('"', "\"\""));
            let file: String = quoted.enumerate().map(|(i, text)| format!("{i},\"{text}\"\n")).collect();
            let suspected = suspicious_rows(file.as_bytes(), &split(&file));
            prop_assert_eq!(suspected.len(), texts.len());
            for (row, text) in texts.iter().enumerate() {
                prop_assert!(suspected.value(row) || !has_unsupported(text), "{}: {:?}", row, text);
            }
        }
    }
}
