//! What splitting yields: the cells of well-formed records in columns, malformed records apart.
//!
//! ```text
//!  input     1,Ann\n2,"B ""x"""\n3\n4,Di\n
//!  columns   [1 2 4]  [Ann, B "x", Di]     views: into the input, or into `unescaped`
//!  offset    [0 6 19]      byte_len [5 10 4]      line [0 1 3]
//!  malformed { rows_before: 2, record_no: 3, FieldCount { found: 1 } }
//! ```

use super::Position;
use super::cell_view::CellView;

/// Whether a record can be decoded, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The quotes are right and the number of fields is the expected one.
    WellFormed,
    /// The quotes are right, the number of fields is not.
    FieldCount {
        /// Fields of the record.
        found: u32,
    },
    /// A quote inside an unquoted field, or something else than an end after a closing quote.
    StrayQuote,
    /// A quoted field that does not end within the record.
    UnterminatedQuote,
    /// More content bytes than [`Dialect::record_bytes`](crate::decode::csv::Dialect::record_bytes).
    Oversized,
    /// A line of NDJSON that is no object.
    NoObject,
}

/// How a field's value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Quoting {
    /// Without quotes; the field is the value.
    #[default]
    Plain,
    /// In quotes; the value stands between them.
    Quoted,
    /// In quotes, with escapes inside; [`unescape`](crate::decode::csv::unescape) gives the value.
    Escaped,
}

/// Which fields of a record become cells, and in which order.
#[derive(Debug, Clone, Default)]
pub struct FieldSelection {
    /// Slot of each field number, or [`NO_SLOT`].
    slots: Vec<u32>,
    num_kept: usize,
}

/// A field that is not kept.
pub(super) const NO_SLOT: u32 = u32::MAX;

impl FieldSelection {
    /// Keeps these fields (0-based), in this order; a repeated one keeps its first place.
    pub fn new(fields: impl IntoIterator<Item = usize>) -> Self {
        let mut selection = Self::default();
        for field in fields {
            if field >= selection.slots.len() {
                selection.slots.resize(field + 1, NO_SLOT);
            }
            if selection.slots[field] == NO_SLOT {
                selection.slots[field] = selection.num_kept as u32;
                selection.num_kept += 1;
            }
        }
        selection
    }

    /// Number of fields kept of each record.
    pub fn len(&self) -> usize {
        self.num_kept
    }

    /// Whether no field is kept.
    pub fn is_empty(&self) -> bool {
        self.num_kept == 0
    }

    /// The slot of each of `num_fields` fields, [`NO_SLOT`] for those not kept; `None` if others are kept.
    pub(super) fn slots(&self, num_fields: usize) -> Option<Vec<u32>> {
        let mut slots = self.slots.clone();
        slots.resize(num_fields.max(slots.len()), NO_SLOT);
        (slots.len() == num_fields).then_some(slots)
    }

    /// The slot of one field.
    pub(super) fn slot(&self, field: u32) -> Option<usize> {
        let slot = *self.slots.get(field as usize)?;
        (slot != NO_SLOT).then_some(slot as usize)
    }
}

/// A record without cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// Rows of the table that stand before it in the file.
    pub rows_before: u32,
    /// First byte in the input; 0 for an oversized record whose start is no longer there.
    pub offset: u32,
    /// First byte in the file.
    pub byte_start: u64,
    /// Content bytes, the line end not counted; of an oversized record in the source's own encoding.
    pub byte_len: u64,
    /// Bytes of an oversized record that stand before the input, in the source's own encoding.
    pub bytes_before: u64,
    /// Number of the record in the file.
    pub record_no: u64,
    /// Physical line on which the record starts.
    pub line: u64,
    /// What is wrong.
    pub shape: Shape,
    /// The first bytes of an oversized record, at most [`HEAD_BYTES`]; empty for any other.
    pub head: Vec<u8>,
    /// What is wrong in words, where the shape does not say it all.
    pub message: Option<Box<str>>,
}

impl Malformed {
    /// The bytes of the record without its line end; of an oversized one only the head.
    pub fn raw<'a>(&'a self, input: &'a [u8]) -> &'a [u8] {
        if self.shape == Shape::Oversized {
            return &self.head;
        }
        let start = self.offset as usize;
        input
            .get(start..start + self.byte_len as usize)
            .unwrap_or_default()
    }
}

/// Bytes kept of an oversized record (fewer if `record_bytes` is less).
pub const HEAD_BYTES: usize = 64 << 10;

/// Records of one input: row `i` of every vector belongs to the same well-formed record.
///
/// [`clear`](Self::clear) it before splitting the next input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordTable {
    /// `byte`: where the first byte of the input stands in the file; `record_no`: number of the first record here;
    /// `line`: what [`line`](Self::line) is counted from.
    pub origin: Position,
    /// Cells by kept field, in the order of the [`FieldSelection`]: string views (Arrow's layout) of which buffer 0 is
    /// the input and buffer 1 is [`unescaped`](Self::unescaped).
    pub columns: Vec<Vec<u128>>,
    /// Values of cells that had escapes.
    pub unescaped: Vec<u8>,
    /// First byte of the record in the input.
    pub offset: Vec<u32>,
    /// Content bytes of the record, the line end not counted.
    pub byte_len: Vec<u32>,
    /// Physical line on which the record starts, less that of the origin.
    pub line: Vec<u32>,
    /// Row and column of cells known to be no text; only NDJSON has some.
    pub invalid: Vec<(u32, u32)>,
    /// The other records, in file order.
    pub malformed: Vec<Malformed>,
    /// Cells of the row under construction.
    open: Vec<u128>,
    /// Length of `unescaped` before that row.
    open_unescaped: usize,
    /// Rows to make room for at once.
    expected_rows: usize,
}

impl RecordTable {
    /// An empty table that will make room for so many rows when the first one comes.
    pub fn expecting(expected_rows: usize) -> Self {
        Self {
            expected_rows,
            ..Self::default()
        }
    }

    /// Rows to make room for when there is none.
    pub(super) fn expected_rows(&self) -> usize {
        self.expected_rows
    }

    /// Number of well-formed records.
    pub fn num_rows(&self) -> usize {
        self.offset.len()
    }

    /// Number of records, well-formed or not.
    pub fn num_records(&self) -> usize {
        self.num_rows() + self.malformed.len()
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.num_records() == 0
    }

    /// Forgets the records, keeps the memory.
    pub fn clear(&mut self) {
        self.columns.iter_mut().for_each(Vec::clear);
        self.unescaped.clear();
        self.offset.clear();
        self.byte_len.clear();
        self.line.clear();
        self.invalid.clear();
        self.malformed.clear();
        self.open_unescaped = 0;
    }

    /// The bytes of the input from the first row's record to the end of the last one's.
    pub fn extent(&self) -> std::ops::Range<usize> {
        let start = self.offset.first().copied().unwrap_or(0) as usize;
        match (self.offset.last(), self.byte_len.last()) {
            (Some(offset), Some(byte_len)) => start..*offset as usize + *byte_len as usize,
            _ => start..start,
        }
    }

    /// The number of each row's record in the file.
    pub fn record_numbers(&self) -> impl Iterator<Item = u64> {
        let first = self.origin.record_no;
        let mut malformed = self.malformed.iter().map(|bad| bad.rows_before).peekable();
        let mut num_malformed = 0;
        (0..self.num_rows() as u32).map(move |row| {
            while malformed.next_if(|rows_before| *rows_before <= row).is_some() {
                num_malformed += 1;
            }
            first + u64::from(row) + num_malformed
        })
    }

    /// The bytes of a row's record, its line end left out.
    pub fn raw<'a>(&self, row: usize, input: &'a [u8]) -> &'a [u8] {
        let (Some(offset), Some(byte_len)) = (self.offset.get(row), self.byte_len.get(row)) else {
            return &[];
        };
        let start = *offset as usize;
        input.get(start..start + *byte_len as usize).unwrap_or_default()
    }

    /// The value of a cell.
    pub fn cell<'a>(&'a self, slot: usize, row: usize, input: &'a [u8]) -> Vec<u8> {
        let view = self.columns.get(slot).and_then(|column| column.get(row));
        CellView(view.copied().unwrap_or_default()).bytes(input, &self.unescaped)
    }

    /// Makes the table one of `num_kept` columns; called before anything is appended.
    pub(super) fn prepare(&mut self, origin: Position, num_kept: usize) {
        if self.is_empty() {
            self.origin = origin;
            self.columns.resize_with(num_kept, Vec::new);
        }
    }

    /// Begins a row of `num_kept` empty cells.
    pub(super) fn open_row(&mut self, num_kept: usize) {
        self.open.clear();
        self.open.resize(num_kept, 0);
        self.open_unescaped = self.unescaped.len();
    }

    /// The cells of the open row, and where their unescaped values go.
    pub(super) fn open_cells(&mut self) -> (&mut [u128], &mut Vec<u8>) {
        (&mut self.open, &mut self.unescaped)
    }

    /// Completes the open row.
    pub(super) fn close_row(&mut self, offset: u32, byte_len: u32, line: u32) {
        for (column, cell) in self.columns.iter_mut().zip(&self.open) {
            column.push(*cell);
        }
        self.offset.push(offset);
        self.byte_len.push(byte_len);
        self.line.push(line);
        self.open_unescaped = self.unescaped.len();
    }

    /// Gives up the open row for a record that has none.
    pub(super) fn push_malformed(&mut self, record: Malformed) {
        self.abandon_row();
        self.malformed.push(record);
    }

    /// Takes back [`open_row`](Self::open_row).
    pub(super) fn abandon_row(&mut self) {
        self.unescaped.truncate(self.open_unescaped);
    }

    /// Numbers the records of the table anew: its first one is `record_no`, its first byte is on `line`.
    pub(super) fn renumber(&mut self, record_no: u64, line: u64) {
        for bad in &mut self.malformed {
            bad.record_no = bad.record_no - self.origin.record_no + record_no;
            bad.line = bad.line - self.origin.line + line;
        }
        self.origin.record_no = record_no;
        self.origin.line = line;
    }

    /// Drops the records that start before `offset`.
    pub(super) fn drop_before(&mut self, offset: u32) {
        let rows = self.offset.partition_point(|start| *start < offset);
        let bad = self.malformed.partition_point(|bad| bad.offset < offset);
        self.columns
            .iter_mut()
            .for_each(|column| drop(column.drain(..rows)));
        self.offset.drain(..rows);
        self.byte_len.drain(..rows);
        self.line.drain(..rows);
        self.malformed.drain(..bad);
        self.malformed
            .iter_mut()
            .for_each(|bad| bad.rows_before -= rows as u32);
        self.origin.record_no += (rows + bad) as u64;
    }

    /// Puts the records of `before`, split from the same input, in front of these.
    pub(super) fn prepend(&mut self, mut before: Self) {
        let num_before = before.unescaped.len() as u32;
        for (first, column) in before.columns.iter_mut().zip(&self.columns) {
            first.extend(
                column
                    .iter()
                    .map(|view| CellView(*view).moved_unescaped(num_before).0),
            );
        }
        let rows = before.num_rows() as u32;
        // The guess may have begun on an earlier line than `before`: the difference wraps, the sums are right.
        let lines = self.origin.line.wrapping_sub(before.origin.line) as u32;
        before.unescaped.append(&mut self.unescaped);
        before.offset.append(&mut self.offset);
        before.byte_len.append(&mut self.byte_len);
        before
            .line
            .extend(self.line.iter().map(|line| line.wrapping_add(lines)));
        before.malformed.extend(self.malformed.drain(..).map(|mut bad| {
            bad.rows_before += rows;
            bad
        }));
        *self = before;
    }
}
