//! `[write]`: how files of tables are encoded from now on.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::Deserialize;

use super::problem::{Findings, Problem};

/// How pages are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// They are not.
    None,
    /// Snappy.
    Snappy,
    /// LZ4, raw blocks.
    Lz4,
    /// Zstandard at this level.
    Zstd(u8),
}

/// Levels of Zstandard.
const ZSTD_LEVELS: RangeInclusive<u8> = 1..=22;
/// Level of Zstandard where none is written.
const ZSTD_LEVEL: u8 = 1;

impl Default for Compression {
    fn default() -> Self {
        Self::Zstd(ZSTD_LEVEL)
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Snappy => f.write_str("snappy"),
            Self::Lz4 => f.write_str("lz4"),
            Self::Zstd(level) => write!(f, "zstd({level})"),
        }
    }
}

impl FromStr for Compression {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let level = || text.strip_prefix("zstd(")?.strip_suffix(')')?.parse().ok();
        match text {
            "none" => Ok(Self::None),
            "snappy" => Ok(Self::Snappy),
            "lz4" => Ok(Self::Lz4),
            "zstd" => Ok(Self::default()),
            _ => match level() {
                Some(level) if ZSTD_LEVELS.contains(&level) => Ok(Self::Zstd(level)),
                _ => Err(Problem::new(
                    "compression",
                    format!("`{text}` is no compression"),
                    "write \"zstd(1)\" to \"zstd(22)\", \"lz4\", \"snappy\" or \"none\"",
                )),
            },
        }
    }
}

/// Whether a column's values may stand once and be referred to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dictionary {
    /// Where that pays; the key of `customers`, of which no two are the same, has none.
    #[default]
    On,
    /// Nowhere.
    Off,
}

/// How files are encoded. Whatever it is, files that were written otherwise are read, spliced and merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    /// How pages are compressed.
    pub compression: Compression,
    /// Whether there are dictionaries.
    pub dictionary: Dictionary,
    /// Bytes of a dictionary at most; a column that has more different values does without from there on. Whoever reads
    /// one row of a column reads its dictionary too.
    pub dictionary_bytes: usize,
    /// Rows of a row group: large enough for dictionaries to pay, small enough that a writer holds little.
    pub row_group_rows: usize,
    /// Rows of a page of `customers`, at most. A merge that carries rows over decompresses the pages that hold them: at
    /// one random customer in ten thousand 86 % of pages of 20,000 rows, 18 % of 2,048. Above one in a hundred every page
    /// is read whatever its size; smaller ones would compress worse.
    pub page_rows: usize,
}

/// Rows of a row group: what a writer holds grows with them.
const ROW_GROUP_ROWS: RangeInclusive<usize> = 1024..=1 << 20;
/// Bytes of a dictionary: below, hardly a value fits; above, one row of a wide table is megabytes to read.
const DICTIONARY_BYTES: RangeInclusive<usize> = 1024..=1 << 20;
/// Rows of a page: the encoder looks whether a page is full after so many.
const LEAST_PAGE_ROWS: usize = 1024;

impl Default for Encoding {
    fn default() -> Self {
        Self {
            compression: Compression::default(),
            dictionary: Dictionary::default(),
            dictionary_bytes: 64 << 10,
            row_group_rows: 128 << 10,
            page_rows: 2048,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawWrite {
    compression: Option<String>,
    dictionary: Dictionary,
    dictionary_bytes: Option<usize>,
    row_group_rows: Option<usize>,
    page_rows: Option<usize>,
}

pub(super) fn resolve(raw: &RawWrite, findings: &mut Findings) -> Encoding {
    let usual = Encoding::default();
    let compression = raw.compression.as_ref();
    let compression = compression.and_then(|text| findings.take("write.compression", text.parse()));
    let row_group_rows = raw.row_group_rows.unwrap_or(usual.row_group_rows);
    let encoding = Encoding {
        compression: compression.unwrap_or_default(),
        dictionary: raw.dictionary,
        dictionary_bytes: raw.dictionary_bytes.unwrap_or(usual.dictionary_bytes),
        row_group_rows,
        page_rows: raw.page_rows.unwrap_or(usual.page_rows.min(row_group_rows)),
    };
    let most = row_group_rows.max(LEAST_PAGE_ROWS);
    for (key, unit, number, allowed) in [
        ("row_group_rows", "rows", row_group_rows, ROW_GROUP_ROWS),
        ("page_rows", "rows", encoding.page_rows, LEAST_PAGE_ROWS..=most),
        (
            "dictionary_bytes",
            "bytes",
            encoding.dictionary_bytes,
            DICTIONARY_BYTES,
        ),
    ] {
        within(key, (number, unit), &allowed, findings);
    }
    encoding
}

fn within(
    key: &str,
    (number, unit): (usize, &str),
    allowed: &RangeInclusive<usize>,
    findings: &mut Findings,
) {
    if !allowed.contains(&number) {
        let what = format!(
            "{number} {unit} are too {}",
            if number < *allowed.start() { "few" } else { "many" }
        );
        let remedy = format!("write {} to {}", allowed.start(), allowed.end());
        findings.add(format!("write.{key}"), what, remedy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compression_reads_back_as_it_is_shown() {
        for text in ["none", "snappy", "lz4", "zstd(1)", "zstd(22)"] {
            assert_eq!(text.parse::<Compression>().unwrap().to_string(), text);
        }
        assert_eq!("zstd".parse::<Compression>().unwrap(), Compression::Zstd(1));
    }

    #[test]
    fn nothing_else_is_a_compression() {
        for text in [
            "", "gzip", "ZSTD", "zstd(0)", "zstd(23)", "zstd(-1)", "zstd(1", "zstd 1", "lz4(1)",
        ] {
            assert!(text.parse::<Compression>().is_err(), "{text}");
        }
    }
}
