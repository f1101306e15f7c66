//! `date` cells.

#[cfg(test)]
mod tests;

use chrono::{Datelike, NaiveDate};

use super::format::DateFormat;

/// The years that a date or a timestamp can lie in.
pub(super) const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

/// Reads exactly `yyyy-MM-dd`, a day of the (proleptic Gregorian) calendar in the years 0001 to 9999, as days
/// since 1970-01-01.
#[must_use]
pub fn parse_date(text: &str) -> Option<i32> {
    days(text.as_bytes().try_into().ok()?)
}

/// Reads a date in the first of `formats` that fits, as days since 1970-01-01. `yyyy-MM-dd` fits only if it
/// is listed. A format may hold a time of day too, which must then be midnight: a date drops nothing. An
/// offset in it says nothing about the day and is passed over.
#[must_use]
pub fn parse_date_with(text: &str, formats: &[DateFormat]) -> Option<i32> {
    formats.iter().find_map(|format| {
        let parsed = format.read(text)?;
        let is_midnight = [
            parsed.hour_div_12(),
            parsed.hour_mod_12(),
            parsed.minute(),
            parsed.second(),
            parsed.nanosecond(),
        ]
        .iter()
        .all(|part| part.unwrap_or(0) == 0);
        let date = parsed
            .to_naive_date()
            .ok()
            .filter(|date| is_midnight && YEARS.contains(&date.year()))?;
        Some(days_since_epoch(date))
    })
}

fn days_since_epoch(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - NaiveDate::default().num_days_from_ce()
}

/// `yyyy-MM-dd` as days since 1970-01-01.
pub(super) fn days(text: &[u8; 10]) -> Option<i32> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
        return None;
    };
    let (year, month, day) = (number([y1, y2, y3, y4])?, number([m1, m2])?, number([d1, d2])?);
    if year == 0 || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    // Years that begin in March put the leap day last, so that month lengths follow one straight line.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let days_from_march_0000 = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year;
    Some(days_from_march_0000 as i32 - 719_468)
}

/// The number that ASCII digits spell.
pub(super) fn number<const N: usize>(digits: [u8; N]) -> Option<u32> {
    digits.into_iter().try_fold(0, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then_some(value * 10 + u32::from(digit))
    })
}

fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}
