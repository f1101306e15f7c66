//! The columns of the tables that Sluice itself defines (contract, section 5).

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

/// The key column of `customers`.
pub const CUSTOMER_ID: &str = "customer_id";

/// UTC microseconds, Delta's `timestamp`.
#[must_use]
pub fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn number(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}

fn moment(name: &str) -> Field {
    Field::new(name, timestamp(), true)
}

fn list_of(name: &str, item: DataType) -> Field {
    Field::new(
        name,
        DataType::List(Arc::new(Field::new("element", item, true))),
        true,
    )
}

/// The fields of one reason of a reject.
#[must_use]
pub fn reason_fields() -> Fields {
    Fields::from(vec![
        text("rule"),
        text("column_name"),
        text("value"),
        text("message"),
    ])
}

/// `rejects`: one row a rejected record.
#[must_use]
pub fn rejects() -> SchemaRef {
    Arc::new(Schema::new(vec![
        text("run_id"),
        text("process"),
        text("source_file"),
        number("record_no"),
        number("line"),
        number("byte_start"),
        number("byte_len"),
        text("customer_id"),
        list_of("rules", DataType::Utf8),
        list_of("reasons", DataType::Struct(reason_fields())),
        Field::new("raw", DataType::Binary, true),
        moment("rejected_at"),
    ]))
}

/// The phases of a run, in the order they start; they overlap.
pub const PHASES: [&str; 6] = ["load", "duplicates", "sort", "judge", "merge", "commit"];

/// `runs`: one row a run, written when it ends.
#[must_use]
pub fn runs() -> SchemaRef {
    let rule_count = Fields::from(vec![text("rule"), text("severity"), number("records")]);
    let phases: Fields = PHASES.iter().map(|phase| number(phase)).collect();
    let mut fields: Vec<Field> = vec![
        text("run_id"),
        text("parent_run_id"),
        text("process"),
        number("run_no"),
    ];
    fields.extend(["trigger", "mode", "definition_hash", "status", "error"].map(text));
    fields.extend([
        moment("started_at"),
        moment("ended_at"),
        text("source_file"),
        number("source_size_bytes"),
    ]);
    fields.extend([
        moment("source_modified_at"),
        text("source_etag"),
        text("source_format"),
    ]);
    fields.extend(
        [
            "rows_read",
            "rows_accepted",
            "rows_rejected",
            "rows_warned",
            "rows_inserted",
            "rows_updated",
            "rows_unchanged",
            "cells_changed",
            "cells_cleared",
        ]
        .map(number),
    );
    fields.push(list_of("rule_counts", DataType::Struct(rule_count)));
    fields.extend(["version_before", "version_after", "duration_ms"].map(number));
    fields.push(Field::new("phase_ms", DataType::Struct(phases), true));
    fields.extend([number("peak_rss_bytes"), text("engine_version")]);
    Arc::new(Schema::new(fields))
}

/// `events`: lifecycle changes, deliveries, and what became of rejects.
#[must_use]
pub fn events() -> SchemaRef {
    let mut fields = vec![moment("at")];
    fields.extend(["kind", "process", "run_id"].map(text));
    fields.push(number("record_no"));
    fields.extend(["actor", "detail"].map(text));
    Arc::new(Schema::new(fields))
}

/// `customers` before any attribute.
#[must_use]
pub fn customers() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new(CUSTOMER_ID, DataType::Utf8, false)]))
}
