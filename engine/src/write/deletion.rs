//! Deletion vectors as written: rows of live files marked as gone, in one file of vectors.
//!
//! ```text
//!   mark(file A, rows) ─┐                             Remove A with its old vector, Add A with its new one
//!   mark(file B, rows) ─┴─ finish ─▶ vectors file ─▶  Remove B ...
//! ```
//!
//! The Roaring form, its checksum and the layout of the file are the kernel's.

use std::sync::Arc;

use delta_kernel::actions::deletion_vector_writer::{
    DeletionVectorWriteResult, KernelDeletionVector, StreamingDeletionVectorWriter,
};
use deltalake_core::kernel::{Add, DeletionVectorDescriptor, StorageType};
use deltalake_core::logstore::LogStoreRef;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::FileAction;
use super::z85;
use crate::error::{Error, Result};
use crate::ids;
use crate::table::LiveFile;

/// Marks rows of live files, and describes what that does to the table. Nothing is written before the end.
#[derive(Debug)]
pub struct VectorWriter {
    log: LogStoreRef,
    run_id: String,
    deletion_timestamp_ms: i64,
    marked: Vec<(LiveFile, KernelDeletionVector)>,
}

/// What was written.
#[derive(Debug, Default)]
pub struct WrittenVectors {
    /// The pairs of Remove and Add; of a file without any row left, the Remove alone.
    pub actions: Vec<FileAction>,
    /// Size of the file of vectors.
    pub written_bytes: u64,
}

impl VectorWriter {
    /// Vectors of `run_id` in the table of `log`.
    #[must_use]
    pub fn new(log: &LogStoreRef, run_id: &str, deletion_timestamp_ms: i64) -> Self {
        Self {
            log: Arc::clone(log),
            run_id: run_id.to_owned(),
            deletion_timestamp_ms,
            marked: Vec::new(),
        }
    }

    /// Marks `rows` (physical positions) of `file` beside those that are marked `already`
    /// ([`LiveFile::deleted_rows`]). Once a file.
    ///
    /// # Errors
    /// A file whose number of rows is not in the log.
    pub fn mark(
        &mut self,
        file: &LiveFile,
        already: &[u64],
        rows: impl IntoIterator<Item = u64>,
    ) -> Result<()> {
        if file.num_rows.is_none() {
            return Err(
                Error::runtime("rows of a file without a row count cannot be marked as deleted")
                    .in_file(&file.add.path),
            );
        }
        let mut vector = KernelDeletionVector::new();
        vector.add_deleted_row_indexes(already);
        let rows: Vec<u64> = rows.into_iter().collect();
        vector.add_deleted_row_indexes(&rows);
        self.marked.push((file.clone(), vector));
        Ok(())
    }

    /// Writes all vectors to one file and describes them.
    ///
    /// # Errors
    /// The store failed.
    pub async fn finish(self) -> Result<WrittenVectors> {
        let name = ids::deletion_vector(&self.run_id);
        let mut written = WrittenVectors::default();
        let mut bytes = Vec::new();
        let mut writer = StreamingDeletionVectorWriter::new(&mut bytes);
        for (file, vector) in self.marked {
            let removed = file.remove(self.deletion_timestamp_ms);
            written.actions.push(FileAction::Remove(removed));
            if Some(vector.cardinality()) == file.num_rows {
                continue;
            }
            let place = writer.write_deletion_vector(vector).map_err(not_written)?;
            let added = with_vector(file.add, descriptor(name, &place), file.num_rows);
            written.actions.push(FileAction::Add(added));
        }
        writer.finalize().map_err(not_written)?;
        if !bytes.is_empty() {
            written.written_bytes = bytes.len() as u64;
            let path = Path::from(ids::deletion_vector_file(name));
            self.log.object_store(None).put(&path, bytes.into()).await?;
        }
        Ok(written)
    }
}

fn not_written(error: delta_kernel::Error) -> Error {
    Error::runtime("a deletion vector could not be written").because(error)
}

fn descriptor(name: Uuid, place: &DeletionVectorWriteResult) -> DeletionVectorDescriptor {
    DeletionVectorDescriptor {
        storage_type: StorageType::UuidRelativePath,
        path_or_inline_dv: z85::encode(name.as_bytes()),
        offset: Some(place.offset),
        size_in_bytes: place.size_in_bytes,
        cardinality: place.cardinality,
    }
}

/// The same file under another vector. Its row count stays the physical one and its bounds are no longer tight: the
/// row with the smallest key may be gone.
fn with_vector(add: Add, vector: DeletionVectorDescriptor, num_rows: Option<u64>) -> Add {
    let stats = add
        .stats
        .as_deref()
        .and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    let mut stats = stats.unwrap_or_default();
    stats.insert("numRecords".to_owned(), json!(num_rows));
    stats.insert("tightBounds".to_owned(), json!(false));
    Add {
        data_change: true,
        stats: Some(Value::Object(stats).to_string()),
        deletion_vector: Some(vector),
        ..add
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::instance::Instance;
    use crate::table::Snapshot;

    const ROWS: u64 = 200_000;

    fn live(stats: &str) -> LiveFile {
        let add = Add {
            path: "part-1.parquet".to_owned(),
            stats: Some(stats.to_owned()),
            ..Add::default()
        };
        LiveFile::from_add(add, Some("customer_id"))
    }

    async fn snapshot(folder: &std::path::Path) -> Snapshot {
        let instance = Instance::init(&folder.join("instance")).await.unwrap();
        instance.customers().unwrap().snapshot(None).await.unwrap()
    }

    /// Marks rows and opens what was written as a reader would.
    async fn marked(snapshot: &Snapshot, files: &[(&LiveFile, &[u64])]) -> Vec<Option<LiveFile>> {
        let mut writer = VectorWriter::new(&snapshot.log, "run", 7);
        for (file, rows) in files {
            let already = file.deleted_rows(snapshot.log.as_ref()).unwrap();
            writer.mark(file, &already, rows.iter().copied()).unwrap();
        }
        let mut after = Vec::new();
        for action in writer.finish().await.unwrap().actions {
            match action {
                FileAction::Remove(remove) => {
                    assert_eq!(
                        (remove.path.as_str(), remove.deletion_timestamp),
                        ("part-1.parquet", Some(7))
                    );
                    assert_eq!(remove.deletion_vector, files[after.len()].0.add.deletion_vector);
                    after.push(None);
                }
                FileAction::Add(add) => {
                    *after.last_mut().unwrap() = Some(LiveFile::from_add(add, Some("customer_id")));
                }
            }
        }
        after
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn rows_marked_twice_over_are_read_back_and_counted_once() {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = snapshot(folder.path()).await;
        let file = live(
            "{\"numRecords\":200000,\"minValues\":{\"customer_id\":\"C0\"},\"maxValues\":{\"customer_id\":\"C9\"}}",
        );
        let other = live("{\"numRecords\":3}");
        let first = marked(&snapshot, &[(&file, &[5, 70_000, 131_072]), (&other, &[1])]).await;
        let [Some(once), Some(beside)] = first.as_slice() else {
            panic!("two pairs, {first:?}")
        };
        assert_eq!(
            once.deleted_rows(snapshot.log.as_ref()).unwrap(),
            [5, 70_000, 131_072]
        );
        assert_eq!(beside.deleted_rows(snapshot.log.as_ref()).unwrap(), [1]);
        assert_eq!(once.vector_path(), beside.vector_path(), "one file of vectors");

        let second = marked(&snapshot, &[(once, &[5, 6])]).await;
        let Some(twice) = &second[0] else { panic!("an Add") };
        assert_eq!(
            twice.deleted_rows(snapshot.log.as_ref()).unwrap(),
            [5, 6, 70_000, 131_072]
        );
        assert_eq!((twice.num_rows, twice.live_rows()), (Some(ROWS), Some(ROWS - 4)));
        assert_eq!(twice.keys, file.keys, "the bounds stay");
        let stats: Value = serde_json::from_str(twice.add.stats.as_deref().unwrap()).unwrap();
        assert_eq!(
            (&stats["tightBounds"], &stats["numRecords"]),
            (&json!(false), &json!(ROWS))
        );
        let name = twice.vector_path().unwrap();
        assert!(ids::is_written_by("run", &name), "{name}");
        assert!(folder.path().join("instance/customers").join(&name).is_file());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_without_a_row_left_leaves_the_table() {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = snapshot(folder.path()).await;
        let file = live("{\"numRecords\":2}");
        assert!(matches!(
            marked(&snapshot, &[(&file, &[0, 1])]).await.as_slice(),
            [None]
        ));
        let written = std::fs::read_dir(folder.path().join("instance/customers")).unwrap();
        assert_eq!(written.count(), 1, "the log alone");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]

        #[test]
        fn any_set_of_rows_reads_back(rows in proptest::collection::btree_set(0..ROWS, 0..300)) {
            let rows: BTreeSet<u64> = rows;
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            runtime.block_on(async {
                let folder = tempfile::tempdir().unwrap();
                let snapshot = snapshot(folder.path()).await;
                let sorted: Vec<u64> = rows.iter().copied().collect();
                let after = marked(&snapshot, &[(&live("{\"numRecords\":200000}"), &sorted)]).await;
                let read = after[0].as_ref().unwrap().deleted_rows(snapshot.log.as_ref()).unwrap();
                assert_eq!(read, sorted);
            });
        }
    }
}
