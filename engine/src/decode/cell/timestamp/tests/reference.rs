//! Timestamps against a reading of the standard form character by character, and chrono's calendar.

use chrono::NaiveDate;
use chrono_tz::Tz;
use proptest::prelude::*;

use super::super::{INSTANTS, offset_in, parse_timestamp};

/// Takes exactly `N` digits off the front.
fn digits<const N: usize>(text: &mut &str) -> Option<u32> {
    let (head, rest) = text.split_at_checked(N)?;
    *text = rest;
    head.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| head.parse().unwrap())
}

/// Takes one of `wanted` off the front.
fn one_of(text: &mut &str, wanted: &[char]) -> Option<char> {
    let found = text.chars().next().filter(|c| wanted.contains(c))?;
    *text = &text[1..];
    Some(found)
}

/// What [`parse_timestamp`] is to make of a text.
fn expected(mut text: &str, zone: &Tz) -> Option<i64> {
    let text = &mut text;
    let year = digits::<4>(text).filter(|year| *year > 0)?;
    one_of(text, &['-'])?;
    let month = digits::<2>(text)?;
    one_of(text, &['-'])?;
    let day = digits::<2>(text)?;
    one_of(text, &[' ', 'T'])?;
    let hour = digits::<2>(text)?;
    one_of(text, &[':'])?;
    let minute = digits::<2>(text)?;
    one_of(text, &[':'])?;
    let second = digits::<2>(text)?;
    let local = NaiveDate::from_ymd_opt(year as i32, month, day)?.and_hms_opt(hour, minute, second)?;
    let micros = micros(text)?;
    let local = local.and_utc().timestamp();
    let offset = if text.is_empty() {
        offset_in(zone, local)?
    } else {
        offset(text)?
    };
    Some((local - offset) * 1_000_000 + micros).filter(|instant| INSTANTS.contains(instant))
}

fn micros(text: &mut &str) -> Option<i64> {
    if one_of(text, &['.']).is_none() {
        return Some(0);
    }
    let decimals: String = text.chars().take_while(char::is_ascii_digit).collect();
    *text = &text[decimals.len()..];
    (1..=6)
        .contains(&decimals.len())
        .then(|| format!("{decimals:0<6}").parse().unwrap())
}

fn offset(text: &mut &str) -> Option<i64> {
    if *text == "Z" {
        return Some(0);
    }
    let sign = one_of(text, &['+', '-'])?;
    let hours = digits::<2>(text).filter(|hours| *hours < 24)?;
    let minutes = if text.is_empty() {
        0
    } else {
        one_of(text, &[':']);
        digits::<2>(text).filter(|minutes| *minutes < 60 && text.is_empty())?
    };
    let seconds = i64::from(hours * 3_600 + minutes * 60);
    Some(if sign == '-' { -seconds } else { seconds })
}

/// Texts in the standard form or near it.
fn near_timestamps() -> impl Strategy<Value = String> {
    let parts = (
        "([0-9]{4}|0000|0001|9999|2024|1900)",
        "-([01][0-9]|02|12|1)",
        "-([0-3][0-9]|29|31)[ Tt]?",
        "([0-2][0-9]|24|00|23):[0-6][0-9]:([0-5][0-9]|60|00|59)",
        "([.,][0-9]{0,9})?",
        "(|Z|z|[+-][0-2][0-9](:?[0-6][0-9])?| UTC|[+-][0-9:]{0,6})",
    );
    parts.prop_map(|(year, month, day, time, fraction, zone)| {
        let day = if day.len() > 3 { day } else { day + " " };
        [year, month, day, time, fraction, zone].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_timestamp_is_what_its_characters_say(text in near_timestamps()) {
        for zone in [Tz::UTC, Tz::Europe__Madrid] {
            prop_assert_eq!(parse_timestamp(&text, &zone), expected(&text, &zone), "{:?} in {}", text, zone);
        }
    }

    #[test]
    fn a_timestamp_with_one_byte_changed_is_what_its_characters_say(
        text in "20[0-9]{2}-(0[1-9]|1[0-2])-([01][1-9]|2[0-8])[ T][01][0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+]0[0-9]:?30)?",
        at in 0_usize..32,
        byte in prop_oneof![0_u8..=0x7F, b'0'..=b'9'],
    ) {
        let mut bytes = text.into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let text = String::from_utf8(bytes).unwrap();
        prop_assert_eq!(parse_timestamp(&text, &Tz::UTC), expected(&text, &Tz::UTC), "{:?}", text);
    }
}
