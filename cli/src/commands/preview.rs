//! `sluice preview`.

use std::path::PathBuf;

use clap::Args;

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
    /// The file
    file: PathBuf,
}

/// Looks at the file and prints what it found.
///
/// # Errors
/// The file is not there, empty, damaged, or in a format that is not read.
pub fn run(context: &Context, args: &PreviewArgs) -> Result<()> {
    let object = Object::of(context.settings.output)?;
    let preview = sluice_engine::preview::preview(&args.file, &args.file.display().to_string())?;
    object.print(&preview, || {
        render::preview(&preview, &args.file, context.program())
    })
}
