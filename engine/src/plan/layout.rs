//! A process's columns, as a decode wants them.

use crate::decode::csv::Dialect;
use crate::decode::{Blanks, CellColumn, CellKind, CsvOptions, Layout, Strip, cell, layout::key_column};
use crate::error::{Error, Result};
use crate::spec::{
    Attribute, AttributeType, Encoding, Header, Limits, OnScale, OnTooLong, OnUnsupported, Process, Source,
    Trim,
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
pub fn csv_options(source: &Source, limits: &Limits) -> Result<CsvOptions> {
    let options = &source.dialect;
    if options.encoding != Encoding::Utf8 {
        return Err(Error::usage("this version reads UTF-8 only")
            .hint("convert the file, for example with iconv -t UTF-8"));
    }
    if options.header == Header::Absent {
        return Err(Error::usage("this version reads files with a header only")
            .hint("write the column names as the first line"));
    }
    let dialect = Dialect {
        delimiter: options.delimiter,
        quote: options.quote,
        escape: options.escape,
        comment: options.comment,
        record_bytes: limits.record_bytes,
    };
    let skip_rows = usize::try_from(options.skip_rows).map_err(|_| Error::usage("skip_rows is too large"))?;
    Ok(CsvOptions { dialect, skip_rows })
}
