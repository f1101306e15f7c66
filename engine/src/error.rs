//! The one error of the engine: what happened, where, what was and was not written, and the remedy.

use std::fmt;
use std::path::Path;

/// The class of a failure; it alone decides the exit code (contract, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Something outside broke: a file that is not there, a disk, a bug.
    Runtime,
    /// The request or the configuration is wrong.
    Usage,
    /// The data failed: budget, strict, none accepted, a file-level error.
    Data,
    /// Another run or writer was there first; safe to retry.
    Conflict,
    /// The user asked to stop.
    Interrupted,
}

impl Class {
    /// The exit code of the process that ends with this class.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Runtime => 1,
            Self::Usage => 2,
            Self::Data => 3,
            Self::Conflict => 4,
            Self::Interrupted => 130,
        }
    }
}

/// Where in a source something was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, table or definition.
    pub file: Option<String>,
    /// 1-based record number.
    pub record_no: Option<u64>,
    /// 1-based physical line.
    pub line: Option<u64>,
    /// The source's column.
    pub column: Option<String>,
}

/// What goes wrong in the engine. Opaque but for its accessors.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    class: Class,
    code: Option<&'static str>,
    message: String,
    place: Place,
    hints: Vec<String>,
    written: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Result with the engine's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `class` that says `message`.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            class,
            code: None,
            message: message.into(),
            place: Place::default(),
            hints: Vec::new(),
            written: None,
            source: None,
        }))
    }

    /// A failure of something outside.
    pub fn runtime(message: impl Into<String>) -> Self {
        Self::new(Class::Runtime, message)
    }

    /// A wrong request or configuration.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Class::Usage, message)
    }

    /// A file-level error of the data, with its stable `code` (contract, section 3).
    pub fn data(code: &'static str, message: impl Into<String>) -> Self {
        let mut error = Self::new(Class::Data, message);
        error.0.code = Some(code);
        error
    }

    /// A lost race or a held lease.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Class::Conflict, message)
    }

    /// The user's request to stop.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new(Class::Interrupted, "interrupted")
    }

    /// What does not fit into memory could not be written to `folder`, which is for temporary files.
    pub fn not_spilled(folder: &Path, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let folder = folder.display();
        Self::runtime("what does not fit into memory could not be written to disk")
            .because(cause)
            .in_file(folder.to_string())
            .hint(format!(
                "make room in {folder}, or set TMPDIR to a folder on a larger disk, or give the run more memory: --memory"
            ))
    }

    /// A query or a sort ran out of what it may use, and DataFusion `said` so: the last line is the request that failed,
    /// those before it who held how much.
    fn does_not_fit(said: &str) -> Self {
        let last = said.lines().last().unwrap_or(said);
        let last = last.trim().trim_start_matches("Error: ");
        Self::runtime("this needs more memory than it may use")
            .because(last)
            .hint("give it more with --memory, or ask for fewer rows or columns at a time")
    }

    /// Adds the file it happened in.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.0.place.file.get_or_insert(file.into());
        self
    }

    /// Adds the source file to an error of the data.
    #[must_use]
    pub(crate) fn in_file_if_data(self, file: Option<&str>) -> Self {
        match file {
            Some(file) if self.class() == Class::Data => self.in_file(file),
            _ => self,
        }
    }

    /// Adds the record and line it happened at.
    #[must_use]
    pub fn at_record(mut self, record_no: u64, line: u64) -> Self {
        self.0.place.record_no.get_or_insert(record_no);
        self.0.place.line.get_or_insert(line);
        self
    }

    /// Adds the column it happened in.
    #[must_use]
    pub fn in_column(mut self, column: impl Into<String>) -> Self {
        self.0.place.column.get_or_insert(column.into());
        self
    }

    /// Adds one line of advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Adds advice that there may be.
    #[must_use]
    pub fn hints_of(self, hints: impl IntoIterator<Item = String>) -> Self {
        hints.into_iter().fold(self, Self::hint)
    }

    /// Says what was and was not written; the first to know wins.
    #[must_use]
    pub fn wrote(mut self, what: impl Into<String>) -> Self {
        self.0.written.get_or_insert(what.into());
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The class, which decides the exit code.
    #[must_use]
    pub fn class(&self) -> Class {
        self.0.class
    }

    /// The stable id of a file-level error.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        self.0.code
    }

    /// Where it happened.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// Lines of advice.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// What was and was not written.
    #[must_use]
    pub fn written(&self) -> Option<&str> {
        self.0.written.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            code,
            message,
            place,
            source,
            ..
        } = &*self.0;
        if let Some(code) = code {
            write!(f, "{code}: ")?;
        }
        f.write_str(message)?;
        let parts = [
            place.file.as_ref().map(|v| format!("file {v}")),
            place.record_no.map(|v| format!("record {v}")),
            place.line.map(|v| format!("line {v}")),
            place.column.as_ref().map(|v| format!("column {v}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if !parts.is_empty() {
            write!(f, " ({})", parts.join(", "))?;
        }
        if let Some(source) = source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match error.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => Self::runtime("the disk is full").because(error).hint(format!(
                "make room where the instance is, and in {} for temporary files, or set TMPDIR to another folder",
                std::env::temp_dir().display()
            )),
            _ => Self::runtime("input or output failed").because(error),
        }
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::from(datafusion::error::DataFusionError::from(error))
    }
}

impl From<parquet::errors::ParquetError> for Error {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::runtime("a Parquet file could not be read or written").because(error)
    }
}

impl From<deltalake_core::DeltaTableError> for Error {
    fn from(error: deltalake_core::DeltaTableError) -> Self {
        Self::runtime("the table's log could not be read or written").because(error)
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        Self::runtime("the store failed").because(error)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::runtime("JSON could not be read or written").because(error)
    }
}

impl From<tokio::task::JoinError> for Error {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::runtime("a task of the engine ended early").because(error)
    }
}

/// An error of ours that travelled through an operator comes back as it was.
impl From<datafusion::error::DataFusionError> for Error {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        use datafusion::error::DataFusionError as Df;
        if let Df::ResourcesExhausted(said) = error.find_root() {
            return Self::does_not_fit(said);
        }
        match error {
            Df::External(inner) => match inner.downcast::<Error>() {
                Ok(ours) => *ours,
                Err(other) => Self::runtime("execution failed").because(other),
            },
            Df::Context(_, inner) => Self::from(*inner),
            Df::ArrowError(inner, _) => match *inner {
                arrow::error::ArrowError::ExternalError(inner) => match inner.downcast::<Error>() {
                    Ok(ours) => *ours,
                    Err(other) => Self::runtime("execution failed").because(other),
                },
                // What queries and sorts put aside goes to disk as Arrow.
                arrow::error::ArrowError::IoError(_, inner) => Self::from(inner),
                other => Self::runtime("execution failed").because(other),
            },
            Df::IoError(inner) => Self::from(inner),
            Df::Shared(inner) => Self::runtime(inner.strip_backtrace()),
            other => Self::runtime(other.strip_backtrace()),
        }
    }
}

impl From<Error> for datafusion::error::DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}
