//! Dates, times and instants as Snowflake sends them, in the form that cells are read in.
//!
//! ```text
//!  TIMESTAMP_NTZ   1715083200.250000000          2024-05-07 12:00:00.25
//!  TIMESTAMP_LTZ   1715083200.250000000          2024-05-07 12:00:00.25Z
//!  TIMESTAMP_TZ    1715083200.250000000 1560     2024-05-07 14:00:00.25+02:00     minutes, 1440 added
//!  TIME            43200.250000000               12:00:00.25
//! ```

use std::fmt::Write;

use chrono::{DateTime, NaiveDateTime, TimeDelta};

/// Minutes that are added to an offset, so that it is never negative.
const OFFSET_BIAS_MINUTES: i64 = 1440;
const SECONDS_PER_DAY: i64 = 86_400;

/// Where the clock stood that an instant was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// Nobody says.
    Unknown,
    /// UTC.
    Utc,
    /// Each value says.
    Offset,
}

/// Appends an instant; false if that is not what `sent` is.
pub(super) fn write_instant(text: &mut String, sent: &str, clock: Clock) -> bool {
    let (seconds, offset_minutes) = match (clock, sent.split_once(' ')) {
        (Clock::Offset, Some((seconds, biased))) => match biased.parse::<i64>() {
            Ok(biased) => (seconds, biased - OFFSET_BIAS_MINUTES),
            Err(_) => return false,
        },
        (_, None) => (sent, 0),
        (_, Some(_)) => return false,
    };
    let instant = seconds_and_nanos(seconds).and_then(|(seconds, nanos)| {
        let instant = DateTime::from_timestamp(seconds, nanos)?.naive_utc();
        instant.checked_add_signed(TimeDelta::try_minutes(offset_minutes)?)
    });
    let Some(instant) = instant else { return false };
    push(text, instant, "%Y-%m-%d %H:%M:%S");
    match clock {
        Clock::Unknown => (),
        Clock::Offset if offset_minutes != 0 => {
            let (hours, minutes) = (offset_minutes.abs() / 60, offset_minutes.abs() % 60);
            let sign = if offset_minutes < 0 { '-' } else { '+' };
            // Writing to a String does not fail.
            let _ = write!(text, "{sign}{hours:02}:{minutes:02}");
        }
        Clock::Offset | Clock::Utc => text.push('Z'),
    }
    true
}

/// Appends a time of day; false if that is not what `sent` is.
pub(super) fn write_time(text: &mut String, sent: &str) -> bool {
    let time = seconds_and_nanos(sent).filter(|(seconds, _)| (0..SECONDS_PER_DAY).contains(seconds));
    let Some(time) = time.and_then(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos)) else {
        return false;
    };
    push(text, time.naive_utc(), "%H:%M:%S");
    true
}

/// Appends a time and the decimals of its second, without zeros behind that say nothing.
fn push(text: &mut String, instant: NaiveDateTime, format: &str) {
    let nanos = instant.and_utc().timestamp_subsec_nanos();
    let _ = write!(text, "{}", instant.format(format));
    if nanos > 0 {
        let _ = write!(text, ".{nanos:09}");
        text.truncate(text.trim_end_matches('0').len());
    }
}

/// Seconds since 1970, rounded down, and the nanoseconds behind them.
fn seconds_and_nanos(text: &str) -> Option<(i64, u32)> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 9 || !decimals.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let nanos: u32 = format!("{decimals:0<9}").parse().ok()?;
    match whole.starts_with('-') && nanos > 0 {
        true => Some((seconds.checked_sub(1)?, 1_000_000_000 - nanos)),
        false => Some((seconds, nanos)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(sent: &str, clock: Clock) -> Option<String> {
        let mut text = String::new();
        write_instant(&mut text, sent, clock).then_some(text)
    }

    #[test]
    fn an_instant_says_its_offset_if_it_has_one() {
        for (sent, clock, expected) in [
            ("1715083200.250000000", Clock::Unknown, "2024-05-07 12:00:00.25"),
            ("1715083200", Clock::Utc, "2024-05-07 12:00:00Z"),
            (
                "1715083200.250000000 1560",
                Clock::Offset,
                "2024-05-07 14:00:00.25+02:00",
            ),
            (
                "1715083200.000000000 1110",
                Clock::Offset,
                "2024-05-07 06:30:00-05:30",
            ),
            ("1715083200.000000000 1440", Clock::Offset, "2024-05-07 12:00:00Z"),
        ] {
            assert_eq!(instant(sent, clock).as_deref(), Some(expected), "{sent}");
        }
    }

    #[test]
    fn instants_before_1970_and_at_both_ends_of_the_calendar_keep_their_decimals() {
        for (sent, expected) in [
            ("-0.500000000", "1969-12-31 23:59:59.5"),
            ("-1.000000001", "1969-12-31 23:59:58.999999999"),
            ("-62135596800.000000000", "0001-01-01 00:00:00"),
            ("253402300799.999999999", "9999-12-31 23:59:59.999999999"),
        ] {
            assert_eq!(instant(sent, Clock::Unknown).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for sent in ["", "x", "1.1234567890", "1 x", "1.x"] {
            assert_eq!(instant(sent, Clock::Unknown), None, "{sent}");
        }
        assert_eq!(instant("1 x", Clock::Offset), None);
    }

    #[test]
    fn a_time_of_day_has_no_date() {
        let time = |sent: &str| {
            let mut text = String::new();
            write_time(&mut text, sent).then_some(text)
        };
        assert_eq!(time("43200.250000000").as_deref(), Some("12:00:00.25"));
        assert_eq!(time("86400.0"), None);
    }
}
