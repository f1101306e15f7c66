//! The columns of a table as the fast path writes them: each cell once, at its place, without a bound to check.
//!
//! ```text
//!            slot 0      slot 1
//!  row 0     ┌──────┐    ┌──────┐
//!  …         │      │    │      │     complete: `row` rows
//!  row       │ put  │    │ put  │     under construction: written over until it is closed
//!  capacity  └──────┘    └──────┘     grown before `row` gets here
//! ```

use super::cell_view::CellView;
use super::table::RecordTable;
use crate::decode::csv::dialect::Dialect;
use crate::decode::csv::fields::unescape;

/// Rows added when there is no room.
const MIN_ROWS: usize = 1024;

/// A table that is being appended to.
pub(super) struct Rows<'a> {
    table: &'a mut RecordTable,
    /// First element of each column; valid until the next `grow`.
    columns: Vec<*mut u128>,
    /// Complete rows.
    row: usize,
    /// Rows that every column has room for; always more than `row`.
    capacity: usize,
    /// Length of the table's unescaped values after the last complete row.
    unescaped_bytes: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn new(table: &'a mut RecordTable) -> Self {
        let (row, unescaped_bytes) = (table.num_rows(), table.unescaped.len());
        let mut rows = Self {
            table,
            columns: Vec::new(),
            row,
            capacity: 0,
            unescaped_bytes,
        };
        rows.grow(0);
        rows
    }

    /// Sets a cell of the row under construction.
    #[inline(always)]
    #[expect(unsafe_code, reason = "a checked write costs a tenth of the whole split")]
    pub(super) fn put(&mut self, slot: usize, view: CellView) {
        debug_assert!(slot < self.columns.len());
        let Some(column) = self.columns.get(slot) else {
            return;
        };
        // SAFETY: `column` points to the buffer of a Vec with room for `capacity` elements, and `row < capacity`: `grow`
        // sees to both, and nothing else changes the columns while `self` borrows the table.
        unsafe { column.add(self.row).write(view.0) };
    }

    /// The view of a value whose escapes have to be taken out.
    #[cold]
    pub(super) fn unescaped(&mut self, quoted: &[u8], dialect: &Dialect) -> CellView {
        let offset = self.table.unescaped.len();
        let value = unescape(quoted, dialect);
        self.table.unescaped.extend_from_slice(&value);
        CellView::of_unescaped(&value, offset)
    }

    /// Completes the row under construction: every column was put.
    #[inline(always)]
    pub(super) fn close(&mut self, offset: usize, byte_len: usize, line: u32) {
        self.table.offset.push(offset as u32);
        self.table.byte_len.push(byte_len as u32);
        self.table.line.push(line);
        self.unescaped_bytes = self.table.unescaped.len();
        self.row += 1;
        if self.row == self.capacity {
            self.grow(self.row);
        }
    }

    /// Makes room for more rows than `row`.
    #[cold]
    fn grow(&mut self, more_rows: usize) {
        self.set_lengths();
        let more_rows = more_rows.max(MIN_ROWS).max(self.table.expected_rows());
        self.table
            .columns
            .iter_mut()
            .for_each(|column| column.reserve(more_rows));
        let capacities = self.table.columns.iter().map(Vec::capacity);
        self.capacity = capacities.min().unwrap_or(self.row + more_rows);
        self.columns.clear();
        self.columns
            .extend(self.table.columns.iter_mut().map(Vec::as_mut_ptr));
    }

    /// Makes the complete rows part of the columns.
    #[expect(unsafe_code, reason = "the rows were written through pointers")]
    fn set_lengths(&mut self) {
        for column in &mut self.table.columns {
            if column.len() < self.row {
                debug_assert!(self.row <= column.capacity());
                // SAFETY: `row <= capacity`, and each of the first `row` elements was put before its row was closed:
                // a record is closed only when it has as many fields as there are, and each kept one has a slot.
                unsafe { column.set_len(self.row) };
            }
        }
    }

    /// Ends the appending; the row under construction is given up.
    pub(super) fn finish(mut self) {
        self.set_lengths();
        self.table.unescaped.truncate(self.unescaped_bytes);
    }
}
