//! A process's columns, as a decode wants them.

use crate::decode::csv::{Dialect, Newline};
use crate::decode::{
    Blanks, CellColumn, CellKind, ColumnNames, FileFormat, Layout, ReadOptions, Strip, bytes, cell,
    layout::key_column,
};
use crate::error::{Error, Result};
use crate::spec::{
    self, Attribute, AttributeType, Header, Limits, OnScale, OnTooLong, OnUnsupported, Process, Source, Trim,
};
use crate::validate::text::TextType;

/// The key and attributes of `process`.
///
/// # Errors
/// A date format that is none.
pub fn layout(process: &Process) -> Result<Layout> {
    let blanks = match process.source.dialect.trim {
        Trim::Keep => Blanks::Data,
        Trim::Blanks => Blanks::Trimmed,
    };
    let key = key_column(&process.key, process.source.dialect.null_tokens.clone(), blanks);
    let attributes = process
        .attributes
        .iter()
        .map(|attribute| column(attribute, blanks));
    Ok(Layout {
        key,
        attributes: attributes.collect::<Result<_>>()?,
    })
}

fn column(attribute: &Attribute, blanks: Blanks) -> Result<CellColumn> {
    Ok(CellColumn {
        source: attribute.column.clone(),
        name: attribute.name.clone(),
        kind: kind(attribute)?,
        null_tokens: attribute.null_tokens.clone(),
        blanks,
    })
}

fn kind(attribute: &Attribute) -> Result<CellKind> {
    Ok(match attribute.ty {
        AttributeType::Int => CellKind::Int,
        AttributeType::Bigint => CellKind::Bigint,
        AttributeType::Double => CellKind::Double,
        AttributeType::Boolean => CellKind::Boolean,
        AttributeType::Decimal { precision, scale } => {
            let on_scale = match attribute.on_scale {
                OnScale::Reject => cell::OnScale::Reject,
                OnScale::Round => cell::OnScale::Round,
            };
            CellKind::Decimal {
                precision,
                scale,
                on_scale,
            }
        }
        AttributeType::Date => CellKind::Date {
            formats: formats(attribute, cell::DateFormat::for_date)?,
        },
        AttributeType::Timestamp => CellKind::Timestamp {
            zone: attribute.time_zone,
            formats: formats(attribute, cell::DateFormat::for_timestamp)?,
        },
        AttributeType::String
        | AttributeType::Varchar(_)
        | AttributeType::Nvarchar(_)
        | AttributeType::Email => CellKind::Text {
            truncate: (attribute.on_too_long == OnTooLong::Truncate).then(|| width(attribute.ty)),
            strip: match attribute.on_unsupported {
                OnUnsupported::Reject => Strip::Nothing,
                OnUnsupported::Strip => Strip::Unsupported,
            },
        },
    })
}

/// The width of a text type.
#[must_use]
pub(super) fn width(ty: AttributeType) -> TextType {
    match ty {
        AttributeType::Varchar(n) => TextType::Varchar(n),
        AttributeType::Nvarchar(n) => TextType::Nvarchar(n),
        _ => TextType::Text,
    }
}

type MakeFormat = fn(&str) -> Result<cell::DateFormat, cell::FormatError>;

fn formats(attribute: &Attribute, make: MakeFormat) -> Result<Vec<cell::DateFormat>> {
    let formats = attribute.formats.iter().map(|pattern| {
        make(pattern)
            .map_err(|e| Error::usage(format!("attribute {}: format {pattern:?}: {e}", attribute.name)))
    });
    formats.collect()
}

/// How the source is written.
///
/// # Errors
/// An option that this version does not read.
pub fn read_options(source: &Source, limits: &Limits) -> Result<ReadOptions> {
    let options = &source.dialect;
    let dialect = Dialect {
        delimiter: options.delimiter,
        quote: options.quote,
        escape: options.escape,
        comment: options.comment,
        newline: match options.newline {
            spec::Newline::Lf => Newline::LineFeed,
            spec::Newline::Cr => Newline::CarriageReturn,
        },
        record_bytes: limits.record_bytes,
    };
    let lines = |key: &str, lines: u64| {
        usize::try_from(lines).map_err(|_| Error::usage(format!("{key} is too large")))
    };
    Ok(ReadOptions {
        format: source.format.map(|format| match format {
            spec::Format::Csv => FileFormat::Csv,
            spec::Format::Ndjson => FileFormat::Ndjson,
            spec::Format::Parquet => FileFormat::Parquet,
        }),
        dialect,
        skip_rows: lines("skip_rows", options.skip_rows)?,
        skip_footer_rows: lines("skip_footer_rows", options.skip_footer_rows)?,
        names: match &options.header {
            Header::Present => ColumnNames::Header,
            Header::Absent => ColumnNames::Numbered,
            Header::Given(names) => ColumnNames::Given(names.clone()),
        },
        encoding: options.encoding,
        limits: bytes::Limits {
            max_ratio: limits.max_ratio,
            max_decompressed_bytes: limits.max_decompressed_bytes,
            ..bytes::Limits::default()
        },
    })
}
