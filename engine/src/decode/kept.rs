//! Records that were kept from a source, each a text of its own with the place that it had there.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::buffer::Buffer;
use arrow::compute::take;

use super::bytes::{Encoding, Transcoder};
use super::chunk::TextChunk;
use super::csv::{End, Malformed, Position, RecordTable, Shape, Splitter};
use super::json::{JsonSplitter, TextTable, records};
use super::open::FileFormat;
use crate::error::Result;
use crate::source::Rows;

/// A source whose records are batches of `record_no, line, byte_start, byte_len, raw`, ascending by number.
#[derive(Debug, Clone)]
pub struct Kept {
    /// How the records are written: as text, or as an object of JSON each.
    pub format: FileFormat,
    /// The encoding of their bytes.
    pub encoding: Encoding,
    /// The records.
    pub rows: Arc<dyn Rows>,
}

/// Position of the record's bytes in a batch of kept records.
pub const KEPT_RAW: usize = 4;

/// Some kept records, split.
#[derive(Debug)]
pub struct KeptChunk {
    /// Their texts, one after the other.
    pub text: TextChunk,
    /// `record_no, line, byte_start, byte_len` of all of them.
    pub places: Vec<ArrayRef>,
    /// Where the well-formed ones stand in `places`, in their order.
    pub rows: Vec<u32>,
    /// Where the malformed ones do.
    pub malformed: Vec<u32>,
}

/// Splits kept records. One that is no single record any more is malformed.
#[derive(Debug, Clone)]
pub(super) enum KeptSplitter {
    /// Delimited text.
    Csv(Box<Splitter>),
    /// Objects of JSON.
    Json(Box<JsonSplitter>),
}

/// One record as it was kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeptRecord<'a> {
    /// Its bytes.
    pub raw: &'a [u8],
    /// Its length in the source, where that is known: of an oversized record only the first part was kept.
    pub byte_len: Option<u64>,
}

impl KeptRecord<'_> {
    fn is_cut(&self) -> bool {
        self.byte_len
            .is_some_and(|byte_len| (self.raw.len() as u64) < byte_len)
    }
}

impl KeptSplitter {
    /// Splits `kept`, whose bytes are in `encoding`.
    pub(super) fn split(
        &self,
        kept: &[KeptRecord<'_>],
        encoding: Encoding,
        places: Vec<ArrayRef>,
    ) -> KeptChunk {
        match self {
            Self::Csv(splitter) => csv(splitter, kept, encoding, places),
            Self::Json(splitter) => json(splitter, kept, encoding, places),
        }
    }
}

fn csv(splitter: &Splitter, kept: &[KeptRecord<'_>], encoding: Encoding, places: Vec<ArrayRef>) -> KeptChunk {
    let (mut bytes, mut table) = (Vec::new(), RecordTable::default());
    let (mut rows, mut malformed) = (Vec::new(), Vec::new());
    for (number, record) in kept.iter().enumerate() {
        let start = bytes.len();
        decode(record.raw, encoding, &mut bytes);
        let rows_before = table.num_rows();
        match fault(splitter, record, &bytes, start) {
            Some(message) => table.malformed.push(bad(&table, start, bytes.len(), message)),
            None => {
                let mut splitter = splitter.clone();
                let _ = splitter.split_some(&bytes, start, End::Last, 1, &mut table);
            }
        }
        match table.num_rows() > rows_before {
            true => rows.push(number as u32),
            false => malformed.push(number as u32),
        }
    }
    KeptChunk {
        text: text(bytes, table),
        places,
        rows,
        malformed,
    }
}

/// Why the text from `start` on is not one record, well-formed or not.
fn fault(splitter: &Splitter, record: &KeptRecord<'_>, bytes: &[u8], start: usize) -> Option<&'static str> {
    if record.is_cut() {
        return Some("oversized: only the first part of the record was kept");
    }
    let mut alone = RecordTable::default();
    let _ = splitter
        .clone()
        .split_some(bytes, start, End::Last, 2, &mut alone);
    match alone.num_records() {
        0 => Some("no record: it is empty or a comment now"),
        1 => None,
        _ => Some("several records: it ends before its last byte now"),
    }
}

fn bad(table: &RecordTable, start: usize, end: usize, message: &str) -> Malformed {
    Malformed {
        rows_before: table.num_rows() as u32,
        offset: start as u32,
        byte_start: start as u64,
        byte_len: (end - start) as u64,
        bytes_before: 0,
        record_no: 0,
        line: 1,
        shape: Shape::NoObject,
        head: Vec::new(),
        message: Some(message.into()),
    }
}

/// A line that is no object, in place of what is no line.
const NO_LINE: &[u8] = b"!";

fn json(
    splitter: &JsonSplitter,
    kept: &[KeptRecord<'_>],
    encoding: Encoding,
    places: Vec<ArrayRef>,
) -> KeptChunk {
    let (mut bytes, mut table) = (Vec::new(), TextTable::default());
    for record in kept {
        let start = bytes.len();
        decode(record.raw, encoding, &mut bytes);
        let line = bytes.get(start..).unwrap_or_default();
        if record.is_cut() || line.contains(&b'\n') || line.trim_ascii().is_empty() {
            bytes.truncate(start);
            bytes.extend_from_slice(NO_LINE);
        }
        bytes.push(b'\n');
    }
    let mut splitter = splitter.clone();
    let _ = splitter.split(&bytes, bytes.len(), End::Last, &mut table);
    let rows = table.ordinal.clone();
    let malformed = table.malformed.iter().map(|bad| bad.ordinal).collect();
    let records = records(table, &bytes, Position::default(), Encoding::Utf8);
    KeptChunk {
        text: text(bytes, records),
        places,
        rows,
        malformed,
    }
}

fn text(bytes: Vec<u8>, records: RecordTable) -> TextChunk {
    TextChunk {
        bytes: Buffer::from_vec(bytes),
        source_byte: 0,
        records,
    }
}

/// Appends `raw` as the decoded stream had it. Half a character at the end is left out.
fn decode(raw: &[u8], encoding: Encoding, out: &mut Vec<u8>) {
    let mut transcoder = Transcoder::new(encoding);
    transcoder.feed(raw, out);
    let _ = transcoder.finish(out);
}

/// The same batch with the places `of` some records in its first four columns, as far as it has them.
pub(super) fn placed(batch: &RecordBatch, places: &[(usize, &ArrayRef)], of: &[u32]) -> Result<RecordBatch> {
    let rows = UInt32Array::from(of.to_vec());
    let mut columns = batch.columns().to_vec();
    for (position, place) in places {
        if let Some(column) = columns.get_mut(*position) {
            *column = take(place, &rows, None)?;
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(
        batch.schema(),
        columns,
        &options,
    )?)
}

#[cfg(test)]
mod tests;
