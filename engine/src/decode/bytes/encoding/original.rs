//! From a text of the stream back to the bytes of the file.

use encoding_rs::EncoderResult;

use super::Encoding;

/// The longest run of which a count fits one byte.
const RUN_BYTES: usize = 255;
/// Bytes of the three-byte form of a surrogate.
const SURROGATE_BYTES: usize = 3;

impl Encoding {
    /// How many bytes of the file `text` was decoded from. `text` begins and ends between characters.
    #[must_use]
    pub fn original_bytes(&self, text: &[u8]) -> u64 {
        match self {
            Self::Utf8 => text.len() as u64,
            Self::Utf16 | Self::Utf16Le | Self::Utf16Be => {
                // Four bytes in UTF-8 are a pair of units in UTF-16.
                2 * (count(text, is_lead) + count(text, |byte| byte >= 0xf0))
            }
            Self::Latin1 | Self::Windows1252 | Self::Other(_) => count(text, is_lead),
        }
    }

    /// The bytes of the file that `text` was decoded from. What is no text of a decoded stream (half a character at
    /// the end of a text that was cut, say) has none and is left out.
    #[must_use]
    pub fn restore(&self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Utf8 => text.to_vec(),
            Self::Utf16 | Self::Utf16Le => restore_utf16(text, u16::to_le_bytes),
            Self::Utf16Be => restore_utf16(text, u16::to_be_bytes),
            Self::Latin1 => restore_latin1(text),
            Self::Windows1252 => restore_single_byte(text, encoding_rs::WINDOWS_1252),
            Self::Other(table) => restore_single_byte(text, table.table()),
        }
    }
}

fn is_lead(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

/// Bytes that `is_wanted`; runs are counted in one byte each, so that the loop is as wide as the registers.
fn count(text: &[u8], is_wanted: impl Fn(u8) -> bool) -> u64 {
    let in_run = |run: &[u8]| run.iter().map(|byte| u8::from(is_wanted(*byte))).sum::<u8>();
    text.chunks(RUN_BYTES).map(|run| u64::from(in_run(run))).sum()
}

/// A piece of generalised UTF-8.
enum Piece<'a> {
    /// Text.
    Valid(&'a str),
    /// A surrogate by itself.
    Surrogate(u16),
}

/// The pieces of `text`; bytes that are neither are passed over.
fn pieces(mut text: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        while !text.is_empty() {
            let (piece, piece_bytes) = first_piece(text);
            text = text.get(piece_bytes..).unwrap_or_default();
            if piece.is_some() {
                return piece;
            }
        }
        None
    })
}

fn first_piece(text: &[u8]) -> (Option<Piece<'_>>, usize) {
    if let [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, ..] = text {
        let unit = 0xd000 | u16::from(second & 0x3f) << 6 | u16::from(third & 0x3f);
        return (Some(Piece::Surrogate(unit)), SURROGATE_BYTES);
    }
    match text.utf8_chunks().next() {
        Some(chunk) if !chunk.valid().is_empty() => (Some(Piece::Valid(chunk.valid())), chunk.valid().len()),
        _ => (None, 1),
    }
}

fn restore_utf16(text: &[u8], to_bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 * text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Valid(valid) => valid.encode_utf16().for_each(|unit| out.extend(to_bytes(unit))),
            Piece::Surrogate(unit) => out.extend(to_bytes(unit)),
        }
    }
    out
}

fn restore_latin1(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for piece in pieces(text) {
        if let Piece::Valid(valid) = piece {
            out.extend(valid.chars().filter_map(|c| u8::try_from(c).ok()));
        }
    }
    out
}

fn restore_single_byte(text: &[u8], table: &'static encoding_rs::Encoding) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Valid(valid) => encode(valid, table, &mut out),
            Piece::Surrogate(unit) => out.extend(unit.checked_sub(0xdc00).and_then(|b| u8::try_from(b).ok())),
        }
    }
    out
}

fn encode(mut text: &str, table: &'static encoding_rs::Encoding, out: &mut Vec<u8>) {
    let mut encoder = table.new_encoder();
    while !text.is_empty() {
        let start = out.len();
        // A character has one byte and is at least one byte of the text.
        out.resize(start + text.len(), 0);
        let free = out.get_mut(start..).unwrap_or_default();
        let (outcome, read, written) = encoder.encode_from_utf8_without_replacement(text, free, false);
        out.truncate(start + written);
        text = text.get(read..).unwrap_or_default();
        if read == 0 && !matches!(outcome, EncoderResult::Unmappable(_)) {
            return;
        }
    }
}
