//! As many files as the rows need.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use deltalake_core::kernel::Add;
use object_store::ObjectStore;

use super::{FileWriter, WriterOptions};
use crate::error::Result;
use crate::ids;

/// Writes rows in the order given; closes a file at its target size and opens the next.
pub struct RollingWriter {
    store: Arc<dyn ObjectStore>,
    run_id: String,
    schema: SchemaRef,
    options: WriterOptions,
    open: Option<FileWriter>,
    closed: Vec<Add>,
}

impl RollingWriter {
    /// Files named after `run_id` in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, run_id: &str, schema: SchemaRef, options: WriterOptions) -> Self {
        Self {
            store,
            run_id: run_id.to_owned(),
            schema,
            options,
            open: None,
            closed: Vec::new(),
        }
    }

    /// Appends rows.
    ///
    /// # Errors
    /// The store failed.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let writer = match &mut self.open {
            Some(writer) => writer,
            closed => {
                let path = ids::data_file(&self.run_id);
                let store = Arc::clone(&self.store);
                closed.insert(FileWriter::create(
                    store,
                    path,
                    Arc::clone(&self.schema),
                    &self.options,
                )?)
            }
        };
        writer.write(batch).await?;
        if writer.estimated_bytes() >= self.options.target_file_bytes {
            self.close().await?;
        }
        Ok(())
    }

    /// Closes the file under way: the next row begins a new one.
    ///
    /// # Errors
    /// The store failed.
    pub async fn cut(&mut self) -> Result<()> {
        self.close().await
    }

    /// Closes the last file and describes all of them; none when no row came.
    ///
    /// # Errors
    /// The store failed.
    pub async fn finish(mut self) -> Result<Vec<Add>> {
        self.close().await?;
        Ok(self.closed)
    }

    async fn close(&mut self) -> Result<()> {
        if let Some(writer) = self.open.take() {
            self.closed.push(writer.finish().await?);
        }
        Ok(())
    }
}
