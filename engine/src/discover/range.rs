//! The least and greatest value of a column, under every type its cells fit.

use super::formats::{DATE_PATTERNS, TIMESTAMP_PATTERNS, read_date, read_timestamp};
use super::traits::Traits;
use crate::decode::cell::{parse_bigint, parse_date, parse_double};

/// Characters of a text that are compared and shown.
const TEXT_CHARS: usize = 80;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The least and the greatest of some values, with a text for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range<T> {
    /// The least.
    pub min: T,
    /// The greatest.
    pub max: T,
}

/// Days that stand for "no date", and those before 1753, which databases refuse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayCounts {
    /// The days seen, in days or microseconds since 1970.
    pub range: Option<Range<i64>>,
    /// How often 1900-01-01 or 1989-01-01 came.
    pub default_rows: u64,
    /// How often a day before 1753-01-01 came.
    pub early_rows: u64,
}

/// Least and greatest values by type.
#[derive(Debug, Clone)]
pub struct Ranges {
    /// Of texts, by their bytes, cut at 80 characters.
    pub text: Option<Range<String>>,
    /// Of integers.
    pub integer: Option<Range<i64>>,
    /// Of numbers, as written; compared as doubles.
    pub number: Option<Range<(f64, String)>>,
    /// Of dates, by pattern.
    pub dates: [DayCounts; DATE_PATTERNS.len()],
    /// Of timestamps, by pattern.
    pub timestamps: [DayCounts; TIMESTAMP_PATTERNS.len()],
}

impl Default for Ranges {
    fn default() -> Self {
        Self {
            text: None,
            integer: None,
            number: None,
            dates: std::array::from_fn(|_| DayCounts::default()),
            timestamps: std::array::from_fn(|_| DayCounts::default()),
        }
    }
}

impl Ranges {
    /// Takes a cell with these facts into account.
    pub fn add(&mut self, cell: &str, traits: Traits) {
        self.add_text(cell);
        if let Some(integer) = parse_bigint(cell) {
            widen(&mut self.integer, integer, |one, other| one < other);
        }
        if traits.has_any(Traits::DOUBLE)
            && let Some(number) = parse_double(cell)
        {
            widen_number(&mut self.number, number, cell);
        }
        for (pattern, counts) in self.dates.iter_mut().enumerate() {
            if traits.has_any(Traits::date(pattern))
                && let Some(day) = read_date(cell, pattern)
            {
                counts.add(day.into(), 1);
            }
        }
        for (pattern, counts) in self.timestamps.iter_mut().enumerate() {
            if traits.has_any(Traits::timestamp(pattern))
                && let Some(micros) = read_timestamp(cell, pattern)
            {
                counts.add(micros, MICROS_PER_DAY);
            }
        }
    }

    fn add_text(&mut self, cell: &str) {
        let is_within = self
            .text
            .as_ref()
            .is_some_and(|range| *range.min <= *cell && *cell <= *range.max);
        if !is_within {
            let text = cell.chars().take(TEXT_CHARS).collect();
            widen(&mut self.text, text, |one: &String, other| one < other);
        }
    }
}

impl DayCounts {
    fn add(&mut self, at: i64, units_per_day: i64) {
        widen(&mut self.range, at, |one, other| one < other);
        let day = at.div_euclid(units_per_day);
        let is_default = ["1900-01-01", "1989-01-01"]
            .into_iter()
            .any(|date| is_day(date, day));
        self.default_rows += u64::from(is_default);
        self.early_rows += u64::from(parse_date("1753-01-01").is_some_and(|first| day < first.into()));
    }
}

fn is_day(date: &str, day: i64) -> bool {
    parse_date(date).is_some_and(|days| i64::from(days) == day)
}

fn widen<T: Clone>(range: &mut Option<Range<T>>, value: T, less: impl Fn(&T, &T) -> bool) {
    match range {
        None => {
            *range = Some(Range {
                min: value.clone(),
                max: value,
            });
        }
        Some(range) if less(&value, &range.min) => range.min = value,
        Some(range) if less(&range.max, &value) => range.max = value,
        Some(_) => (),
    }
}

/// Copies the text only where the range widens.
fn widen_number(range: &mut Option<Range<(f64, String)>>, number: f64, text: &str) {
    let is_within = range
        .as_ref()
        .is_some_and(|range| range.min.0 <= number && number <= range.max.0);
    if !is_within {
        widen(range, (number, text.to_owned()), |one, other| one.0 < other.0);
    }
}
