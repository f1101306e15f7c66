//! What is one object and no table.

use std::io::{self, Write};

use serde::Serialize;
use sluice_engine::Error;

use super::format::OutputFormat;
use crate::error::Result;

/// How one object is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// In words, by whoever has it.
    Words,
    /// As JSON over several lines.
    Json,
    /// As JSON on one line.
    Line,
}

impl Object {
    /// The form for an output format; to be asked before the work begins, not after.
    ///
    /// # Errors
    /// A format for tables.
    pub fn of(format: OutputFormat) -> Result<Self> {
        match format {
            OutputFormat::Table => Ok(Self::Words),
            OutputFormat::Json => Ok(Self::Json),
            OutputFormat::Ndjson => Ok(Self::Line),
            OutputFormat::Csv | OutputFormat::Parquet => Err(Error::usage(
                "what this command prints is one object, no table",
            )
            .hint("print it with --output table, json or ndjson; runs are a table: sluice runs --output csv")
            .wrote("nothing")
            .into()),
        }
    }

    /// Prints `object` on stdout; `words` says it in words.
    ///
    /// # Errors
    /// Stdout's.
    pub fn print<T: Serialize>(self, object: &T, words: impl FnOnce() -> String) -> Result<()> {
        let mut text = match self {
            Self::Words => words(),
            Self::Json => serde_json::to_string_pretty(object)?,
            Self::Line => serde_json::to_string(object)?,
        };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }
}
