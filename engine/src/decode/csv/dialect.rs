//! How one delimited file is written: its special bytes and its largest record.

/// Content bytes a record may have before it is malformed: 16 MiB.
pub const DEFAULT_RECORD_BYTES: u64 = 16 << 20;

/// Upper bound of [`Dialect::record_bytes`]: positions within a buffer are 32 bits wide.
pub const MAX_RECORD_BYTES: u64 = 1 << 30;

/// The special bytes of a delimited file. LF and CRLF end a record in every dialect.
///
/// All bytes are ASCII and differ from each other and from CR and LF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// Separates two fields.
    pub delimiter: u8,
    /// Encloses a field; `None`: quotes are data.
    pub quote: Option<u8>,
    /// Makes the next byte of a quoted field data; `None`: a quote is written twice (RFC 4180).
    pub escape: Option<u8>,
    /// A line that starts with this byte is no record.
    pub comment: Option<u8>,
    /// Content bytes a record may have, its line end not counted; at most [`MAX_RECORD_BYTES`].
    pub record_bytes: u64,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: Some(b'"'),
            escape: None,
            comment: None,
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
