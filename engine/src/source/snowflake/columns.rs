//! A partition of a result, texts in rows, to Arrow columns.
//!
//! ```text
//!  NUMBER(10,2)  "12.50"        Decimal128(10,2)      VARCHAR               Utf8View
//!  FLOAT         "1.5e3"        Float64               TIMESTAMP_*, TIME     Utf8View: Arrow's nanoseconds end in 2262
//!  BOOLEAN       "1"            Boolean               BINARY  "4142"        Binary
//!  DATE          "19850"        Date32                VARIANT, ARRAY, ...   Utf8View of the extension type arrow.json
//! ```

use std::cell::RefCell;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, RecordBatch,
    StringViewBuilder,
};
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, Fields, Schema, SchemaRef};
use snowflake_connector_rs::decode::{PlanBuildResult, RowDecodeResult};
use snowflake_connector_rs::{
    ColumnType, FromRow, ResultTable, RowPlanContext, RowRef, Schema as SentSchema,
};

use super::super::rows::json_field;
use super::instant::{Clock, write_instant, write_time};
use super::json::on_one_line;
use super::number::unscaled;
use crate::error::{Error, Result};

/// Rows of a batch; the last one of a partition has fewer.
const BATCH_ROWS: usize = 8_192;

/// The columns of a result. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    schema: SchemaRef,
    kinds: Arc<[Kind]>,
}

/// How a column is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number { precision: u8, scale: u8 },
    Float,
    Boolean,
    Date,
    Time,
    Instant(Clock),
    Binary,
    Json,
    Text,
}

impl Kind {
    fn of(sent: &ColumnType) -> Self {
        match sent {
            ColumnType::Fixed { .. } => Self::Number {
                precision: sent.precision().unwrap_or(DECIMAL128_MAX_PRECISION),
                scale: sent.scale().unwrap_or_default(),
            },
            ColumnType::Real => Self::Float,
            ColumnType::Boolean => Self::Boolean,
            ColumnType::Date => Self::Date,
            ColumnType::Time { .. } => Self::Time,
            ColumnType::TimestampNtz { .. } => Self::Instant(Clock::Unknown),
            ColumnType::TimestampLtz { .. } => Self::Instant(Clock::Utc),
            ColumnType::TimestampTz { .. } => Self::Instant(Clock::Offset),
            ColumnType::Binary { .. } => Self::Binary,
            ColumnType::Variant | ColumnType::Object | ColumnType::Array | ColumnType::Vector => Self::Json,
            _ => Self::Text,
        }
    }

    fn field(self, name: &str) -> Field {
        let data_type = match self {
            Self::Number { precision, scale } => DataType::Decimal128(precision, scale as i8),
            Self::Float => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Binary => DataType::Binary,
            Self::Json => return json_field(name),
            Self::Time | Self::Instant(_) | Self::Text => DataType::Utf8View,
        };
        Field::new(name, data_type, true)
    }
}

impl Columns {
    pub(super) fn of(sent: &SentSchema) -> Self {
        let kinds: Arc<[Kind]> = sent
            .columns()
            .iter()
            .map(|column| Kind::of(column.ty()))
            .collect();
        let fields = sent
            .columns()
            .iter()
            .zip(kinds.iter())
            .map(|(column, kind)| kind.field(column.name()));
        Self {
            schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
            kinds,
        }
    }

    pub(super) fn fields(&self) -> Fields {
        self.schema.fields().clone()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    }

    /// The rows of a partition.
    ///
    /// # Errors
    /// A value that its type does not have.
    pub(super) fn batches(&self, table: &ResultTable) -> Result<Vec<RecordBatch>> {
        let mut rows = table.rows::<Pushed>().map_err(super::fault::of)?;
        let mut batches = Vec::with_capacity(table.row_count().div_ceil(BATCH_ROWS));
        let mut open = Builders::new(self);
        while rows.len() > 0 {
            UNDER_WAY.set(Some(open));
            let pushed = rows.by_ref().take(BATCH_ROWS).try_for_each(|row| row.map(drop));
            open = UNDER_WAY.take().unwrap_or_else(|| Builders::new(self));
            pushed.map_err(super::fault::of)?;
            batches.push(open.finish(&self.schema)?);
        }
        Ok(batches)
    }
}

thread_local! {
    // The client hands rows to a type, not to a value: what is being built has no other way to it.
    static UNDER_WAY: RefCell<Option<Builders>> = const { RefCell::new(None) };
}

/// A row that went into the builders.
struct Pushed;

impl FromRow for Pushed {
    type Plan = ();

    fn build_plan(_: RowPlanContext<'_>) -> PlanBuildResult<()> {
        Ok(())
    }

    fn from_row_with_plan(row: RowRef<'_>, (): &()) -> RowDecodeResult<Self> {
        UNDER_WAY.with_borrow_mut(|builders| builders.as_mut().map_or(Ok(()), |open| open.push(row)))?;
        Ok(Self)
    }
}

/// A batch under construction.
struct Builders {
    columns: Vec<Builder>,
    /// The first value that is none of its type.
    misfit: Option<Error>,
}

impl Builders {
    fn new(columns: &Columns) -> Self {
        Self {
            columns: columns.kinds.iter().map(|kind| Builder::new(*kind)).collect(),
            misfit: None,
        }
    }

    fn push(&mut self, row: RowRef<'_>) -> RowDecodeResult<()> {
        for (number, builder) in self.columns.iter_mut().enumerate() {
            let cell = row.cell_at(number)?;
            if !builder.push(cell.raw()) && self.misfit.is_none() {
                let (text, column) = (cell.raw().unwrap_or_default(), cell.column());
                let message = format!(
                    "Snowflake sent {text:?} for a value of type {}",
                    column.ty().as_str()
                );
                self.misfit = Some(Error::runtime(message).in_column(column.name()));
            }
        }
        Ok(())
    }

    fn finish(&mut self, schema: &SchemaRef) -> Result<RecordBatch> {
        if let Some(misfit) = self.misfit.take() {
            return Err(misfit.hint("cast the column to VARCHAR in a query"));
        }
        let arrays = self.columns.iter_mut().map(Builder::finish).collect();
        Ok(RecordBatch::try_new(Arc::clone(schema), arrays)?)
    }
}

/// A column under construction.
enum Builder {
    Number(Decimal128Builder, u8),
    Float(Float64Builder),
    Boolean(BooleanBuilder),
    Date(Date32Builder),
    Binary(BinaryBuilder, Vec<u8>),
    Text(StringViewBuilder, Form, String),
}

/// What becomes of a text.
#[derive(Debug, Clone, Copy)]
enum Form {
    AsSent,
    Time,
    Instant(Clock),
    Json,
}

impl Builder {
    fn new(kind: Kind) -> Self {
        let text = |form| Self::Text(StringViewBuilder::new(), form, String::new());
        match kind {
            Kind::Number { precision, scale } => {
                let data_type = DataType::Decimal128(precision, scale as i8);
                Self::Number(Decimal128Builder::new().with_data_type(data_type), scale)
            }
            Kind::Float => Self::Float(Float64Builder::new()),
            Kind::Boolean => Self::Boolean(BooleanBuilder::new()),
            Kind::Date => Self::Date(Date32Builder::new()),
            Kind::Binary => Self::Binary(BinaryBuilder::new(), Vec::new()),
            Kind::Time => text(Form::Time),
            Kind::Instant(clock) => text(Form::Instant(clock)),
            Kind::Json => text(Form::Json),
            Kind::Text => text(Form::AsSent),
        }
    }

    /// Appends a value, or NULL; false, and NULL, if it is none of the type.
    fn push(&mut self, sent: Option<&str>) -> bool {
        let fits = |is_value: bool| is_value || sent.is_none();
        match self {
            Self::Number(builder, scale) => {
                let value = sent.and_then(|text| unscaled(text, *scale));
                builder.append_option(value);
                fits(value.is_some())
            }
            Self::Float(builder) => {
                let value = sent.and_then(|text| text.parse().ok());
                builder.append_option(value);
                fits(value.is_some())
            }
            Self::Boolean(builder) => {
                let value = sent.and_then(boolean);
                builder.append_option(value);
                fits(value.is_some())
            }
            Self::Date(builder) => {
                let value = sent.and_then(|text| text.parse().ok());
                builder.append_option(value);
                fits(value.is_some())
            }
            Self::Binary(builder, bytes) => {
                let is_value = sent.is_some_and(|text| decode_hex(text, bytes));
                builder.append_option(is_value.then_some(bytes.as_slice()));
                fits(is_value)
            }
            Self::Text(builder, form, text) => {
                let Some(sent) = sent else {
                    builder.append_null();
                    return true;
                };
                text.clear();
                let is_value = form.write(text, sent);
                match is_value {
                    true => builder.append_value(&*text),
                    false => builder.append_null(),
                }
                is_value
            }
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Number(builder, _) => Arc::new(builder.finish()),
            Self::Float(builder) => Arc::new(builder.finish()),
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Binary(builder, _) => Arc::new(builder.finish()),
            Self::Text(builder, ..) => Arc::new(builder.finish()),
        }
    }
}

impl Form {
    /// Appends what is sent in this form; false if it has none.
    fn write(self, text: &mut String, sent: &str) -> bool {
        match self {
            Self::AsSent => text.push_str(sent),
            Self::Json => text.push_str(&on_one_line(sent)),
            Self::Time => return write_time(text, sent),
            Self::Instant(clock) => return write_instant(text, sent, clock),
        }
        true
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "true" | "TRUE" => Some(true),
        "0" | "false" | "FALSE" => Some(false),
        _ => None,
    }
}

/// Replaces `bytes` by what the digits say; false if they are none.
fn decode_hex(digits: &str, bytes: &mut Vec<u8>) -> bool {
    bytes.clear();
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let value = |digit: u8| char::from(digit).to_digit(16);
    for [high, low] in pairs {
        match value(*high).zip(value(*low)) {
            Some((high, low)) => bytes.push((high * 16 + low) as u8),
            None => return false,
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, AsArray};

    fn built(kind: Kind, sent: &[Option<&str>]) -> (ArrayRef, Vec<bool>) {
        let mut builder = Builder::new(kind);
        let fits = sent.iter().map(|text| builder.push(*text)).collect();
        (builder.finish(), fits)
    }

    #[test]
    fn values_of_every_kind_are_read_and_nulls_stay() {
        let number = Kind::Number {
            precision: 10,
            scale: 2,
        };
        let (numbers, _) = built(number, &[Some("12.50"), None]);
        assert_eq!(numbers.data_type(), &DataType::Decimal128(10, 2));
        assert!(numbers.is_null(1));
        let (booleans, _) = built(Kind::Boolean, &[Some("1"), Some("false"), None]);
        assert_eq!(
            booleans.as_boolean().iter().collect::<Vec<_>>(),
            [Some(true), Some(false), None]
        );
        let (bytes, _) = built(Kind::Binary, &[Some("00fFAb"), Some("")]);
        assert_eq!(bytes.as_binary::<i32>().value(0), [0x00, 0xff, 0xab]);
        assert_eq!(bytes.as_binary::<i32>().value(1), b"");
        let (texts, _) = built(Kind::Instant(Clock::Utc), &[Some("0.000000000")]);
        assert_eq!(texts.as_string_view().value(0), "1970-01-01 00:00:00Z");
    }

    #[test]
    fn what_is_no_value_of_its_type_is_noticed() {
        for (kind, sent) in [
            (
                Kind::Number {
                    precision: 2,
                    scale: 0,
                },
                "x",
            ),
            (Kind::Float, "x"),
            (Kind::Boolean, "2"),
            (Kind::Date, "2024-01-01"),
            (Kind::Binary, "0"),
            (Kind::Binary, "zz"),
            (Kind::Time, "-1.0"),
        ] {
            let (array, fits) = built(kind, &[Some(sent), None]);
            assert_eq!((fits, array.null_count()), (vec![false, true], 2), "{sent}");
        }
    }
}
