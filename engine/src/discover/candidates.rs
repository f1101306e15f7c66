//! The types a column could have, each with the facts a cell needs to fit it.

use super::column::{ColumnProfile, Tally, rows_with};
use super::formats::{COMPACT_DATE, DATE_PATTERNS, MIDNIGHT, TIMESTAMP_PATTERNS, exchanged};
use super::traits::Traits;
use crate::spec::AttributeType;

/// Decimals of a number that is measured rather than counted: such a column is a `double`.
const MAX_DECIMAL_SCALE: u8 = 9;

/// Digits before the point that are left free for values that are still to come.
const HEADROOM_DIGITS: u8 = 2;

/// Precisions that are suggested: as many digits as 4, 8 and 16 bytes hold.
const PRECISIONS: [u8; 3] = [9, 18, 38];

/// Most formats of one column.
const MAX_FORMATS: usize = 4;

/// A type a column could have.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The type.
    pub ty: AttributeType,
    /// Formats that dates and timestamps need; none: the standard form.
    pub format: Vec<String>,
    /// A cell that has one of these facts fits.
    pub fits: Traits,
}

/// The candidates but for text, the narrower first.
#[must_use]
pub fn candidates(profile: &ColumnProfile, tally: &Tally) -> Vec<Candidate> {
    let of = |ty, fits| Candidate {
        ty,
        format: Vec::new(),
        fits,
    };
    // `F` alone may be a gender, and 1 a number; `true` alone is what it says.
    let has_both = rows_with(tally, Traits::TRUE) > 0 && rows_with(tally, Traits::FALSE) > 0;
    let is_truth = has_both || rows_with(tally, Traits::TRUTH_WORD) > 0;
    let truth = is_truth.then(|| of(AttributeType::Boolean, Traits::BOOLEAN));
    let date = date_candidate(profile, tally);
    let compact = date
        .iter()
        .any(|date| date.format.iter().any(|format| format == COMPACT_DATE));
    let (date_first, date_later) = if compact { (date, None) } else { (None, date) };
    let numbers = [
        Some(of(AttributeType::Int, Traits::INT)),
        Some(of(AttributeType::Bigint, Traits::BIGINT)),
        decimal_type(profile, tally).map(|ty| of(ty, Traits::DECIMAL)),
        Some(of(AttributeType::Double, Traits::DOUBLE)),
    ];
    let others = [
        date_later,
        timestamp_candidate(tally),
        Some(of(AttributeType::Email, Traits::EMAIL)),
    ];
    [truth, date_first]
        .into_iter()
        .chain(numbers)
        .chain(others)
        .flatten()
        .collect()
}

/// Digits in all and after the point that the numbers of a column need; none are needed to spare.
#[must_use]
pub fn needed_decimal(profile: &ColumnProfile) -> Option<(u8, u8)> {
    let precision = (profile.whole_digits + profile.scale).max(1);
    (precision <= 38).then_some((precision, profile.scale))
}

fn decimal_type(profile: &ColumnProfile, tally: &Tally) -> Option<AttributeType> {
    let (needed, scale) = needed_decimal(profile)?;
    let is_measured = scale > MAX_DECIMAL_SCALE || rows_with(tally, Traits::EXPONENT) > 0;
    let roomy = PRECISIONS
        .into_iter()
        .find(|precision| needed + HEADROOM_DIGITS <= *precision);
    (!is_measured).then_some(AttributeType::Decimal {
        precision: roomy.unwrap_or(38),
        scale: i8::try_from(scale).ok()?,
    })
}

fn date_candidate(profile: &ColumnProfile, tally: &Tally) -> Option<Candidate> {
    let is_usual = |pattern: &usize| match DATE_PATTERNS.get(*pattern) {
        Some(&COMPACT_DATE) => names_date(&profile.name),
        pattern => pattern != Some(&MIDNIGHT),
    };
    let patterns: Vec<usize> = (0..DATE_PATTERNS.len()).filter(is_usual).collect();
    let chosen = cover(tally, &patterns, &DATE_PATTERNS, Traits::date);
    candidate_of(AttributeType::Date, &chosen, &DATE_PATTERNS, Traits::date)
}

fn timestamp_candidate(tally: &Tally) -> Option<Candidate> {
    let patterns: Vec<usize> = (0..TIMESTAMP_PATTERNS.len()).collect();
    let chosen = cover(tally, &patterns, &TIMESTAMP_PATTERNS, Traits::timestamp);
    candidate_of(
        AttributeType::Timestamp,
        &chosen,
        &TIMESTAMP_PATTERNS,
        Traits::timestamp,
    )
}

fn candidate_of(
    ty: AttributeType,
    chosen: &[usize],
    patterns: &[&str],
    trait_of: fn(usize) -> Traits,
) -> Option<Candidate> {
    let is_standard = matches!(chosen, [0]);
    let texts = chosen.iter().filter_map(|pattern| patterns.get(*pattern));
    let format = if is_standard {
        Vec::new()
    } else {
        texts.map(|text| (*text).to_owned()).collect()
    };
    let fits = chosen
        .iter()
        .fold(Traits::NONE, |fits, pattern| fits | trait_of(*pattern));
    (!chosen.is_empty()).then_some(Candidate { ty, format, fits })
}

/// Patterns that together read the most cells: again and again the one that reads most of what is left.
///
/// Never two that read the same digits with day and month exchanged: the second would make guesses of typing errors.
fn cover(tally: &Tally, from: &[usize], patterns: &[&str], trait_of: fn(usize) -> Traits) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::new();
    let mut read = Traits::NONE;
    while chosen.len() < MAX_FORMATS {
        let left = |pattern: usize| -> u64 {
            let new = |traits: &Traits| traits.has_any(trait_of(pattern)) && !traits.has_any(read);
            tally
                .iter()
                .filter(|(traits, _)| new(traits))
                .map(|(_, alike)| alike.num_rows)
                .sum()
        };
        let opposes = |pattern: usize| {
            let opposite = patterns.get(pattern).and_then(|text| exchanged(text));
            chosen
                .iter()
                .any(|other| patterns.get(*other).copied() == opposite && opposite.is_some())
        };
        // Of equal ones `max_by_key` takes the last: reversed, that is the preferred one.
        let candidates = from.iter().rev().copied().filter(|pattern| !opposes(*pattern));
        match candidates.max_by_key(|pattern| left(*pattern)) {
            Some(best) if left(best) > 0 => {
                read = read | trait_of(best);
                chosen.push(best);
            }
            _ => break,
        }
    }
    chosen
}

/// Whether a column's name says that it holds days.
#[must_use]
pub fn names_date(name: &str) -> bool {
    let lower = name.to_lowercase();
    [
        "date", "datum", "fecha", "dob", "birth", "geburt", "day", "_on", "_at", "_dt",
    ]
    .iter()
    .any(|word| lower.contains(word))
}
