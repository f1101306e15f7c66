//! `timestamp` cells.

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

use super::date::{days, number};
use super::format::{DateFormat, MAX_DECIMALS};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

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
    let (date_and_time, rest) = text.as_bytes().split_first_chunk()?;
    let local_seconds = local_seconds(date_and_time)?;
    let (micros, rest) = split_fraction(rest)?;
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
fn local_seconds(text: &[u8; 19]) -> Option<i64> {
    let (date, time) = text.split_first_chunk()?;
    let &[b' ' | b'T', h1, h2, b':', m1, m2, b':', s1, s2] = time else {
        return None;
    };
    let (hour, minute, second) = (number([h1, h2])?, number([m1, m2])?, number([s1, s2])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(i64::from(days(date)?) * SECONDS_PER_DAY + i64::from(hour * 3_600 + minute * 60 + second))
}

/// The microseconds of `.f` to `.ffffff`, if it begins with a point, and what follows.
fn split_fraction(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let [b'.', after_point @ ..] = bytes else {
        return Some((0, bytes));
    };
    let num_decimals = after_point
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if !(1..=MAX_DECIMALS).contains(&num_decimals) {
        return None;
    }
    let (decimals, rest) = after_point.split_at_checked(num_decimals)?;
    let mut micros = [b'0'; MAX_DECIMALS];
    micros
        .iter_mut()
        .zip(decimals)
        .for_each(|(place, decimal)| *place = *decimal);
    Some((number(micros)?, rest))
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
