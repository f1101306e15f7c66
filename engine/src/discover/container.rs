//! What kind of file it is, told by how it begins.

use serde::Serialize;
use serde_json::{Map, Value};

use super::dialect::Extent;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Container {
    /// Text of delimited fields.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
    /// Rows that are in no file.
    Table,
    /// A gzip stream; what is in it is told by its own beginning.
    Gzip,
    /// A Zstandard stream; likewise.
    Zstd,
    /// Something that is not read, with its name.
    Unreadable(&'static str),
}

/// Beginnings that nothing else has.
const MAGICS: [(&[u8], Container); 11] = [
    (b"PAR1", Container::Parquet),
    (b"PARE", Container::Unreadable("Parquet with an encrypted footer")),
    (b"\x1F\x8B", Container::Gzip),
    (b"\x28\xB5\x2F\xFD", Container::Zstd),
    (
        b"PK\x03\x04",
        Container::Unreadable("a zip archive, or a workbook such as xlsx"),
    ),
    (b"BZh", Container::Unreadable("bzip2")),
    (b"\xFD7zXZ\0", Container::Unreadable("xz")),
    (b"\x04\x22\x4D\x18", Container::Unreadable("lz4")),
    (
        b"\xD0\xCF\x11\xE0",
        Container::Unreadable("a workbook such as xls"),
    ),
    (b"Obj\x01", Container::Unreadable("Avro")),
    (b"%PDF", Container::Unreadable("PDF")),
];

/// Lines that are parsed to tell NDJSON.
const JSON_SAMPLE_ROWS: usize = 1000;

/// The container whose magic number `head` begins with.
#[must_use]
pub fn by_magic(head: &[u8]) -> Option<Container> {
    let is_skippable_frame = matches!(head, [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..]);
    let known = MAGICS
        .iter()
        .find(|(magic, _)| head.starts_with(magic))
        .map(|(_, container)| *container);
    known.or(is_skippable_frame.then_some(Container::Zstd))
}

/// The first objects of a text that is NDJSON, and the lines that are none; `None`: it is not NDJSON.
///
/// It is, if its first line is an object and at least nine of ten of the lines sampled are.
#[must_use]
pub fn ndjson_objects(text: &str, extent: Extent) -> Option<(Vec<Map<String, Value>>, u64)> {
    let whole = match extent {
        Extent::Whole => text,
        Extent::Beginning => text.get(..text.rfind('\n')?)?,
    };
    let lines = whole
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(JSON_SAMPLE_ROWS);
    let (mut objects, mut bad_rows) = (Vec::new(), 0);
    for line in lines {
        match serde_json::from_str(line) {
            Ok(object) => objects.push(object),
            Err(_) if objects.is_empty() => return None,
            Err(_) => bad_rows += 1,
        }
    }
    let is_ndjson = !objects.is_empty() && objects.len() as u64 >= 9 * bad_rows;
    is_ndjson.then_some((objects, bad_rows))
}

/// Whether the text is one JSON document of many lines rather than one a line.
#[must_use]
pub fn is_json_document(text: &str) -> bool {
    let mut significant = text.chars().filter(|c| !c.is_whitespace());
    matches!(
        (significant.next(), significant.next()),
        (Some('['), Some('{' | '[' | '"')) | (Some('{'), Some('"' | '}'))
    )
}

/// The keys of objects, in the order they first come.
#[must_use]
pub fn keys(objects: &[Map<String, Value>]) -> Vec<String> {
    let mut keys: Map<String, Value> = Map::new();
    for key in objects.iter().flat_map(Map::keys) {
        if !keys.contains_key(key) {
            keys.insert(key.clone(), Value::Null);
        }
    }
    keys.into_iter().map(|(key, _)| key).collect()
}
