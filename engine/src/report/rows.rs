//! Serde values as rows of a table.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::json::ReaderBuilder;
use deltalake_core::kernel::Action;
use serde::Serialize;

use crate::commit::{Commit, append};
use crate::error::{Error, Result};
use crate::ids;
use crate::table::TableLog;
use crate::write::{FileWriter, WriterOptions};

/// Appends values to a table of `schema`, one commit. Returns the version.
///
/// # Errors
/// A value that does not fit the schema, or the store failed.
pub async fn append_rows<T: Serialize>(
    log: &TableLog,
    schema: SchemaRef,
    rows: &[T],
    run_id: &str,
) -> Result<u64> {
    let mut decoder = ReaderBuilder::new(Arc::clone(&schema)).build_decoder()?;
    decoder.serialize(rows)?;
    let batch = decoder
        .flush()?
        .ok_or_else(|| Error::runtime("there is no row to append"))?;
    let store = log.store().object_store(None);
    let mut writer = FileWriter::create(
        store,
        ids::data_file(run_id),
        schema,
        &WriterOptions::appended(log.encoding()),
    )?;
    writer.write(&batch).await?;
    let add = writer.finish().await?;
    let info = [("run_id".to_owned(), serde_json::Value::from(run_id))];
    append(
        log,
        Commit {
            actions: vec![Action::Add(add)],
            info: info.into_iter().collect(),
            txn: None,
        },
    )
    .await
}
