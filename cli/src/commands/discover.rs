//! `sluice discover`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use clap::Args;
use sluice_engine::Error;
use sluice_engine::source::{Listing, blocking};
use sluice_engine::spec::Format;

use crate::context::Context;
use crate::error::Result;
use crate::printer;

/// Lists the files that are visible in a folder, a bucket or a connection
///
/// Files are looked for up to two folders deep; how many lie deeper is said. Nothing is loaded. Without an instance the
/// credentials are those of the environment.
#[derive(Debug, Args)]
pub struct DiscoverArgs {
    /// Folder, URL such as s3://BUCKET/FOLDER, sftp://HOST or snowflake://DB, or name of a connection
    place: String,
    /// Connection of the instance that a URL is reached through
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
}

/// Lists it.
///
/// # Errors
/// The place cannot be reached or is not there.
pub async fn run(context: &Context, args: DiscoverArgs) -> Result<()> {
    let sources = context.sources().await?;
    let depth = sources.folder_depth();
    let DiscoverArgs { place, connection } = args;
    let listing = blocking(move || sources.list(&place, connection.as_deref())).await?;
    printer::print_batch(&table(&listing)?, context.settings.output)?;
    for note in [listing.note(depth), listing.closed_note()].into_iter().flatten() {
        context.say(note);
    }
    if let Some(file) = listing.files.first() {
        let program = context.program();
        let connection = listing
            .connection
            .iter()
            .map(|name| format!(" --connection {name}"));
        context.say(format!(
            "look at one with: {program} preview {}{}",
            crate::shell::quoted(&file.url),
            connection.collect::<String>()
        ));
    }
    Ok(())
}

fn table(listing: &Listing) -> Result<RecordBatch, Error> {
    let files = &listing.files;
    let moments = files
        .iter()
        .map(|file| i64::try_from(file.modified_ns / 1000).ok());
    let columns: [(&str, ArrayRef); 4] = [
        (
            "url",
            Arc::new(StringArray::from_iter_values(files.iter().map(|file| &file.url))),
        ),
        (
            "size_bytes",
            Arc::new(Int64Array::from_iter_values(
                files.iter().map(|file| file.size_bytes as i64),
            )),
        ),
        (
            "modified_at",
            Arc::new(
                moments
                    .collect::<TimestampMicrosecondArray>()
                    .with_timezone("UTC"),
            ),
        ),
        (
            "format",
            Arc::new(
                files
                    .iter()
                    .map(|file| file.format.map(word))
                    .collect::<StringArray>(),
            ),
        ),
    ];
    Ok(RecordBatch::try_from_iter_with_nullable(
        columns.map(|(name, column)| (name, column, name == "format")),
    )?)
}

fn word(format: Format) -> &'static str {
    match format {
        Format::Csv => "csv",
        Format::Ndjson => "ndjson",
        Format::Parquet => "parquet",
    }
}
