//! File actions: what plan 2 yields and the coordinator commits, as values and as rows.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use deltalake_core::kernel::{Action, Add, Remove};
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// An Add or a Remove, between writers and commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileAction {
    /// A file that joins the table.
    Add(Add),
    /// A file that leaves it.
    Remove(Remove),
}

impl From<FileAction> for Action {
    fn from(action: FileAction) -> Self {
        match action {
            FileAction::Add(add) => Self::Add(add),
            FileAction::Remove(remove) => Self::Remove(remove),
        }
    }
}

/// The schema of file actions as rows: `kind` (`add` or `remove`) and `action` (the log's JSON).
#[must_use]
pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("kind", DataType::Utf8, false),
        Field::new("action", DataType::Utf8, false),
    ]))
}

/// Actions as rows, so that they travel between operators like everything else.
///
/// # Errors
/// An action that JSON cannot hold.
pub fn to_batch(actions: &[FileAction]) -> Result<RecordBatch> {
    let kinds = actions.iter().map(|a| match a {
        FileAction::Add(_) => "add",
        FileAction::Remove(_) => "remove",
    });
    let texts = actions
        .iter()
        .map(|a| match a {
            FileAction::Add(add) => serde_json::to_string(add),
            FileAction::Remove(remove) => serde_json::to_string(remove),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let columns: Vec<arrow::array::ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(kinds)),
        Arc::new(StringArray::from(texts)),
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}

/// Rows back as actions.
///
/// # Errors
/// Rows that are not file actions.
pub fn from_batch(batch: &RecordBatch) -> Result<Vec<FileAction>> {
    let (kinds, texts) = (
        batch.column(0).as_string::<i32>(),
        batch.column(1).as_string::<i32>(),
    );
    (0..kinds.len())
        .map(|row| {
            Ok(match kinds.value(row) {
                "add" => FileAction::Add(serde_json::from_str(texts.value(row))?),
                _ => FileAction::Remove(serde_json::from_str(texts.value(row))?),
            })
        })
        .collect()
}
