//! What the same values could be for a reader who knows more.

use super::candidates::Candidate;
use super::column::{ColumnProfile, Tally};
use super::formats::{COMPACT_DATE, DATE_PATTERNS, TIMESTAMP_PATTERNS, exchanged};
use super::guess::share;
use super::traits::Traits;
use crate::spec::AttributeType;

/// `boolean`, if all values are the same 0 or 1.
#[must_use]
pub fn lone_truth(tally: &Tally) -> Option<Candidate> {
    let is_truth = share(tally, Traits::BOOLEAN) >= 1.0;
    is_truth.then_some(Candidate {
        ty: AttributeType::Boolean,
        format: Vec::new(),
        fits: Traits::BOOLEAN,
    })
}

/// `date`, if all integers are also dates without dividers.
#[must_use]
pub fn compact_date(profile: &ColumnProfile, tally: &Tally) -> Option<Candidate> {
    let fits = pattern_trait(COMPACT_DATE);
    let is_date = profile.value_rows() > 0 && share(tally, fits) >= 1.0;
    is_date.then(|| Candidate {
        ty: AttributeType::Date,
        format: vec![COMPACT_DATE.to_owned()],
        fits,
    })
}

/// The candidate with day and month exchanged, if as many values fit it.
#[must_use]
pub fn exchanged_days(tally: &Tally, best: &Candidate) -> Option<Candidate> {
    let format: Vec<String> = best
        .format
        .iter()
        .map(|pattern| exchanged(pattern).unwrap_or(pattern).to_owned())
        .collect();
    let fits = format
        .iter()
        .fold(Traits::NONE, |fits, pattern| fits | pattern_trait(pattern));
    let is_rival = format != best.format && share(tally, fits) >= share(tally, best.fits);
    is_rival.then_some(Candidate {
        ty: best.ty,
        format,
        fits,
    })
}

/// The fact that a cell fits a pattern of dates or timestamps.
#[must_use]
pub fn pattern_trait(pattern: &str) -> Traits {
    let date = DATE_PATTERNS
        .iter()
        .position(|text| *text == pattern)
        .map(Traits::date);
    let timestamp = TIMESTAMP_PATTERNS
        .iter()
        .position(|text| *text == pattern)
        .map(Traits::timestamp);
    date.or(timestamp).unwrap_or_default()
}
