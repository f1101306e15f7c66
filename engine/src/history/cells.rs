//! What differs between two versions of the same customers, pure.
//!
//! ```text
//!   customer_id  there_before  there_after  b0      a0        differs
//!   C1           true          true         Silver  Gold      updated: attribute 0
//!   C2           true          true         Gold    Gold      not at all: it was carried over to another file
//!   C3           false         true                 Bronze    inserted
//!   C4           true          false        Gold              removed
//! ```

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, make_comparator};
use arrow::compute::kernels::cmp::distinct;
use arrow::compute::{SortOptions, filter_record_batch, or};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::error::{Error, Result};

/// Column that says whether the customer is in the first version.
pub const THERE_BEFORE: &str = "there_before";
/// Column that says whether the customer is in the second version.
pub const THERE_AFTER: &str = "there_after";
/// Position of the first attribute of the first version.
pub const FIRST: usize = 3;

/// What became of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is in the second version only.
    Inserted,
    /// It is in both.
    Updated,
    /// It is in the first version only.
    Removed,
}

impl Change {
    /// The word in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Inserted => "inserted",
            Self::Updated => "updated",
            Self::Removed => "removed",
        }
    }
}

/// A batch of customers with their attributes in two versions.
#[derive(Debug, Clone, Copy)]
pub struct Aligned<'a> {
    batch: &'a RecordBatch,
    there_before: &'a BooleanArray,
    there_after: &'a BooleanArray,
}

impl<'a> Aligned<'a> {
    /// Columns: `customer_id`, [`THERE_BEFORE`], [`THERE_AFTER`], attributes before, the same attributes after.
    ///
    /// # Errors
    /// A batch of another form.
    pub fn new(batch: &'a RecordBatch) -> Result<Self> {
        let flag = |position: usize| {
            let column = batch.columns().get(position).and_then(|c| c.as_boolean_opt());
            column.ok_or_else(|| Error::runtime("a batch of two versions has no flags"))
        };
        Ok(Self {
            batch,
            there_before: flag(1)?,
            there_after: flag(2)?,
        })
    }

    /// Number of attributes.
    #[must_use]
    pub fn num_attributes(&self) -> usize {
        (self.batch.num_columns() - FIRST) / 2
    }

    /// The customers.
    #[must_use]
    pub fn keys(&self) -> &'a ArrayRef {
        self.batch.column(0)
    }

    /// An attribute in the first version.
    #[must_use]
    pub fn before(&self, attribute: usize) -> &'a ArrayRef {
        self.batch.column(FIRST + attribute)
    }

    /// An attribute in the second version.
    #[must_use]
    pub fn after(&self, attribute: usize) -> &'a ArrayRef {
        self.batch.column(FIRST + self.num_attributes() + attribute)
    }

    /// What became of a customer that differs.
    #[must_use]
    pub fn change(&self, row: usize) -> Change {
        match (self.there_before.value(row), self.there_after.value(row)) {
            (false, _) => Change::Inserted,
            (true, true) => Change::Updated,
            (true, false) => Change::Removed,
        }
    }

    /// For each customer, whether the attribute differs.
    ///
    /// # Errors
    /// Columns whose types differ.
    pub fn changed(&self, attribute: usize) -> Result<BooleanArray> {
        differ(self.before(attribute), self.after(attribute))
    }

    /// The customers that differ in anything.
    ///
    /// # Errors
    /// As [`changed`](Self::changed).
    pub fn differing(&self) -> Result<RecordBatch> {
        let mut rows = differ(&self.batch.columns()[1], &self.batch.columns()[2])?;
        for attribute in 0..self.num_attributes() {
            rows = or(&rows, &self.changed(attribute)?)?;
        }
        Ok(filter_record_batch(self.batch, &rows)?)
    }

    /// Calls `each` with every changed cell, customer by customer; with no attribute for a customer that came or left
    /// without a value.
    ///
    /// # Errors
    /// As [`changed`](Self::changed), and those of `each`.
    pub fn each_cell(&self, mut each: impl FnMut(usize, Option<usize>) -> Result<()>) -> Result<()> {
        let changed = (0..self.num_attributes())
            .map(|attribute| self.changed(attribute))
            .collect::<Result<Vec<_>>>()?;
        for row in 0..self.batch.num_rows() {
            let mut found = false;
            for (attribute, cells) in changed.iter().enumerate() {
                if cells.value(row) {
                    found = true;
                    each(row, Some(attribute))?;
                }
            }
            if !found && self.change(row) != Change::Updated {
                each(row, None)?;
            }
        }
        Ok(())
    }
}

/// For each row, whether two columns of one type differ; two NULLs do not.
///
/// # Errors
/// Columns whose types differ.
pub fn differ(before: &ArrayRef, after: &ArrayRef) -> Result<BooleanArray> {
    if !before.data_type().is_nested() {
        return Ok(distinct(before, after)?);
    }
    let compare = make_comparator(before, after, SortOptions::default())?;
    Ok((0..before.len())
        .map(|row| Some(compare(row, row).is_ne()))
        .collect())
}

/// The cells of a column as text: dates and times as RFC 3339.
pub struct Texts<'a> {
    column: &'a ArrayRef,
    shown: ArrayFormatter<'a>,
}

const SHOWN: FormatOptions<'static> = FormatOptions::new().with_display_error(false);

impl<'a> Texts<'a> {
    /// The cells of `column`.
    ///
    /// # Errors
    /// A type that Arrow cannot show.
    pub fn of(column: &'a ArrayRef) -> Result<Self> {
        Ok(Self {
            column,
            shown: ArrayFormatter::try_new(column.as_ref(), &SHOWN)?,
        })
    }

    /// One cell; `None` for NULL.
    ///
    /// # Errors
    /// A value that Arrow cannot show.
    pub fn get(&self, row: usize) -> Result<Option<String>> {
        if self.column.is_null(row) {
            return Ok(None);
        }
        Ok(Some(self.shown.value(row).try_to_string()?))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, ListArray, StringViewArray};
    use arrow::datatypes::Int64Type;

    use super::*;

    type Row = (&'static str, Option<[Option<i64>; 2]>, Option<[Option<i64>; 2]>);

    /// Customers with two attributes, `None` where they are not.
    pub fn aligned(rows: &[Row]) -> RecordBatch {
        let attribute = |side: fn(&Row) -> Option<[Option<i64>; 2]>, at: usize| -> ArrayRef {
            let cells = rows.iter().map(|row| side(row).and_then(|cells| cells[at]));
            Arc::new(cells.collect::<Int64Array>())
        };
        let there = |side: fn(&Row) -> bool| -> ArrayRef {
            Arc::new(BooleanArray::from(rows.iter().map(side).collect::<Vec<_>>()))
        };
        let keys: ArrayRef = Arc::new(StringViewArray::from_iter_values(rows.iter().map(|row| row.0)));
        RecordBatch::try_from_iter_with_nullable([
            ("customer_id", keys, false),
            (THERE_BEFORE, there(|row| row.1.is_some()), false),
            (THERE_AFTER, there(|row| row.2.is_some()), false),
            ("b0", attribute(|row| row.1, 0), true),
            ("b1", attribute(|row| row.1, 1), true),
            ("a0", attribute(|row| row.2, 0), true),
            ("a1", attribute(|row| row.2, 1), true),
        ])
        .unwrap()
    }

    #[test]
    fn cells_that_differ_are_named_and_customers_carried_over_are_not() {
        let batch = aligned(&[
            ("C1", Some([Some(1), None]), Some([Some(2), None])),
            ("C2", Some([Some(1), None]), Some([Some(1), None])),
            ("C3", None, Some([None, Some(3)])),
            ("C4", Some([None, None]), None),
            ("C5", Some([Some(1), Some(2)]), Some([None, Some(3)])),
        ]);
        let mut found = Vec::new();
        Aligned::new(&batch)
            .unwrap()
            .each_cell(|row, attribute| {
                found.push((row, attribute));
                Ok(())
            })
            .unwrap();
        assert_eq!(
            found,
            [(0, Some(0)), (2, Some(1)), (3, None), (4, Some(0)), (4, Some(1))]
        );
        let differing = Aligned::new(&batch).unwrap().differing().unwrap();
        let keys: Vec<&str> = differing.column(0).as_string_view().iter().flatten().collect();
        assert_eq!(keys, ["C1", "C3", "C4", "C5"]);
        let changes: Vec<Change> = (0..4)
            .map(|row| Aligned::new(&differing).unwrap().change(row))
            .collect();
        assert_eq!(
            changes,
            [
                Change::Updated,
                Change::Inserted,
                Change::Removed,
                Change::Updated
            ]
        );
    }

    #[test]
    fn lists_differ_by_their_items() {
        let lists = |rows: Vec<Option<Vec<Option<i64>>>>| -> ArrayRef {
            Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(rows))
        };
        let before = lists(vec![Some(vec![Some(1)]), None, Some(vec![]), None]);
        let after = lists(vec![Some(vec![Some(1)]), None, Some(vec![None]), Some(vec![])]);
        let changed: Vec<bool> = differ(&before, &after).unwrap().iter().flatten().collect();
        assert_eq!(changed, [false, false, true, true]);
    }
}
