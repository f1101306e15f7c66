//! `date` cells.

#[cfg(test)]
mod tests;

use chrono::{Datelike, NaiveDate};

use super::format::DateFormat;
use super::short::Short;

/// The years that a date or a timestamp can lie in.
pub(super) const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

/// Bytes of `yyyy-MM-dd`.
const DATE_BYTES: usize = 10;

/// 1970-01-01, counted from 0001-01-01 as day 1.
const DAYS_TO_1970: i32 = 719_163;

/// Whether a year has a leap day, in its lowest bit, and the days from 0001-01-01 to its first one, above that.
static YEAR_STARTS: [u32; 10_000] = {
    let mut starts = [0; 10_000];
    let (mut year, mut days) = (1, 0);
    while year < 10_000_u32 {
        let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        starts[year as usize] = days << 1 | is_leap as u32;
        days += 365 + is_leap as u32;
        year += 1;
    }
    starts
};

/// A month in a year.
#[derive(Clone, Copy)]
struct Month {
    /// Days that it has.
    num_days: u32,
    /// Days of the year before it.
    days_before: u32,
}

/// The months of a common year and of a leap year, under their numbers; month 0 has no days.
static MONTHS: [[Month; 13]; 2] = [months(28), months(29)];

const fn months(february_days: u32) -> [Month; 13] {
    let lengths = [0, 31, february_days, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut months = [Month {
        num_days: 0,
        days_before: 0,
    }; 13];
    let mut month = 1;
    while month < months.len() {
        months[month] = Month {
            num_days: lengths[month],
            days_before: months[month - 1].days_before + months[month - 1].num_days,
        };
        month += 1;
    }
    months
}

/// Reads exactly `yyyy-MM-dd`, a day of the (proleptic Gregorian) calendar in the years 0001 to 9999, as days
/// since 1970-01-01.
#[must_use]
pub fn parse_date(text: &str) -> Option<i32> {
    short_date(Short::of_bytes(text.as_bytes())?)
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

/// [`parse_date`]: every date is short.
#[inline(always)]
pub(crate) fn short_date(text: Short) -> Option<i32> {
    if text.num_bytes != DATE_BYTES {
        return None;
    }
    days((text.low >> 48) as u16, text.high)
}

/// `yy` and `yy-MM-dd`, their first byte the lowest, as days since 1970-01-01.
///
/// ```text
///   byte            0   1        0   1   2   3   4   5   6   7
///   text           '2' '0'      '2' '4' '-' '0' '2' '-' '2' '9'
///   ^ zeros         2   0        2   4   0   0   2   0   2   9
///   at most         9   9        9   9   0   9   9   0   9   9
///   pairs          20   .       24   .   .   2   .   .  29   .       each byte x 10 + the byte above it
/// ```
#[inline(always)]
pub(super) fn days(century: u16, rest: u64) -> Option<i32> {
    const ZEROS: u64 = u64::from_le_bytes(*b"00-00-00");
    // Added to a byte up to 0x7F, sets its highest bit if it is more than the most that it may be.
    const ABOVE: u64 = u64::from_le_bytes([0x76, 0x76, 0x7F, 0x76, 0x76, 0x7F, 0x76, 0x76]);
    let (century, rest) = (u64::from(century) ^ 0x3030, rest ^ ZEROS);
    let above_century = ((century + 0x7676) | century) & 0x8080;
    let above_rest = (rest.wrapping_add(ABOVE) | rest) & 0x8080_8080_8080_8080;
    if above_century | above_rest != 0 {
        return None;
    }
    let century = (century * 10 + (century >> 8)) & 0xFF;
    let pairs = rest * 10 + (rest >> 8);
    let (year, month, day) = (pairs & 0xFF, pairs >> 24 & 0xFF, pairs >> 48 & 0xFF);
    day_number((century * 100 + year) as usize, month as usize, day as u32)
}

/// Days since 1970-01-01 of a day of the calendar in the years 0001 to 9999.
#[inline(always)]
fn day_number(year: usize, month: usize, day: u32) -> Option<i32> {
    let start = *YEAR_STARTS.get(year)?;
    let month = MONTHS.get((start & 1) as usize)?.get(month)?;
    if year == 0 || day == 0 || day > month.num_days {
        return None;
    }
    Some(((start >> 1) + month.days_before + day) as i32 - DAYS_TO_1970)
}

/// The number that ASCII digits spell.
pub(super) fn number<const N: usize>(digits: [u8; N]) -> Option<u32> {
    digits.into_iter().try_fold(0, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then_some(value * 10 + u32::from(digit))
    })
}
