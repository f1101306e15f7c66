//! Opening a file: what it holds, byte order mark, header, and the faults that concern the file as a whole.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::DataType;

use super::bytes::{self, Blocks, Compression, Cut, Encoding, Footer, Limits};
use super::csv::{
    Dialect, End, FieldSelection, InvalidName, Position, RecordTable, SAMPLE_RECORDS, Shape, Splitter,
    bom_len, fields, parse_header, suspect_delimiter,
};
use super::feed::{CsvFeed, Feed, JsonFeed, KeptFeed, RowsFeed};
use super::json::{JsonSplitter, KeySearch, keys_seen};
use super::kept::{Kept, KeptSplitter};
use super::parquet::ParquetFile;
use super::record::RecordReader;
use crate::error::{Error, Result};
use crate::source::{Rows, SourceFile};

/// How the process says the file is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Format; `None`: as the file shows.
    pub format: Option<FileFormat>,
    /// Special bytes and the largest record.
    pub dialect: Dialect,
    /// Physical lines before the header.
    pub skip_rows: usize,
    /// Physical lines at the end that are no records.
    pub skip_footer_rows: usize,
    /// Where the column names come from.
    pub names: ColumnNames,
    /// Encoding of the text.
    pub encoding: Encoding,
    /// What a compressed file may grow to.
    pub limits: Limits,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// Delimited text.
    Csv,
    /// JSON objects, one a line.
    Ndjson,
    /// Parquet.
    Parquet,
    /// Rows that are in no file.
    Table,
}

impl FileFormat {
    /// The word in reports and process files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
            Self::Table => "table",
        }
    }

    /// The format that a file shows: Parquet by its first bytes, NDJSON by its name.
    fn of(source: &SourceFile) -> Result<Self> {
        if source.head(PARQUET_MAGIC.len())? == PARQUET_MAGIC {
            return Ok(Self::Parquet);
        }
        let name = source.url.to_ascii_lowercase();
        let name = [".gz", ".zst"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .unwrap_or(&name);
        let is_json = [".ndjson", ".jsonl"].iter().any(|end| name.ends_with(end));
        Ok(if is_json { Self::Ndjson } else { Self::Csv })
    }
}

/// The first bytes of a Parquet file.
const PARQUET_MAGIC: &[u8] = b"PAR1";

/// Where the names of the columns come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ColumnNames {
    /// The first record.
    #[default]
    Header,
    /// Nowhere: they are `column_1`, `column_2` and so on, as many as the first record has fields.
    Numbered,
    /// The process; the first record is data.
    Given(Vec<String>),
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
    /// These columns, in file order.
    #[must_use]
    pub fn of(columns: Vec<String>) -> Self {
        let mut places: HashMap<&str, usize> = HashMap::new();
        columns
            .iter()
            .for_each(|name| *places.entry(name).or_default() += 1);
        let twice = |name: &&String| places.get(name.as_str()).is_some_and(|places| *places > 1);
        let duplicates = columns.iter().filter(twice).cloned().collect();
        Self { columns, duplicates }
    }

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

/// An opened file: its columns are known, its records are not read.
#[derive(Debug, Clone)]
pub struct OpenFile {
    /// The file and its identity.
    pub source: SourceFile,
    /// How it is written.
    pub options: ReadOptions,
    /// Its columns.
    pub header: Header,
    /// What it holds.
    pub content: Content,
}

/// What a file was found to hold.
#[derive(Debug, Clone)]
pub enum Content {
    /// Delimited text.
    Csv(Text),
    /// JSON objects, one a line.
    Ndjson(Text),
    /// Typed rows, of a Parquet file or of no file.
    Rows(FileFormat, Arc<dyn Rows>),
    /// Records that were kept from a source, in its own form.
    Kept(Kept),
}

/// A file of text.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// The first record, in the decoded stream.
    pub start: Position,
    /// Its first byte in the source's own encoding.
    pub source_start: u64,
    /// The encoding that the content has.
    pub encoding: Encoding,
    /// How the file is compressed.
    pub compression: Compression,
}

/// Bytes read to find the header, doubled until it is whole.
const HEAD_BYTES: usize = 64 << 10;
/// Bytes of NDJSON that are searched for keys.
const KEYS_BYTES: usize = 1 << 20;
/// Records of NDJSON that are searched for keys.
const KEYS_ROWS: usize = 1000;

impl OpenFile {
    /// Finds out what the file holds, and reads its header. May wait.
    ///
    /// # Errors
    /// `file_empty`; a header that is malformed; input or output.
    pub fn open(source: SourceFile, options: ReadOptions) -> Result<Self> {
        let (header, content) = match source.rows() {
            Some(rows) => of_rows(FileFormat::Table, Arc::clone(rows)),
            None => open_bytes(&source, &options)?,
        };
        Ok(Self {
            source,
            options,
            header,
            content,
        })
    }

    /// Records that were kept from the source `url`, whose columns were `header`.
    #[must_use]
    pub fn of_kept(url: String, kept: Kept, header: Header, options: ReadOptions) -> Self {
        Self {
            source: SourceFile::of_rows(url, Arc::clone(&kept.rows)),
            options,
            header,
            content: Content::Kept(kept),
        }
    }

    /// The same file with those of the `wanted` columns that its first records lack and a later one has: a key of
    /// NDJSON may be rare. The file is read until all are found, to its end only if one is in no record.
    ///
    /// # Errors
    /// Input or output.
    pub fn with_rare_keys(mut self, wanted: &[String]) -> Result<Self> {
        let Content::Ndjson(text) = &self.content else {
            return Ok(self);
        };
        let is_missing = |name: &&String| !self.header.columns.contains(name);
        let mut search = KeySearch::new(wanted.iter().filter(is_missing).cloned().collect());
        if search.is_over() {
            return Ok(self);
        }
        let blocks = self.blocks(text, KEYS_BYTES, 0)?;
        while !search.is_over()
            && let Some(block) = blocks.next()?
        {
            search.feed(block.content());
            blocks.recycle(block.into_buffer());
        }
        self.header.columns.extend(search.finish());
        Ok(self)
    }

    /// The format.
    #[must_use]
    pub fn format(&self) -> FileFormat {
        match self.content {
            Content::Csv(_) => FileFormat::Csv,
            Content::Ndjson(_) => FileFormat::Ndjson,
            Content::Rows(format, _) | Content::Kept(Kept { format, .. }) => format,
        }
    }

    /// The encoding of its text.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        match &self.content {
            Content::Csv(text) | Content::Ndjson(text) => text.encoding,
            Content::Kept(kept) => kept.encoding,
            Content::Rows(..) => Encoding::Utf8,
        }
    }

    /// What there is to know of its text; nothing of a typed file.
    #[must_use]
    pub fn text(&self) -> Option<&Text> {
        match &self.content {
            Content::Csv(text) | Content::Ndjson(text) => Some(text),
            Content::Rows(..) | Content::Kept(_) => None,
        }
    }

    /// The type in which a record is kept: bytes, or a row of all columns.
    #[must_use]
    pub fn record_type(&self) -> DataType {
        match &self.content {
            Content::Csv(_) | Content::Ndjson(_) | Content::Kept(_) => DataType::BinaryView,
            Content::Rows(_, rows) => DataType::Struct(rows.fields().clone()),
        }
    }

    /// How a record that was kept is read again.
    #[must_use]
    pub fn record_reader(&self) -> RecordReader {
        match self.format() {
            FileFormat::Csv => RecordReader::Csv(self.options.dialect.clone()),
            FileFormat::Ndjson | FileFormat::Parquet | FileFormat::Table => {
                RecordReader::json(&self.header.columns)
            }
        }
    }

    /// Its records; the columns at `kept` become cells.
    ///
    /// # Errors
    /// Input or output; a compression that is not read.
    pub(super) fn feed(
        &self,
        kept: &[usize],
        block_bytes: usize,
        look_ahead_bytes: usize,
    ) -> Result<Box<dyn Feed>> {
        let blocks = |text: &Text| self.blocks(text, block_bytes, look_ahead_bytes);
        let dialect = &self.options.dialect;
        Ok(match &self.content {
            Content::Csv(text) => {
                let selection = FieldSelection::new(kept.iter().copied());
                let splitter = Splitter::new(dialect, selection, Some(self.header.columns.len()));
                let splitter = splitter.starting_at(text.start).measuring_in(text.encoding);
                Box::new(CsvFeed::new(
                    blocks(text)?,
                    splitter,
                    text.encoding,
                    text.source_start,
                ))
            }
            Content::Ndjson(text) => {
                let wanted = self.names_of(kept);
                Box::new(JsonFeed::new(blocks(text)?, &wanted, dialect.record_bytes, text))
            }
            Content::Rows(_, rows) => Box::new(RowsFeed::new(Arc::clone(rows))),
            Content::Kept(records) => {
                Box::new(KeptFeed::new(records.clone(), self.kept_splitter(records, kept)))
            }
        })
    }

    fn kept_splitter(&self, records: &Kept, columns: &[usize]) -> KeptSplitter {
        let dialect = &self.options.dialect;
        if records.format == FileFormat::Csv {
            let selection = FieldSelection::new(columns.iter().copied());
            let splitter = Splitter::new(dialect, selection, Some(self.header.columns.len()));
            return KeptSplitter::Csv(Box::new(splitter));
        }
        let wanted = self.names_of(columns);
        KeptSplitter::Json(Box::new(JsonSplitter::new(&wanted, dialect.record_bytes)))
    }

    fn names_of(&self, columns: &[usize]) -> Vec<String> {
        let names = columns
            .iter()
            .filter_map(|column| self.header.columns.get(*column));
        names.cloned().collect()
    }

    fn blocks(&self, text: &Text, block_bytes: usize, look_ahead_bytes: usize) -> Result<Arc<dyn Blocks>> {
        let cut = Cut::new(block_bytes, look_ahead_bytes).starting_at(text.start.byte);
        let (source, options) = (&self.source, &self.options);
        let footer = Footer {
            num_lines: options.skip_footer_rows,
            newline: options.dialect.newline.byte(),
        };
        let (blocks, _) = bytes::open(source, text.encoding, &options.limits, footer, cut)?;
        Ok(blocks)
    }

    /// The positions of `wanted` columns.
    ///
    /// # Errors
    /// `column_missing`, `column_duplicate`, or `delimiter_suspect`, naming file, columns and remedy.
    pub fn positions(&self, wanted: &[String]) -> Result<Vec<usize>> {
        let shown = self.source.url.clone();
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

fn of_rows(format: FileFormat, rows: Arc<dyn Rows>) -> (Header, Content) {
    (Header::of(rows.columns().to_vec()), Content::Rows(format, rows))
}

fn open_bytes(source: &SourceFile, options: &ReadOptions) -> Result<(Header, Content)> {
    if source.version.size_bytes == 0 {
        let hint = "an upload may have been cut off; a file without customers has a header at least";
        return Err(Error::data("file_empty", "the file has no bytes")
            .in_file(&source.url)
            .hint(hint));
    }
    let format = match options.format {
        Some(format) => format,
        None => FileFormat::of(source)?,
    };
    match format {
        FileFormat::Ndjson => open_ndjson(source, options),
        FileFormat::Parquet => Ok(of_rows(format, Arc::new(ParquetFile::open(source)?))),
        FileFormat::Csv | FileFormat::Table => open_csv(source, options),
    }
}

fn open_csv(source: &SourceFile, options: &ReadOptions) -> Result<(Header, Content)> {
    let shown = source.url.clone();
    let mut head_bytes = HEAD_BYTES;
    loop {
        let head = head(source, options, head_bytes)?;
        let end = if head.is_whole { End::Last } else { End::More };
        if let Some((header, start)) =
            read_header(&head.bytes, end, options).map_err(|e| e.in_file(&shown))?
        {
            return Ok((header, Content::Csv(text(&head, start))));
        }
        if end == End::Last {
            return Err(Error::data("file_empty", "the file has no header")
                .in_file(shown)
                .hint("the first record names the columns; write one"));
        }
        head_bytes *= 2;
    }
}

fn open_ndjson(source: &SourceFile, options: &ReadOptions) -> Result<(Header, Content)> {
    let head = head(source, options, KEYS_BYTES)?;
    let end = if head.is_whole { End::Last } else { End::More };
    let Some((byte, line)) = skip_lines(&head.bytes, options.skip_rows, b'\n') else {
        let message = format!("the file has no {} lines to skip", options.skip_rows);
        return Err(Error::data("file_empty", message).in_file(&source.url));
    };
    let keys = keys_seen(head.bytes.get(byte..).unwrap_or_default(), end, KEYS_ROWS);
    let start = Position {
        byte: byte as u64,
        line,
        record_no: 1,
    };
    Ok((Header::of(keys), Content::Ndjson(text(&head, start))))
}

fn head(source: &SourceFile, options: &ReadOptions, max_bytes: usize) -> Result<bytes::Head> {
    bytes::head(source, options.encoding, &options.limits, max_bytes)
}

fn text(head: &bytes::Head, start: Position) -> Text {
    let opened = head.opened;
    let before = head.bytes.get(..start.byte as usize).unwrap_or_default();
    Text {
        start,
        source_start: opened.encoding.original_bytes(before),
        encoding: opened.encoding,
        compression: opened.compression,
    }
}

/// The header and the place after it; `None` when `head` does not hold it whole.
fn read_header(head: &[u8], end: End, options: &ReadOptions) -> Result<Option<(Header, Position)>> {
    let newline = options.dialect.newline.byte();
    let Some((first_byte, first_line)) = skip_lines(head, options.skip_rows, newline) else {
        return Ok(None);
    };
    let position = Position {
        byte: first_byte as u64,
        line: first_line,
        record_no: 1,
    };
    if let ColumnNames::Given(names) = &options.names {
        return Ok(Some((Header::of(names.clone()), position)));
    }
    let mut splitter = Splitter::new(&options.dialect, FieldSelection::default(), None).starting_at(position);
    let input = head.get(first_byte..).unwrap_or_default();
    let mut table = RecordTable::default();
    let consumed = splitter.split_some(input, 0, end, 1, &mut table);
    let after_first = splitter.position().line;
    if table.is_empty() {
        // A quote that is never closed would have the whole file read.
        let is_longer = input.len() as u64 > options.dialect.record_bytes;
        return if is_longer {
            Err(damaged(Shape::Oversized, first_line, options))
        } else {
            Ok(None)
        };
    }
    let mut consumed = consumed;
    if let Some(bad) = table.malformed.first() {
        let (shape, line) = (bad.shape, bad.line);
        if options.names == ColumnNames::Header {
            return Err(damaged(shape, line, options));
        }
        // Without a header the first well-formed record tells how many columns there are; those before it are rejects.
        while table.num_rows() == 0 {
            let read = splitter.split_some(input, consumed, end, SAMPLE_RECORDS, &mut table);
            if read == consumed {
                return if end == End::Last {
                    Err(damaged(shape, line, options))
                } else {
                    Ok(None)
                };
            }
            consumed = read;
        }
    }
    let first = table.raw(0, input);
    if let Some(likely) = suspect_delimiter(
        first,
        &sample(&mut splitter, input, consumed, end),
        &options.dialect,
    ) {
        return Err(suspicious(likely));
    }
    let cells = fields(first, &options.dialect);
    let (columns, start) = match &options.names {
        ColumnNames::Header => {
            let behind = Position {
                record_no: 1,
                byte: position.byte + consumed as u64,
                line: after_first,
            };
            (
                parse_header(&cells).names.into_iter().map(decoded).collect(),
                behind,
            )
        }
        ColumnNames::Numbered | ColumnNames::Given(_) => (
            (1..=cells.len())
                .map(|number| format!("column_{number}"))
                .collect(),
            position,
        ),
    };
    Ok(Some((Header::of(columns), start)))
}

/// The records behind the first one, as far as the head has them.
fn sample<'a>(splitter: &mut Splitter, input: &'a [u8], at: usize, end: End) -> Vec<&'a [u8]> {
    let mut records = RecordTable::default();
    splitter.split_some(input, at, end, SAMPLE_RECORDS, &mut records);
    (0..records.num_rows())
        .map(|row| records.raw(row, input))
        .collect()
}

fn decoded(name: Result<String, InvalidName>) -> String {
    name.unwrap_or_else(|invalid| String::from_utf8_lossy(&invalid.bytes).into_owned())
}

fn damaged(shape: Shape, line: u64, options: &ReadOptions) -> Error {
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
fn skip_lines(head: &[u8], lines: usize, newline: u8) -> Option<(usize, u64)> {
    let mut at = bom_len(head);
    for _ in 0..lines {
        at += memchr::memchr(newline, head.get(at..)?)? + 1;
    }
    Some((at, lines as u64 + 1))
}
