//! What a merge finds out, as rows: file actions, counts, and the records that met a customer.
//!
//! | kind       | found                          | records |
//! |------------|--------------------------------|---------|
//! | `matched`  | NULL                           | those whose CIDs a file holds |
//! | `file`     | [`MergedFile`] as JSON         | NULL    |
//! | `versions` | [`Versions`] as JSON           | NULL    |

use std::ops::{AddAssign, Range};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, ListArray, RecordBatch, StringArray, new_null_array};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, Schema, SchemaRef};
use deltalake_core::kernel::Add;
use serde::{Deserialize, Serialize};

use super::cost::{Costs, Reason, Strategy};
use super::plan::MergeJob;
use crate::error::{Error, Result};
use crate::table::FileIdentity;
use crate::validate::RecordSet;
use crate::write::FileAction;

/// Cells of one attribute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeCells {
    /// The attribute.
    pub attribute: String,
    /// Cells whose value changes, cleared ones included.
    pub cells_changed: u64,
    /// Cells that had a value and have none now.
    pub cells_cleared: u64,
    /// Cells that had none and have one now; for guards, not for reports.
    #[serde(skip)]
    pub cells_filled: u64,
}

impl AttributeCells {
    /// Values that are replaced or cleared.
    #[must_use]
    pub fn overwritten(&self) -> u64 {
        self.cells_changed.saturating_sub(self.cells_filled)
    }
}

/// Cells of one attribute that change in some rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedCells {
    /// All of them.
    pub changed: u64,
    /// Those that had a value and have none now.
    pub cleared: u64,
    /// Those that had none and have one now.
    pub filled: u64,
}

impl AddAssign for ChangedCells {
    fn add_assign(&mut self, other: Self) {
        self.changed += other.changed;
        self.cleared += other.cleared;
        self.filled += other.filled;
    }
}

/// What the merge of one file counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCounts {
    /// Customers with at least one changed cell.
    pub rows_updated: u64,
    /// Customers that were sent as they are.
    pub rows_unchanged: u64,
    /// Cells of each attribute, in change order.
    pub cells: Vec<ChangedCells>,
}

impl FileCounts {
    /// Nothing counted yet.
    #[must_use]
    pub fn of(num_attributes: usize) -> Self {
        Self {
            cells: vec![ChangedCells::default(); num_attributes],
            ..Self::default()
        }
    }

    /// Counts rows that met a change, those of them that differ, and their cells.
    pub fn add(&mut self, matched_rows: u64, changed_rows: u64, cells: &[ChangedCells]) {
        self.rows_updated += changed_rows;
        self.rows_unchanged += matched_rows - changed_rows;
        for (total, cells) in self.cells.iter_mut().zip(cells) {
            *total += *cells;
        }
    }
}

/// What became of one file, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileOutcome {
    /// The file.
    pub path: String,
    /// The way it was merged.
    pub strategy: Strategy,
    /// Why in that way.
    pub reason: Reason,
    /// What each way would have cost, as far as it was known when it was chosen.
    pub costs: Costs,
    /// Bytes read of it.
    pub read_bytes: u64,
    /// Bytes copied from it to another file.
    pub copied_bytes: u64,
    /// Bytes encoded for the file that replaces it. New versions of marked rows share files and are not counted here.
    pub encoded_bytes: u64,
    /// What changed in it.
    #[serde(flatten)]
    pub counts: FileCounts,
}

/// What became of one file and what that does to the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MergedFile {
    /// Its path and deletion vector when it was merged: the result holds while they are live.
    pub identity: FileIdentity,
    /// What became of it.
    pub outcome: FileOutcome,
    /// Its Remove and the Adds of what replaces it. New versions of its marked rows are among [`Versions`].
    pub actions: Vec<FileAction>,
}

/// The new versions of the marked rows of one file, in a file that several share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Path of the file whose rows are marked.
    pub of: String,
    /// Path of the file with their new versions.
    pub path: String,
    /// Positions there.
    pub rows: Range<u64>,
}

/// What neighbouring files wrote together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Versions {
    /// Files of new versions.
    pub adds: Vec<Add>,
    /// Whose rows are where in them.
    pub shares: Vec<Share>,
    /// Size of the file of deletion vectors.
    pub vector_bytes: u64,
}

/// What became of the results of earlier attempts, over all races that a run lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostRaces {
    /// Commits of others that were faster.
    pub lost_races: u64,
    /// Files of `customers` whose result was kept.
    pub kept_files: u64,
    /// Files that were merged again, or that others had added.
    pub redone_files: u64,
}

/// What a whole merge found out.
#[derive(Debug, Clone, Default)]
pub struct MergeFacts {
    /// The attributes, in change order.
    pub attributes: Vec<String>,
    /// Each file that may hold a sent customer.
    pub files: Vec<MergedFile>,
    /// What files wrote together.
    pub versions: Vec<Versions>,
    /// Files of new customers.
    pub new_customers: Vec<FileAction>,
    /// Customers that are new.
    pub rows_inserted: u64,
    /// Records that met a customer.
    pub matched: RecordSet,
    /// What lost races cost.
    pub races: LostRaces,
    /// The run that made the table what it is to be, and the customers it sent; then nothing else is found.
    pub repeats: Option<(Repeated, u64)>,
}

/// A run that merged the very same rows, and whose cells nobody has written since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeated {
    /// The run.
    pub run_id: String,
    /// The version that it made.
    pub version: u64,
}

impl MergeFacts {
    /// Nothing found yet.
    #[must_use]
    pub(super) fn of(job: &MergeJob) -> Self {
        let attributes = job.changes.columns.attributes.iter();
        Self {
            attributes: attributes.map(|(name, _)| name.clone()).collect(),
            ..Self::default()
        }
    }

    /// Takes in rows of the merge plan.
    ///
    /// # Errors
    /// A customer that stands in two live files: the table is corrupt, and nothing may be built on it.
    pub fn absorb(&mut self, batch: &RecordBatch) -> Result<()> {
        let kinds = batch.column(0).as_string::<i32>();
        let texts = batch.column(1).as_string::<i32>();
        let records = batch.column(2).as_list::<i32>();
        for row in 0..batch.num_rows() {
            match kinds.value(row) {
                "file" => self.files.push(serde_json::from_str(texts.value(row))?),
                "versions" => self.versions.push(serde_json::from_str(texts.value(row))?),
                _ => {
                    let met = records.value(row);
                    let mut met = met.as_primitive::<Int64Type>().values().iter();
                    met.try_for_each(|record| self.meet(record.unsigned_abs()))?;
                }
            }
        }
        Ok(())
    }

    fn meet(&mut self, record: u64) -> Result<()> {
        if self.matched.insert(record) {
            return Ok(());
        }
        Err(
            Error::runtime("a customer stands in two live files of customers; the table is corrupt")
                .at_record(record, 0)
                .hint(
                    "find it with: SELECT customer_id, count(*) FROM customers GROUP BY 1 HAVING count(*) > 1",
                ),
        )
    }

    /// All file actions.
    pub fn actions(&self) -> impl Iterator<Item = FileAction> + '_ {
        let of_files = self.files.iter().flat_map(|file| &file.actions).cloned();
        let versions = self.versions.iter().flat_map(|written| &written.adds);
        let versions = versions.cloned().map(FileAction::Add);
        of_files.chain(versions).chain(self.new_customers.iter().cloned())
    }

    /// Customers with at least one changed cell.
    #[must_use]
    pub fn rows_updated(&self) -> u64 {
        self.counts().map(|counts| counts.rows_updated).sum()
    }

    /// Customers that were sent as they are.
    #[must_use]
    pub fn rows_unchanged(&self) -> u64 {
        let repeated = self.repeats.as_ref().map_or(0, |(_, rows)| *rows);
        self.counts().map(|counts| counts.rows_unchanged).sum::<u64>() + repeated
    }

    /// Cells by attribute.
    #[must_use]
    pub fn cells(&self) -> Vec<AttributeCells> {
        let mut cells: Vec<AttributeCells> = self
            .attributes
            .iter()
            .map(|attribute| AttributeCells {
                attribute: attribute.clone(),
                ..AttributeCells::default()
            })
            .collect();
        for counts in self.counts() {
            for (total, found) in cells.iter_mut().zip(&counts.cells) {
                total.cells_changed += found.changed;
                total.cells_cleared += found.cleared;
                total.cells_filled += found.filled;
            }
        }
        cells
    }

    fn counts(&self) -> impl Iterator<Item = &FileCounts> {
        self.files.iter().map(|file| &file.outcome.counts)
    }
}

/// The schema of the rows.
#[must_use]
pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("kind", DataType::Utf8, false),
        Field::new("found", DataType::Utf8, true),
        Field::new("records", DataType::List(record_field()), true),
    ]))
}

fn record_field() -> FieldRef {
    Arc::new(Field::new("record_no", DataType::Int64, false))
}

/// The row of records that met a customer.
///
/// # Errors
/// None but what arrow refuses.
pub fn matched(records: Vec<i64>) -> Result<RecordBatch> {
    let offsets = OffsetBuffer::from_lengths([records.len()]);
    let records = ListArray::try_new(record_field(), offsets, Arc::new(Int64Array::from(records)), None)?;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["matched"])),
        new_null_array(&DataType::Utf8, 1),
        Arc::new(records),
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}

/// A row for each of neighbouring files, and one of what they wrote together.
///
/// # Errors
/// An action that JSON cannot hold.
pub fn merged(files: &[MergedFile], written: &Versions) -> Result<RecordBatch> {
    let mut kinds = vec!["file"; files.len()];
    let mut texts = files
        .iter()
        .map(serde_json::to_string)
        .collect::<std::result::Result<Vec<_>, _>>()?;
    kinds.push("versions");
    texts.push(serde_json::to_string(written)?);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(kinds)),
        Arc::new(StringArray::from(texts)),
        new_null_array(&DataType::List(record_field()), files.len() + 1),
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}
