//! From what a column holds to the type it should have.

#[cfg(test)]
mod tests;

use serde::{Serialize, Serializer};

use super::candidates::{Candidate, candidates};
use super::column::{ColumnProfile, Tally, rows_with};
use super::notes;
use super::rivals;
use super::traits::{NULL_SUSPECTS, Traits};
use crate::spec::AttributeType;

/// A type is guessed, if at least this share of the values fits it.
pub const MIN_SHARE: f64 = 0.95;

/// A type is worth mentioning, if at least this share of the values fits it.
const MIN_RUNNER_UP_SHARE: f64 = 0.5;

/// The first so many of [`NULL_SUSPECTS`] are no words: they stand for "no value" in text too.
pub const NUM_CERTAIN_NULLS: usize = 8;

/// The type a column should have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TypeGuess {
    /// The type.
    #[serde(rename = "type", serialize_with = "as_text")]
    pub ty: AttributeType,
    /// Formats that dates and timestamps need; none: the standard form.
    pub format: Vec<String>,
    /// Texts that stand for an empty cell.
    pub null_tokens: Vec<String>,
    /// Share of the values that fit, null tokens left out; 0 to 1.
    pub share: f64,
    /// The type it could have as well.
    pub runner_up: Option<RunnerUp>,
    /// What else there is to know, most important first.
    pub notes: Vec<String>,
}

/// A type that was not chosen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunnerUp {
    /// The type.
    #[serde(rename = "type", serialize_with = "as_text")]
    pub ty: AttributeType,
    /// Formats that dates and timestamps need; none: the standard form.
    pub format: Vec<String>,
    /// Share of the values that fit; 0 to 1.
    pub share: f64,
}

/// Writes a type as process files have it.
pub(super) fn as_text<S: Serializer>(ty: &AttributeType, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(ty)
}

/// The narrowest type that all values fit; else the one that nearly all fit; else `string`.
#[must_use]
pub fn guess_type(profile: &ColumnProfile) -> TypeGuess {
    let (chosen, runner_up) = choose(profile, &profile.tally);
    let share = chosen
        .as_ref()
        .map_or(1.0, |chosen| share(&profile.tally, chosen.fits));
    let notes = notes::notes(profile, chosen.as_ref(), runner_up.as_ref());
    let null_tokens = null_tokens(profile, chosen.is_some());
    let chosen = chosen.unwrap_or_else(text);
    TypeGuess {
        ty: chosen.ty,
        format: chosen.format,
        null_tokens,
        share,
        runner_up: runner_up.map(|other| RunnerUp {
            share: self::share(&profile.tally, other.fits),
            ty: other.ty,
            format: other.format,
        }),
        notes,
    }
}

/// The type that is guessed from a tally, `None` for text, and the one that it could be as well.
pub(super) fn choose(profile: &ColumnProfile, tally: &Tally) -> (Option<Candidate>, Option<Candidate>) {
    let mut all = candidates(profile, tally);
    all.retain(|candidate| share(tally, candidate.fits) >= MIN_RUNNER_UP_SHARE);
    // Of equal ones `max_by` takes the last: reversed, that is the narrowest.
    let best = all
        .iter()
        .rev()
        .max_by(|one, other| share(tally, one.fits).total_cmp(&share(tally, other.fits)))
        .cloned();
    let Some(best) = best else { return (None, None) };
    if share(tally, best.fits) < MIN_SHARE || is_code(profile, tally, &best) {
        return (None, Some(best));
    }
    let runner_up = rival(profile, tally, &best, &all);
    (Some(best), runner_up)
}

/// Share of the values, null tokens left out, that have any of some facts.
pub(super) fn share(tally: &Tally, fits: Traits) -> f64 {
    let judged = judged_rows(tally);
    if judged == 0 {
        0.0
    } else {
        rows_with(tally, fits) as f64 / judged as f64
    }
}

/// Values that are no null tokens.
pub(super) fn judged_rows(tally: &Tally) -> u64 {
    let judged = tally
        .iter()
        .filter(|(traits, _)| !traits.has_any(Traits::NULL_SUSPECT));
    judged.map(|(_, alike)| alike.num_rows).sum()
}

fn text() -> Candidate {
    Candidate {
        ty: AttributeType::String,
        format: Vec::new(),
        fits: Traits::NONE,
    }
}

/// Whether numbers are names: postal codes, telephone numbers, cards.
fn is_code(profile: &ColumnProfile, tally: &Tally, best: &Candidate) -> bool {
    let is_integer = profile.scale == 0 && rows_with(tally, Traits::EXPONENT) == 0;
    let has_plus = rows_with(tally, Traits::PLUS_SIGN) * 2 > judged_rows(tally);
    match best.ty {
        AttributeType::Int | AttributeType::Bigint => has_plus || rows_with(tally, Traits::LEADING_ZERO) > 0,
        AttributeType::Decimal { .. } | AttributeType::Double => {
            has_plus || is_integer || rows_with(tally, Traits::LEADING_ZERO) > 0
        }
        _ => false,
    }
}

/// The type that the same values could have for a reader who knows more.
fn rival(profile: &ColumnProfile, tally: &Tally, best: &Candidate, all: &[Candidate]) -> Option<Candidate> {
    let other = |ty| all.iter().find(|other| other.ty == ty).cloned();
    match best.ty {
        AttributeType::Boolean => other(AttributeType::Int),
        AttributeType::Int => rivals::lone_truth(tally).or_else(|| rivals::compact_date(profile, tally)),
        AttributeType::Bigint => rivals::compact_date(profile, tally),
        AttributeType::Decimal { .. } => other(AttributeType::Double),
        AttributeType::Double => all
            .iter()
            .find(|other| matches!(other.ty, AttributeType::Decimal { .. }))
            .cloned(),
        AttributeType::Date | AttributeType::Timestamp => rivals::exchanged_days(tally, best),
        _ => None,
    }
}

fn null_tokens(profile: &ColumnProfile, is_typed: bool) -> Vec<String> {
    let seen = profile.null_suspects.keys();
    let stands_for_null =
        |token: &&str| is_typed || NULL_SUSPECTS.iter().take(NUM_CERTAIN_NULLS).any(|t| t == token);
    seen.copied().filter(stands_for_null).map(str::to_owned).collect()
}
