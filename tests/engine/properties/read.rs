//! What the engine's tables and reports say, in the model's words.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use datafusion::prelude::SessionContext;
use sluice_engine::run::Report;

use super::cells::Value;
use super::model::{Counts, Customers, Merged, Reason, Reject};
use crate::support::batches;

/// All customers.
pub async fn customers(ctx: &SessionContext) -> Customers {
    let mut customers = Customers::new();
    for batch in batches(ctx, "SELECT * FROM customers").await {
        let keys = texts(&batch, "customer_id");
        for (row, key) in keys.into_iter().enumerate() {
            let fields = batch.schema_ref().fields().iter().zip(batch.columns()).skip(1);
            let values =
                fields.filter_map(|(field, column)| Some((field.name().clone(), value(column, row)?)));
            let replaced = customers.insert(key.unwrap(), values.collect());
            assert!(replaced.is_none(), "a customer stands twice");
        }
    }
    customers
}

/// How many customers `changes` lists for a run.
pub async fn changed(ctx: &SessionContext, run_id: &str) -> u64 {
    let sql = format!("SELECT customer_id FROM changes('{run_id}')");
    batches(ctx, &sql)
        .await
        .iter()
        .map(|batch| batch.num_rows() as u64)
        .sum()
}

fn value(column: &dyn Array, row: usize) -> Option<Value> {
    if column.is_null(row) {
        return None;
    }
    let column = column.slice(row, 1);
    Some(match column.data_type() {
        DataType::Int32 | DataType::Int64 => {
            let wide = cast(&column, &DataType::Int64).unwrap();
            Value::Integer(wide.as_primitive::<Int64Type>().value(0))
        }
        DataType::Decimal128(9, 2) => Value::Decimal(column.as_primitive::<Decimal128Type>().value(0)),
        DataType::Float64 => Value::Double(column.as_primitive::<Float64Type>().value(0).to_bits()),
        DataType::Boolean => Value::Boolean(column.as_boolean().value(0)),
        DataType::Date32 => Value::Date(column.as_primitive::<Date32Type>().value(0)),
        DataType::Timestamp(_, Some(zone)) if zone.as_ref() == "UTC" => {
            Value::Timestamp(column.as_primitive::<TimestampMicrosecondType>().value(0))
        }
        DataType::Utf8View => Value::Text(column.as_string_view().value(0).to_owned()),
        other => panic!("customers has a column of type {other}"),
    })
}

/// The rejects of a run, and the beginnings of what is said of the malformed ones.
pub async fn rejects(ctx: &SessionContext, run_id: &str) -> (BTreeMap<u64, Reject>, BTreeMap<u64, String>) {
    let sql = format!(
        "SELECT record_no, line, byte_start, byte_len, customer_id, rules, raw FROM rejects WHERE run_id = '{run_id}'"
    );
    let mut rejects = BTreeMap::new();
    for batch in batches(ctx, &sql).await {
        let [record_no, line, byte_start, byte_len] =
            ["record_no", "line", "byte_start", "byte_len"].map(|name| numbers(&batch, name));
        let keys = texts(&batch, "customer_id");
        let rules = batch.column_by_name("rules").unwrap().as_list::<i32>();
        let raw = cast(batch.column_by_name("raw").unwrap(), &DataType::Binary).unwrap();
        for row in 0..batch.num_rows() {
            let rules = cast(&rules.value(row), &DataType::Utf8).unwrap();
            let reject = Reject {
                line: line[row],
                byte_start: byte_start[row],
                byte_len: byte_len[row],
                customer_id: keys[row].clone(),
                rules: rules
                    .as_string::<i32>()
                    .iter()
                    .flatten()
                    .map(str::to_owned)
                    .collect(),
                reasons: BTreeSet::new(),
                raw: raw.as_binary::<i32>().value(row).to_vec(),
            };
            let replaced = rejects.insert(record_no[row], reject);
            assert!(replaced.is_none(), "a record is rejected twice");
        }
    }
    let malformed = reasons(ctx, run_id, &mut rejects).await;
    (rejects, malformed)
}

async fn reasons(
    ctx: &SessionContext,
    run_id: &str,
    rejects: &mut BTreeMap<u64, Reject>,
) -> BTreeMap<u64, String> {
    let sql = format!(
        "SELECT record_no, rule, column_name, value, message FROM reject_reasons WHERE run_id = '{run_id}'"
    );
    let mut malformed = BTreeMap::new();
    for batch in batches(ctx, &sql).await {
        let records = numbers(&batch, "record_no");
        let [rules, columns, values, messages] =
            ["rule", "column_name", "value", "message"].map(|name| texts(&batch, name));
        for (row, record) in records.into_iter().enumerate() {
            let rule = rules[row].clone().unwrap();
            let message = messages[row].clone().unwrap();
            if rule == "malformed_record" {
                malformed.insert(record, message);
            }
            let reason: Reason = (rule, columns[row].clone(), values[row].clone());
            let is_new = rejects.get_mut(&record).unwrap().reasons.insert(reason);
            assert!(is_new, "record {record} has a reason twice");
        }
    }
    malformed
}

/// The counts of a report; the books of the accepted rows must balance.
pub fn counts(report: &Report) -> Counts {
    let run = &report.run;
    let merged = match &report.error {
        Some(error) => Err(error.code().map_or_else(|| error.to_string(), str::to_owned)),
        None => Ok(Merged {
            inserted: run.rows_inserted.unwrap(),
            updated: run.rows_updated.unwrap(),
            unchanged: run.rows_unchanged.unwrap(),
            cells: report
                .attributes
                .iter()
                .map(|a| (a.attribute.clone(), a.cells_changed, a.cells_cleared))
                .collect(),
        }),
    };
    let (Some(read), Some(rejected)) = (run.rows_read, run.rows_rejected) else {
        panic!("the run did not get as far as counting: {merged:?}");
    };
    assert_eq!(run.rows_accepted, Some(read - rejected));
    let cells = merged.as_ref().ok().map(|merged| &merged.cells);
    let total = |pick: fn(&(String, u64, u64)) -> u64| cells.map(|cells| cells.iter().map(pick).sum::<u64>());
    assert_eq!(run.cells_changed, total(|cell| cell.1));
    assert_eq!(run.cells_cleared, total(|cell| cell.2));
    Counts {
        rows_read: read,
        rows_rejected: rejected,
        rows_warned: run.rows_warned.unwrap(),
        rule_counts: run
            .rule_counts
            .iter()
            .map(|count| (count.rule.clone(), count.severity.clone(), count.records))
            .collect(),
        merged,
    }
}

/// The first column of a query, as numbers.
pub fn first_numbers(batches: &[RecordBatch]) -> BTreeSet<u64> {
    let name = |batch: &RecordBatch| batch.schema_ref().field(0).name().clone();
    batches
        .iter()
        .flat_map(|batch| numbers(batch, &name(batch)))
        .collect()
}

fn numbers(batch: &RecordBatch, name: &str) -> Vec<u64> {
    let column = cast(batch.column_by_name(name).unwrap(), &DataType::Int64).unwrap();
    let numbers = column.as_primitive::<Int64Type>().iter();
    numbers
        .map(|number| u64::try_from(number.unwrap_or(0)).unwrap())
        .collect()
}

fn texts(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
    let column = cast(batch.column_by_name(name).unwrap(), &DataType::Utf8).unwrap();
    let texts = column.as_string::<i32>().iter();
    texts.map(|text| text.map(str::to_owned)).collect()
}
