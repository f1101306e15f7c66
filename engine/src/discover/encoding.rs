//! In which encoding a file is written, told by its first bytes.
//!
//! ```text
//!   byte order mark? ─▶ NULs at every other byte? ─▶ valid UTF-8? ─▶ Windows-1252, ISO 8859-1
//! ```
//! Each step is nearly certain but for the last: every byte string is text in a single-byte code page, and
//! only how the text looks can tell which.

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
use serde::{Serialize, Serializer};

use super::dialect::Extent;
use crate::decode::bytes::Encoding;

/// The encoding of a file, as far as its beginning tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EncodingGuess {
    /// The encoding, by its usual name.
    #[serde(serialize_with = "as_name")]
    pub encoding: Encoding,
    /// Bytes of the byte order mark; 0: there is none.
    pub bom_bytes: usize,
    /// What speaks for it.
    pub evidence: String,
}

/// Bytes that Windows-1252 leaves undefined.
const UNDEFINED_IN_WINDOWS_1252: [u8; 5] = [0x81, 0x8D, 0x8F, 0x90, 0x9D];

/// Of the bytes of a Western text, at most so many in a hundred are above 7F.
const WESTERN_HIGH_PERCENT: usize = 20;

/// Guesses the encoding of a file that begins with `head`.
#[must_use]
pub fn guess_encoding(head: &[u8], extent: Extent) -> EncodingGuess {
    by_mark(head)
        .or_else(|| by_nuls(head))
        .or_else(|| by_validity(head, extent))
        .unwrap_or_else(|| by_statistics(head))
}

/// The text of `head`, its byte order mark left out; what is invalid becomes U+FFFD.
#[must_use]
pub fn decode_head(head: &[u8], guess: &EncodingGuess) -> String {
    let bytes = head.get(guess.bom_bytes..).unwrap_or_default();
    match guess.encoding {
        Encoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        Encoding::Utf16 | Encoding::Utf16Le => UTF_16LE.decode_without_bom_handling(bytes).0.into_owned(),
        Encoding::Utf16Be => UTF_16BE.decode_without_bom_handling(bytes).0.into_owned(),
        Encoding::Latin1 => bytes.iter().copied().map(char::from).collect(),
        Encoding::Windows1252 => WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
        Encoding::Other(single) => single.table().decode_without_bom_handling(bytes).0.into_owned(),
    }
}

fn as_name<S: Serializer>(encoding: &Encoding, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(encoding.name())
}

fn guess(encoding: Encoding, bom_bytes: usize, evidence: impl Into<String>) -> EncodingGuess {
    EncodingGuess {
        encoding,
        bom_bytes,
        evidence: evidence.into(),
    }
}

fn by_mark(head: &[u8]) -> Option<EncodingGuess> {
    let mark = |encoding, bytes| guess(encoding, bytes, "the file begins with its byte order mark");
    match head {
        [0xEF, 0xBB, 0xBF, ..] => Some(mark(Encoding::Utf8, 3)),
        [0xFF, 0xFE, ..] => Some(mark(Encoding::Utf16Le, 2)),
        [0xFE, 0xFF, ..] => Some(mark(Encoding::Utf16Be, 2)),
        _ => None,
    }
}

/// UTF-16 has a NUL beside every ASCII character, always on the same side.
fn by_nuls(head: &[u8]) -> Option<EncodingGuess> {
    let num_pairs = head.len() / 2;
    let nuls_at = |side: usize| {
        head.iter()
            .skip(side)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let (first, second) = (nuls_at(0), nuls_at(1));
    let (encoding, more, fewer) = if second > first {
        (Encoding::Utf16Le, second, first)
    } else {
        (Encoding::Utf16Be, first, second)
    };
    // A few NULs in what is UTF-8 are data; few NULs in what is not may stand in a text that is hardly ASCII.
    let share = if str::from_utf8(head).is_ok() { 2 } else { 10 };
    // One pair tells nothing.
    let is_utf16 = num_pairs > 1 && more * share >= num_pairs && fewer * 10 <= more;
    is_utf16.then(|| {
        let percent = 100 * more / num_pairs;
        guess(
            encoding,
            0,
            format!("{percent} % of the byte pairs have a NUL on the same side, none a byte order mark"),
        )
    })
}

fn by_validity(head: &[u8], extent: Extent) -> Option<EncodingGuess> {
    if head.is_ascii() {
        return Some(guess(Encoding::Utf8, 0, "all bytes are ASCII"));
    }
    let mut num_chars = 0;
    let mut num_invalid = 0;
    for chunk in head.utf8_chunks() {
        num_chars += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        num_invalid += usize::from(!chunk.invalid().is_empty());
    }
    let is_cut = extent == Extent::Beginning && str::from_utf8(head).is_err_and(|e| e.error_len().is_none());
    match num_invalid - usize::from(is_cut) {
        0 => Some(guess(
            Encoding::Utf8,
            0,
            format!("valid UTF-8, with {num_chars} characters beyond ASCII"),
        )),
        // In another encoding hardly any sequence would be well-formed by chance.
        damaged if num_chars > damaged => {
            let at = str::from_utf8(head).map_or_else(|e| e.valid_up_to(), str::len);
            let text = format!(
                "{num_chars} valid UTF-8 sequences, but {damaged} invalid ones, the first at byte {at}"
            );
            Some(guess(Encoding::Utf8, 0, text))
        }
        _ => None,
    }
}

fn by_statistics(head: &[u8]) -> EncodingGuess {
    let num_high = head.iter().filter(|byte| !byte.is_ascii()).count();
    let doubt = if num_high * 100 > head.len() * WESTERN_HIGH_PERCENT {
        "; so many bytes are above 7F that a code page of another script is likely: look at the sample"
    } else {
        ""
    };
    let with = |encoding, text: String| guess(encoding, 0, format!("not UTF-8; {text}{doubt}"));
    if let Some(byte) = head.iter().find(|byte| UNDEFINED_IN_WINDOWS_1252.contains(byte)) {
        return with(
            Encoding::Latin1,
            format!("byte {byte:02X} is a character only in ISO 8859-1"),
        );
    }
    match head.iter().find(|byte| (0x80..0xA0).contains(*byte)) {
        Some(byte) => with(
            Encoding::Windows1252,
            format!("byte {byte:02X} is printable in Windows-1252 only"),
        ),
        None => with(
            Encoding::Windows1252,
            format!("its {num_high} bytes above 7F mean the same in Windows-1252 and ISO 8859-1"),
        ),
    }
}
