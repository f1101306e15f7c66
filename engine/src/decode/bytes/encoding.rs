//! The encodings a file may be in, and how the bytes it was written with are found again.
//!
//! A stream is decoded to *generalised UTF-8*: what has no character becomes the three-byte form of a surrogate, which is
//! invalid as UTF-8, so that the record is found out later, and which stands for exactly one original.
//!
//! ```text
//!   encoding       original    stream            text
//!   windows-1252   E9          C3 A9             é
//!   windows-1253   D2          ED B3 92          (undefined: U+DC00 + D2)
//!   utf-16le       3D D8 00 DE F0 9F 98 80       😀
//!   utf-16le       3D D8       ED A0 BD          (half a pair: U+D83D)
//! ```

mod label;
mod mark;
mod original;

pub use mark::bom;

/// How text is written as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// UTF-8; nothing is decoded, invalid bytes stay as they are.
    #[default]
    Utf8,
    /// UTF-16 whose byte order the content tells; see [`Encoding::resolve`].
    Utf16,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// ISO 8859-1: every byte is the code point of its number.
    Latin1,
    /// The Western code page of Windows; its five undefined bytes are control characters, as on the web.
    Windows1252,
    /// Another encoding of one byte a character.
    Other(SingleByte),
}

/// An encoding of one byte a character, by its table in the Encoding Standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SingleByte(&'static encoding_rs::Encoding);

impl SingleByte {
    /// The encoding, if a character is one byte in it.
    #[must_use]
    pub fn new(encoding: &'static encoding_rs::Encoding) -> Option<Self> {
        encoding.is_single_byte().then_some(Self(encoding))
    }

    /// Its table.
    #[must_use]
    pub fn table(self) -> &'static encoding_rs::Encoding {
        self.0
    }
}

impl Encoding {
    /// The usual name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16 => "utf-16",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Latin1 => "iso-8859-1",
            Self::Windows1252 => "windows-1252",
            Self::Other(table) => table.0.name(),
        }
    }
}

/// The three-byte form of a surrogate: what generalised UTF-8 has and UTF-8 has not.
pub(super) fn surrogate_form(unit: u16) -> [u8; 3] {
    let low_six = |bits: u16| 0x80 | (bits & 0x3f) as u8;
    [0xed, low_six(unit >> 6), low_six(unit)]
}

#[cfg(test)]
mod tests;
