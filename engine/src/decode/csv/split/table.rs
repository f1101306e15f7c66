//! What splitting yields: positions of records and fields, in columns.

/// Whether a record can be decoded, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The quotes are right and the number of fields is the expected one.
    WellFormed,
    /// The quotes are right, the number of fields is not.
    FieldCount {
        /// Fields of the record.
        found: u32,
    },
    /// A quote inside an unquoted field, or something else than an end after a closing quote.
    StrayQuote,
    /// A quoted field that does not end within the record.
    UnterminatedQuote,
    /// More content bytes than [`Dialect::record_bytes`](crate::decode::csv::Dialect::record_bytes).
    Oversized,
}

/// How a field's value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quoting {
    /// Without quotes; the span is the value.
    #[default]
    Plain,
    /// In quotes; the span, between them, is the value.
    Quoted,
    /// In quotes, with escapes inside; [`unescape`](crate::decode::csv::unescape) gives the value.
    Escaped,
}

/// Where a field's value lies in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FieldSpan {
    /// First byte, counted from the start of the input; an opening quote is left out.
    pub start: u32,
    /// Length in bytes; a closing quote is left out.
    pub len: u32,
    /// How the value is written.
    pub quoting: Quoting,
}

impl FieldSpan {
    /// The field's bytes in the input that was split; empty if `input` is a shorter one.
    pub fn bytes(self, input: &[u8]) -> &[u8] {
        let start = self.start as usize;
        input.get(start..start + self.len as usize).unwrap_or_default()
    }
}

/// Which fields of a record get a [`FieldSpan`], and in which order.
#[derive(Debug, Clone, Default)]
pub struct FieldSelection {
    /// Slot of each field number, or [`NO_SLOT`].
    slots: Vec<u32>,
    num_kept: usize,
}

const NO_SLOT: u32 = u32::MAX;

impl FieldSelection {
    /// Keeps these fields (0-based), in this order; a repeated one keeps its first place.
    pub fn new(fields: impl IntoIterator<Item = usize>) -> Self {
        let mut selection = Self::default();
        for field in fields {
            if field >= selection.slots.len() {
                selection.slots.resize(field + 1, NO_SLOT);
            }
            if selection.slots[field] == NO_SLOT {
                selection.slots[field] = selection.num_kept as u32;
                selection.num_kept += 1;
            }
        }
        selection
    }

    /// Number of fields kept of each record.
    pub fn len(&self) -> usize {
        self.num_kept
    }

    /// Whether no field is kept.
    pub fn is_empty(&self) -> bool {
        self.num_kept == 0
    }

    /// The span of a field in the spans of its row.
    pub(super) fn span_mut<'a>(&self, field: u32, row: &'a mut [FieldSpan]) -> Option<&'a mut FieldSpan> {
        let slot = *self.slots.get(field as usize)?;
        row.get_mut(slot as usize)
    }

    /// Place of a field (0-based) among the kept ones.
    pub fn slot(&self, field: usize) -> Option<usize> {
        self.slots
            .get(field)
            .filter(|slot| **slot != NO_SLOT)
            .map(|slot| *slot as usize)
    }
}

/// The beginning of an oversized record, whose other bytes are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Row in the table.
    pub row: usize,
    /// The first bytes of the record, at most [`HEAD_BYTES`].
    pub bytes: Vec<u8>,
}

/// Bytes kept of an oversized record (fewer if `record_bytes` is less).
pub const HEAD_BYTES: usize = 64 << 10;

/// Records in columns: row `i` of every vector belongs to the same record.
///
/// A table holds positions in one input; [`clear`](Self::clear) it before splitting the next.
#[derive(Debug, Default)]
pub struct RecordTable {
    /// First byte in the input; 0 for an oversized record whose start is no longer there.
    pub offset: Vec<u32>,
    /// First byte in the file.
    pub byte_start: Vec<u64>,
    /// Content bytes, the line end not counted.
    pub byte_len: Vec<u64>,
    /// Number of the record in the file, malformed ones counted.
    pub record_no: Vec<u64>,
    /// Physical line on which the record starts.
    pub line: Vec<u64>,
    /// Well-formed, or what is wrong.
    pub shape: Vec<Shape>,
    /// Kept fields, row by row; zero length in a malformed record or where a record has no such field.
    pub spans: Vec<FieldSpan>,
    /// Beginnings of the oversized records, by row.
    pub heads: Vec<Head>,
    /// Spans of each row.
    num_kept: usize,
}

impl RecordTable {
    /// Number of records.
    pub fn len(&self) -> usize {
        self.shape.len()
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.shape.is_empty()
    }

    /// Forgets the records, keeps the memory.
    pub fn clear(&mut self) {
        self.offset.clear();
        self.byte_start.clear();
        self.byte_len.clear();
        self.record_no.clear();
        self.line.clear();
        self.shape.clear();
        self.spans.clear();
        self.heads.clear();
    }

    /// The kept fields of a row, in the order of the [`FieldSelection`].
    pub fn fields(&self, row: usize) -> &[FieldSpan] {
        let first = row * self.num_kept;
        self.spans.get(first..first + self.num_kept).unwrap_or_default()
    }

    /// The bytes of a row without its line end; of an oversized record only the [`Head`].
    pub fn raw<'a>(&'a self, row: usize, input: &'a [u8]) -> &'a [u8] {
        if let Ok(head) = self.heads.binary_search_by_key(&row, |head| head.row) {
            return &self.heads[head].bytes;
        }
        let (Some(offset), Some(byte_len)) = (self.offset.get(row), self.byte_len.get(row)) else {
            return &[];
        };
        let start = *offset as usize;
        input.get(start..start + *byte_len as usize).unwrap_or_default()
    }

    /// Makes room for the spans of one more row.
    pub(super) fn open_row(&mut self, keep: &FieldSelection) {
        self.num_kept = keep.len();
        self.spans
            .resize((self.len() + 1) * keep.len(), FieldSpan::default());
    }

    /// Takes back [`open_row`](Self::open_row).
    pub(super) fn abandon_row(&mut self) {
        self.spans.truncate(self.len() * self.num_kept);
    }

    /// The spans of the open row.
    pub(super) fn open_spans(&mut self) -> &mut [FieldSpan] {
        let first = self.shape.len() * self.num_kept;
        &mut self.spans[first..]
    }

    /// Completes the open row.
    pub(super) fn close_row(&mut self, record: RecordRow) {
        if record.shape != Shape::WellFormed {
            self.open_spans().fill(FieldSpan::default());
        }
        self.offset.push(record.offset);
        self.byte_start.push(record.byte_start);
        self.byte_len.push(record.byte_len);
        self.record_no.push(record.record_no);
        self.line.push(record.line);
        self.shape.push(record.shape);
    }
}

/// One row of a [`RecordTable`], but for its spans.
pub(super) struct RecordRow {
    pub(super) offset: u32,
    pub(super) byte_start: u64,
    pub(super) byte_len: u64,
    pub(super) record_no: u64,
    pub(super) line: u64,
    pub(super) shape: Shape,
}
