//! The text that an escaped string means.

/// A surrogate without its other half: no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LoneSurrogate;

/// Appends what `escaped` means to `out`. The escapes are well-formed: the scanner has seen them.
pub(super) fn unescape(escaped: &[u8], out: &mut Vec<u8>) -> Result<(), LoneSurrogate> {
    let mut rest = escaped;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, from) = rest.split_at(at);
        out.extend_from_slice(before);
        let (character, after) = character(from)?;
        let mut utf8 = [0; 4];
        out.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
        rest = after;
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// The character of the escape that `from` begins with, and what follows it.
fn character(from: &[u8]) -> Result<(char, &[u8]), LoneSurrogate> {
    let simple = match from {
        [_, b'u', ..] => return unicode(from),
        [_, b'b', ..] => '\u{8}',
        [_, b'f', ..] => '\u{c}',
        [_, b'n', ..] => '\n',
        [_, b'r', ..] => '\r',
        [_, b't', ..] => '\t',
        [_, itself, ..] => char::from(*itself),
        _ => return Err(LoneSurrogate),
    };
    Ok((simple, from.get(2..).unwrap_or_default()))
}

/// The character of one `\uXXXX`, or of two that are a pair of surrogates.
fn unicode(from: &[u8]) -> Result<(char, &[u8]), LoneSurrogate> {
    let (first, after_first) = unit(from).ok_or(LoneSurrogate)?;
    if let Some(character) = char::from_u32(u32::from(first)) {
        return Ok((character, after_first));
    }
    let (second, after) = unit(after_first).ok_or(LoneSurrogate)?;
    match char::decode_utf16([first, second]).next() {
        Some(Ok(character)) => Ok((character, after)),
        _ => Err(LoneSurrogate),
    }
}

/// The UTF-16 unit of the `\uXXXX` that `from` begins with, if it does, and what follows it.
fn unit(from: &[u8]) -> Option<(u16, &[u8])> {
    let ([b'\\', b'u', digits @ ..], after) = from.split_first_chunk::<6>()? else {
        return None;
    };
    let hex = |unit: u16, digit: &u8| Some(unit << 4 | char::from(*digit).to_digit(16)? as u16);
    Some((digits.iter().try_fold(0, hex)?, after))
}
