//! A column as `preview` shows it.

use serde::Serialize;

use super::candidates::{Candidate, candidates};
use super::column::ColumnProfile;
use super::distinct::Distinct;
use super::formats::{show_date, show_timestamp};
use super::guess::{TypeGuess, share};
use super::notes::day_counts;
use super::range::Range;
use super::traits::Traits;
use crate::spec::AttributeType;

/// A column: what it holds, and the type it should have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnReport {
    /// Its name in the source.
    pub name: String,
    /// The type it should have.
    pub guess: TypeGuess,
    /// Cells seen.
    pub num_rows: u64,
    /// Cells that are NULL or empty.
    pub null_rows: u64,
    /// Distinct values.
    pub distinct: Distinct,
    /// Least value, dates and timestamps in their standard form.
    pub min: Option<String>,
    /// Greatest value, likewise.
    pub max: Option<String>,
    /// Characters of the longest cell.
    pub longest_chars: usize,
    /// UTF-16 code units of the longest cell by that measure.
    pub longest_utf16_units: usize,
    /// The longest cell, cut at 80 characters.
    pub longest_example: String,
    /// Share of the values that fit each type any of them fits; null tokens left out.
    pub shares: Vec<TypeShare>,
    /// Texts that may stand for "no value".
    pub null_suspects: Vec<NullSuspect>,
    /// Values that are 1900-01-01 or 1989-01-01.
    pub default_date_rows: u64,
    /// Values before 1753-01-01.
    pub early_date_rows: u64,
    /// Values with characters that are not supported.
    pub unsupported_rows: u64,
    /// Values with characters outside Windows-1252: they fit no `varchar`.
    pub beyond_windows_1252_rows: u64,
    /// Values too long for `string`.
    pub too_long_rows: u64,
}

/// How many of a column's values fit a type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TypeShare {
    /// The type.
    #[serde(rename = "type", serialize_with = "super::guess::as_text")]
    pub ty: AttributeType,
    /// Formats that dates and timestamps need; none: the standard form.
    pub format: Vec<String>,
    /// 0 to 1.
    pub share: f64,
}

/// A text that may stand for "no value".
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NullSuspect {
    /// The text.
    pub token: &'static str,
    /// How often it came.
    pub num_rows: u64,
    /// Share of the values that are it.
    pub share: f64,
}

impl ColumnReport {
    /// The report on a column whose type was guessed.
    #[must_use]
    pub fn new(profile: &ColumnProfile, guess: TypeGuess) -> Self {
        let tally = &profile.tally;
        let all = candidates(profile, tally);
        let chosen = all
            .iter()
            .find(|candidate| candidate.ty == guess.ty && candidate.format == guess.format);
        let days = chosen
            .filter(|chosen| chosen.ty.is_temporal())
            .map(|chosen| day_counts(profile, chosen));
        let days = days.unwrap_or_default();
        let (min, max) = shown_range(profile, chosen);
        let shares = all.iter().map(|candidate| TypeShare {
            ty: candidate.ty,
            format: candidate.format.clone(),
            share: share(tally, candidate.fits),
        });
        Self {
            name: profile.name.clone(),
            num_rows: profile.num_rows,
            null_rows: profile.null_rows + profile.empty_rows,
            distinct: profile.distinct(),
            min,
            max,
            longest_chars: profile.longest_chars,
            longest_utf16_units: profile.longest_utf16_units,
            longest_example: profile.longest_example.clone(),
            shares: shares.filter(|shown| shown.share > 0.0).collect(),
            null_suspects: null_suspects(profile),
            default_date_rows: days.iter().map(|days| days.default_rows).sum(),
            early_date_rows: days.iter().map(|days| days.early_rows).sum(),
            unsupported_rows: profile.rows_with(Traits::UNSUPPORTED),
            beyond_windows_1252_rows: profile.rows_with(Traits::BEYOND_WINDOWS_1252),
            too_long_rows: profile.rows_with(Traits::TOO_LONG),
            guess,
        }
    }
}

fn null_suspects(profile: &ColumnProfile) -> Vec<NullSuspect> {
    let values = profile.value_rows() as f64;
    let suspects = profile.null_suspects.iter().map(|(token, num_rows)| NullSuspect {
        token,
        num_rows: *num_rows,
        share: *num_rows as f64 / values,
    });
    suspects.collect()
}

/// Least and greatest value under the guessed type.
fn shown_range(profile: &ColumnProfile, chosen: Option<&Candidate>) -> (Option<String>, Option<String>) {
    let ranges = &profile.ranges;
    let shown = match chosen.map(|chosen| chosen.ty) {
        Some(AttributeType::Int | AttributeType::Bigint) => ranges
            .integer
            .as_ref()
            .map(|range| (range.min.to_string(), range.max.to_string())),
        Some(AttributeType::Decimal { .. } | AttributeType::Double) => ranges
            .number
            .as_ref()
            .map(|range| (range.min.1.clone(), range.max.1.clone())),
        Some(AttributeType::Date) => {
            instants(profile, chosen).map(|range| (show_date(range.min as i32), show_date(range.max as i32)))
        }
        Some(AttributeType::Timestamp) => {
            instants(profile, chosen).map(|range| (show_timestamp(range.min), show_timestamp(range.max)))
        }
        _ => ranges
            .text
            .as_ref()
            .map(|range| (range.min.clone(), range.max.clone())),
    };
    shown.unzip()
}

/// The range over all formats of a candidate.
fn instants(profile: &ColumnProfile, chosen: Option<&Candidate>) -> Option<Range<i64>> {
    let counts = day_counts(profile, chosen?);
    let ranges = counts.into_iter().filter_map(|days| days.range.clone());
    ranges.reduce(|one, other| Range {
        min: one.min.min(other.min),
        max: one.max.max(other.max),
    })
}
