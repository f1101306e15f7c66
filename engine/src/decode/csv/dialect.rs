//! How one delimited file is written: its special bytes and its largest record.

/// Content bytes a record may have before it is malformed: 16 MiB.
pub const DEFAULT_RECORD_BYTES: u64 = 16 << 20;

/// Upper bound of [`Dialect::record_bytes`]: positions within a buffer are 32 bits wide.
pub const MAX_RECORD_BYTES: u64 = 1 << 30;

/// The longest delimiter.
pub const MAX_DELIMITER_BYTES: usize = 8;

/// What separates two fields: one byte or a few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiter {
    bytes: [u8; MAX_DELIMITER_BYTES],
    num_bytes: u8,
}

impl Delimiter {
    /// A delimiter of 1 to [`MAX_DELIMITER_BYTES`] bytes.
    #[must_use]
    pub fn new(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_DELIMITER_BYTES];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        let num_bytes = text.len() as u8;
        (num_bytes > 0).then_some(Self { bytes, num_bytes })
    }

    /// The bytes; at least one.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len()).unwrap_or_default()
    }

    /// The first byte.
    #[must_use]
    pub fn first(&self) -> u8 {
        self.bytes[0]
    }

    /// Number of bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a delimiter is never empty")]
    pub fn len(&self) -> usize {
        usize::from(self.num_bytes)
    }

    /// The delimiter if it is a single byte.
    #[must_use]
    pub fn single(&self) -> Option<u8> {
        (self.num_bytes == 1).then_some(self.bytes[0])
    }
}

impl From<u8> for Delimiter {
    fn from(byte: u8) -> Self {
        let mut bytes = [0; MAX_DELIMITER_BYTES];
        bytes[0] = byte;
        Self { bytes, num_bytes: 1 }
    }
}

/// What ends a line, and outside quotes a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Newline {
    /// LF, and a CR right before it; a lone CR is data.
    #[default]
    LineFeed,
    /// CR alone, as old Macintosh programs write; LF is data.
    CarriageReturn,
}

impl Newline {
    /// The last byte of a line end.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::LineFeed => b'\n',
            Self::CarriageReturn => b'\r',
        }
    }
}

/// The special bytes of a delimited file.
///
/// All are ASCII and differ from each other and from CR and LF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// Separates two fields.
    pub delimiter: Delimiter,
    /// Encloses a field; `None`: quotes are data.
    pub quote: Option<u8>,
    /// Makes the next byte of a quoted field data; `None`: a quote is written twice (RFC 4180).
    pub escape: Option<u8>,
    /// A line that starts with this byte is no record.
    pub comment: Option<u8>,
    /// What ends a record.
    pub newline: Newline,
    /// Content bytes a record may have, its line end not counted; at most [`MAX_RECORD_BYTES`].
    pub record_bytes: u64,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            delimiter: Delimiter::from(b','),
            quote: Some(b'"'),
            escape: None,
            comment: None,
            newline: Newline::LineFeed,
            record_bytes: DEFAULT_RECORD_BYTES,
        }
    }
}

impl Dialect {
    /// The escape byte, if it is another byte than the quote (an escape equal to the quote is doubling).
    pub(super) fn distinct_escape(&self) -> Option<u8> {
        self.escape.filter(|escape| self.quote != Some(*escape))
    }
}
