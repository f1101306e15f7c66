//! The formats of dates and timestamps that files usually have.

use std::sync::LazyLock;

use chrono_tz::Tz;

use crate::decode::cell::{DateFormat, parse_date, parse_date_with, parse_timestamp, parse_timestamp_with};

/// Patterns of dates. The first is the standard form, which needs no `format`; of two that fit the same cells,
/// the earlier is preferred, so day before month.
pub const DATE_PATTERNS: [&str; 17] = [
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%Y/%m/%d",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    COMPACT_DATE,
    MIDNIGHT,
];

/// A date without dividers, which is an integer too.
pub const COMPACT_DATE: &str = "%Y%m%d";

/// A date with a time of day that is always midnight, which is a timestamp too.
pub const MIDNIGHT: &str = "%Y-%m-%d %H:%M:%S";

/// Patterns of timestamps; the first stands for the standard form, which needs no `format`.
pub const TIMESTAMP_PATTERNS: [&str; 13] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d %H:%M:%S%.f",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d-%b-%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
];

/// Patterns that read the same digits with day and month exchanged: day first, month first.
pub const EXCHANGED: [(&str, &str); 5] = [
    ("%d/%m/%Y", "%m/%d/%Y"),
    ("%d-%m-%Y", "%m-%d-%Y"),
    ("%d/%m/%y", "%m/%d/%y"),
    ("%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S"),
    ("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"),
];

/// Longest text that any pattern reads, in bytes.
const LONGEST_BYTES: usize = 40;

static DATES: LazyLock<Vec<Vec<DateFormat>>> = LazyLock::new(|| {
    DATE_PATTERNS
        .map(|pattern| DateFormat::for_date(pattern).into_iter().collect())
        .into()
});

static TIMESTAMPS: LazyLock<Vec<Vec<DateFormat>>> = LazyLock::new(|| {
    TIMESTAMP_PATTERNS
        .map(|pattern| DateFormat::for_timestamp(pattern).into_iter().collect())
        .into()
});

/// The pattern that exchanges day and month, if there is one.
#[must_use]
pub fn exchanged(pattern: &str) -> Option<&'static str> {
    EXCHANGED.iter().find_map(|(one, other)| match pattern {
        _ if pattern == *one => Some(*other),
        _ if pattern == *other => Some(*one),
        _ => None,
    })
}

/// A quick look that spares most cells the patterns.
#[must_use]
pub fn may_be_temporal(cell: &str) -> bool {
    let bytes = cell.as_bytes();
    let num_digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_divider = |byte: &u8| matches!(byte, b'/' | b'-' | b'.' | b' ');
    let begins_well = match bytes {
        [b'0'..=b'9', rest @ ..] => rest.iter().take(4).any(is_divider) || num_digits == 8,
        [first, second, third, ..] => [first, second, third]
            .iter()
            .all(|byte| byte.is_ascii_alphabetic()),
        _ => false,
    };
    (6..=LONGEST_BYTES).contains(&bytes.len()) && num_digits >= 5 && begins_well
}

/// Days since 1970-01-01 under pattern number `pattern` of [`DATE_PATTERNS`].
#[must_use]
pub fn read_date(cell: &str, pattern: usize) -> Option<i32> {
    match pattern {
        0 => parse_date(cell),
        // chrono takes months and days of one digit: 1234567 must be no date.
        _ if DATE_PATTERNS.get(pattern) == Some(&COMPACT_DATE) && cell.len() != 8 => None,
        _ => parse_date_with(cell, DATES.get(pattern)?),
    }
}

/// Microseconds since 1970-01-01T00:00:00Z under pattern number `pattern` of [`TIMESTAMP_PATTERNS`], in UTC
/// where the cell says no zone.
#[must_use]
pub fn read_timestamp(cell: &str, pattern: usize) -> Option<i64> {
    match pattern {
        0 => parse_timestamp(cell, &Tz::UTC),
        _ if !cell.contains(':') => None,
        _ => parse_timestamp_with(cell, TIMESTAMPS.get(pattern)?, &Tz::UTC),
    }
}

/// Whether a timestamp in the standard form ends in a zone.
#[must_use]
pub fn has_zone(timestamp: &str) -> bool {
    timestamp
        .get(19..)
        .is_some_and(|rest| rest.contains(['Z', '+', '-']))
}

/// Whether it is a timestamp once its decimals are cut to six.
#[must_use]
pub fn is_too_fine(cell: &str) -> bool {
    let Some((seconds, decimals)) = cell.split_once('.') else {
        return false;
    };
    let num_decimals = decimals.bytes().take_while(u8::is_ascii_digit).count();
    let zone = decimals.get(num_decimals..).unwrap_or_default();
    num_decimals > 6 && parse_timestamp(&format!("{seconds}{zone}"), &Tz::UTC).is_some()
}

/// Days since 1970-01-01 as `yyyy-MM-dd`.
#[must_use]
pub fn show_date(days: i32) -> String {
    let epoch = chrono::NaiveDate::default();
    let date = epoch
        .checked_add_signed(chrono::TimeDelta::days(days.into()))
        .unwrap_or(epoch);
    date.format("%Y-%m-%d").to_string()
}

/// Microseconds since 1970-01-01T00:00:00Z as `yyyy-MM-ddTHH:mm:ss[.ffffff]Z`.
#[must_use]
pub fn show_timestamp(micros: i64) -> String {
    let instant = chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default();
    instant.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_one_that_a_process_may_have() {
        for pattern in DATE_PATTERNS {
            assert!(DateFormat::for_date(pattern).is_ok(), "{pattern}");
        }
        for pattern in TIMESTAMP_PATTERNS {
            assert!(DateFormat::for_timestamp(pattern).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn numbers_of_customers_are_no_dates() {
        for cell in ["1234567", "123456", "99999999", "20241301"] {
            assert!(
                (0..DATE_PATTERNS.len()).all(|pattern| read_date(cell, pattern).is_none()),
                "{cell}"
            );
        }
        assert_eq!(
            read_date("20240229", 15).map(show_date).as_deref(),
            Some("2024-02-29")
        );
    }

    #[test]
    fn what_is_shown_is_in_the_standard_form() {
        assert_eq!(show_date(-1), "1969-12-31");
        assert_eq!(show_timestamp(1_500_000), "1970-01-01T00:00:01.500Z");
    }
}
