//! A column of the source and the attribute it becomes.

use chrono::NaiveDate;
use chrono::format::{Item, StrftimeItems};
use chrono_tz::Tz;

use super::names::{check_attribute_name, default_attribute_name};
use super::policy::{NullPolicy, OnScale, OnTooLong, OnUnsupported};
use super::problem::{Findings, Problem};
use super::process::RawAttribute;
use super::schedule::parse_time_zone;
use super::types::AttributeType;

/// Days that stand for "no date" unless the attribute names its own.
pub const DEFAULT_DATES: [&str; 2] = ["1900-01-01", "1989-01-01"];

/// A column of the source and the attribute it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The source's column, byte for byte.
    pub column: String,
    /// Name of the attribute.
    pub name: String,
    /// Type of the attribute.
    pub ty: AttributeType,
    /// Name for people.
    pub label: Option<String>,
    /// How values are shown.
    pub display: Option<String>,
    /// Formats of a date or timestamp in chrono's notation, tried in order; none: the standard ones.
    pub formats: Vec<String>,
    /// Zone in which a timestamp without one is read.
    pub time_zone: Tz,
    /// What an empty cell does to the value stored before.
    pub null: NullPolicy,
    /// Texts that stand for an empty cell.
    pub null_tokens: Vec<String>,
    /// Days that stand for "no date".
    pub default_dates: Vec<NaiveDate>,
    /// What becomes of text that is too long.
    pub on_too_long: OnTooLong,
    /// What becomes of characters that are not supported.
    pub on_unsupported: OnUnsupported,
    /// What becomes of digits beyond the scale of a decimal.
    pub on_scale: OnScale,
}

/// What an attribute takes from around it.
pub(super) struct Surroundings<'a> {
    /// Names the instance reserves.
    pub(super) reserved: &'a [String],
    /// The process's policy for empty cells.
    pub(super) null: NullPolicy,
    /// The source's texts for an empty cell.
    pub(super) null_tokens: &'a [String],
    /// The instance's zone.
    pub(super) time_zone: Tz,
}

/// The attribute of one `[[attribute]]`.
pub(super) fn resolve(
    raw: &RawAttribute,
    at: &str,
    around: &Surroundings<'_>,
    findings: &mut Findings,
) -> Option<Attribute> {
    let column = check_column(raw, at, findings);
    let name = check_name(raw, at, around.reserved, findings);
    let ty = check_type(raw, at, findings);
    if let Some(ty) = ty {
        check_keys_apply(raw, ty, at, findings);
    }
    let formats = check_formats(raw, at, findings);
    let default_dates = check_default_dates(raw, at, findings);
    let time_zone = match &raw.time_zone {
        Some(text) => findings.take(&format!("{at}.time_zone"), parse_time_zone(text))?,
        None => around.time_zone,
    };
    Some(Attribute {
        column: column?,
        name: name?,
        ty: ty?,
        label: raw.label.clone(),
        display: raw.display.clone(),
        formats,
        time_zone,
        null: raw.null.unwrap_or(around.null),
        null_tokens: raw
            .null_tokens
            .clone()
            .unwrap_or_else(|| around.null_tokens.to_vec()),
        default_dates,
        on_too_long: raw.on_too_long.unwrap_or_default(),
        on_unsupported: raw.on_unsupported.unwrap_or_default(),
        on_scale: raw.on_scale.unwrap_or_default(),
    })
}

/// The name as typed, or else the column's default.
pub(super) fn effective_name(raw: &RawAttribute) -> Option<String> {
    raw.name
        .clone()
        .or_else(|| raw.column.as_deref().map(default_attribute_name))
}

fn check_column(raw: &RawAttribute, at: &str, findings: &mut Findings) -> Option<String> {
    let at = format!("{at}.column");
    match raw.column.as_deref() {
        None => findings.missing(&at, "name the source's column"),
        Some("") => findings.add(at, "an empty column", "name the source's column"),
        Some(column) => return Some(column.to_owned()),
    }
    None
}

fn check_name(raw: &RawAttribute, at: &str, reserved: &[String], findings: &mut Findings) -> Option<String> {
    let place = format!("{at}.name");
    let name = effective_name(raw).filter(|_| raw.column.as_deref() != Some("") || raw.name.is_some())?;
    if findings.was_refused(&place) {
        return None;
    }
    match check_attribute_name(&name, reserved) {
        Ok(()) => return Some(name),
        Err(problem) if raw.name.is_some() => findings.add(place, problem.what, problem.remedy),
        Err(problem) => {
            let what = format!("{}, and is what the column's name gives", problem.what);
            findings.add(place, what, "add a name, as name = \"second_choice\"");
        }
    }
    None
}

fn check_type(raw: &RawAttribute, at: &str, findings: &mut Findings) -> Option<AttributeType> {
    let at = format!("{at}.type");
    let Some(text) = raw.ty.as_deref() else {
        findings.missing(&at, "write a type, as type = \"string\"");
        return None;
    };
    findings.take(&at, text.parse())
}

/// A key that would silently do nothing is refused.
fn check_keys_apply(raw: &RawAttribute, ty: AttributeType, at: &str, findings: &mut Findings) {
    let is_decimal = matches!(ty, AttributeType::Decimal { .. });
    let checks = [
        (
            "format",
            raw.format.is_some(),
            ty.is_temporal(),
            "a date or timestamp",
        ),
        (
            "default_dates",
            raw.default_dates.is_some(),
            ty.is_temporal(),
            "a date or timestamp",
        ),
        (
            "time_zone",
            raw.time_zone.is_some(),
            ty == AttributeType::Timestamp,
            "a timestamp",
        ),
        (
            "on_too_long",
            raw.on_too_long.is_some(),
            ty.is_string(),
            "a string, varchar or nvarchar",
        ),
        (
            "on_unsupported",
            raw.on_unsupported.is_some(),
            ty.is_text(),
            "text",
        ),
        ("on_scale", raw.on_scale.is_some(), is_decimal, "a decimal"),
    ];
    for (key, _, _, types) in checks
        .iter()
        .filter(|(_, written, applies, _)| *written && !applies)
    {
        let what = format!("means nothing for {ty}");
        findings.add(
            format!("{at}.{key}"),
            what,
            format!("remove it; it belongs to {types}"),
        );
    }
}

fn check_formats(raw: &RawAttribute, at: &str, findings: &mut Findings) -> Vec<String> {
    let formats = raw.format.clone().unwrap_or_default();
    for (index, format) in formats.iter().enumerate() {
        let items: Vec<_> = StrftimeItems::new(format).collect();
        let reads_nothing = items
            .iter()
            .all(|item| matches!(item, Item::Literal(_) | Item::Space(_)));
        if reads_nothing || items.iter().any(|item| matches!(item, Item::Error)) {
            let what = format!("`{format}` is no format");
            findings.add(
                format!("{at}.format[{index}]"),
                what,
                "write one as \"%d/%m/%Y\" or \"%Y-%m-%d %H:%M:%S\"",
            );
        }
    }
    formats
}

fn check_default_dates(raw: &RawAttribute, at: &str, findings: &mut Findings) -> Vec<NaiveDate> {
    let Some(dates) = &raw.default_dates else {
        return DEFAULT_DATES
            .iter()
            .filter_map(|date| parse_date(date).ok())
            .collect();
    };
    let places = dates
        .iter()
        .enumerate()
        .map(|(index, date)| (format!("{at}.default_dates[{index}]"), date));
    places
        .filter_map(|(place, date)| findings.take(&place, parse_date(date)))
        .collect()
}

fn parse_date(text: &str) -> Result<NaiveDate, Problem> {
    text.parse().map_err(|_| {
        let what = format!("`{text}` is no date");
        Problem::new("default_dates", what, "write it as \"1900-01-01\"")
    })
}
