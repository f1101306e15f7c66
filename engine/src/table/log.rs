//! Opening, creating and reading the log of one table.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake_core::kernel::{Action, CommitInfo, EagerSnapshot, StructType};
use deltalake_core::logstore::{LogStoreRef, StorageConfig, default_logstore, get_actions};
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::SaveMode;
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use futures::TryStreamExt;
use object_store::ObjectStore;
use url::Url;

use super::Snapshot;
use crate::error::{Error, Result};
use crate::spec::Encoding;

/// The log of one Delta table. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TableLog {
    store: LogStoreRef,
    key: Option<&'static str>,
    encoding: Encoding,
}

impl TableLog {
    /// Names the table at `url`; it need not exist. `key` is the column whose range prunes files.
    ///
    /// # Errors
    /// A URL that names no store.
    pub fn at(url: Url, key: Option<&'static str>) -> Result<Self> {
        Ok(Self {
            store: DeltaTableBuilder::from_url(url)?.build_storage()?,
            key,
            encoding: Encoding::default(),
        })
    }

    /// Names the table at `url`, whose files are the objects of `files`; `bucket` has all objects.
    #[must_use]
    pub fn within(
        files: Arc<dyn ObjectStore>,
        bucket: Arc<dyn ObjectStore>,
        url: &Url,
        key: Option<&'static str>,
    ) -> Self {
        Self {
            store: default_logstore(files, bucket, url, &StorageConfig::default()),
            key,
            encoding: Encoding::default(),
        }
    }

    /// The same table, whose files are written like this from now on.
    #[must_use]
    pub fn with_encoding(self, encoding: Encoding) -> Self {
        Self { encoding, ..self }
    }

    /// How its files are written.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Creates the table unless it exists.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn create(&self, schema: &Schema, properties: &[(&str, &str)]) -> Result<()> {
        if self.exists().await? {
            return Ok(());
        }
        let columns = kernel_schema(schema)?;
        CreateBuilder::new()
            .with_log_store(Arc::clone(&self.store))
            .with_save_mode(SaveMode::Ignore)
            .with_raise_if_key_not_exists(false)
            .with_columns(columns.fields().cloned())
            .with_configuration(
                properties
                    .iter()
                    .map(|(k, v)| ((*k).to_owned(), Some((*v).to_owned()))),
            )
            .await?;
        Ok(())
    }

    /// Whether there is a table here.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn exists(&self) -> Result<bool> {
        Ok(self.store.is_delta_table_location().await?)
    }

    /// The newest version, or the one asked for.
    ///
    /// # Errors
    /// No table, no such version, or a log that cannot be read.
    pub async fn snapshot(&self, version: Option<u64>) -> Result<Snapshot> {
        match EagerSnapshot::try_new(self.store.as_ref(), version).await {
            Ok(base) => Ok(Snapshot::new(
                base,
                Arc::clone(&self.store),
                self.key,
                self.encoding,
            )),
            Err(DeltaTableError::NotATable(_)) => {
                Err(Error::usage("there is no table here").in_file(self.store.root_url().to_string()))
            }
            Err(other) => Err(other.into()),
        }
    }

    /// The commits of the log, newest first, at most `limit`.
    ///
    /// # Errors
    /// A log that cannot be read.
    pub async fn commits(&self, limit: Option<usize>) -> Result<Vec<CommitInfo>> {
        let mut table = DeltaTable::new(Arc::clone(&self.store));
        table.load().await?;
        Ok(table.history(limit).try_collect().await?)
    }

    /// What one commit did; `None` where the log does not have it, or no longer.
    ///
    /// # Errors
    /// A log that cannot be read.
    pub async fn actions(&self, version: u64) -> Result<Option<Vec<Action>>> {
        match self.store.read_commit_entry(version).await? {
            Some(entry) => Ok(Some(get_actions(version, &entry)?)),
            None => Ok(None),
        }
    }

    /// The log as delta-rs knows it.
    #[must_use]
    pub fn store(&self) -> &LogStoreRef {
        &self.store
    }
}

/// An arrow schema in the log's types. Views are strings there; a timestamp is `timestamp` (UTC microseconds).
///
/// # Errors
/// A type that Delta has no word for.
pub(crate) fn kernel_schema(schema: &Schema) -> Result<StructType> {
    let fields: Vec<Field> = schema.fields().iter().map(|field| log_field(field)).collect();
    let kernel: StructType = (&Schema::new(fields))
        .try_into_kernel()
        .map_err(|e| Error::usage("a column's type is not one that Delta knows").because(e))?;
    Ok(kernel)
}

fn log_field(field: &Field) -> Field {
    let data_type = match field.data_type() {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        other => other.clone(),
    };
    let metadata: HashMap<String, String> = field.metadata().clone();
    Field::new(field.name(), data_type, field.is_nullable()).with_metadata(metadata)
}
