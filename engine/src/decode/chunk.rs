//! One split chunk to record batches: the well-formed records typed, the malformed ones with their reason.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Int64Array, ListBuilder, RecordBatch, RecordBatchOptions, StringArray,
    StringBuilder, StructArray, new_null_array,
};
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::bytes::Encoding;
use super::cast::cast;
use super::csv::{Dialect, Malformed, RecordTable, Shape};
use super::kept::{KeptChunk, placed};
use super::layout::{self, Layout};
use super::open::OpenFile;
use super::parquet;
use super::suspicious::suspicious_rows;
use super::views::{ChunkEncoding, malformed_bytes, raw_bytes, texts};
use crate::error::Result;

/// Some records of a file, not yet decoded.
#[derive(Debug)]
pub enum Chunk {
    /// Text that was split.
    Text(Box<TextChunk>),
    /// Rows of a typed file.
    Rows(RowChunk),
    /// Records that were kept from a source.
    Kept(Box<KeptChunk>),
}

impl Chunk {
    /// Number of records, well-formed or not.
    #[must_use]
    pub fn num_records(&self) -> usize {
        match self {
            Self::Text(chunk) => chunk.records.num_records(),
            Self::Rows(chunk) => chunk.batch.num_rows(),
            Self::Kept(chunk) => chunk.text.records.num_records(),
        }
    }

    /// A hash of the source's bytes that it was made of; `None` where they are not at hand.
    #[must_use]
    pub fn bytes_hash(&self) -> Option<u128> {
        match self {
            Self::Text(chunk) => Some(xxh3_128_with_seed(&chunk.bytes, chunk.source_byte)),
            Self::Rows(_) | Self::Kept(_) => None,
        }
    }
}

/// Rows of a typed file, with all its columns.
#[derive(Debug)]
pub struct RowChunk {
    /// The rows.
    pub batch: RecordBatch,
    /// Number of the first one in the file.
    pub first_record_no: u64,
}

/// Some bytes of a file and the records in them.
#[derive(Debug)]
pub struct TextChunk {
    /// The bytes.
    pub bytes: Buffer,
    /// Where the first of them stands in the source, in its own encoding.
    pub source_byte: u64,
    /// The records.
    pub records: RecordTable,
}

/// What a chunk decodes to.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// Well-formed records, in the schema that rules see.
    pub incoming: RecordBatch,
    /// Malformed records; `None` when there are none.
    pub malformed: Option<RecordBatch>,
}

/// Turns chunks into batches; plain data, shared by all tasks of a load.
#[derive(Debug, Clone)]
pub struct ChunkDecoder {
    layout: Layout,
    dialect: Dialect,
    /// Columns of `raw`; the splitter keeps exactly these fields, in this order.
    raw_columns: Vec<String>,
    /// For each column of the layout, its place among the raw columns.
    slots: Vec<usize>,
    /// For each raw column, its place among the columns of the file.
    kept: Vec<usize>,
    /// Fields a record must have.
    expected_fields: usize,
    /// The encoding in which positions are counted.
    encoding: Encoding,
    /// What is made of a chunk, in the order of the schema.
    outputs: Vec<Output>,
    schema: SchemaRef,
}

/// A column of [`Layout::rule_schema`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// The number of a record.
    RecordNo,
    /// The line it starts in.
    Line,
    /// Its first byte.
    ByteStart,
    /// Its length.
    ByteLen,
    /// The record as it is kept.
    RawBytes,
    /// The columns whose bytes are no text.
    InvalidEncoding,
    /// The column of this number of the layout.
    Value(usize),
    /// Whether a text may have an unsupported character.
    Suspicious,
    /// The texts of the source.
    Raw,
}

impl Output {
    /// All of them, in the order of [`Layout::rule_schema`].
    fn all(layout: &Layout) -> Vec<Self> {
        let values = (0..layout.columns().count()).map(Self::Value);
        let before = [
            Self::RecordNo,
            Self::Line,
            Self::ByteStart,
            Self::ByteLen,
            Self::RawBytes,
            Self::InvalidEncoding,
        ];
        before
            .into_iter()
            .chain(values)
            .chain([Self::Suspicious, Self::Raw])
            .collect()
    }
}

impl ChunkDecoder {
    /// Decodes `layout` from records of `file` of which `raw_columns` were kept.
    #[must_use]
    pub fn new(layout: Layout, file: &OpenFile, raw_columns: Vec<String>) -> Self {
        let slot = |source: &str| raw_columns.iter().position(|c| c == source).unwrap_or(usize::MAX);
        let slots = layout.columns().map(|column| slot(&column.source)).collect();
        let schema = layout.rule_schema(&file.record_type(), &raw_columns);
        Self {
            dialect: file.options.dialect.clone(),
            kept: file.positions(&raw_columns).unwrap_or_default(),
            raw_columns,
            slots,
            expected_fields: file.header.columns.len(),
            encoding: file.encoding(),
            outputs: Output::all(&layout),
            layout,
            schema,
        }
    }

    /// Makes these columns and no others.
    #[must_use]
    pub fn only(self, names: &[&str]) -> Self {
        let fields = self.schema.fields().iter();
        let wanted = fields
            .zip(&self.outputs)
            .filter(|(field, _)| names.contains(&field.name().as_str()));
        let (fields, outputs): (Vec<_>, Vec<_>) =
            wanted.map(|(field, output)| (Arc::clone(field), *output)).unzip();
        Self {
            schema: Arc::new(Schema::new(fields)),
            outputs,
            ..self
        }
    }

    /// The schema of [`Decoded::incoming`].
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Decodes one chunk.
    ///
    /// # Errors
    /// Only what arrow refuses to build; bad data is rows, not an error.
    pub fn decode(&self, chunk: Chunk) -> Result<Decoded> {
        match chunk {
            Chunk::Text(chunk) => self.decode_text(*chunk),
            Chunk::Kept(chunk) => self.decode_kept(*chunk),
            Chunk::Rows(chunk) => Ok(Decoded {
                incoming: self.incoming_rows(&chunk)?,
                malformed: None,
            }),
        }
    }

    fn decode_text(&self, mut chunk: TextChunk) -> Result<Decoded> {
        let malformed = if chunk.records.malformed.is_empty() {
            None
        } else {
            Some(self.malformed(&chunk)?)
        };
        Ok(Decoded {
            incoming: self.incoming(&mut chunk)?,
            malformed,
        })
    }

    /// As any text; then the records get the places that they had.
    fn decode_kept(&self, chunk: KeptChunk) -> Result<Decoded> {
        let KeptChunk {
            text,
            places,
            rows,
            malformed,
        } = chunk;
        let decoded = self.decode_text(text)?;
        let outputs = [Output::RecordNo, Output::Line, Output::ByteStart, Output::ByteLen];
        let of_output =
            |(output, place)| Some((self.outputs.iter().position(|made| *made == output)?, place));
        let in_incoming: Vec<_> = outputs.into_iter().zip(&places).filter_map(of_output).collect();
        let in_malformed: Vec<_> = places.iter().enumerate().collect();
        let bad = decoded
            .malformed
            .map(|bad| placed(&bad, &in_malformed, &malformed));
        Ok(Decoded {
            incoming: placed(&decoded.incoming, &in_incoming, &rows)?,
            malformed: bad.transpose()?,
        })
    }

    fn incoming(&self, chunk: &mut TextChunk) -> Result<RecordBatch> {
        let num_rows = chunk.records.num_rows();
        let encoding = ChunkEncoding::of(&chunk.bytes, &chunk.records);
        let mut buffers = vec![chunk.bytes.clone()];
        if !chunk.records.unescaped.is_empty() {
            buffers.push(Buffer::from_vec(std::mem::take(&mut chunk.records.unescaped)));
        }
        let mut cells = std::mem::take(&mut chunk.records.columns);
        cells.resize_with(self.raw_columns.len(), Vec::new);
        let mut raw: Vec<ArrayRef> = Vec::with_capacity(cells.len());
        let mut faults: Vec<(usize, &str)> = Vec::new();
        for (slot, views) in cells.into_iter().enumerate() {
            let column = texts(views, &buffers, encoding);
            if let Some(name) = self.mapped(slot) {
                faults.extend(column.invalid_rows.iter().map(|row| (*row, name)));
            }
            raw.push(Arc::new(column.texts));
        }
        let invalid = chunk.records.invalid.iter();
        faults.extend(invalid.filter_map(|(row, slot)| Some((*row as usize, self.mapped(*slot as usize)?))));
        self.finish(num_rows, raw, faults, |output| self.provenance(chunk, output))
    }

    /// The name of a raw column if it is mapped.
    fn mapped(&self, slot: usize) -> Option<&str> {
        let name = self.raw_columns.get(slot).filter(|_| self.slots.contains(&slot));
        name.map(String::as_str)
    }

    /// Rows of a typed file: each value as the text that stands for it, then as any text.
    fn incoming_rows(&self, chunk: &RowChunk) -> Result<RecordBatch> {
        let (batch, num_rows) = (&chunk.batch, chunk.batch.num_rows());
        let mut raw: Vec<ArrayRef> = Vec::with_capacity(self.raw_columns.len());
        let mut faults: Vec<(usize, &str)> = Vec::new();
        for (slot, column) in self.kept.iter().enumerate() {
            let column = parquet::texts_of(batch.schema_ref().field(*column), batch.column(*column))?;
            if let Some(name) = self.mapped(slot) {
                faults.extend(column.invalid_rows.iter().map(|row| (*row, name)));
            }
            raw.push(Arc::new(column.texts));
        }
        self.finish(num_rows, raw, faults, |output| {
            let last = chunk.first_record_no + num_rows as u64;
            Ok(match output {
                Output::RecordNo => numbers(chunk.first_record_no..last),
                Output::RawBytes => Arc::new(StructArray::try_new_with_length(
                    batch.schema().fields().clone(),
                    batch.columns().to_vec(),
                    None,
                    num_rows,
                )?),
                Output::Suspicious => Arc::new(BooleanArray::from(vec![true; num_rows])),
                _ => new_null_array(&DataType::Int64, num_rows),
            })
        })
    }

    /// The batch of these raw texts: the typed columns are made of them, `provenance` gives where records stand.
    fn finish(
        &self,
        num_rows: usize,
        raw: Vec<ArrayRef>,
        mut faults: Vec<(usize, &str)>,
        provenance: impl Fn(Output) -> Result<ArrayRef>,
    ) -> Result<RecordBatch> {
        let columns = self.outputs.iter().map(|output| match output {
            Output::InvalidEncoding => Ok(encoding_faults(num_rows, &mut faults)),
            Output::Value(number) => self.value(*number, num_rows, &raw),
            Output::Raw => {
                let fields = layout::raw_fields(&self.raw_columns);
                let texts = StructArray::try_new_with_length(fields, raw.clone(), None, num_rows)?;
                Ok(Arc::new(texts) as ArrayRef)
            }
            other => provenance(*other),
        });
        let columns = columns.collect::<Result<_>>()?;
        let rows = RecordBatchOptions::new().with_row_count(Some(num_rows));
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns,
            &rows,
        )?)
    }

    /// A typed column.
    fn value(&self, number: usize, num_rows: usize, raw: &[ArrayRef]) -> Result<ArrayRef> {
        let column = self.layout.columns().nth(number);
        let slot = self.slots.get(number).copied().unwrap_or(usize::MAX);
        match (column, raw.get(slot)) {
            (Some(column), Some(texts)) => cast(texts.as_string_view(), column),
            (Some(column), None) => Ok(new_null_array(&column.data_type(), num_rows)),
            (None, _) => Ok(new_null_array(&DataType::Null, num_rows)),
        }
    }

    fn malformed(&self, chunk: &TextChunk) -> Result<RecordBatch> {
        let malformed = &chunk.records.malformed;
        let column = |value: &dyn Fn(&Malformed) -> u64| numbers(malformed.iter().map(value));
        let byte_len = |bad: &Malformed| match bad.shape {
            Shape::Oversized => bad.byte_len,
            _ => self.encoding.original_bytes(bad.raw(&chunk.bytes)),
        };
        let reasons = malformed.iter().map(|bad| match &bad.message {
            Some(message) => message.to_string(),
            None => reason(bad.shape, self.expected_fields, &self.dialect),
        });
        let columns = vec![
            column(&|bad| bad.record_no),
            column(&|bad| bad.line),
            column(&|bad| self.source_byte(chunk, bad)),
            column(&byte_len),
            malformed_bytes(&chunk.bytes, malformed),
            Arc::new(StringArray::from_iter_values(reasons)),
        ];
        Ok(RecordBatch::try_new(layout::malformed_schema(), columns)?)
    }

    /// Where each row's record stands in the source, and its bytes.
    fn provenance(&self, chunk: &TextChunk, output: Output) -> Result<ArrayRef> {
        let records = &chunk.records;
        Ok(match output {
            Output::RecordNo => numbers(records.record_numbers()),
            Output::Line => {
                let lines = records.line.iter().map(|line| u64::from(*line));
                numbers(lines.map(|line| records.origin.line + line))
            }
            Output::ByteStart => self.source_bytes(chunk),
            Output::ByteLen => self.source_lengths(chunk),
            Output::Suspicious => Arc::new(suspicious_rows(&chunk.bytes, records)),
            _ => raw_bytes(&chunk.bytes, records)?,
        })
    }

    /// The first byte of each row's record, in the source's own encoding.
    fn source_bytes(&self, chunk: &TextChunk) -> ArrayRef {
        let offsets = chunk.records.offset.iter();
        if self.encoding == Encoding::Utf8 {
            return numbers(offsets.map(|offset| chunk.source_byte + u64::from(*offset)));
        }
        let (encoding, mut at, mut byte) = (self.encoding, 0, chunk.source_byte);
        numbers(offsets.map(move |offset| {
            let between = chunk.bytes.get(at..*offset as usize).unwrap_or_default();
            byte += encoding.original_bytes(between);
            at = *offset as usize;
            byte
        }))
    }

    /// The length of each row's record, in the source's own encoding.
    fn source_lengths(&self, chunk: &TextChunk) -> ArrayRef {
        let records = &chunk.records;
        if self.encoding == Encoding::Utf8 {
            return numbers(records.byte_len.iter().map(|byte_len| u64::from(*byte_len)));
        }
        let original_bytes = |row| self.encoding.original_bytes(records.raw(row, &chunk.bytes));
        numbers((0..records.num_rows()).map(original_bytes))
    }

    /// The first byte of a malformed record, in the source's own encoding.
    fn source_byte(&self, chunk: &TextChunk, bad: &Malformed) -> u64 {
        match bad.byte_start.checked_sub(chunk.records.origin.byte) {
            Some(before) => {
                let before = chunk.bytes.get(..before as usize).unwrap_or_default();
                chunk.source_byte + self.encoding.original_bytes(before)
            }
            // Its first bytes are gone.
            None => chunk.source_byte - bad.bytes_before,
        }
    }
}

fn numbers(values: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values.map(|value| value as i64)))
}

/// Why a record of this shape is malformed.
pub(super) fn reason(shape: Shape, expected_fields: usize, dialect: &Dialect) -> String {
    match shape {
        Shape::WellFormed | Shape::NoObject => String::new(),
        Shape::FieldCount { found } => {
            let fields = if found == 1 { "field" } else { "fields" };
            format!("field count: {found} {fields} where the header has {expected_fields}")
        }
        Shape::StrayQuote => {
            "stray quote: a quote stands inside a field, or text follows a closing quote".to_owned()
        }
        Shape::UnterminatedQuote => "unterminated quote: a quoted field does not end".to_owned(),
        Shape::Oversized => {
            format!(
                "oversized: the record has more than {} bytes; its first part is kept",
                dialect.record_bytes
            )
        }
    }
}

/// One list of column names a row; NULL where all is well.
fn encoding_faults(num_rows: usize, faults: &mut [(usize, &str)]) -> ArrayRef {
    if faults.is_empty() {
        return new_null_array(layout::invalid_encoding_field().data_type(), num_rows);
    }
    faults.sort_by_key(|(row, _)| *row);
    let mut builder = ListBuilder::new(StringBuilder::new());
    let mut rest = &*faults;
    for row in 0..num_rows {
        let here = rest.iter().take_while(|(at, _)| *at == row).count();
        let (names, after) = rest.split_at(here);
        names
            .iter()
            .for_each(|(_, name)| builder.values().append_value(name));
        builder.append(here > 0);
        rest = after;
    }
    Arc::new(builder.finish())
}
