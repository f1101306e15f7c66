//! `ingest`: the process that a command line describes.

use std::path::{Path, PathBuf};

use super::additions::beside_line;
use super::draft::parse_mappings;
use super::lifecycle::{check, complete, create, live_state, parse};
use super::ownership::check_ownership;
use super::state::{ProcessStatus, StateFile};
use crate::decode::{OpenFile, ReadOptions};
use crate::error::{Error, Result};
use crate::instance::{Instance, all};
use crate::source::{Sources, blocking, typed, typed_url};
use crate::spec::{self, Locked, Mode, NewProcess, Source, SourceKind};

/// What `ingest` was told.
#[derive(Debug, Clone, Default)]
pub struct Ingest {
    /// The file: a path or URL.
    pub file: PathBuf,
    /// NAME of a `[connections.NAME]` that it is reached through; default: that of the process, if there is one.
    pub connection: Option<String>,
    /// The key column.
    pub key: String,
    /// `COL[:NAME]=TYPE`, as typed.
    pub attributes: Vec<String>,
    /// `register` or `update`.
    pub mode: String,
    /// Name of the process; default: the file's base name.
    pub name: Option<String>,
}

/// Finds or makes the process of an `ingest`. Nothing is created before the header passed.
///
/// # Errors
/// No attributes (with the columns and a line to copy), a column that is not there, a process that differs.
pub async fn ensure(instance: &Instance, ingest: &Ingest) -> Result<String> {
    let name = ingest.name.clone().unwrap_or_else(|| process_name(&ingest.file));
    let source = source(instance, ingest, &name).await?;
    let kind = source.kind();
    let connection = source.connection.clone();
    let sources = Sources::of(instance);
    let file = blocking(move || OpenFile::open(sources.open(&source)?, ReadOptions::default())).await?;
    if ingest.attributes.is_empty() {
        return Err(suggestion(ingest, &file));
    }
    let mappings = parse_mappings(&ingest.attributes)?;
    let wanted: Vec<String> = std::iter::once(ingest.key.clone())
        .chain(mappings.iter().map(|m| m.column.clone()))
        .collect();
    let asked = wanted.clone();
    let file = blocking(move || file.with_rare_keys(&asked)).await?;
    file.positions(&wanted).map_err(as_usage)?;
    let mode = match ingest.mode.as_str() {
        "update" => Mode::Update,
        _ => Mode::Register,
    };
    let new = NewProcess {
        attributes: mappings,
        connection: connection.filter(|_| kind != SourceKind::Local),
        ..NewProcess::new(mode, ingest.key.clone(), file.source.url.clone())
    };
    let text = spec::render_process(&new).map_err(|problem| all(&[problem]))?;
    if StateFile::of(instance, &name).exists().await? {
        compare(instance, &name, &text).await?;
    } else {
        // A process that could not be completed must not be left behind as a draft.
        let process = parse(instance, &name, &text)?;
        check_ownership(instance, &process, &instance.customers()?.snapshot(None).await?).await?;
        create(instance, &name, &text).await?;
    }
    if live_state(instance, &name).await?.status == ProcessStatus::Draft {
        complete(instance, &name).await?;
    }
    Ok(name)
}

/// The file to ingest, through the connection that was named, else through that of the process `name`.
async fn source(instance: &Instance, ingest: &Ingest, name: &str) -> Result<Source> {
    if !StateFile::of(instance, name).exists().await? {
        return typed(&ingest.file, ingest.connection.as_deref());
    }
    let url = typed_url(&ingest.file)?;
    let existing = check(instance, name).await?.source;
    if ingest.connection.is_some() && ingest.connection != existing.connection {
        let own = existing.connection.as_deref().unwrap_or("none");
        return Err(
            Error::usage(format!("the process {name} has another connection: {own}"))
                .hint("leave --connection out, or make another process: --name NAME"),
        );
    }
    existing.with_file(&url).map_err(|problem| all(&[problem]))
}

/// A column that the command line names and the file lacks is a mistake of the command, not of the data.
fn as_usage(error: Error) -> Error {
    if error.code() != Some("column_missing") {
        return error;
    }
    let usage = Error::usage(error.to_string());
    error
        .hints()
        .iter()
        .fold(usage, |usage, hint| usage.hint(hint.clone()))
}

async fn compare(instance: &Instance, name: &str, text: &str) -> Result<()> {
    let existing = check(instance, name).await?;
    let asked = spec::parse_process_in(name, text, instance.config()).map_err(|problems| all(&problems))?;
    let mut asked_for = Locked::of(&asked);
    // `ingest` runs an existing process on whatever file it names.
    asked_for.source = existing.source.location().to_owned();
    let differences = asked_for.differences(&existing);
    if differences.is_empty() {
        return Ok(());
    }
    // Which file is named is another matter.
    let of_existing = Locked {
        source: asked.source.location().to_owned(),
        ..Locked::of(&existing)
    };
    let lines: Vec<String> = differences
        .iter()
        .map(|d| format!("{}: the process has {}, asked for {}", d.field, d.is, d.was))
        .collect();
    Err(Error::usage(format!(
        "the process {name} exists and differs:\n  {}",
        lines.join("\n  ")
    ))
    .hint("name another process with --name, or ingest with the attributes it has")
    .hints_of(beside_line(instance, &of_existing, &asked).await))
}

/// The file's base name in the letters of process names.
fn process_name(file: &Path) -> String {
    let stem = file
        .file_stem()
        .map(|s| s.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let name: String = stem
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "_-".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let name = name.trim_start_matches(['_', '-']);
    if name.is_empty() {
        "ingest".to_owned()
    } else {
        name.chars().take(64).collect()
    }
}

fn suggestion(ingest: &Ingest, file: &OpenFile) -> Error {
    let columns = &file.header.columns;
    let listed: Vec<String> = columns.iter().map(|c| format!("{c:?}")).collect();
    let key = if ingest.key.is_empty() {
        columns.first().cloned().unwrap_or_default()
    } else {
        ingest.key.clone()
    };
    let flags = columns
        .iter()
        .filter(|c| **c != key)
        .take(10)
        .map(|c| format!("--attribute {}", shell(&format!("{}=string", escaped(c)))));
    let connection = ingest
        .connection
        .iter()
        .map(|name| format!(" --connection {name}"));
    let line = format!(
        "sluice ingest {}{} --key {} {}",
        shell(&ingest.file.display().to_string()),
        connection.collect::<String>(),
        shell(&key),
        flags.collect::<Vec<_>>().join(" ")
    );
    Error::usage("no --attribute: say which columns to load, and their types")
        .in_file(ingest.file.display().to_string())
        .hint(format!("the file has the columns {}", listed.join(", ")))
        .hint(format!("for example: {line}"))
        .hint("types: int, bigint, decimal(p,s), double, boolean, date, timestamp, string, varchar(n), nvarchar(n), email")
}

/// A column name as `COL[:NAME]=TYPE` takes it.
fn escaped(column: &str) -> String {
    column
        .replace('\\', "\\\\")
        .replace(':', "\\:")
        .replace('=', "\\=")
}

fn shell(word: &str) -> String {
    let plain = word
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-/=:".contains(c))
        && !word.is_empty();
    if plain {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
