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
    /// Rows of a file, where files of even size are wanted.
    file_rows: Option<usize>,
    open: Option<FileWriter>,
    open_rows: usize,
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
            file_rows: None,
            open: None,
            open_rows: 0,
            closed: Vec::new(),
        }
    }

    /// Closes a file at so many rows as well, if it has half the target size by then.
    #[must_use]
    pub fn with_file_rows(self, file_rows: usize) -> Self {
        Self {
            file_rows: Some(file_rows.max(1)),
            ..self
        }
    }

    /// Appends rows.
    ///
    /// # Errors
    /// The store failed.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut rest = batch.clone();
        while rest.num_rows() > 0 {
            let left = self.file_rows.map(|rows| rows.saturating_sub(self.open_rows));
            let taken = match left {
                Some(left) if left > 0 => left.min(rest.num_rows()),
                _ => rest.num_rows(),
            };
            self.append(&rest.slice(0, taken)).await?;
            rest = rest.slice(taken, rest.num_rows() - taken);
        }
        Ok(())
    }

    async fn append(&mut self, batch: &RecordBatch) -> Result<()> {
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
        self.open_rows += batch.num_rows();
        let is_even = self.file_rows.is_some_and(|rows| self.open_rows >= rows);
        let target_bytes = self.options.target_file_bytes;
        if writer.estimated_bytes() >= if is_even { target_bytes / 2 } else { target_bytes } {
            self.close().await?;
        }
        Ok(())
    }

    /// Where the next row goes: the number of its file, from 0, and its position there. A batch is never divided
    /// between files unless files of even size are wanted.
    #[must_use]
    pub fn place(&self) -> (usize, u64) {
        (self.closed.len(), self.open_rows as u64)
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
        self.open_rows = 0;
        if let Some(writer) = self.open.take() {
            self.closed.push(writer.finish().await?);
        }
        Ok(())
    }
}
