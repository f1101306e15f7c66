//! From a stream of batches to a stream of bytes.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use sluice_engine::Error;

use super::csv::CsvSink;
use super::format::OutputFormat;
use super::json::{JsonSink, Layout};
use super::parquet::ParquetSink;
use super::table::TableSink;
use crate::error::Result;

/// What a sink says after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Next {
    /// More is welcome.
    More,
    /// The reader of a table has had enough: what follows would not be shown.
    Enough,
}

/// Takes batches of one schema and writes them in one format.
pub trait Sink {
    /// Takes one batch.
    ///
    /// # Errors
    /// The writer's, or a value that cannot be shown.
    fn write(&mut self, batch: &RecordBatch) -> Result<Next, ArrowError>;

    /// Writes what is left and flushes.
    ///
    /// # Errors
    /// As [`Self::write`].
    fn finish(&mut self) -> Result<(), ArrowError>;
}

/// Rows printed of a query, and whether they were all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printed {
    /// Rows that the sink took.
    pub rows: usize,
    /// Whether there were more.
    pub next: Next,
}

/// Prints a query's result on stdout.
///
/// # Errors
/// The query's, stdout's, and Parquet on a terminal.
pub async fn print(mut batches: SendableRecordBatchStream, format: OutputFormat) -> Result<Printed> {
    let mut sink = stdout_sink(batches.schema(), format)?;
    let mut printed = Printed {
        rows: 0,
        next: Next::More,
    };
    while printed.next == Next::More
        && let Some(batch) = batches.next().await
    {
        let batch = batch.map_err(Error::from)?;
        printed.rows += batch.num_rows();
        printed.next = sink.write(&batch)?;
    }
    sink.finish()?;
    Ok(printed)
}

/// Prints one batch on stdout.
///
/// # Errors
/// Stdout's, and Parquet on a terminal.
pub fn print_batch(batch: &RecordBatch, format: OutputFormat) -> Result<()> {
    let mut sink = stdout_sink(batch.schema(), format)?;
    let _ = sink.write(batch)?;
    sink.finish()?;
    Ok(())
}

fn stdout_sink(schema: SchemaRef, format: OutputFormat) -> Result<Box<dyn Sink>> {
    let stdout = io::stdout();
    if format == OutputFormat::Parquet && stdout.is_terminal() {
        return Err(Error::usage("a Parquet file is nothing for a terminal")
            .hint("send it to a file: sluice sql \"SELECT ...\" --output parquet > FILE")
            .into());
    }
    Ok(sink(
        schema,
        format,
        BufWriter::with_capacity(BUFFER_BYTES, stdout),
    )?)
}

/// Bytes gathered before they go to stdout.
const BUFFER_BYTES: usize = 1 << 16;

fn sink(
    schema: SchemaRef,
    format: OutputFormat,
    out: BufWriter<Stdout>,
) -> Result<Box<dyn Sink>, ArrowError> {
    Ok(match format {
        OutputFormat::Table => Box::new(TableSink::new(schema, out)),
        OutputFormat::Json => Box::new(JsonSink::new(Layout::Array, out)),
        OutputFormat::Ndjson => Box::new(JsonSink::new(Layout::Lines, out)),
        OutputFormat::Csv => Box::new(CsvSink::new(&schema, out)?),
        OutputFormat::Parquet => Box::new(ParquetSink::new(schema, out)?),
    })
}

/// Writes and forgets the text.
///
/// # Errors
/// The writer's.
pub fn drain(text: &mut String, out: &mut impl Write) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    text.clear();
    Ok(())
}
