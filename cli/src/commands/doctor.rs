//! `sluice doctor`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use clap::Args;
use sluice_engine::Error;
use sluice_engine::doctor::{self, Finding};

use crate::context::Context;
use crate::error::Result;
use crate::printer::{self, OutputFormat};

/// Tests what an instance stands on, and says what to do about what fails
///
/// The instance: whether it can be written and its store heeds conditions, room on disk, the protocol of its tables. Each
/// connection: secrets, name, TLS, clock, login, listing, reading. Each process: whether its source is there. Ends with 1
/// if anything failed. Nothing stays changed.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// A connection of sluice.toml [default: the instance, all connections and all processes]
    #[arg(value_name = "CONNECTION")]
    connection: Option<String>,
}

/// Tests it, and prints a row for each step.
///
/// # Errors
/// A step failed; there is no such connection.
pub async fn run(context: &Context, args: &DoctorArgs) -> Result<()> {
    let instance = context.instance().await?;
    let settings = context.settings.engine(&instance.config().defaults);
    let findings = doctor::examine(&instance, &settings, args.connection.as_deref()).await?;
    printer::print_batch(
        &table(&findings, context.settings.output)?,
        context.settings.output,
    )?;
    let failures: Vec<&Finding> = findings.iter().filter(|finding| finding.is_failure()).collect();
    if failures.is_empty() {
        return Ok(());
    }
    let error = Error::runtime(format!("{} of {} checks failed", failures.len(), findings.len()));
    let advised = failures.iter().fold(error, |error, finding| {
        let remedy = finding.outcome.remedy().unwrap_or_default();
        error.hint(format!("{}, {}: {remedy}", finding.subject, finding.check.word()))
    });
    Err(advised.wrote("nothing").into())
}

fn table(findings: &[Finding], format: OutputFormat) -> Result<RecordBatch, Error> {
    let texts = |text: fn(&Finding) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(findings.iter().map(text)))
    };
    let remedies = findings.iter().map(|finding| finding.outcome.remedy());
    let durations = findings.iter().map(|finding| finding.took.as_millis() as i64);
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("subject", texts(|finding| &finding.subject)),
        ("check", texts(|finding| finding.check.word())),
        ("result", texts(|finding| finding.outcome.word())),
        ("duration_ms", Arc::new(Int64Array::from_iter_values(durations))),
        ("seen", texts(|finding| finding.outcome.seen())),
    ];
    // People read it below the table.
    if format != OutputFormat::Table {
        columns.push(("remedy", Arc::new(remedies.collect::<StringArray>())));
    }
    let columns = columns.into_iter();
    Ok(RecordBatch::try_from_iter_with_nullable(
        columns.map(|(name, column)| (name, column, name == "remedy")),
    )?)
}
