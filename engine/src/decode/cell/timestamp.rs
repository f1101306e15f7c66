//! `timestamp` cells.

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

use super::date::{days, number};
use super::format::{DateFormat, MAX_DECIMALS};
use super::short::leading_digits;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Bytes of `yyyy-MM-dd HH:mm:ss`.
const SECONDS_BYTES: usize = 19;

/// 0001-01-01T00:00:00Z to the last microsecond of 9999: what every reader of the table understands.
const INSTANTS: RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

/// Reads `yyyy-MM-dd HH:mm:ss` with `T` or one blank between, one to six decimals if any, and at its end a
/// zone if any (`Z`, `+02:00`, `+0200`, `+02`), as microseconds since 1970-01-01T00:00:00Z.
///
/// Without a zone it is local time in `zone`. A local time that clocks skip there does not fit; of one that
/// they show twice, the earlier instant is meant. Changes of the clock are known up to 2099; later local times
/// keep the last offset. Seconds end at 59. The instant too lies in the years 0001 to 9999 (UTC).
#[must_use]
pub fn parse_timestamp(text: &str, zone: &Tz) -> Option<i64> {
    let text = text.as_bytes();
    let local_seconds = local_seconds(text.first_chunk()?)?;
    let (micros, rest) = split_fraction(text)?;
    let offset_seconds = if rest.is_empty() {
        offset_in(zone, local_seconds)?
    } else {
        written_offset(rest)?
    };
    instant(local_seconds - offset_seconds, micros)
}

/// Reads a timestamp in the first of `formats` that fits; otherwise as [`parse_timestamp`]. Its own form fits
/// only if it is listed. A format without an offset is local time in `zone`; `%s` needs none.
#[must_use]
pub fn parse_timestamp_with(text: &str, formats: &[DateFormat], zone: &Tz) -> Option<i64> {
    formats.iter().find_map(|format| {
        let parsed = format.read(text)?;
        if parsed.second() == Some(60) || parsed.nanosecond().unwrap_or(0) % 1_000 != 0 {
            return None;
        }
        if parsed.offset().is_some() || parsed.timestamp().is_some() {
            let read = parsed.to_datetime().ok()?;
            return instant(read.timestamp(), read.timestamp_subsec_micros());
        }
        let local = parsed.to_naive_datetime_with_offset(0).ok()?.and_utc();
        let offset_seconds = offset_in(zone, local.timestamp())?;
        instant(
            local.timestamp() - offset_seconds,
            local.timestamp_subsec_micros(),
        )
    })
}

fn instant(utc_seconds: i64, micros: u32) -> Option<i64> {
    let instant = utc_seconds
        .checked_mul(MICROS_PER_SECOND)?
        .checked_add(micros.into())?;
    INSTANTS.contains(&instant).then_some(instant)
}

/// `yyyy-MM-ddTHH:mm:ss` as seconds since 1970-01-01 on the same clock.
fn local_seconds(text: &[u8; SECONDS_BYTES]) -> Option<i64> {
    let (&[y1, y2], rest) = text.split_first_chunk()?;
    let (rest, time) = rest.split_first_chunk()?;
    let (&[b' ' | b'T'], time) = time.split_first_chunk()? else {
        return None;
    };
    let days = days(u16::from_le_bytes([y1, y2]), u64::from_le_bytes(*rest))?;
    let seconds = seconds_of_day(u64::from_le_bytes(time.try_into().ok()?))?;
    Some(i64::from(days) * SECONDS_PER_DAY + seconds)
}

/// `HH:mm:ss`, its first byte the lowest, as seconds since midnight.
///
/// ```text
///   byte            0   1   2   3   4   5   6   7
///   text           '2' '3' ':' '5' '9' ':' '0' '7'
///   ^ midnight      2   3   0   5   9   0   0   7
///   pairs          23   .   .  59   .   .   7   .        each byte x 10 + the byte above it
/// ```
fn seconds_of_day(time: u64) -> Option<i64> {
    const MIDNIGHT: u64 = u64::from_le_bytes(*b"00:00:00");
    // Added to a byte up to 0x7F, sets its highest bit if it is more than the most that it may be.
    const ABOVE: u64 = u64::from_le_bytes([0x76, 0x76, 0x7F, 0x76, 0x76, 0x7F, 0x76, 0x76]);
    let digits = time ^ MIDNIGHT;
    if (digits.wrapping_add(ABOVE) | digits) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    let pairs = digits * 10 + (digits >> 8);
    let (hour, minute, second) = (pairs & 0xFF, pairs >> 24 & 0xFF, pairs >> 48 & 0xFF);
    let is_time = (hour < 24) & (minute < 60) & (second < 60);
    is_time.then_some((hour * 3_600 + minute * 60 + second) as i64)
}

/// The microseconds of `.f` to `.ffffff`, if that stands at the end of the seconds, and what follows.
fn split_fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let rest = text.get(SECONDS_BYTES..)?;
    let [b'.', after_point @ ..] = rest else {
        return Some((0, rest));
    };
    // The text ends with a whole word, so that one can always be read.
    let word = match after_point.first_chunk() {
        Some(word) => u64::from_le_bytes(*word),
        None => {
            let missing = 8 * (size_of::<u64>() - after_point.len()) as u32;
            u64::from_le_bytes(*text.last_chunk()?).checked_shr(missing)?
        }
    };
    let (num_decimals, decimals) = leading_digits(word);
    if !(1..=MAX_DECIMALS).contains(&num_decimals) {
        return None;
    }
    // Eight decimals, the last two of them zeros.
    Some(((decimals / 100) as u32, after_point.get(num_decimals..)?))
}

/// Seconds east of Greenwich of `Z`, `+02:00`, `+0200` or `+02`; at most 23 hours and 59 minutes.
fn written_offset(bytes: &[u8]) -> Option<i64> {
    let (sign, [h1, h2, m1, m2]) = match *bytes {
        [b'Z'] => return Some(0),
        [sign, h1, h2] => (sign, [h1, h2, b'0', b'0']),
        [sign, h1, h2, m1, m2] | [sign, h1, h2, b':', m1, m2] => (sign, [h1, h2, m1, m2]),
        _ => return None,
    };
    let (hours, minutes) = (number([h1, h2])?, number([m1, m2])?);
    let seconds = i64::from(hours * 3_600 + minutes * 60);
    match sign {
        _ if hours > 23 || minutes > 59 => None,
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

/// Seconds that clocks in `zone` are ahead of UTC when they show `local_seconds`.
fn offset_in(zone: &Tz, local_seconds: i64) -> Option<i64> {
    if matches!(zone, Tz::UTC | Tz::Etc__UTC) {
        return Some(0);
    }
    let local: NaiveDateTime = DateTime::from_timestamp(local_seconds, 0)?.naive_utc();
    let ahead = |offset: &<Tz as TimeZone>::Offset| i64::from(offset.fix().local_minus_utc());
    match zone.offset_from_local_datetime(&local) {
        MappedLocalTime::Single(offset) => Some(ahead(&offset)),
        // The clock that is further ahead reached this reading first.
        MappedLocalTime::Ambiguous(one, other) => Some(ahead(&one).max(ahead(&other))),
        MappedLocalTime::None => None,
    }
}
