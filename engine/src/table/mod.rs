//! The instance's Delta tables, as Sluice reads them.
//!
//! ```text
//!   _delta_log ──▶ TableLog::snapshot ──▶ Snapshot { version, schema, files } ──▶ SnapshotTable ──▶ SQL
//!                                                        │
//!                                                        └──▶ merge (which files may hold which CIDs)
//! ```
//!
//! Start with [`TableLog`]: it opens or creates a table and takes snapshots. A [`Snapshot`] is plain data: the
//! live files with their row counts and key ranges. [`SnapshotTable`] is our own reader of one: parallel, pruned by
//! the log's statistics, and right under deletion vectors (delta-rs's reader loses predicate pushdown there).
//! A [`ParquetFile`] is one file below SQL: its footer and indexes, and bytes of it, through the object store.

mod deletion;
mod live_file;
mod log;
mod order;
mod parquet_file;
mod provider;
mod pruning;
pub mod schemas;
mod snapshot;
mod values;

pub use deletion::vector_path;
pub use live_file::{FileIdentity, KeyRange, LiveFile, file_identity};
pub use log::TableLog;
pub(crate) use log::kernel_schema;
pub use order::{KeysInOrder, Order};
pub use parquet_file::ParquetFile;
pub use provider::{ChosenRows, SnapshotTable, scan_files};
pub use snapshot::Snapshot;
pub use values::num_values;
