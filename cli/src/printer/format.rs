//! The formats of data on stdout.

use clap::ValueEnum;

/// How data is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// A table, or a report, for people
    #[default]
    Table,
    /// One JSON array, or one object
    Json,
    /// One JSON object a line
    Ndjson,
    /// Comma separated values with a header
    Csv,
    /// A Parquet file
    Parquet,
}
