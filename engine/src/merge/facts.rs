//! What a merge finds out, as rows: file actions, counts, and the records that met a customer.
//!
//! | kind      | action                         | record_no |
//! |-----------|--------------------------------|-----------|
//! | `add`     | the Add as JSON                | NULL      |
//! | `remove`  | the Remove as JSON             | NULL      |
//! | `file`    | [`FileOutcome`] as JSON        | NULL      |
//! | `written` | bytes of a file of vectors     | NULL      |
//! | `matched` | NULL                           | a record whose CID this file holds |

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, new_null_array};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use super::cost::{Costs, Reason, Strategy};
use crate::error::{Error, Result};
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
}

/// What the merge of one file counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCounts {
    /// Customers with at least one changed cell.
    pub rows_updated: u64,
    /// Customers that were sent as they are.
    pub rows_unchanged: u64,
    /// Changed and cleared cells of each attribute, in change order.
    pub cells: Vec<(u64, u64)>,
}

impl FileCounts {
    /// Nothing counted yet.
    #[must_use]
    pub fn of(num_attributes: usize) -> Self {
        Self {
            cells: vec![(0, 0); num_attributes],
            ..Self::default()
        }
    }

    /// Counts rows that met a change, those of them that differ, and their cells.
    pub fn add(&mut self, matched_rows: u64, changed_rows: u64, cells: &[(u64, u64)]) {
        self.rows_updated += changed_rows;
        self.rows_unchanged += matched_rows - changed_rows;
        for (total, (changed, cleared)) in self.cells.iter_mut().zip(cells) {
            *total = (total.0 + changed, total.1 + cleared);
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

/// What files wrote together.
#[derive(Debug, Default)]
pub struct Written {
    /// What they did to the table.
    pub actions: Vec<FileAction>,
    /// Size of the files of new versions.
    pub encoded_bytes: u64,
    /// Size of the file of deletion vectors.
    pub vector_bytes: u64,
}

/// What a whole merge found out.
#[derive(Debug, Clone, Default)]
pub struct MergeFacts {
    /// File actions, in no order.
    pub actions: Vec<FileAction>,
    /// Rows counted.
    pub rows_updated: u64,
    /// Rows counted.
    pub rows_unchanged: u64,
    /// Rows counted.
    pub rows_inserted: u64,
    /// Cells counted, by attribute.
    pub cells: Vec<AttributeCells>,
    /// Records that met a customer.
    pub matched: RecordSet,
    /// What became of each file that may hold a sent customer.
    pub files: Vec<FileOutcome>,
    /// Size of all files of deletion vectors.
    pub vector_bytes: u64,
}

impl MergeFacts {
    /// Nothing found yet, for these attributes.
    #[must_use]
    pub fn new(attributes: impl IntoIterator<Item = String>) -> Self {
        let cells = attributes.into_iter().map(|attribute| AttributeCells {
            attribute,
            ..AttributeCells::default()
        });
        Self {
            cells: cells.collect(),
            ..Self::default()
        }
    }

    /// Takes in rows of the merge plan.
    ///
    /// # Errors
    /// A customer that stands in two live files: the table is corrupt, and nothing may be built on it.
    pub fn absorb(&mut self, batch: &RecordBatch) -> Result<()> {
        let kinds = batch.column(0).as_string::<i32>();
        let actions = batch.column(1).as_string::<i32>();
        let records = batch.column(2).as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            match kinds.value(row) {
                "add" => self
                    .actions
                    .push(FileAction::Add(serde_json::from_str(actions.value(row))?)),
                "remove" => self
                    .actions
                    .push(FileAction::Remove(serde_json::from_str(actions.value(row))?)),
                "file" => self.count(serde_json::from_str(actions.value(row))?),
                "written" => self.vector_bytes += serde_json::from_str::<u64>(actions.value(row))?,
                _ => {
                    let record = records.value(row).unsigned_abs();
                    if !self.matched.insert(record) {
                        return Err(Error::runtime("a customer stands in two live files of customers; the table is corrupt")
                            .at_record(record, 0)
                            .hint("find it with: SELECT customer_id, count(*) FROM customers GROUP BY 1 HAVING count(*) > 1"));
                    }
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, outcome: FileOutcome) {
        let counts = &outcome.counts;
        self.rows_updated += counts.rows_updated;
        self.rows_unchanged += counts.rows_unchanged;
        for (total, (changed, cleared)) in self.cells.iter_mut().zip(&counts.cells) {
            total.cells_changed += changed;
            total.cells_cleared += cleared;
        }
        self.files.push(outcome);
    }
}

/// The schema of the rows.
#[must_use]
pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("kind", DataType::Utf8, false),
        Field::new("action", DataType::Utf8, true),
        Field::new("record_no", DataType::Int64, true),
    ]))
}

/// Rows of records that met a customer.
///
/// # Errors
/// None but what arrow refuses.
pub fn matched(records: Vec<i64>) -> Result<RecordBatch> {
    let len = records.len();
    let kinds: ArrayRef = Arc::new(StringArray::from_iter_values(std::iter::repeat_n("matched", len)));
    let columns = vec![
        kinds,
        new_null_array(&DataType::Utf8, len),
        Arc::new(Int64Array::from(records)),
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}

/// Rows of what became of a file and of its actions.
///
/// # Errors
/// An action that JSON cannot hold.
pub fn outcome(outcome: &FileOutcome, actions: &[FileAction]) -> Result<RecordBatch> {
    rows("file", serde_json::to_string(outcome)?, actions)
}

/// Rows of what files wrote together.
///
/// # Errors
/// An action that JSON cannot hold.
pub fn written(written: &Written) -> Result<RecordBatch> {
    rows("written", written.vector_bytes.to_string(), &written.actions)
}

fn rows(kind: &str, text: String, actions: &[FileAction]) -> Result<RecordBatch> {
    let mut kinds = vec![kind];
    let mut texts = vec![text];
    for action in actions {
        let (kind, text) = match action {
            FileAction::Add(add) => ("add", serde_json::to_string(add)?),
            FileAction::Remove(remove) => ("remove", serde_json::to_string(remove)?),
        };
        kinds.push(kind);
        texts.push(text);
    }
    let len = kinds.len();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(kinds)),
        Arc::new(StringArray::from(texts)),
        new_null_array(&DataType::Int64, len),
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}
