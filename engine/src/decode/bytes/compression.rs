//! What a file is, by its first bytes.

/// How a file is compressed, told by content: names lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// Gzip, RFC 1952: one member or several.
    Gzip,
    /// Zstandard, RFC 8878: one frame or several, skippable ones among them.
    Zstd,
    /// Something that is known and not read: its name.
    Unsupported(&'static str),
}

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Bytes of a skippable frame's magic number and length.
const SKIPPABLE_HEADER_BYTES: usize = 8;

/// What is recognised and not read, by its first bytes. Each has a byte that begins no text.
const UNSUPPORTED: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PK\x07\x08", "zip"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x02\x21\x4c\x18", "lz4"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x1f\x9d", "compress"),
    (b"\xff\x06\0\0sNaPpY", "snappy"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
    (b"Obj\x01", "avro"),
    (b"ARROW1\0\0", "arrow"),
    (b"SQLite format 3\0", "sqlite"),
];

/// Byte at which a tar archive says that it is one.
const TAR_MAGIC_AT: usize = 257;

impl Compression {
    /// The compression of a file that begins with `head`; some hundred bytes tell.
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        if head.starts_with(GZIP) {
            Self::Gzip
        } else if head.starts_with(ZSTD) || is_zstd_behind_skippable(head) {
            Self::Zstd
        } else {
            unsupported(head).map_or(Self::None, Self::Unsupported)
        }
    }

    /// The name of the format.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Unsupported(name) => name,
        }
    }

    /// What to do with a file of this format, which is not read.
    pub(super) fn remedy(self) -> String {
        match self.name() {
            "xlsx" | "xls" => "save the sheet as CSV UTF-8".to_owned(),
            name @ ("parquet" | "orc" | "avro" | "arrow" | "sqlite") => {
                format!("the file is {name}, not CSV; export the table as CSV")
            }
            name => format!("unpack the {name} file, or pack it as gzip or zstd"),
        }
    }
}

/// Whether a skippable frame stands at the front, and behind it, as far as `head` reaches, a zstd frame.
fn is_zstd_behind_skippable(mut head: &[u8]) -> bool {
    let mut is_any = false;
    while let [0x50..=0x5f, 0x2a, 0x4d, 0x18, rest @ ..] = head {
        is_any = true;
        let Some(length) = rest.first_chunk::<4>() else {
            return true;
        };
        let end = SKIPPABLE_HEADER_BYTES.saturating_add(u32::from_le_bytes(*length) as usize);
        match head.get(end..) {
            Some(behind) if behind.len() >= ZSTD.len() => head = behind,
            _ => return true,
        }
    }
    is_any && head.starts_with(ZSTD)
}

fn unsupported(head: &[u8]) -> Option<&'static str> {
    if is_bzip2(head) {
        return Some("bzip2");
    }
    if head
        .get(TAR_MAGIC_AT..)
        .is_some_and(|at| at.starts_with(b"ustar"))
    {
        return Some("tar");
    }
    for (magic, name) in [(&b"PAR1"[..], "parquet"), (b"PARE", "parquet"), (b"ORC", "orc")] {
        // Letters alone might be the name of a column.
        if head.starts_with(magic) && head.get(magic.len()).is_some_and(|byte| is_no_text(*byte)) {
            return Some(name);
        }
    }
    let (_, name) = UNSUPPORTED.iter().find(|(magic, _)| head.starts_with(magic))?;
    Some(if *name == "zip" && is_workbook(head) {
        "xlsx"
    } else {
        name
    })
}

/// `BZh`, the level, and the mark of a block or of the end.
fn is_bzip2(head: &[u8]) -> bool {
    let Some([b'B', b'Z', b'h', b'1'..=b'9', mark @ ..]) = head.first_chunk::<10>() else {
        return false;
    };
    matches!(
        mark,
        [0x31, 0x41, 0x59, 0x26, 0x53, 0x59] | [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]
    )
}

fn is_no_text(byte: u8) -> bool {
    byte >= 0x80 || (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r'))
}

/// Whether the first file of a zip is one that a workbook begins with.
fn is_workbook(head: &[u8]) -> bool {
    const NAME_AT: usize = 30;
    let name = head.get(NAME_AT..).unwrap_or_default();
    [&b"[Content_Types].xml"[..], b"_rels/", b"xl/", b"docProps/"]
        .iter()
        .any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests;
