//! `sluice preview`.

use std::path::PathBuf;

use clap::Args;
use sluice_engine::source::{blocking, typed};

use crate::context::Context;
use crate::error::Result;
use crate::printer::Object;
use crate::render;

/// Says what is in a file: columns, types and why, keys, and what to type next
///
/// Looks at the first megabyte of a CSV, NDJSON or Parquet file, compressed or not. Nothing is loaded, and no instance
/// is needed.
#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// The file: a path or URL
    file: PathBuf,
    /// Connection of the instance that a URL is reached through
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
}

/// Looks at the file and prints what it found.
///
/// # Errors
/// The file is not there, empty, damaged, or in a format that is not read.
pub async fn run(context: &Context, args: PreviewArgs) -> Result<()> {
    let object = Object::of(context.settings.output)?;
    let sources = context.sources().await?;
    let (file, connection) = (args.file.clone(), args.connection.clone());
    let preview = blocking(move || {
        let connection = connection.as_deref();
        let source = sources.open(&typed(&file, connection)?)?;
        sluice_engine::preview::preview(&source, &file.display().to_string(), connection)
    })
    .await?;
    object.print(&preview, || {
        render::preview(
            &preview,
            &args.file,
            args.connection.as_deref(),
            context.program(),
        )
    })
}
