//! What to type next: an `ingest` line, or a process file.

#[cfg(test)]
mod tests;

use serde::{Serialize, Serializer};

use super::container::Container;
use super::dialect::{DialectGuess, LineEnd};
use super::guess::TypeGuess;
use super::keys::KeyCandidate;
use super::process_text::{Chosen, process_text};
use super::report::ColumnReport;
use super::select::select;
use super::shell;
use crate::decode::bytes::Encoding;
use crate::spec::{AttributeType, Mapping, Mode, Problem};

/// Attributes that a process may have by default.
pub const DEFAULT_MAX_ATTRIBUTES: usize = 10;

/// What the suggestion is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuggestOptions {
    /// The source as the user wrote it: a path or a URL.
    pub file: String,
    /// NAME of the connection that it is reached through.
    pub connection: Option<String>,
    /// Most attributes of a process.
    pub max_attributes: usize,
    /// Names the instance reserves.
    pub reserved: Vec<String>,
    /// The instance's e-mail attribute, where it has one.
    pub email: Option<String>,
}

impl SuggestOptions {
    /// For a file, with the default limits.
    #[must_use]
    pub fn new(file: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            connection: None,
            max_attributes: DEFAULT_MAX_ATTRIBUTES,
            reserved: Vec::new(),
            email: None,
        }
    }
}

/// What to type next.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suggestion {
    /// The column with the customer id.
    pub key: Option<String>,
    /// Columns to load and what they become.
    pub attributes: Vec<SuggestedAttribute>,
    /// A line for a POSIX shell.
    pub ingest_line: Option<String>,
    /// The text of a process file.
    pub process_toml: Option<String>,
    /// Whether only the process file loads the file as guessed, since the line cannot say how it is written.
    pub needs_process: bool,
    /// What the line and the file leave out or change, and why.
    pub notes: Vec<String>,
}

/// A column to load and what it becomes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuggestedAttribute {
    /// The source's column.
    pub column: String,
    /// Name of the attribute.
    pub name: String,
    /// Type, formats and null tokens.
    #[serde(flatten, serialize_with = "without_evidence")]
    pub guess: TypeGuess,
}

impl SuggestedAttribute {
    /// A column as somebody maps it: formats and null tokens are those that were found for the type.
    #[must_use]
    pub fn of_mapping(mapping: &Mapping, columns: &[ColumnReport]) -> Self {
        let report = columns.iter().find(|report| report.name == mapping.column);
        let of_type = |report: &ColumnReport| {
            let share = report.shares.iter().find(|share| share.ty == mapping.ty);
            share.map(|share| (share.format.clone(), share.share))
        };
        let guess = report
            .map(|report| &report.guess)
            .filter(|guess| guess.ty == mapping.ty);
        let guess = guess.cloned().unwrap_or_else(|| {
            let (format, share) = report.and_then(of_type).unwrap_or_default();
            let is_text = matches!(mapping.ty, AttributeType::String);
            let found = report.filter(|_| !is_text);
            TypeGuess {
                ty: mapping.ty,
                format,
                null_tokens: found
                    .map(|report| report.guess.null_tokens.clone())
                    .unwrap_or_default(),
                share,
                runner_up: None,
                notes: Vec::new(),
            }
        });
        Self {
            column: mapping.column.clone(),
            name: mapping.name.clone(),
            guess,
        }
    }

    /// Whether `COL:NAME=TYPE` says all there is to say.
    #[must_use]
    pub fn fits_a_line(&self) -> bool {
        self.guess.format.is_empty() && self.guess.null_tokens.is_empty()
    }

    /// As the command line has it: text, where a format or null tokens would be needed to read it as typed.
    #[must_use]
    pub fn mapping(&self) -> Mapping {
        Mapping {
            column: self.column.clone(),
            name: self.name.clone(),
            ty: if self.fits_a_line() {
                self.guess.ty
            } else {
                AttributeType::String
            },
        }
    }
}

fn without_evidence<S: Serializer>(guess: &TypeGuess, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Typed<'a> {
        #[serde(rename = "type", serialize_with = "super::guess::as_text")]
        ty: AttributeType,
        format: &'a [String],
        null_tokens: &'a [String],
    }
    Typed {
        ty: guess.ty,
        format: &guess.format,
        null_tokens: &guess.null_tokens,
    }
    .serialize(serializer)
}

/// The suggestion for a file with these columns.
///
/// # Errors
/// A problem of the encoder of process files, which no column is known to cause.
pub fn suggest(
    options: &SuggestOptions,
    dialect: &DialectGuess,
    columns: &[ColumnReport],
    keys: &[KeyCandidate],
) -> Result<Suggestion, Problem> {
    let Some(key) = keys.first().map(|key| key.column.clone()) else {
        return Ok(without_key());
    };
    let (attributes, mut notes) = select(options, columns, &key);
    if attributes.is_empty() {
        notes.push("no column is left to load: a process has one attribute at least".to_owned());
        return Ok(Suggestion {
            key: Some(key),
            attributes,
            ingest_line: None,
            process_toml: None,
            needs_process: false,
            notes,
        });
    }
    let needed = dialect_notes(dialect);
    let needs_process = !needed.is_empty();
    notes.extend(needed);
    notes.extend(
        attributes
            .iter()
            .filter(|attribute| !attribute.fits_a_line())
            .map(untold),
    );
    let chosen = Chosen {
        mode: Mode::Register,
        key,
        attributes,
        schedule: None,
    };
    let process_toml = process_text(options, dialect, &chosen, &notes)?;
    let Chosen { key, attributes, .. } = chosen;
    Ok(Suggestion {
        ingest_line: Some(ingest_line(options, &key, &attributes)),
        key: Some(key),
        attributes,
        process_toml: Some(process_toml),
        needs_process,
        notes,
    })
}

fn without_key() -> Suggestion {
    Suggestion {
        key: None,
        attributes: Vec::new(),
        ingest_line: None,
        process_toml: None,
        needs_process: false,
        notes: vec!["no column looks like a customer id: say which one is, with --key".to_owned()],
    }
}

/// Why the line alone does not read the file as it is written.
fn dialect_notes(dialect: &DialectGuess) -> Vec<String> {
    let options = [
        ("delimiter", dialect.delimiter != ","),
        ("quote", dialect.quote != Some('"')),
        ("escape", dialect.escape.is_some()),
        ("header", !dialect.has_header),
        ("skip_rows", dialect.skip_rows > 0),
        ("newline", dialect.line_end == LineEnd::Cr),
        ("comment", dialect.comment.is_some()),
        ("encoding", dialect.encoding.encoding != Encoding::Utf8),
    ];
    let named: Vec<&str> = options
        .iter()
        .filter(|(_, differs)| *differs)
        .map(|(name, _)| *name)
        .collect();
    if dialect.container != Container::Csv || named.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "the file needs {} in [source] of a process: the line alone reads it as usual CSV",
        named.join(", ")
    )]
}

fn untold(attribute: &SuggestedAttribute) -> String {
    let (column, guess) = (&attribute.column, &attribute.guess);
    let key = if guess.format.is_empty() {
        "null_tokens"
    } else {
        "format"
    };
    format!(
        "{column:?} needs {key} in a process to be read as {}; in the line it is string",
        guess.ty
    )
}

fn ingest_line(options: &SuggestOptions, key: &str, attributes: &[SuggestedAttribute]) -> String {
    let file = match options.file.starts_with('-') {
        true => format!("./{}", options.file),
        false => options.file.clone(),
    };
    let connection = options
        .connection
        .iter()
        .map(|name| shell::option("--connection", name));
    let flags = attributes
        .iter()
        .map(|attribute| shell::option("--attribute", &written(&attribute.mapping())));
    std::iter::once(format!("sluice ingest {}", shell::quote(&file)))
        .chain(connection)
        .chain([shell::option("--key", key)])
        .chain(flags)
        .collect::<Vec<_>>()
        .join(" ")
}

/// `COL:NAME=TYPE`, always with the name: what is copied is also what is learned from.
fn written(mapping: &Mapping) -> String {
    let mut column = String::new();
    for c in mapping.column.chars() {
        if matches!(c, ':' | '=' | '\\') {
            column.push('\\');
        }
        column.push(c);
    }
    format!("{column}:{}={}", mapping.name, mapping.ty)
}
