//! One byte a character.

use encoding_rs::{DecoderResult, Encoding, mem};

use super::super::encoding::surrogate_form;

/// Where an undefined byte's surrogate counts from.
const UNDEFINED_BASE: u16 = 0xdc00;

/// Appends `piece`, every byte being the code point of its number.
pub(super) fn decode_latin1(piece: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + 2 * piece.len(), 0);
    let written = mem::convert_latin1_to_utf8(piece, out.get_mut(start..).unwrap_or_default());
    out.truncate(start + written);
}

/// Appends `piece` by `table`; an undefined byte becomes a surrogate.
pub(super) fn decode(mut piece: &[u8], table: &'static Encoding, out: &mut Vec<u8>) {
    // Nothing is left open between bytes, so a new decoder goes on where the last one ended.
    let mut decoder = table.new_decoder_without_bom_handling();
    let mut start = out.len();
    // No character of these tables has more than three bytes, nor has a surrogate.
    out.resize(start + 3 * piece.len() + 3, 0);
    while !piece.is_empty() {
        let free = out.get_mut(start..).unwrap_or_default();
        let (outcome, read, written) = decoder.decode_to_utf8_without_replacement(piece, free, false);
        start += written;
        if let (DecoderResult::Malformed(..), Some(byte)) =
            (outcome, read.checked_sub(1).and_then(|at| piece.get(at)))
        {
            let form = surrogate_form(UNDEFINED_BASE + u16::from(*byte));
            out.get_mut(start..start + form.len())
                .unwrap_or_default()
                .copy_from_slice(&form);
            start += form.len();
        }
        piece = piece.get(read..).unwrap_or_default();
    }
    out.truncate(start);
}
