//! What users call an encoding.

use super::{Encoding, SingleByte};

/// Names of ISO 8859-1. The Encoding Standard takes them for windows-1252; files are taken at their word.
const LATIN1: &[&str] = &[
    "latin1",
    "latin-1",
    "l1",
    "iso-8859-1",
    "iso8859-1",
    "iso88591",
    "iso_8859-1",
    "iso_8859-1:1987",
    "iso-ir-100",
    "csisolatin1",
    "cp819",
    "ibm819",
];
/// Names of ASCII: UTF-8 without anything more, and what is more is invalid.
const ASCII: &[&str] = &["ascii", "us-ascii", "ansi_x3.4-1968"];

impl Encoding {
    /// The encoding that `label` names, in any case.
    ///
    /// # Errors
    /// An unknown name, or an encoding that is not read; the text says what to do.
    pub fn from_label(label: &str) -> Result<Self, String> {
        let name = label.trim().to_ascii_lowercase();
        match name.as_str() {
            "utf-8" | "utf8" | "utf-8-sig" => return Ok(Self::Utf8),
            "utf-16" | "utf16" => return Ok(Self::Utf16),
            "utf-16le" | "utf16le" => return Ok(Self::Utf16Le),
            "utf-16be" | "utf16be" => return Ok(Self::Utf16Be),
            name if ASCII.contains(&name) => return Ok(Self::Utf8),
            name if LATIN1.contains(&name) => return Ok(Self::Latin1),
            _ => {}
        }
        match encoding_rs::Encoding::for_label(name.as_bytes()) {
            Some(table) => Self::of_table(table).ok_or_else(|| too_wide(label.trim())),
            None if name.contains("utf-32") || name.contains("utf32") => Err(too_wide(label.trim())),
            None => Err(unknown(label)),
        }
    }

    fn of_table(table: &'static encoding_rs::Encoding) -> Option<Self> {
        if table == encoding_rs::UTF_8 {
            Some(Self::Utf8)
        } else if table == encoding_rs::UTF_16LE {
            Some(Self::Utf16Le)
        } else if table == encoding_rs::UTF_16BE {
            Some(Self::Utf16Be)
        } else if table == encoding_rs::WINDOWS_1252 {
            Some(Self::Windows1252)
        } else {
            SingleByte::new(table).map(Self::Other)
        }
    }
}

fn too_wide(label: &str) -> String {
    format!(
        "`{label}` is not read: the place of a record in such a file could not be given; \
         convert the file first: `iconv -f {label} -t UTF-8 FILE > FILE.utf8`"
    )
}

fn unknown(label: &str) -> String {
    format!(
        "`{label}` is no encoding that is known; write utf-8, utf-16, utf-16le, utf-16be, iso-8859-1, windows-1252 or \
         another code page of one byte a character, as windows-1251 or iso-8859-15"
    )
}
