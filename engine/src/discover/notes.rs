//! What is worth saying about a guess.

use super::candidates::{Candidate, needed_decimal};
use super::column::{ColumnProfile, Tally};
use super::formats::{COMPACT_DATE, MIDNIGHT};
use super::guess::{NUM_CERTAIN_NULLS, choose, judged_rows, share};
use super::range::DayCounts;
use super::rivals::pattern_trait;
use super::text_notes::text_notes;
use super::traits::{NULL_SUSPECTS, Traits};
use crate::spec::AttributeType;

/// Most kinds of misfits that are shown by example.
const MAX_MISFITS: usize = 3;

/// From here on integers are near the end of `int`.
const NEAR_INT_MAX: u64 = 1 << 30;

/// The notes on a guess; `chosen` is `None` for text.
#[must_use]
pub fn notes(
    profile: &ColumnProfile,
    chosen: Option<&Candidate>,
    runner_up: Option<&Candidate>,
) -> Vec<String> {
    let mut notes = Vec::new();
    if profile.value_rows() == 0 {
        notes.push("no values were seen".to_owned());
        return notes;
    }
    match chosen {
        Some(chosen) => notes.extend(typed(profile, chosen, runner_up)),
        None => notes.extend(text_notes(profile, runner_up)),
    }
    notes.extend(null_suspects(profile, chosen.is_some()));
    notes.extend(blanks(profile, chosen));
    notes.extend(characters(profile));
    notes
}

fn typed(profile: &ColumnProfile, chosen: &Candidate, runner_up: Option<&Candidate>) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(misfits(&profile.tally, chosen));
    notes.extend(runner_up.and_then(|other| also(chosen, other)));
    notes.extend(match chosen.ty {
        AttributeType::Int | AttributeType::Bigint => number_width(profile),
        AttributeType::Decimal { .. } => needed_decimal(profile).map(|(precision, scale)| {
            format!("the values seen need decimal({precision},{scale}); the type leaves room for larger ones")
        }),
        AttributeType::Timestamp => zones(profile),
        _ => None,
    });
    if chosen.ty.is_temporal() {
        notes.extend(odd_days(profile, chosen));
    }
    notes
}

/// Cells that would be rejected, with examples.
fn misfits(tally: &Tally, chosen: &Candidate) -> Option<String> {
    let judged = judged_rows(tally);
    let is_misfit = |traits: &Traits| !traits.has_any(chosen.fits | Traits::NULL_SUSPECT);
    let mut misfits: Vec<_> = tally
        .iter()
        .filter(|(traits, _)| is_misfit(traits))
        .map(|(_, alike)| alike)
        .collect();
    misfits.sort_by_key(|alike| std::cmp::Reverse(alike.num_rows));
    let num_rows: u64 = misfits.iter().map(|alike| alike.num_rows).sum();
    let examples: Vec<String> = misfits
        .iter()
        .take(MAX_MISFITS)
        .map(|alike| format!("{:?}", alike.example))
        .collect();
    (num_rows > 0).then(|| {
        format!(
            "{num_rows} of {judged} values do not fit {} and would be rejected, as {}",
            chosen.ty,
            examples.join(", ")
        )
    })
}

/// Why the runner-up is one.
fn also(chosen: &Candidate, other: &Candidate) -> Option<String> {
    let pattern = |candidate: &Candidate| candidate.format.join(", ");
    Some(match (chosen.ty, other.ty) {
        (AttributeType::Boolean, AttributeType::Int) => {
            "all values are 0 or 1: boolean, or int if they count".to_owned()
        }
        (AttributeType::Int, AttributeType::Boolean) => "one value only, 0 or 1: int, or boolean".to_owned(),
        (AttributeType::Int | AttributeType::Bigint, AttributeType::Date) => {
            format!("all values are also dates in the format {COMPACT_DATE}")
        }
        (AttributeType::Date | AttributeType::Timestamp, _) => format!(
            "day and month cannot be told apart: no day is above 12, so {} fits as well as {}; ask whoever writes the file",
            pattern(other),
            pattern(chosen),
        ),
        _ => return None,
    })
}

fn number_width(profile: &ColumnProfile) -> Option<String> {
    let range = profile.ranges.integer.as_ref()?;
    let greatest = range.min.unsigned_abs().max(range.max.unsigned_abs());
    (NEAR_INT_MAX..=u64::from(u32::MAX) / 2)
        .contains(&greatest)
        .then(|| "values are near the end of int; bigint leaves room for larger ones".to_owned())
}

fn zones(profile: &ColumnProfile) -> Option<String> {
    let zoned_rows = profile.rows_with(Traits::ZONED);
    let num_rows = judged_rows(&profile.tally);
    match zoned_rows {
        0 => Some("no value says its zone: they are read in UTC unless time_zone says otherwise".to_owned()),
        _ if zoned_rows < num_rows => Some(format!(
            "{zoned_rows} of {num_rows} values say their zone; the others are read in UTC unless time_zone says otherwise"
        )),
        _ => None,
    }
}

/// Days that rules look at.
fn odd_days(profile: &ColumnProfile, chosen: &Candidate) -> Vec<String> {
    let days = day_counts(profile, chosen);
    let default_rows: u64 = days.iter().map(|days| days.default_rows).sum();
    let early_rows: u64 = days.iter().map(|days| days.early_rows).sum();
    let num_rows = judged_rows(&profile.tally);
    let mut notes = Vec::new();
    if default_rows > 0 {
        notes.push(format!(
            "{default_rows} of {num_rows} values are 1900-01-01 or 1989-01-01: rule date_default rejects them"
        ));
    }
    if early_rows > 0 {
        notes.push(format!(
            "{early_rows} of {num_rows} values are before 1753-01-01: rule date_too_early rejects them"
        ));
    }
    if share(&profile.tally, pattern_trait(MIDNIGHT)) >= 1.0 {
        notes.push(format!(
            "every time is midnight: date with the format {MIDNIGHT} would do"
        ));
    }
    notes
}

/// What was counted under the formats of a candidate.
#[must_use]
pub fn day_counts<'a>(profile: &'a ColumnProfile, candidate: &Candidate) -> Vec<&'a DayCounts> {
    let ranges = &profile.ranges;
    let dates = ranges
        .dates
        .iter()
        .enumerate()
        .map(|(at, days)| (Traits::date(at), days));
    let timestamps = ranges
        .timestamps
        .iter()
        .enumerate()
        .map(|(at, days)| (Traits::timestamp(at), days));
    dates
        .chain(timestamps)
        .filter(|(fits, _)| candidate.fits.has_any(*fits))
        .map(|(_, days)| days)
        .collect()
}

fn null_suspects(profile: &ColumnProfile, is_typed: bool) -> Option<String> {
    let certain = |token: &str| {
        NULL_SUSPECTS
            .iter()
            .take(NUM_CERTAIN_NULLS)
            .any(|other| *other == token)
    };
    let listed: Vec<String> = profile
        .null_suspects
        .iter()
        .map(|(token, num_rows)| format!("{token:?} ({num_rows})"))
        .collect();
    let is_certain = is_typed || profile.null_suspects.keys().all(|token| certain(token));
    let advice = if is_certain {
        "listed in null_tokens"
    } else {
        "text unless listed in null_tokens"
    };
    (!listed.is_empty()).then(|| format!("may stand for no value: {}; {advice}", listed.join(", ")))
}

fn blanks(profile: &ColumnProfile, chosen: Option<&Candidate>) -> Option<String> {
    let num_rows = profile.rows_with(Traits::OUTER_BLANKS);
    if num_rows == 0 {
        return None;
    }
    let (trimmed, _) = choose(profile, &profile.tally_if_trimmed());
    let better = trimmed.filter(|trimmed| chosen.is_none_or(|chosen| chosen.ty != trimmed.ty));
    let gain = better.map_or_else(String::new, |trimmed| {
        format!("; trimmed, the column is {}", trimmed.ty)
    });
    Some(format!(
        "{num_rows} values begin or end with blanks, which are data unless trim = true{gain}"
    ))
}

fn characters(profile: &ColumnProfile) -> Vec<String> {
    let mut notes = Vec::new();
    let unsupported_rows = profile.rows_with(Traits::UNSUPPORTED);
    if unsupported_rows > 0 {
        let example = profile.unsupported_example.as_deref().unwrap_or_default();
        notes.push(format!("{unsupported_rows} values have unsupported characters, as {example:?}: rejected unless on_unsupported = \"strip\""));
    }
    let long_rows = profile.rows_with(Traits::TOO_LONG);
    if long_rows > 0 {
        notes.push(format!(
            "{long_rows} values are too long for string, the longest of {} characters: rejected unless on_too_long = \"truncate\"",
            profile.longest_chars
        ));
    }
    notes
}

/// A share as people read it: never 100 % of less than all.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{} %", (share * 1000.0).floor() / 10.0)
}
