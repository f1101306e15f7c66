//! Where rows come from, and how a file of them is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::instance::Defaults;
use super::location::{self, SourceKind};
use super::problem::{Findings, Problem};
use super::process::RawSource;
use super::read::Document;
use crate::decode::bytes::Encoding;
use crate::decode::csv::Delimiter;

/// Format of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Delimited text.
    #[default]
    Csv,
    /// JSON objects, one a line.
    #[serde(alias = "jsonl")]
    Ndjson,
    /// Parquet.
    Parquet,
}

/// What ends a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Newline {
    /// LF, and a CR right before it.
    #[default]
    Lf,
    /// CR alone.
    Cr,
}

/// Where the columns' names come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Header {
    /// The first record.
    #[default]
    Present,
    /// The first record is data; the columns are `column_1`, `column_2` and so on.
    Absent,
    /// The process; the first record is data.
    Given(Vec<String>),
}

/// What becomes of blanks around a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Trim {
    /// They are data.
    #[default]
    Keep,
    /// They are taken off.
    Blanks,
}

/// How a delimited file is written. Characters are ASCII bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvOptions {
    /// What divides fields.
    pub delimiter: Delimiter,
    /// What encloses fields, if anything does.
    pub quote: Option<u8>,
    /// What makes a quote data, in place of doubling it.
    pub escape: Option<u8>,
    /// Where the columns' names come from.
    pub header: Header,
    /// Physical lines to pass over before the header.
    pub skip_rows: u64,
    /// Physical lines to leave out at the end.
    pub skip_footer_rows: u64,
    /// What ends a line.
    pub newline: Newline,
    /// What a comment line starts with.
    pub comment: Option<u8>,
    /// Encoding of the file.
    pub encoding: Encoding,
    /// What becomes of blanks around a value.
    pub trim: Trim,
    /// Texts that stand for an empty cell, besides no text at all.
    pub null_tokens: Vec<String>,
}

impl Default for CsvOptions {
    /// RFC 4180 with a header, in UTF-8.
    fn default() -> Self {
        Self {
            delimiter: Delimiter::from(b','),
            quote: Some(b'"'),
            escape: None,
            header: Header::default(),
            skip_rows: 0,
            skip_footer_rows: 0,
            newline: Newline::default(),
            comment: None,
            encoding: Encoding::default(),
            trim: Trim::default(),
            null_tokens: Vec::new(),
        }
    }
}

/// Where rows come from: exactly one of `url` and `query`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// A path as written, or a URL.
    pub url: Option<String>,
    /// A Snowflake query.
    pub query: Option<String>,
    /// NAME of a `[connections.NAME]`.
    pub connection: Option<String>,
    /// Pattern of the files that follow the first one, where the user wrote one.
    pub pattern: Option<String>,
    /// How a file is written.
    pub dialect: CsvOptions,
    /// Format of a file; `None`: as the file shows.
    pub format: Option<Format>,
    /// What Snowflake orders rows by.
    pub order_by: Option<String>,
}

impl Source {
    /// The kind of place.
    pub fn kind(&self) -> SourceKind {
        let kind = self
            .url
            .as_deref()
            .and_then(|url| location::kind_of_source(url).ok());
        kind.unwrap_or(SourceKind::SnowflakeQuery)
    }

    /// The same for another file, as `--file` names one; the connection stays where it serves it.
    ///
    /// # Errors
    /// A URL that names no file.
    pub fn with_file(&self, url: &str) -> Result<Self, Problem> {
        let kind = location::kind_of_source(url)?;
        let connection = self.connection.clone().filter(|_| kind == self.kind());
        Ok(Self {
            url: Some(url.to_owned()),
            query: None,
            connection,
            ..self.clone()
        })
    }

    /// Whether the URL names a local folder, or files in one by their pattern, in place of one file.
    pub fn names_several(&self) -> bool {
        self.url.as_deref().is_some_and(location::names_several)
    }

    /// Whether there are to be more files than the one that is named, so that a schedule makes sense. A single local
    /// file is ingested one time.
    pub fn may_recur(&self) -> bool {
        self.kind() != SourceKind::Local || self.names_several() || self.pattern.is_some()
    }

    /// The URL, or else the query.
    pub fn location(&self) -> &str {
        self.url.as_deref().or(self.query.as_deref()).unwrap_or_default()
    }

    /// The pattern of the files a recurring process looks for; none for Snowflake.
    pub fn recurring_pattern(&self) -> Option<String> {
        let url = self.url.as_deref().filter(|_| self.kind().is_file())?;
        Some(
            self.pattern
                .clone()
                .unwrap_or_else(|| location::default_pattern(url)),
        )
    }
}

/// A source given as a URL and options with the names of `[source]`, as the SQL function `source` takes them.
///
/// Booleans and numbers are written as text; several null tokens are divided by commas.
///
/// # Errors
/// Every unknown option and every value that does not fit.
pub fn parse_source(url: &str, options: &[(String, String)]) -> Result<Source, Vec<Problem>> {
    let mut table = toml::Table::new();
    for (option, text) in options {
        table.insert(option.clone(), option_value(option, text));
    }
    table.insert("url".to_owned(), url.into());
    let text = table.to_string();
    let document = Document::parse(&text).map_err(|problem| vec![problem])?;
    let mut findings = Findings::default();
    let source = resolve(
        document.read(&mut findings),
        &Defaults::default(),
        "",
        &mut findings,
    );
    match source {
        Some(source) if findings.problems.is_empty() => Ok(source),
        _ => Err(findings.problems),
    }
}

fn option_value(option: &str, text: &str) -> toml::Value {
    let typed = match option {
        "header" | "trim" => text.parse().ok().map(toml::Value::Boolean),
        "skip_rows" | "skip_footer_rows" => text.parse().ok().map(toml::Value::Integer),
        "null_tokens" | "columns" => Some(toml::Value::Array(
            text.split(',').map(toml::Value::from).collect(),
        )),
        _ => None,
    };
    typed.unwrap_or_else(|| text.into())
}

/// The source of `[source]`; `at` is `source.`, or nothing where the keys stand alone.
pub(super) fn resolve(
    raw: RawSource,
    defaults: &Defaults,
    at: &str,
    findings: &mut Findings,
) -> Option<Source> {
    let kind = check_place(&raw, at, findings);
    if let Some(kind) = kind {
        check_keys_apply(&raw, kind, at, findings);
    }
    if let Some(pattern) = &raw.pattern {
        findings.take(&format!("{at}pattern"), location::check_pattern(pattern));
        let is_folder = |url: &String| url.ends_with('/');
        let has_its_own = |url: &&String| location::names_several(url) && !is_folder(url);
        if raw.url.as_ref().filter(has_its_own).is_some() {
            findings.add(
                format!("{at}pattern"),
                "the url is a pattern already",
                "keep one of them",
            );
        }
    }
    let dialect = dialect(&raw, defaults, at, findings);
    kind?;
    Some(Source {
        url: raw.url,
        query: raw.query,
        connection: raw.connection,
        pattern: raw.pattern,
        dialect,
        format: raw.format,
        order_by: raw.order_by,
    })
}

fn check_place(raw: &RawSource, at: &str, findings: &mut Findings) -> Option<SourceKind> {
    match (&raw.url, &raw.query) {
        (Some(url), None) => findings.take(&format!("{at}url"), location::kind_of_source(url)),
        (None, Some(query)) if query.trim().is_empty() => {
            findings.add(
                format!("{at}query"),
                "no query",
                "write a SELECT, or a url in its place",
            );
            None
        }
        (None, Some(_)) => Some(SourceKind::SnowflakeQuery),
        (Some(_), Some(_)) => {
            findings.add(
                format!("{at}query"),
                "both url and query",
                "keep the one that rows come from",
            );
            None
        }
        (None, None) if findings.was_refused(&format!("{at}query")) => None,
        (None, None) => {
            findings.missing(
                &format!("{at}url"),
                "write the path or URL of a file or table, or a query",
            );
            None
        }
    }
}

/// A key that would silently do nothing is refused.
fn check_keys_apply(raw: &RawSource, kind: SourceKind, at: &str, findings: &mut Findings) {
    let of_files = [
        ("pattern", raw.pattern.is_some()),
        ("format", raw.format.is_some()),
        ("delimiter", raw.delimiter.is_some()),
        ("quote", raw.quote.is_some()),
        ("escape", raw.escape.is_some()),
        ("header", raw.header.is_some()),
        ("columns", raw.columns.is_some()),
        ("skip_rows", raw.skip_rows.is_some()),
        ("skip_footer_rows", raw.skip_footer_rows.is_some()),
        ("newline", raw.newline.is_some()),
        ("comment", raw.comment.is_some()),
        ("encoding", raw.encoding.is_some()),
    ];
    for (key, _) in of_files.iter().filter(|(_, written)| *written && !kind.is_file()) {
        findings.add(format!("{at}{key}"), "means nothing for Snowflake", "remove it");
    }
    if raw.order_by.is_some() && kind.is_file() {
        findings.add(
            format!("{at}order_by"),
            "means nothing for a file, whose records have an order",
            "remove it",
        );
    }
    if raw.connection.is_some() && kind == SourceKind::Local {
        findings.add(
            format!("{at}connection"),
            "means nothing for a local file",
            "remove it",
        );
    }
}

fn dialect(raw: &RawSource, defaults: &Defaults, at: &str, findings: &mut Findings) -> CsvOptions {
    let usual = CsvOptions::default();
    let mut byte = |key: &str, text: &Option<String>, usual: Option<u8>| match text {
        Some(text) => findings
            .take(&format!("{at}{key}"), one_byte(key, text))
            .unwrap_or(usual),
        None => usual,
    };
    let options = CsvOptions {
        quote: byte("quote", &raw.quote, usual.quote),
        escape: byte("escape", &raw.escape, usual.escape),
        comment: byte("comment", &raw.comment, usual.comment),
        delimiter: delimiter(raw, at, findings).unwrap_or(usual.delimiter),
        header: header(raw, at, findings),
        skip_rows: raw.skip_rows.unwrap_or(usual.skip_rows),
        skip_footer_rows: raw.skip_footer_rows.unwrap_or(usual.skip_footer_rows),
        newline: raw.newline.unwrap_or_default(),
        encoding: encoding(raw, at, findings).unwrap_or_default(),
        trim: if raw.trim == Some(true) {
            Trim::Blanks
        } else {
            Trim::Keep
        },
        null_tokens: raw
            .null_tokens
            .clone()
            .unwrap_or_else(|| defaults.null_tokens.clone()),
    };
    check_distinct(&options, at, findings);
    options
}

fn delimiter(raw: &RawSource, at: &str, findings: &mut Findings) -> Option<Delimiter> {
    let text = raw.delimiter.as_deref()?;
    let is_usable = text.is_ascii() && !text.contains(['\n', '\r']);
    let delimiter = Delimiter::new(text.as_bytes()).filter(|_| is_usable);
    if delimiter.is_none() {
        findings.add(
            format!("{at}delimiter"),
            format!("{text:?} is no delimiter"),
            "write one to eight ASCII characters that end no line, as \";\", \"\\t\" or \"||\"",
        );
    }
    delimiter
}

fn header(raw: &RawSource, at: &str, findings: &mut Findings) -> Header {
    let Some(columns) = &raw.columns else {
        return if raw.header == Some(false) {
            Header::Absent
        } else {
            Header::Present
        };
    };
    if raw.header == Some(true) {
        findings.add(
            format!("{at}columns"),
            "both columns and header = true",
            "keep one; to replace the names of a header, write skip_rows = 1",
        );
    }
    if columns.is_empty() {
        findings.add(
            format!("{at}columns"),
            "no names",
            "name every column of the file, in order",
        );
    }
    Header::Given(columns.clone())
}

fn encoding(raw: &RawSource, at: &str, findings: &mut Findings) -> Option<Encoding> {
    let label = raw.encoding.as_deref()?;
    let found = Encoding::from_label(label);
    if let Err(what) = &found {
        let remedy = "name its encoding, such as utf-16 or windows-1252, or convert it to utf-8";
        findings.add(format!("{at}encoding"), what.clone(), remedy);
    }
    found.ok()
}

/// The one byte of a text; nothing of an empty one.
fn one_byte(key: &str, text: &str) -> Result<Option<u8>, Problem> {
    match text.as_bytes() {
        [] => Ok(None),
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(Some(*byte)),
        _ => {
            let what = format!("{text:?} is not one character");
            Err(Problem::new(
                key,
                what,
                "write one ASCII character that ends no line, as \";\" or \"\\t\"",
            ))
        }
    }
}

fn check_distinct(options: &CsvOptions, at: &str, findings: &mut Findings) {
    let in_delimiter =
        |byte: Option<u8>| byte.is_some_and(|byte| options.delimiter.as_bytes().contains(&byte));
    // An escape that is the quote is the doubling that every file may use.
    let clash = [
        ("quote", in_delimiter(options.quote)),
        ("escape", in_delimiter(options.escape)),
        ("comment", in_delimiter(options.comment)),
        (
            "comment",
            options.comment.is_some() && options.comment == options.quote,
        ),
    ];
    for (key, _) in clash.iter().filter(|(_, clashes)| *clashes) {
        findings.add(
            format!("{at}{key}"),
            "the same character as another of the format",
            "choose distinct ones",
        );
    }
}
