//! The text of a process file for a file that was looked at.

use super::container::Container;
use super::dialect::{DialectGuess, LineEnd};
use super::suggest::{SuggestOptions, SuggestedAttribute};
use crate::decode::bytes::Encoding;
use crate::spec::{
    Format, Mode, Newline, Problem, RawAttribute, RawProcess, RawSchedule, RawSource, default_attribute_name,
    render_raw,
};

/// What a process is to load, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// What becomes of unknown customers.
    pub mode: Mode,
    /// The column with the customer id.
    pub key: String,
    /// Columns to load and what they become.
    pub attributes: Vec<SuggestedAttribute>,
    /// When it runs; none: one time.
    pub schedule: Option<RawSchedule>,
}

/// The text of a process over a file; the notes stand on top as comments.
///
/// # Errors
/// A problem of the encoder, which no text is known to cause.
pub fn process_text(
    options: &SuggestOptions,
    dialect: &DialectGuess,
    chosen: &Chosen,
    notes: &[String],
) -> Result<String, Problem> {
    let process = RawProcess {
        mode: Some(chosen.mode),
        key: Some(chosen.key.clone()),
        source: Some(RawSource {
            connection: options.connection.clone(),
            ..source(&options.file, dialect)
        }),
        attribute: chosen.attributes.iter().map(raw_attribute).collect(),
        schedule: chosen.schedule.clone(),
        ..RawProcess::default()
    };
    let comments: String = notes.iter().map(|note| comment(note)).collect();
    Ok(comments + &render_raw(&process)?)
}

/// What differs from the defaults.
fn source(file: &str, dialect: &DialectGuess) -> RawSource {
    let url = Some(file.to_owned());
    if dialect.container != Container::Csv {
        return RawSource {
            url,
            // The ending of its name may not tell.
            format: (dialect.container == Container::Ndjson).then_some(Format::Ndjson),
            ..RawSource::default()
        };
    }
    let other_quote = match dialect.quote {
        Some('"') => None,
        quote => Some(quote.map(String::from).unwrap_or_default()),
    };
    RawSource {
        url,
        delimiter: Some(dialect.delimiter.clone()).filter(|delimiter| delimiter != ","),
        quote: other_quote,
        escape: dialect.escape.map(String::from),
        header: (!dialect.has_header).then_some(false),
        skip_rows: Some(dialect.skip_rows).filter(|rows| *rows > 0),
        comment: dialect.comment.map(String::from),
        newline: (dialect.line_end == LineEnd::Cr).then_some(Newline::Cr),
        encoding: Some(dialect.encoding.encoding)
            .filter(|encoding| *encoding != Encoding::Utf8)
            .map(|encoding| encoding.name().to_owned()),
        ..RawSource::default()
    }
}

/// The attribute as a process file has it.
#[must_use]
pub fn raw_attribute(attribute: &SuggestedAttribute) -> RawAttribute {
    let some = |list: &Vec<String>| Some(list.clone()).filter(|list| !list.is_empty());
    RawAttribute {
        column: Some(attribute.column.clone()),
        name: (attribute.name != default_attribute_name(&attribute.column)).then(|| attribute.name.clone()),
        ty: Some(attribute.guess.ty.to_string()),
        format: some(&attribute.guess.format),
        null_tokens: some(&attribute.guess.null_tokens),
        ..RawAttribute::default()
    }
}

/// One line of comment; controls, which TOML refuses there, are written as escapes.
fn comment(note: &str) -> String {
    let mut line = String::from("# ");
    for c in note.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    line
}
