//! Attributes as columns of `customers`: who owns them, of what type, in what role.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};

use crate::decode::Layout;
use crate::merge::{Columns, NullCells};
use crate::spec::{AttributeType, NullPolicy, Process};
use crate::table::Snapshot;
use crate::table::schemas::timestamp;

/// The owner of attributes that `init --from` adopted.
pub const BATCH_OWNER: &str = "batch";

/// The process that owns a column of `customers`; `None` for the key and for a column that is not there.
#[must_use]
pub fn owner_of(snapshot: &Snapshot, column: &str) -> Option<String> {
    snapshot.column_metadata(column)?.get("sluice.owner").cloned()
}

/// The columns that a merge of `process` adds, with what the log keeps of them.
#[must_use]
pub fn table_fields(process: &Process, layout: &Layout) -> Vec<FieldRef> {
    let columns = layout.attributes.iter().zip(&process.attributes);
    columns
        .map(|(column, attribute)| {
            let mut metadata = HashMap::from([
                ("sluice.owner".to_owned(), process.name.clone()),
                ("sluice.type".to_owned(), attribute.ty.to_string()),
                ("sluice.source_column".to_owned(), attribute.column.clone()),
            ]);
            let mut put =
                |key: &str, value: Option<String>| value.map(|v| metadata.insert(key.to_owned(), v));
            put("sluice.label", attribute.label.clone());
            put("sluice.display", attribute.display.clone());
            put(
                "sluice.role",
                (attribute.ty == AttributeType::Email).then(|| "email".to_owned()),
            );
            Arc::new(Field::new(&column.name, column.data_type(), true).with_metadata(metadata))
        })
        .collect()
}

/// The arrow type of an attribute's column.
#[must_use]
pub fn column_type(ty: AttributeType) -> DataType {
    match ty {
        AttributeType::Int => DataType::Int32,
        AttributeType::Bigint => DataType::Int64,
        AttributeType::Decimal { precision, scale } => DataType::Decimal128(precision, scale),
        AttributeType::Double => DataType::Float64,
        AttributeType::Boolean => DataType::Boolean,
        AttributeType::Date => DataType::Date32,
        AttributeType::Timestamp => timestamp(),
        AttributeType::String
        | AttributeType::Varchar(_)
        | AttributeType::Nvarchar(_)
        | AttributeType::Email => DataType::Utf8View,
    }
}

/// The attributes of a change set and what their NULLs do.
#[must_use]
pub fn changes_columns(process: &Process) -> Columns {
    let policy = |null| match null {
        NullPolicy::Clear => NullCells::Clear,
        NullPolicy::Keep => NullCells::Keep,
    };
    Columns {
        attributes: process
            .attributes
            .iter()
            .map(|a| (a.name.clone(), policy(a.null)))
            .collect(),
    }
}
