//! One live file of a table, as the log describes it.

use deltalake_core::kernel::{Add, DeletionVectorDescriptor, LogicalFileView, Remove};
use deltalake_core::logstore::LogStore;
use serde_json::Value;

use super::deletion;
use crate::error::Result;

/// The smallest and largest `customer_id` of a file, inclusive, as bytes compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// Smallest key.
    pub min: String,
    /// Largest key.
    pub max: String,
}

/// One live file.
#[derive(Debug, Clone)]
pub struct LiveFile {
    /// The log's Add, whole.
    pub add: Add,
    /// Physical rows, deleted ones included; `None` when a foreign writer left no statistics.
    pub num_rows: Option<u64>,
    /// Key range; `None` means any key may be here.
    pub keys: Option<KeyRange>,
}

impl LiveFile {
    /// Reads what the log says of a file. `key` is the column whose range prunes.
    #[must_use]
    pub fn from_view(view: &LogicalFileView, key: Option<&str>) -> Self {
        #[expect(
            deprecated,
            reason = "the Add is what a Remove and a rebase need; the view has no other form of it"
        )]
        let add = view.add_action();
        Self::from_add(add, key)
    }

    /// Reads the statistics of an Add.
    #[must_use]
    pub fn from_add(add: Add, key: Option<&str>) -> Self {
        let stats: Option<Value> = add
            .stats
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok());
        let num_rows = stats.as_ref().and_then(|s| s.get("numRecords")?.as_u64());
        let bound = |which: &str| -> Option<String> {
            Some(stats.as_ref()?.get(which)?.get(key?)?.as_str()?.to_owned())
        };
        let keys = bound("minValues")
            .zip(bound("maxValues"))
            .map(|(min, max)| KeyRange { min, max });
        Self { add, num_rows, keys }
    }

    /// Rows that readers see: physical rows less those a deletion vector marks.
    #[must_use]
    pub fn live_rows(&self) -> Option<u64> {
        self.num_rows.map(|rows| rows.saturating_sub(self.dead_rows()))
    }

    /// Rows that a deletion vector marks.
    #[must_use]
    pub fn dead_rows(&self) -> u64 {
        let vector = self.add.deletion_vector.as_ref();
        vector.map_or(0, |vector| vector.cardinality.unsigned_abs())
    }

    /// Positions of the rows that a deletion vector marks, ascending.
    ///
    /// # Errors
    /// A vector that cannot be read or does not decode.
    pub fn deleted_rows(&self, log: &dyn LogStore) -> Result<Vec<u64>> {
        let vector = self.add.deletion_vector.as_ref();
        vector.map_or_else(|| Ok(Vec::new()), |vector| deletion::deleted_rows(log, vector))
    }

    /// The file that its deletion vector is kept in, relative to the table.
    #[must_use]
    pub fn vector_path(&self) -> Option<String> {
        self.add.deletion_vector.as_ref().and_then(deletion::vector_path)
    }

    /// Whether `key` may be in this file.
    #[must_use]
    pub fn may_hold(&self, min: &str, max: &str) -> bool {
        self.keys
            .as_ref()
            .is_none_or(|range| range.min.as_str() <= max && min <= range.max.as_str())
    }

    /// The Remove that takes this file out of the table.
    #[must_use]
    pub fn remove(&self, deletion_timestamp_ms: i64) -> Remove {
        Remove {
            path: self.add.path.clone(),
            data_change: true,
            deletion_timestamp: Some(deletion_timestamp_ms),
            extended_file_metadata: Some(true),
            partition_values: Some(self.add.partition_values.clone()),
            size: Some(self.add.size),
            deletion_vector: self.add.deletion_vector.clone(),
            ..Remove::default()
        }
    }

    /// What makes a file the same file across versions: its path and its deletion vector.
    #[must_use]
    pub fn identity(&self) -> FileIdentity {
        file_identity(&self.add.path, self.add.deletion_vector.as_ref())
    }
}

/// Path and deletion vector of a file.
pub type FileIdentity = (String, Option<String>);

/// The identity of what an Add or a Remove names.
#[must_use]
pub fn file_identity(path: &str, vector: Option<&DeletionVectorDescriptor>) -> FileIdentity {
    let vector = vector.map(|dv| format!("{}@{:?}", dv.path_or_inline_dv, dv.offset));
    (path.to_owned(), vector)
}
