//! What a decode is to produce: the key and the mapped attributes, as plain data.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use chrono_tz::Tz;

use super::cell::{DateFormat, OnScale};
use crate::table::schemas::{CUSTOMER_ID, timestamp};
use crate::validate::text::TextType;

/// How a cell's text becomes a value. What does not fit becomes NULL, and a rule sees that the text was not empty.
#[derive(Debug, Clone, PartialEq)]
pub enum CellKind {
    /// Text as it stands, less what the process says to strip or cut.
    Text {
        /// Cut to this width.
        truncate: Option<TextType>,
        /// Whether unsupported characters are taken out.
        strip: Strip,
    },
    /// 32-bit whole number.
    Int,
    /// 64-bit whole number.
    Bigint,
    /// Decimal of a precision and scale.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: i8,
        /// What becomes of further digits.
        on_scale: OnScale,
    },
    /// Finite double.
    Double,
    /// Boolean.
    Boolean,
    /// Calendar date.
    Date {
        /// `strftime` formats; empty for `yyyy-MM-dd`.
        formats: Vec<DateFormat>,
    },
    /// Instant, UTC microseconds.
    Timestamp {
        /// Zone of values that name none.
        zone: Tz,
        /// `strftime` formats; empty for the default.
        formats: Vec<DateFormat>,
    },
}

/// Whether unsupported characters are taken out of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strip {
    /// They stay, for a rule to find.
    Nothing,
    /// They go.
    Unsupported,
}

/// Whether blanks around a cell are data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blanks {
    /// They are data.
    Data,
    /// They are cut off.
    Trimmed,
}

/// One mapped column.
#[derive(Debug, Clone, PartialEq)]
pub struct CellColumn {
    /// The source's column, byte for byte as in the header.
    pub source: String,
    /// Name in `incoming`.
    pub name: String,
    /// How its text is read.
    pub kind: CellKind,
    /// Texts that mean NULL beside the empty one.
    pub null_tokens: Vec<String>,
    /// Whether blanks are data.
    pub blanks: Blanks,
}

impl CellColumn {
    /// The arrow type of the column.
    #[must_use]
    pub fn data_type(&self) -> DataType {
        match &self.kind {
            CellKind::Text { .. } => DataType::Utf8View,
            CellKind::Int => DataType::Int32,
            CellKind::Bigint => DataType::Int64,
            CellKind::Decimal { precision, scale, .. } => DataType::Decimal128(*precision, *scale),
            CellKind::Double => DataType::Float64,
            CellKind::Boolean => DataType::Boolean,
            CellKind::Date { .. } => DataType::Date32,
            CellKind::Timestamp { .. } => timestamp(),
        }
    }
}

/// The key and the attributes of a process.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// The key; its name is `customer_id`.
    pub key: CellColumn,
    /// The mapped attributes, in the process's order.
    pub attributes: Vec<CellColumn>,
}

/// Names of the columns that carry where a record stood.
pub const POSITION: [&str; 4] = ["record_no", "line", "byte_start", "byte_len"];
/// The record as it stood in the source: its bytes; of a typed file the row, from which bytes are made for rejects.
pub const RAW_BYTES: &str = "__raw_bytes";
/// The mapped columns whose bytes are not text in the source's encoding.
pub const INVALID_ENCODING: &str = "invalid_encoding";
/// Whether a text of the record may have an unsupported character.
pub const SUSPICIOUS: &str = "__suspicious";
/// The struct of source columns as text.
pub const RAW: &str = "raw";
/// Why a record is malformed; NULL for a well-formed one.
pub const MALFORMED: &str = "malformed";
/// Numbers of the rules that a row broke; NULL for none.
pub const BROKEN: &str = "__broken";

impl Layout {
    /// Key and attributes, the key first.
    pub fn columns(&self) -> impl Iterator<Item = &CellColumn> {
        std::iter::once(&self.key).chain(&self.attributes)
    }

    /// The names that a change set carries: `customer_id` and the attributes.
    #[must_use]
    pub fn value_fields(&self) -> Vec<FieldRef> {
        self.columns()
            .map(|c| Arc::new(Field::new(&c.name, c.data_type(), true)))
            .collect()
    }

    /// The source columns that the rules read, once each.
    #[must_use]
    pub fn source_columns(&self) -> Vec<String> {
        let mut seen: Vec<String> = Vec::new();
        for column in self.columns() {
            if !seen.contains(&column.source) {
                seen.push(column.source.clone());
            }
        }
        seen
    }

    /// Columns of well-formed records as they are staged: position, record of type `record`, encoding faults, key,
    /// attributes.
    #[must_use]
    pub fn staged_schema(&self, record: &DataType) -> SchemaRef {
        let mut fields: Vec<FieldRef> = position_fields();
        fields.push(Arc::new(Field::new(RAW_BYTES, record.clone(), false)));
        fields.push(invalid_encoding_field());
        fields.extend(self.value_fields());
        Arc::new(Schema::new(fields))
    }

    /// Columns that a row rule sees: the staged ones, whether its texts are suspicious, and `raw` with the texts of
    /// `raw_columns`.
    #[must_use]
    pub fn rule_schema(&self, record: &DataType, raw_columns: &[String]) -> SchemaRef {
        let mut fields: Vec<FieldRef> = self.staged_schema(record).fields().iter().cloned().collect();
        fields.push(Arc::new(Field::new(SUSPICIOUS, DataType::Boolean, false)));
        fields.push(raw_field(raw_columns));
        Arc::new(Schema::new(fields))
    }
}

/// The position columns.
#[must_use]
pub fn position_fields() -> Vec<FieldRef> {
    // Rows of a typed file have a number and no bytes.
    POSITION
        .iter()
        .map(|name| Arc::new(Field::new(*name, DataType::Int64, *name != POSITION[0])))
        .collect()
}

/// The column of encoding faults.
#[must_use]
pub fn invalid_encoding_field() -> FieldRef {
    let item = Arc::new(Field::new("item", DataType::Utf8, true));
    Arc::new(Field::new(INVALID_ENCODING, DataType::List(item), true))
}

/// The column `raw`.
#[must_use]
pub fn raw_field(columns: &[String]) -> FieldRef {
    Arc::new(Field::new(RAW, DataType::Struct(raw_fields(columns)), true))
}

/// The fields of `raw`: every source column as text under its own name.
#[must_use]
pub fn raw_fields(columns: &[String]) -> Fields {
    columns
        .iter()
        .map(|name| Field::new(name, DataType::Utf8View, true))
        .collect()
}

/// The key column of a process.
#[must_use]
pub fn key_column(source: &str, null_tokens: Vec<String>, blanks: Blanks) -> CellColumn {
    CellColumn {
        source: source.to_owned(),
        name: CUSTOMER_ID.to_owned(),
        kind: CellKind::Text {
            truncate: None,
            strip: Strip::Nothing,
        },
        null_tokens,
        blanks,
    }
}

/// Columns of malformed records.
#[must_use]
pub fn malformed_schema() -> SchemaRef {
    let mut fields = position_fields();
    fields.push(Arc::new(Field::new(RAW_BYTES, DataType::BinaryView, false)));
    fields.push(Arc::new(Field::new(MALFORMED, DataType::Utf8, false)));
    Arc::new(Schema::new(fields))
}
