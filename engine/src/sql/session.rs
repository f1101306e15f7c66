//! Everything an instance has, registered.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::json::ReaderBuilder;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use futures::future;
use serde::Serialize;

use super::functions;
use super::rejects::REJECT_STATES;
use crate::error::Result;
use crate::instance::Instance;
use crate::process::{self, states};
use crate::report::RunRecord;
use crate::session::new_session;
use crate::settings::Settings;
use crate::table::schemas::{CUSTOMER_ID, timestamp};
use crate::table::{Snapshot, SnapshotTable};

/// A session over the tables, views and functions of `instance`.
///
/// # Errors
/// The instance cannot be read.
pub async fn session(instance: &Instance, settings: &Settings) -> Result<SessionContext> {
    // Scans and writers hold what no pool counts, and so does the program itself.
    let ctx = new_session(settings, settings.memory_bytes / 5 * 3)?;
    let [customers, rejects, events, ended] = [
        instance.customers()?,
        instance.rejects()?,
        instance.events()?,
        instance.runs()?,
    ];
    // At once: where the instance is in a bucket, each waits for answers most of the time.
    let (customers, rejects, events, ended) = future::try_join4(
        customers.snapshot(None),
        rejects.snapshot(None),
        events.snapshot(None),
        ended.snapshot(None),
    )
    .await?;
    ctx.register_table(
        "processes",
        rows(processes_schema(), &process::list(instance).await?)?,
    )?;
    ctx.register_table(
        "attributes",
        rows(attributes_schema(), &attributes(instance, &customers).await?)?,
    )?;
    let customers = process::with_reserved(instance, &customers).await?;
    ctx.register_table("customers", table(customers))?;
    ctx.register_table("rejects", table(rejects))?;
    ctx.register_table("events", table(events))?;
    let ended = table(ended);
    // One schema, to the letter: a union of two string types is planned wrongly below some functions.
    let running = rows(ended.schema(), &running(instance).await?)?;
    let all = ctx.read_table(ended)?.union(ctx.read_table(running)?)?;
    ctx.register_table("runs", all.into_view())?;
    view(&ctx, "reject_reasons", REJECT_REASONS).await?;
    view(&ctx, "reject_states", REJECT_STATES).await?;
    functions::register(&ctx, instance);
    Ok(ctx)
}

const REJECT_REASONS: &str = "SELECT run_id, process, source_file, record_no, line, customer_id, \
     reason['rule'] AS rule, reason['column_name'] AS column_name, reason['value'] AS value, \
     reason['message'] AS message, rejected_at \
     FROM (SELECT run_id, process, source_file, record_no, line, customer_id, unnest(reasons) AS reason, rejected_at FROM rejects)";

async fn view(ctx: &SessionContext, name: &str, sql: &str) -> Result<()> {
    let view = ctx.sql(sql).await?.into_view();
    ctx.register_table(name, view)?;
    Ok(())
}

fn table(snapshot: Snapshot) -> Arc<SnapshotTable> {
    Arc::new(SnapshotTable::new(Arc::new(snapshot)))
}

/// Serde values as a table.
pub(super) fn rows<T: Serialize>(schema: SchemaRef, values: &[T]) -> Result<Arc<MemTable>> {
    let mut decoder = ReaderBuilder::new(Arc::clone(&schema)).build_decoder()?;
    decoder.serialize(values)?;
    let batch = decoder
        .flush()?
        .unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(&schema)));
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))
}

/// Runs under way: they have a lease, and no row in `runs` yet.
async fn running(instance: &Instance) -> Result<Vec<RunRecord>> {
    let mut running = Vec::new();
    for (name, state) in states(instance).await? {
        if let Some(lease) = state.lease.filter(|lease| !lease.is_dead()) {
            let mut record = RunRecord::started(lease.run_id, &name, lease.run_no, &lease.trigger);
            record.started_at = lease.started_at;
            running.push(record);
        }
    }
    Ok(running)
}

fn processes_schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let moment = |name: &str| Field::new(name, timestamp(), true);
    let names = DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)));
    let mut fields: Vec<Field> = ["process", "status", "mode", "source", "key", "schedule"]
        .map(text)
        .to_vec();
    fields.extend([moment("next_run_at"), Field::new("attributes", names, true)]);
    fields.extend(["created_at", "completed_at"].map(moment));
    fields.extend(["last_run_id", "last_status"].map(text));
    fields.extend([moment("last_ended_at"), text("definition_hash")]);
    Arc::new(Schema::new(fields))
}

#[derive(Debug, Default, Serialize)]
struct AttributeRow {
    attribute: String,
    r#type: Option<String>,
    label: Option<String>,
    display: Option<String>,
    role: Option<String>,
    process: Option<String>,
    source_column: Option<String>,
    since_version: Option<i64>,
}

fn attributes_schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let mut fields: Vec<Field> = [
        "attribute",
        "type",
        "label",
        "display",
        "role",
        "process",
        "source_column",
    ]
    .map(text)
    .to_vec();
    fields.push(Field::new("since_version", DataType::Int64, true));
    Arc::new(Schema::new(fields))
}

/// The attributes of the table, then those that completed processes reserve.
async fn attributes(instance: &Instance, customers: &Snapshot) -> Result<Vec<AttributeRow>> {
    let mut rows: Vec<AttributeRow> = Vec::new();
    for field in customers
        .schema
        .fields()
        .iter()
        .filter(|field| field.name() != CUSTOMER_ID)
    {
        let get = |key: &str| field.metadata().get(key).cloned();
        rows.push(AttributeRow {
            attribute: field.name().clone(),
            r#type: get("sluice.type"),
            label: get("sluice.label"),
            display: get("sluice.display"),
            role: get("sluice.role"),
            process: get("sluice.owner"),
            source_column: get("sluice.source_column"),
            since_version: get("sluice.since_version").and_then(|v| v.parse().ok()),
        });
    }
    for (name, state) in states(instance).await? {
        if state.status == process::ProcessStatus::Deleted {
            continue;
        }
        for locked in state.locked.into_iter().flat_map(|l| l.attributes) {
            if !rows.iter().any(|row| row.attribute == locked.name) {
                rows.push(AttributeRow {
                    attribute: locked.name,
                    r#type: Some(locked.ty),
                    source_column: Some(locked.column),
                    process: Some(name.clone()),
                    ..AttributeRow::default()
                });
            }
        }
    }
    Ok(rows)
}
