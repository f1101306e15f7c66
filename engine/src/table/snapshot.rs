//! One version of a table, as plain data.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use std::sync::Arc;

use deltalake_core::kernel::{EagerSnapshot, Metadata};
use deltalake_core::logstore::LogStoreRef;

use super::{KeyRange, LiveFile};
use crate::spec::Encoding;

/// One version of a table.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The version.
    pub version: u64,
    /// The columns, strings as views; field metadata as the log keeps it.
    pub schema: SchemaRef,
    /// Live files, in key order where the key range is known.
    pub files: Vec<LiveFile>,
    /// The table's metadata action.
    pub metadata: Metadata,
    /// The log it was read from.
    pub log: LogStoreRef,
    /// How files that are added to it are written.
    pub encoding: Encoding,
    /// What a commit on top of this version starts from.
    pub(crate) base: EagerSnapshot,
}

impl Snapshot {
    /// Reads one version's files and schema. `key` is the column whose range prunes files.
    pub(super) fn new(base: EagerSnapshot, log: LogStoreRef, key: Option<&str>, encoding: Encoding) -> Self {
        let mut files: Vec<LiveFile> = base
            .log_data()
            .iter()
            .map(|view| LiveFile::from_view(&view, key))
            .collect();
        files.sort_by(|a, b| {
            let key = |f: &LiveFile| f.keys.as_ref().map(|k| k.min.clone());
            key(a).cmp(&key(b)).then_with(|| a.add.path.cmp(&b.add.path))
        });
        Self {
            version: base.version(),
            schema: with_views(&base.arrow_schema()),
            files,
            metadata: base.metadata().clone(),
            log,
            encoding,
            base,
        }
    }

    /// Rows that readers see; `None` when a file has no statistics.
    #[must_use]
    pub fn num_rows(&self) -> Option<u64> {
        self.files.iter().map(LiveFile::live_rows).sum()
    }

    /// The live files that may hold a key of this range.
    #[must_use]
    pub fn files_of(&self, range: &KeyRange) -> Vec<LiveFile> {
        let files = self.files.iter();
        files
            .filter(|file| file.may_hold(&range.min, &range.max))
            .cloned()
            .collect()
    }

    /// The same version as if it had `fields` too; those that are there stay as they are.
    #[must_use]
    pub fn with_fields(&self, fields: &[FieldRef]) -> Self {
        let is_new = |field: &&FieldRef| self.schema.field_with_name(field.name()).is_err();
        let all = self
            .schema
            .fields()
            .iter()
            .chain(fields.iter().filter(is_new))
            .cloned();
        Self {
            schema: Arc::new(Schema::new(all.collect::<Vec<_>>())),
            ..self.clone()
        }
    }

    /// The log's metadata of a column.
    #[must_use]
    pub fn column_metadata(&self, column: &str) -> Option<&HashMap<String, String>> {
        self.schema.field_with_name(column).ok().map(Field::metadata)
    }
}

/// The same schema with top-level strings and binaries as views, the form every operator of ours works on.
fn with_views(schema: &Schema) -> SchemaRef {
    let fields: Vec<FieldRef> = schema
        .fields()
        .iter()
        .map(|field| match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 => retyped(field, DataType::Utf8View),
            DataType::Binary | DataType::LargeBinary => retyped(field, DataType::BinaryView),
            _ => Arc::clone(field),
        })
        .collect();
    Arc::new(Schema::new(fields))
}

fn retyped(field: &Field, data_type: DataType) -> FieldRef {
    Arc::new(field.clone().with_data_type(data_type))
}
