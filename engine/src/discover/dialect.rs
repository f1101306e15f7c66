//! How a file is written, told by its first bytes.
//!
//! ```text
//!   bytes ─▶ magic number ─▶ encoding ─▶ text ─▶ NDJSON? ─▶ line ends ─▶ comments ─▶ delimiter, quote ─▶ lines to
//!   skip ─▶ header
//! ```

#[cfg(test)]
mod tests;

use serde::Serialize;

use super::container::{self, Container};
use super::delimiter::DelimiterScore;
use super::encoding::{EncodingGuess, decode_head, guess_encoding};
use super::records::Trial;
use super::text_dialect::guess_text;
use crate::decode::bytes::Encoding;

/// How much of a file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Its beginning: the last record may be half of one.
    Beginning,
}

/// How lines end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineEnd {
    /// LF.
    #[default]
    Lf,
    /// CR LF.
    CrLf,
    /// Some LF, some CR LF.
    Mixed,
    /// CR alone, as old Macintosh programs write.
    Cr,
}

impl LineEnd {
    /// The last character of a line end.
    #[must_use]
    pub fn last_char(self) -> char {
        if self == Self::Cr { '\r' } else { '\n' }
    }
}

/// How a file is written, and why that is thought.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DialectGuess {
    /// What kind of file it is; all below is about text.
    pub container: Container,
    /// Its encoding.
    pub encoding: EncodingGuess,
    /// How lines end.
    pub line_end: LineEnd,
    /// Separates two fields.
    pub delimiter: String,
    /// Encloses a field.
    pub quote: Option<char>,
    /// Makes a quote data, in place of doubling it.
    pub escape: Option<char>,
    /// Starts a comment line.
    pub comment: Option<char>,
    /// Physical lines before the header.
    pub skip_rows: u64,
    /// Whether the first record names the columns.
    pub has_header: bool,
    /// The columns' names; `column_1` and so on where there is no header.
    pub columns: Vec<String>,
    /// Records looked at, the header not counted.
    pub sampled_rows: u64,
    /// Records of these with another number of fields, or damaged quotes: a run rejects them.
    pub malformed_rows: u64,
    /// Share of the records that have the usual number of fields; 0 to 1.
    pub consistency: f64,
    /// Other delimiters that divide the file, the likeliest first.
    pub rivals: Vec<DelimiterScore>,
    /// Why all this is thought, one sentence each.
    pub evidence: Vec<String>,
}

impl DialectGuess {
    /// The dialect as the reader of samples wants it.
    #[must_use]
    pub fn trial(&self) -> Trial<'_> {
        Trial {
            delimiter: &self.delimiter,
            quote: self.quote,
            escape: self.escape,
            comment: self.comment,
            line_end: self.line_end.last_char(),
        }
    }
}

/// Guesses how a file that begins with `head` is written; a megabyte of it is plenty.
///
/// A compressed file is told as such: its beginning must be decompressed and guessed again.
#[must_use]
pub fn guess_dialect(head: &[u8], extent: Extent) -> DialectGuess {
    if let Some(container) = container::by_magic(head) {
        return binary(container);
    }
    let encoding = guess_encoding(head, extent);
    let text = decode_head(head, &encoding);
    if let Some((objects, bad_rows)) = container::ndjson_objects(&text, extent) {
        return ndjson(
            encoding,
            container::keys(&objects),
            objects.len() as u64,
            bad_rows,
        );
    }
    let mut guess = empty(Container::Csv, encoding);
    if container::is_json_document(&text) {
        let advice = "the file is one JSON document, which is not read: write one object a line (NDJSON)";
        guess.container = Container::Unreadable("a JSON document of many lines");
        guess.evidence.push(advice.to_owned());
        return guess;
    }
    guess_text(&text, extent, guess)
}

fn empty(container: Container, encoding: EncodingGuess) -> DialectGuess {
    DialectGuess {
        container,
        line_end: LineEnd::Lf,
        delimiter: ",".to_owned(),
        quote: Some('"'),
        escape: None,
        comment: None,
        skip_rows: 0,
        has_header: true,
        columns: Vec::new(),
        sampled_rows: 0,
        malformed_rows: 0,
        consistency: 1.0,
        rivals: Vec::new(),
        evidence: vec![format!(
            "encoding {}: {}",
            encoding.encoding.name(),
            encoding.evidence
        )],
        encoding,
    }
}

fn binary(container: Container) -> DialectGuess {
    let evidence = "no text: the kind of file is told by its first bytes".to_owned();
    DialectGuess {
        evidence: vec![evidence.clone()],
        ..empty(
            container,
            EncodingGuess {
                encoding: Encoding::Utf8,
                bom_bytes: 0,
                evidence,
            },
        )
    }
}

fn ndjson(encoding: EncodingGuess, columns: Vec<String>, good_rows: u64, bad_rows: u64) -> DialectGuess {
    let mut guess = empty(Container::Ndjson, encoding);
    let num_rows = good_rows + bad_rows;
    guess.evidence.push(format!(
        "NDJSON: {good_rows} of {num_rows} lines are JSON objects"
    ));
    DialectGuess {
        columns,
        sampled_rows: num_rows,
        malformed_rows: bad_rows,
        consistency: good_rows as f64 / num_rows.max(1) as f64,
        ..guess
    }
}
