//! Opening a CSV file: byte order mark, header, and the faults that concern the file as a whole.

use std::fs::File;
use std::io::Read;

use super::csv::{
    Dialect, End, FieldSelection, InvalidName, Position, RecordTable, Shape, Splitter, bom_len, fields,
    parse_header, suspect_delimiter,
};
use crate::error::{Error, Result};
use crate::source::SourceFile;

/// How the process says the file is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CsvOptions {
    /// Special bytes and the largest record.
    pub dialect: Dialect,
    /// Physical lines before the header.
    pub skip_rows: usize,
}

/// The columns of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Names in file order; an undecodable one is lossy and can only go unmapped.
    pub columns: Vec<String>,
    /// Names that stand more than once.
    pub duplicates: Vec<String>,
}

impl Header {
    /// The columns that can be told apart by name.
    #[must_use]
    pub fn unique_columns(&self) -> Vec<String> {
        self.columns
            .iter()
            .filter(|column| !self.duplicates.contains(column))
            .cloned()
            .collect()
    }
}

/// An opened file: the header is read, the records are not.
#[derive(Debug, Clone)]
pub struct CsvFile {
    /// The file and its identity.
    pub source: SourceFile,
    /// How it is written.
    pub options: CsvOptions,
    /// Its columns.
    pub header: Header,
    /// The first byte and line after the header.
    pub start: Position,
}

/// Records after the header that are looked at to judge the delimiter.
const SAMPLE_RECORDS: usize = 5;
/// Bytes read to find the header, doubled until it is whole.
const HEAD_BYTES: usize = 64 << 10;

impl CsvFile {
    /// Reads the header.
    ///
    /// # Errors
    /// `file_empty`; a header that is malformed; input or output.
    pub fn open(source: SourceFile, options: CsvOptions) -> Result<Self> {
        let shown = source.path.display().to_string();
        if source.size_bytes == 0 {
            let hint = "an upload may have been cut off; a file without customers has a header at least";
            return Err(Error::data("file_empty", "the file has no bytes")
                .in_file(shown)
                .hint(hint));
        }
        let mut head_bytes = HEAD_BYTES;
        loop {
            let mut head = Vec::new();
            File::open(&source.path)?
                .take(head_bytes as u64)
                .read_to_end(&mut head)?;
            let end = if (head.len() as u64) < source.size_bytes {
                End::More
            } else {
                End::Last
            };
            if let Some((header, start)) = read_header(&head, end, &options).map_err(|e| e.in_file(&shown))? {
                return Ok(Self {
                    source,
                    options,
                    header,
                    start,
                });
            }
            if end == End::Last {
                return Err(Error::data("file_empty", "the file has no header")
                    .in_file(shown)
                    .hint("the first record names the columns; write one"));
            }
            head_bytes *= 2;
        }
    }

    /// The positions of `wanted` columns.
    ///
    /// # Errors
    /// `column_missing`, `column_duplicate`, or `delimiter_suspect`, naming file, columns and remedy.
    pub fn positions(&self, wanted: &[String]) -> Result<Vec<usize>> {
        let shown = self.source.path.display().to_string();
        let missing: Vec<&String> = wanted
            .iter()
            .filter(|name| !self.header.columns.contains(name))
            .collect();
        if !missing.is_empty() {
            return Err(self.missing(&missing).in_file(shown));
        }
        if let Some(twice) = wanted.iter().find(|name| self.header.duplicates.contains(name)) {
            let message = format!("the header names the mapped column {twice:?} more than once");
            return Err(Error::data("column_duplicate", message)
                .in_file(shown)
                .in_column(twice)
                .hint("rename one of the columns in the file; an unmapped column may stand twice"));
        }
        Ok(wanted
            .iter()
            .filter_map(|name| self.header.columns.iter().position(|c| c == name))
            .collect())
    }

    fn missing(&self, missing: &[&String]) -> Error {
        let names: Vec<String> = missing.iter().map(|name| format!("{name:?}")).collect();
        let columns: Vec<String> = self
            .header
            .columns
            .iter()
            .map(|name| format!("{name:?}"))
            .collect();
        let message = format!("the header has no column {}", names.join(", "));
        let mut error = Error::data("column_missing", message).hint(format!("it has {}", columns.join(", ")));
        for name in missing {
            if let Some(near) = self
                .header
                .columns
                .iter()
                .find(|c| c.trim().eq_ignore_ascii_case(name.trim()))
            {
                error = error.hint(format!(
                    "{near:?} differs from {name:?} in case or blanks; columns match byte for byte"
                ));
            }
        }
        error
    }
}

/// The header and the place after it; `None` when `head` does not hold it whole.
fn read_header(head: &[u8], end: End, options: &CsvOptions) -> Result<Option<(Header, Position)>> {
    let Some((first_byte, first_line)) = skip_lines(head, options.skip_rows) else {
        return Ok(None);
    };
    let position = Position {
        byte: first_byte as u64,
        line: first_line,
        record_no: 1,
    };
    let mut splitter = Splitter::new(&options.dialect, FieldSelection::default(), None).starting_at(position);
    let input = head.get(first_byte..).unwrap_or_default();
    let mut table = RecordTable::default();
    let consumed = splitter.split_some(input, end, 1, &mut table);
    if table.is_empty() {
        // A quote that is never closed would have the whole file read.
        let is_longer = input.len() as u64 > options.dialect.record_bytes;
        return if is_longer {
            Err(damaged(Shape::Oversized, first_line, options))
        } else {
            Ok(None)
        };
    }
    if let Some(shape) = table.shape.first().filter(|shape| **shape != Shape::WellFormed) {
        let line = table.line.first().copied().unwrap_or(first_line);
        return Err(damaged(*shape, line, options));
    }
    let start = Position {
        record_no: 1,
        ..splitter.position()
    };
    let header_bytes = table.raw(0, input);
    let names = parse_header(&fields(header_bytes, &options.dialect));
    let mut rest = RecordTable::default();
    let after = input.get(consumed..).unwrap_or_default();
    splitter.split_some(after, end, SAMPLE_RECORDS, &mut rest);
    let sample: Vec<&[u8]> = (0..rest.len()).map(|row| rest.raw(row, after)).collect();
    if let Some(likely) = suspect_delimiter(header_bytes, &sample, &options.dialect) {
        return Err(suspicious(likely));
    }
    let decoded = |name: Result<String, InvalidName>| {
        name.unwrap_or_else(|invalid| String::from_utf8_lossy(&invalid.bytes).into_owned())
    };
    let columns: Vec<String> = names.names.into_iter().map(decoded).collect();
    let twice = |name: &&String| columns.iter().filter(|other| other == name).count() > 1;
    let duplicates = columns.iter().filter(twice).cloned().collect();
    Ok(Some((Header { columns, duplicates }, start)))
}

fn damaged(shape: Shape, line: u64, options: &CsvOptions) -> Error {
    let reason = super::chunk::reason(shape, 0, &options.dialect);
    Error::data(
        "source_corrupt",
        format!("the header is malformed: {reason} (line {line})"),
    )
    .hint("mend the first record: it names the columns")
}

fn suspicious(likely: u8) -> Error {
    let (shown, written) = match likely {
        b'\t' => ("tabs".to_owned(), "\\t".to_owned()),
        other => (format!("{:?}", char::from(other)), char::from(other).to_string()),
    };
    Error::data(
        "delimiter_suspect",
        format!("the header is one column that looks separated by {shown}"),
    )
    .hint(format!(
        "write the file with commas, or say `delimiter = \"{written}\"` in [source] of the process"
    ))
}

/// Byte and line after the byte order mark and `lines` physical lines.
fn skip_lines(head: &[u8], lines: usize) -> Option<(usize, u64)> {
    let mut at = bom_len(head);
    for _ in 0..lines {
        at += memchr::memchr(b'\n', head.get(at..)?)? + 1;
    }
    Some((at, lines as u64 + 1))
}
