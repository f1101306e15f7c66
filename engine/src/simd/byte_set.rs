//! Some of the 256 bytes, as two small tables that a processor looks up for many bytes at once.
//!
//! ```text
//!  rows of 16       2_ · ! " # …       every row of bytes with the same upper half has a class: rows with the same
//!                   4_ @ A B C …       members share one, so that eight classes do for the sets met here
//!  high[byte >> 4]  the bit of the row's class
//!  low[byte & 15]   the bits of the classes that have a member in this column
//!  both             not zero for a member
//! ```

/// Classes that fit into a byte.
const MAX_CLASSES: usize = u8::BITS as usize;

/// A set of bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByteSet {
    pub(super) low: [u8; 16],
    pub(super) high: [u8; 16],
}

impl ByteSet {
    /// The bytes for which `members` is true. A set with more than eight kinds of rows does not compile.
    pub(crate) const fn of(members: &[bool; 256]) -> Self {
        let mut set = Self {
            low: [0; 16],
            high: [0; 16],
        };
        let mut classes = [0_u16; MAX_CLASSES];
        let mut num_classes = 0;
        let mut row = 0;
        while row < 16 {
            let columns = columns(members, row);
            let mut class = 0;
            while class < num_classes && classes[class] != columns {
                class += 1;
            }
            if columns != 0 {
                // Past the eighth class this index is out of bounds, which stops the compiler.
                classes[class] = columns;
                set.high[row] = 1 << class;
                if class == num_classes {
                    num_classes += 1;
                }
            }
            row += 1;
        }
        let mut column = 0;
        while column < 16 {
            let mut class = 0;
            while class < num_classes {
                if classes[class] >> column & 1 == 1 {
                    set.low[column] |= 1 << class;
                }
                class += 1;
            }
            column += 1;
        }
        set
    }

    /// The bytes that lie within any of these, both ends included.
    pub(crate) const fn of_ranges(ranges: &[(u8, u8)]) -> Self {
        let mut members = [false; 256];
        let mut range = 0;
        while range < ranges.len() {
            let (mut byte, last) = (ranges[range].0 as usize, ranges[range].1 as usize);
            while byte <= last {
                members[byte] = true;
                byte += 1;
            }
            range += 1;
        }
        Self::of(&members)
    }

    /// Whether it has this byte.
    #[inline(always)]
    pub(crate) const fn contains(&self, byte: u8) -> bool {
        self.low[(byte & 0x0F) as usize] & self.high[(byte >> 4) as usize] != 0
    }
}

/// The members of a row, one bit a column.
const fn columns(members: &[bool; 256], row: usize) -> u16 {
    let mut columns = 0;
    let mut column = 0;
    while column < 16 {
        columns |= (members[16 * row + column] as u16) << column;
        column += 1;
    }
    columns
}
