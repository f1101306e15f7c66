//! Adopting a customer base: an existing Delta table, Parquet or CSV of any width, here or elsewhere, becomes the first
//! `customers`.
//!
//! ```text
//!   table ─▶ key as customer_id, text ─┬─ in key order ───────────────────────┬─▶ clustered files ─▶ one commit
//!                                      └─▶ no NULL, none twice ─▶ sorted by key ┘
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use datafusion::logical_expr::{cast as cast_to, ident, lit};
use datafusion::prelude::{DataFrame, SessionContext};
use deltalake_core::kernel::{Action, Add, MetadataExt, StructType};
use futures::TryStreamExt;
use serde::Serialize;
use serde_json::Value;

use crate::commit::{Commit, CommitOutcome, commit};
use crate::error::{Error, Result};
use crate::ids;
use crate::instance::Instance;
use crate::plan::BATCH_OWNER;
use crate::session::new_session;
use crate::settings::Settings;
use crate::table::kernel_schema;
use crate::table::schemas::{CUSTOMER_ID, timestamp};
use crate::write::{RollingWriter, WriterOptions, discard};

mod base;
mod in_order;

use base::Base;
use in_order::Outcome;

/// What was adopted.
#[derive(Debug, Clone, Serialize)]
pub struct AdoptReport {
    /// Customers.
    pub rows: u64,
    /// Attributes, the key not counted.
    pub attributes: u64,
    /// Files written.
    pub files: u64,
    /// Version of `customers`.
    pub version: u64,
}

/// Offenders that a refusal shows.
const SHOWN_KEYS: usize = 5;

/// Makes `source` the first `customers` of an instance that has none.
///
/// # Errors
/// There are customers already; the key is missing, NULL or repeated; a type that Delta does not have.
pub async fn adopt(instance: &Instance, settings: &Settings, source: &str, key: &str) -> Result<AdoptReport> {
    let log = instance.customers()?;
    let base = log.snapshot(None).await?;
    if !base.files.is_empty() {
        return Err(Error::usage(
            "this instance has customers already; only a new one adopts a base",
        ));
    }
    // The reader and the writer hold what no pool counts.
    let ctx = new_session(settings, settings.memory_bytes / 5 * 3)?;
    let base_table = Base::open(&ctx, instance, source)
        .await
        .map_err(|e| e.in_file(source))?;
    let opened = base_table.frame.clone();
    check_instants(&opened)
        .await
        .map_err(|e| e.in_file(source).wrote("nothing was adopted"))?;
    let frame = keyed(opened, key).map_err(|e| e.in_file(source))?;
    let schema = customer_schema(frame.schema().as_arrow());
    let kernel = log_schema(&schema).map_err(|e| e.in_file(source))?;
    let run_id = ids::new_run_id();
    let store = log.store().object_store(None);
    let writer = || {
        RollingWriter::new(
            Arc::clone(&store),
            &run_id,
            Arc::clone(&schema),
            WriterOptions::clustered(CUSTOMER_ID, log.encoding()),
        )
    };
    let as_it_comes = in_order::write(&frame, source, &schema, writer).await;
    let as_it_comes = as_it_comes.map_err(|e| e.wrote("nothing was adopted"))?;
    let (rows, adds) = match as_it_comes {
        Outcome::Written(written) => (written.rows, written.files),
        Outcome::NotInOrder(useless) => {
            discard(&store, useless.iter().map(|add| add.path.as_str())).await?;
            check_keys(&ctx, &frame, key)
                .await
                .map_err(|e| e.in_file(source).wrote("nothing was adopted"))?;
            write_sorted(frame, &schema, writer()).await?
        }
    };
    let files = adds.len() as u64;
    let metadata = base
        .metadata
        .clone()
        .with_schema(&kernel)
        .map_err(deltalake_core::DeltaTableError::from)?;
    let actions = std::iter::once(Action::Metadata(metadata))
        .chain(adds.into_iter().map(Action::Add))
        .collect();
    let info = HashMap::from([
        ("run_id".to_owned(), Value::from(run_id)),
        ("adopted_from".to_owned(), Value::from(source)),
    ]);
    match commit(
        &log,
        &base,
        Commit {
            actions,
            info,
            txn: None,
        },
    )
    .await?
    {
        CommitOutcome::Committed { version } => Ok(AdoptReport {
            rows,
            attributes: schema.fields().len() as u64 - 1,
            files,
            version,
        }),
        CommitOutcome::Lost => {
            Err(Error::conflict("another writer changed customers meanwhile")
                .hint("start over in a new folder"))
        }
    }
}

/// Sorts the rows and writes them.
async fn write_sorted(
    frame: DataFrame,
    schema: &SchemaRef,
    mut writer: RollingWriter,
) -> Result<(u64, Vec<Add>)> {
    let sorted = frame.sort(vec![ident(CUSTOMER_ID).sort(true, false)])?;
    let mut sorted = sorted.execute_stream().await?;
    let mut rows = 0;
    while let Some(batch) = sorted.try_next().await? {
        rows += batch.num_rows() as u64;
        writer.write(&conformed(&batch, schema)?).await?;
    }
    Ok((rows, writer.finish().await?))
}

/// The key first, as text, then everything else in a type that Delta has.
fn keyed(frame: DataFrame, key: &str) -> Result<DataFrame> {
    let fields: Vec<FieldRef> = frame.schema().fields().iter().cloned().collect();
    if !fields.iter().any(|field| field.name() == key) {
        let names: Vec<String> = fields.iter().map(|f| format!("{:?}", f.name())).collect();
        return Err(
            Error::usage(format!("there is no column {key:?}")).hint(format!("it has {}", names.join(", ")))
        );
    }
    if key != CUSTOMER_ID && fields.iter().any(|field| field.name() == CUSTOMER_ID) {
        return Err(
            Error::usage(format!("the base has a column {CUSTOMER_ID} that is not the key"))
                .hint("rename it, or adopt with it as the key"),
        );
    }
    let mut columns = vec![cast_to(ident(key), DataType::Utf8View).alias(CUSTOMER_ID)];
    for field in fields.iter().filter(|field| field.name() != key) {
        let column = ident(field.name().as_str());
        columns.push(match delta_type(field.data_type()) {
            Some(other) => cast_to(column, other).alias(field.name()),
            None => column,
        });
    }
    Ok(frame.select(columns)?)
}

/// The type that stands in for one that Delta lacks; each holds every value of the other, but for nanoseconds.
fn delta_type(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::UInt8 => Some(DataType::Int16),
        DataType::UInt16 => Some(DataType::Int32),
        DataType::UInt32 => Some(DataType::Int64),
        DataType::UInt64 => Some(DataType::Decimal128(20, 0)),
        DataType::Float16 => Some(DataType::Float32),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            Some(DataType::Decimal128(*precision, *scale))
        }
        DataType::FixedSizeBinary(_) => Some(DataType::Binary),
        DataType::Date64
        | DataType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond | TimeUnit::Nanosecond, _) => {
            Some(timestamp())
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) if zone.as_deref() != Some("UTC") => {
            Some(timestamp())
        }
        DataType::Dictionary(_, value) => delta_type(value).or_else(|| Some(value.as_ref().clone())),
        DataType::List(item) => Some(DataType::List(nested(item)?)),
        DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            Some(DataType::List(nested(item).unwrap_or_else(|| Arc::clone(item))))
        }
        DataType::Struct(fields) if fields.iter().any(|field| nested(field).is_some()) => {
            let fields = fields
                .iter()
                .map(|field| nested(field).unwrap_or_else(|| Arc::clone(field)));
            Some(DataType::Struct(fields.collect()))
        }
        _ => None,
    }
}

/// The field that stands in for one inside a list or a struct.
fn nested(field: &FieldRef) -> Option<FieldRef> {
    let data_type = delta_type(field.data_type())?;
    Some(Arc::new(field.as_ref().clone().with_data_type(data_type)))
}

/// The schema in the log's types; names the column that has none.
fn log_schema(schema: &Schema) -> Result<StructType> {
    for field in schema.fields() {
        kernel_schema(&Schema::new(vec![Arc::clone(field)])).map_err(|e| e.in_column(field.name()))?;
    }
    kernel_schema(schema)
}

/// Instants finer than Delta's microseconds stop the adoption: nothing is rounded.
async fn check_instants(frame: &DataFrame) -> Result<()> {
    let fields: Vec<FieldRef> = frame.schema().fields().iter().cloned().collect();
    let is_nano =
        |field: &&FieldRef| matches!(field.data_type(), DataType::Timestamp(TimeUnit::Nanosecond, _));
    for field in fields.iter().filter(is_nano) {
        let nanos = cast_to(ident(field.name().as_str()), DataType::Int64);
        let finer = frame.clone().filter((nanos % lit(1000)).not_eq(lit(0)))?;
        let count = finer.count().await?;
        if count > 0 {
            let message =
                format!("{count} instants have more than six decimals; a timestamp holds microseconds");
            return Err(Error::data("type_mismatch", message)
                .in_column(field.name())
                .hint("write the column with microseconds, or as text"));
        }
    }
    Ok(())
}

/// NULL or repeated keys stop the adoption, with a few of them.
async fn check_keys(ctx: &SessionContext, frame: &DataFrame, key: &str) -> Result<()> {
    ctx.register_table("__base", frame.clone().into_view())?;
    let sql = format!(
        "SELECT count(*) - count({CUSTOMER_ID}) + count(*) FILTER (WHERE {CUSTOMER_ID} = '') AS missing FROM __base"
    );
    let missing = first_number(&ctx.sql(&sql).await?.collect().await?)?;
    if missing > 0 {
        return Err(Error::data(
            "cid_null",
            format!("{missing} rows have no value in the key column {key:?}"),
        )
        .hint("a customer without an ID cannot be adopted; remove or mend those rows"));
    }
    let sql =
        format!("SELECT {CUSTOMER_ID} FROM __base GROUP BY {CUSTOMER_ID} HAVING count(*) > 1 ORDER BY 1");
    let repeated = ctx.sql(&sql).await?.collect().await?;
    let count: usize = repeated.iter().map(RecordBatch::num_rows).sum();
    ctx.deregister_table("__base")?;
    if count == 0 {
        return Ok(());
    }
    let mut shown: Vec<String> = Vec::new();
    for batch in &repeated {
        let keys = cast(batch.column(0), &DataType::Utf8)?;
        shown.extend(
            keys.as_string::<i32>()
                .iter()
                .flatten()
                .take(SHOWN_KEYS - shown.len())
                .map(str::to_owned),
        );
    }
    Err(Error::data(
        "cid_duplicate",
        format!(
            "{count} values of the key column {key:?} stand in more than one row, such as {}",
            shown.join(", ")
        ),
    )
    .hint("a customer is one row; remove or merge the others"))
}

fn first_number(batches: &[RecordBatch]) -> Result<i64> {
    let Some(batch) = batches.iter().find(|batch| batch.num_rows() > 0) else {
        return Ok(0);
    };
    let number = cast(batch.column(0), &DataType::Int64)?;
    Ok(if number.is_null(0) {
        0
    } else {
        number.as_primitive::<arrow::datatypes::Int64Type>().value(0)
    })
}

/// The table's columns: the key non-null, every other owned by the batch.
fn customer_schema(schema: &Schema) -> SchemaRef {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| {
            if field.name() == CUSTOMER_ID {
                return Field::new(CUSTOMER_ID, DataType::Utf8View, false);
            }
            let metadata = HashMap::from([
                ("sluice.owner".to_owned(), BATCH_OWNER.to_owned()),
                ("sluice.type".to_owned(), type_word(field.data_type())),
                ("sluice.since_version".to_owned(), "1".to_owned()),
            ]);
            Field::new(field.name(), field.data_type().clone(), true).with_metadata(metadata)
        })
        .collect();
    Arc::new(Schema::new(fields))
}

fn type_word(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".to_owned(),
        DataType::Int32 => "int".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        other => other.to_string().to_lowercase(),
    }
}

fn conformed(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| cast(column, field.data_type()));
    Ok(RecordBatch::try_new(
        Arc::clone(schema),
        columns.collect::<std::result::Result<_, _>>()?,
    )?)
}
