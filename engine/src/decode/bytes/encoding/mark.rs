//! Byte order marks, and what they say about the encoding that was named.

use super::Encoding;
use crate::error::{Error, Result};

/// The encoding whose byte order mark stands at the front of a stream.
#[must_use]
pub fn bom(head: &[u8]) -> Option<Encoding> {
    match head {
        [0xef, 0xbb, 0xbf, ..] => Some(Encoding::Utf8),
        [0xff, 0xfe, ..] => Some(Encoding::Utf16Le),
        [0xfe, 0xff, ..] => Some(Encoding::Utf16Be),
        _ => None,
    }
}

impl Encoding {
    /// The encoding to decode with, for a stream that begins with `head`: plain UTF-16 gets its byte order.
    ///
    /// # Errors
    /// `source_corrupt` when a byte order mark says that the file is in another Unicode encoding, UTF-32 included.
    pub fn resolve(self, head: &[u8]) -> Result<Self> {
        if is_utf32(head) {
            return Err(mismatch("UTF-32").hint("convert the file first: `iconv -f UTF-32 -t UTF-8 FILE`"));
        }
        match (self, bom(head)) {
            (Self::Utf16, Some(found @ (Self::Utf16Le | Self::Utf16Be))) => Ok(found),
            (Self::Utf16, None) => Ok(guess_order(head)),
            (Self::Utf8 | Self::Utf16 | Self::Utf16Le | Self::Utf16Be, Some(found)) if found != self => {
                let hint = format!(
                    "say `encoding = \"{}\"`; the process says {}",
                    found.name(),
                    self.name()
                );
                Err(mismatch(found.name()).hint(hint))
            }
            // In a code page these bytes are characters, if unlikely ones.
            _ => Ok(self),
        }
    }
}

fn is_utf32(head: &[u8]) -> bool {
    head.starts_with(&[0xff, 0xfe, 0, 0]) || head.starts_with(&[0, 0, 0xfe, 0xff])
}

fn mismatch(found: &str) -> Error {
    let message = format!("the file begins with the byte order mark of {found}");
    Error::data("source_corrupt", message)
}

/// The byte order without a mark: the high byte of a delimiter, a digit or a Latin letter is 0.
fn guess_order(head: &[u8]) -> Encoding {
    let zeros_at = |parity: usize| head.iter().skip(parity).step_by(2).filter(|b| **b == 0).count();
    if zeros_at(0) > zeros_at(1) {
        Encoding::Utf16Be
    } else {
        Encoding::Utf16Le
    }
}
