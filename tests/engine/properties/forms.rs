//! Forms of a file: encodings of a text, NDJSON, Parquet, gzip.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;

use super::cells::Cell;

/// How the files of a process are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Delimited text in UTF-8.
    Utf8,
    /// Delimited text in UTF-16, little end first.
    Utf16,
    /// Delimited text in ISO 8859-1.
    Latin1,
    Ndjson,
    /// Parquet with columns of text.
    Parquet,
}

/// Half a pair of UTF-16, as UTF-8 would have it.
const SURROGATE: &[u8] = b"\xed\xa0\x80";

impl Form {
    /// What makes such a file of `[source]`.
    pub fn toml(self, delimiter: &str) -> String {
        match self {
            Self::Utf8 => format!("delimiter = {delimiter:?}\n"),
            Self::Utf16 => format!("delimiter = {delimiter:?}\nencoding = \"utf-16\"\n"),
            Self::Latin1 => format!("delimiter = {delimiter:?}\nencoding = \"latin1\"\n"),
            Self::Ndjson => "format = \"ndjson\"\n".to_owned(),
            Self::Parquet => "format = \"parquet\"\n".to_owned(),
        }
    }

    /// The cell, or one like it that such a file can hold.
    pub fn holds(self, cell: Cell) -> Cell {
        let text = std::str::from_utf8(&cell.bytes).ok();
        let bytes = match (self, text) {
            (Self::Latin1, Some(text)) if text.chars().any(|c| c > '\u{ff}') => None,
            (Self::Utf8, _) | (_, Some(_)) => return cell,
            (Self::Utf16, None) => Some([b"a", SURROGATE].concat()),
            // What is no text has none to show.
            (Self::Ndjson, None) => Some(Vec::new()),
            (Self::Latin1 | Self::Parquet, None) => None,
        };
        match bytes {
            Some(bytes) => Cell { bytes, ..cell },
            None => Cell {
                bytes: Vec::new(),
                value: None,
                breaks: Vec::new(),
            },
        }
    }

    /// A text of UTF-8, but for a [`SURROGATE`], as it stands in the file.
    pub fn encode(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Utf8 | Self::Ndjson | Self::Parquet => text.to_vec(),
            Self::Latin1 => {
                let characters = std::str::from_utf8(text).unwrap().chars();
                characters.map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
            }
            Self::Utf16 => {
                let units = text.utf8_chunks().flat_map(|chunk| {
                    let surrogate = (chunk.invalid() == &SURROGATE[..1]).then_some(0xd800);
                    chunk.valid().encode_utf16().chain(surrogate).collect::<Vec<_>>()
                });
                units.flat_map(u16::to_le_bytes).collect()
            }
        }
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// Each name once: the first cell under it.
pub fn once<'a, T>(cells: impl Iterator<Item = (&'a str, T)>) -> Vec<(&'a str, T)> {
    let mut seen = BTreeSet::new();
    cells.filter(|(name, _)| seen.insert(*name)).collect()
}

/// One line of NDJSON; `variants` says, one bit each, which cells are written in another way than as a string, and
/// `is_first` that no key is left out.
pub fn json_line(cells: &[(&str, &Cell)], variants: u16, is_first: bool) -> Vec<u8> {
    let pair = |(at, (name, cell)): (usize, &(&str, &Cell))| {
        let is_variant = variants & (1 << (at % 16)) != 0;
        let value = json_value(cell, is_variant, is_first)?;
        Some(format!("{}: {value}", serde_json::to_string(name).unwrap()))
    };
    let pairs: Vec<String> = cells.iter().enumerate().filter_map(pair).collect();
    format!("{{{}}}", pairs.join(", ")).into_bytes()
}

fn json_value(cell: &Cell, is_variant: bool, is_first: bool) -> Option<String> {
    if cell.breaks.contains(&"invalid_encoding") {
        return Some("\"a\\ud800\"".to_owned());
    }
    let text = String::from_utf8(cell.bytes.clone()).unwrap();
    let is_bare = ["true", "false"].contains(&text.as_str())
        || serde_json::from_str::<serde_json::Number>(&text).is_ok() && text.trim() == text;
    match (text.is_empty(), is_variant) {
        (true, true) if is_first => Some("null".to_owned()),
        (true, true) => None,
        (false, true) if is_bare => Some(text),
        _ => Some(serde_json::to_string(&text).unwrap()),
    }
}

/// A row of Parquet: the texts, and the object that stands for them.
pub fn parquet_row(cells: &[(&str, &Cell)], variants: u16) -> (Vec<Option<String>>, Vec<u8>) {
    let value = |(at, (_, cell)): (usize, &(&str, &Cell))| {
        let is_null = cell.bytes.is_empty() && variants & (1 << (at % 16)) != 0;
        (!is_null).then(|| String::from_utf8(cell.bytes.clone()).unwrap())
    };
    let values: Vec<Option<String>> = cells.iter().enumerate().map(value).collect();
    let pairs = cells.iter().zip(&values).map(|((name, _), value)| {
        let texts = [serde_json::to_string(name), serde_json::to_string(value)];
        texts.map(Result::unwrap).join(":")
    });
    let object = format!("{{{}}}", pairs.collect::<Vec<_>>().join(","));
    (values, object.into_bytes())
}

pub fn parquet(names: &[&str], rows: &[Vec<Option<String>>]) -> Vec<u8> {
    let columns = names.iter().enumerate().map(|(at, name)| {
        let texts: StringArray = rows.iter().map(|row| row[at].as_deref()).collect();
        (*name, Arc::new(texts) as ArrayRef, true)
    });
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file
}
