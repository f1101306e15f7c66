//! Rejects that are given up.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use datafusion::prelude::{col, lit};
use deltalake_core::kernel::Action;
use futures::TryStreamExt;
use serde_json::json;

use crate::commit::{Commit, append};
use crate::error::Result;
use crate::ids;
use crate::instance::Instance;
use crate::report::{RejectEvents, RejectFate};
use crate::settings::Settings;
use crate::sql;
use crate::table::schemas;
use crate::write::{RollingWriter, WriterOptions};

/// Gives up the open rejects of a run of which `filter` is true, an SQL expression over `reject_states`: they stay in
/// `rejects`, and are not open any more. Returns how many.
///
/// # Errors
/// The filter is no expression; the tables cannot be read or written.
pub async fn discard_rejects(
    instance: &Instance,
    settings: &Settings,
    (process, run_id): (&str, &str),
    filter: Option<&str>,
) -> Result<u64> {
    let ctx = sql::session(instance, settings).await?;
    let rows = sql::chosen_rejects(&ctx, run_id, filter).await?;
    let rows = rows
        .filter(col("state").eq(lit("open")))?
        .select_columns(&["record_no"])?;
    let (log, id) = (instance.events()?, ids::new_run_id());
    let store = log.store().object_store(None);
    let mut writer = RollingWriter::new(
        store,
        &id,
        schemas::events(),
        WriterOptions::appended(log.encoding()),
    );
    let events = RejectEvents {
        fate: RejectFate::Discarded,
        process: process.to_owned(),
        run_id: run_id.to_owned(),
        detail: json!({ "where": filter }).to_string(),
        at_micros: ids::now_micros(),
    };
    let mut num_rows = 0;
    let mut rows = rows.execute_stream().await?;
    while let Some(batch) = rows.try_next().await? {
        let records = batch.column(0).as_primitive::<Int64Type>();
        num_rows += records.len() as u64;
        writer.write(&events.batch(records.values())?).await?;
    }
    let actions: Vec<Action> = writer.finish().await?.into_iter().map(Action::Add).collect();
    if !actions.is_empty() {
        let info = [("run_id".to_owned(), json!(id))].into_iter().collect();
        let commit = Commit {
            actions,
            info,
            txn: None,
        };
        append(&log, commit).await?;
    }
    Ok(num_rows)
}
