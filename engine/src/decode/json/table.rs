//! What splitting yields: the texts of well-formed records in columns, malformed records apart.

use crate::decode::cell_view::CellView;

/// Records of a piece of a file: cells of well-formed ones as views, malformed ones apart.
///
/// Row `i` of every vector belongs to the same well-formed record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextTable {
    /// Texts by wanted key: string views (Arrow's layout) of which buffer 0 is the input and buffer 1 is
    /// [`unescaped`](Self::unescaped). A missing key, null and an undecodable text: the empty view.
    pub columns: Vec<Vec<u128>>,
    /// Texts that had escapes and that no view holds itself.
    pub unescaped: Vec<u8>,
    /// First byte of the record's line in the input.
    pub offset: Vec<u32>,
    /// Bytes of the line, its end left out.
    pub byte_len: Vec<u32>,
    /// Physical lines between the first byte of the input and the record.
    pub line: Vec<u32>,
    /// Records before this one in the input, malformed ones counted.
    pub ordinal: Vec<u32>,
    /// Row and column of the texts that are not UTF-8 or have half a surrogate pair, by row.
    pub invalid: Vec<(u32, u32)>,
    /// The other records, in file order.
    pub malformed: Vec<MalformedLine>,
    /// Whether any well-formed record has the wanted key.
    pub seen: Vec<bool>,
}

/// A line that is no record of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedLine {
    /// Records before this one in the input, malformed ones counted.
    pub ordinal: u32,
    /// Physical lines between the first byte of the input and this one.
    pub line: u32,
    /// First byte of the line in the input.
    pub offset: u32,
    /// Bytes of the line, its end left out.
    pub byte_len: u64,
    /// What is wrong, at which byte of the record (the first is 1).
    pub message: String,
}

impl TextTable {
    /// Number of well-formed records.
    #[must_use]
    pub fn num_rows(&self) -> usize {
        self.offset.len()
    }

    /// Number of records, well-formed or not.
    #[must_use]
    pub fn num_records(&self) -> usize {
        self.num_rows() + self.malformed.len()
    }

    /// The text of a cell.
    #[must_use]
    pub fn cell(&self, column: usize, row: usize, input: &[u8]) -> Vec<u8> {
        let view = self.columns.get(column).and_then(|column| column.get(row));
        CellView(view.copied().unwrap_or_default()).bytes(input, &self.unescaped)
    }

    /// Makes the table an empty one of `num_columns`; keeps the memory.
    pub(super) fn reset(&mut self, num_columns: usize) {
        self.columns.resize_with(num_columns, Vec::new);
        self.columns.iter_mut().for_each(Vec::clear);
        self.unescaped.clear();
        self.offset.clear();
        self.byte_len.clear();
        self.line.clear();
        self.ordinal.clear();
        self.invalid.clear();
        self.malformed.clear();
        self.seen.clear();
        self.seen.resize(num_columns, false);
    }

    /// Completes the row under construction: keys that it has not are empty.
    #[inline]
    pub(super) fn close_row(&mut self, offset: usize, byte_len: usize, line: u32) {
        let row = self.num_rows();
        for (column, seen) in self.columns.iter_mut().zip(&mut self.seen) {
            if column.len() == row {
                column.push(0);
            } else {
                *seen = true;
            }
        }
        self.ordinal.push(self.num_records() as u32);
        self.offset.push(offset as u32);
        self.byte_len.push(byte_len as u32);
        self.line.push(line);
    }

    /// Gives up the row under construction, of which `unescaped_bytes` stood before.
    pub(super) fn abandon_row(&mut self, unescaped_bytes: usize) {
        let row = self.num_rows();
        self.columns.iter_mut().for_each(|column| column.truncate(row));
        self.unescaped.truncate(unescaped_bytes);
        let is_of_row = |(at, _): &mut (u32, u32)| *at as usize == row;
        while self.invalid.pop_if(is_of_row).is_some() {}
    }
}
