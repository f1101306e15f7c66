//! Dates and instants as text, in the form that cells are read in.
//!
//! ```text
//!  19_850 days                    2024-05-07
//!  1_715_083_200_250 ms, UTC      2024-05-07 12:00:00.25Z
//!  1_715_083_200 s, no zone       2024-05-07 12:00:00
//! ```
//! A year outside 0001 to 9999 has a sign or more digits, and fits no type: nothing is wrapped around.

use arrow::datatypes::TimeUnit;
use chrono::{DateTime, Datelike, NaiveDate, Timelike};

use super::number::write_number;

const MILLIS_PER_DAY: i64 = 86_400_000;
const DAYS_FROM_CE_TO_1970: i32 = 719_163;

/// Appends a day that is counted from 1970-01-01.
pub(super) fn write_date(text: &mut String, days: i32) {
    let date = days
        .checked_add(DAYS_FROM_CE_TO_1970)
        .and_then(NaiveDate::from_num_days_from_ce_opt);
    match date {
        Some(date) => push_date(text, date),
        None => push_beyond_calendar(text, i64::from(days), "days"),
    }
}

/// Appends a day that is counted in milliseconds; one that is not midnight keeps its time, for a date loses nothing.
pub(super) fn write_date_millis(text: &mut String, millis: i64) {
    match i32::try_from(millis / MILLIS_PER_DAY) {
        Ok(days) if millis % MILLIS_PER_DAY == 0 => write_date(text, days),
        _ => write_timestamp(text, millis, TimeUnit::Millisecond, ""),
    }
}

/// Appends an instant that is counted from 1970-01-01 00:00:00, and `zone`.
pub(super) fn write_timestamp(text: &mut String, value: i64, unit: TimeUnit, zone: &str) {
    let (per_second, num_decimals, unit_name) = match unit {
        TimeUnit::Second => (1, 0, "s"),
        TimeUnit::Millisecond => (1_000, 3, "ms"),
        TimeUnit::Microsecond => (1_000_000, 6, "us"),
        TimeUnit::Nanosecond => (1_000_000_000, 9, "ns"),
    };
    let fraction = value.rem_euclid(per_second) as u32;
    let Some(instant) = DateTime::from_timestamp(value.div_euclid(per_second), 0) else {
        return push_beyond_calendar(text, value, unit_name);
    };
    let instant = instant.naive_utc();
    push_date(text, instant.date());
    let [hour, minute, second] = [instant.hour(), instant.minute(), instant.second()];
    for (separator, part) in [(' ', hour), (':', minute), (':', second)] {
        text.push(separator);
        push_digits(text, part, 2);
    }
    if fraction > 0 {
        text.push('.');
        push_digits(text, fraction, num_decimals);
        text.truncate(text.trim_end_matches('0').len());
    }
    text.push_str(zone);
}

fn push_date(text: &mut String, date: NaiveDate) {
    match u32::try_from(date.year()) {
        Ok(year @ 0..=9999) => push_digits(text, year, 4),
        _ => {
            text.push(if date.year() < 0 { '-' } else { '+' });
            push_digits(text, date.year().unsigned_abs(), 6);
        }
    }
    text.push('-');
    push_digits(text, date.month(), 2);
    text.push('-');
    push_digits(text, date.day(), 2);
}

/// The last `num_digits` digits of `value`.
fn push_digits(text: &mut String, value: u32, num_digits: u32) {
    let digit = |place: u32| (value / 10_u32.pow(place) % 10) as u8;
    text.extend((0..num_digits).rev().map(|place| char::from(b'0' + digit(place))));
}

/// No calendar goes so far: the count itself, which no type reads.
fn push_beyond_calendar(text: &mut String, value: i64, unit: &str) {
    write_number(text, value);
    text.push_str(unit);
    text.push_str(" from 1970-01-01");
}
