mod reference;

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;

use super::{INSTANTS, parse_timestamp, parse_timestamp_with};
use crate::decode::cell::DateFormat;

const MADRID: Tz = Tz::Europe__Madrid;

fn utc(text: &str) -> Option<i64> {
    parse_timestamp(text, &Tz::UTC)
}

/// The instant that an RFC 3339 text names, read by chrono.
fn at(text: &str) -> Option<i64> {
    Some(DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros())
}

fn formats(patterns: &[&str]) -> Vec<DateFormat> {
    patterns
        .iter()
        .map(|pattern| DateFormat::for_timestamp(pattern).unwrap())
        .collect()
}

#[test]
fn microseconds_count_from_1970_in_utc() {
    assert_eq!(utc("1970-01-01 00:00:00"), Some(0));
    assert_eq!(utc("1970-01-01T00:00:00.000001"), Some(1));
    assert_eq!(utc("1969-12-31 23:59:59.999999"), Some(-1));
    assert_eq!(utc("2024-02-29 12:34:56.7"), at("2024-02-29T12:34:56.7Z"));
    assert_eq!(utc("2024-02-29T12:34:56.789"), at("2024-02-29T12:34:56.789Z"));
    assert_eq!(utc("0001-01-01 00:00:00"), Some(*INSTANTS.start()));
    assert_eq!(utc("9999-12-31 23:59:59.999999"), Some(*INSTANTS.end()));
}

#[test]
fn a_written_zone_wins_over_that_of_the_process() {
    let expected = at("2024-07-01T10:00:00Z");
    for text in [
        "2024-07-01 10:00:00Z",
        "2024-07-01T12:00:00+02:00",
        "2024-07-01 12:00:00+0200",
        "2024-07-01 12:00:00+02",
        "2024-07-01 12:00:00.000000+02:00",
        "2024-07-01 04:30:00.0-05:30",
        "2024-07-01 10:00:00-00:00",
    ] {
        assert_eq!(utc(text), expected, "{text}");
        assert_eq!(parse_timestamp(text, &MADRID), expected, "{text}");
        assert_eq!(parse_timestamp(text, &Tz::Asia__Kathmandu), expected, "{text}");
    }
}

#[test]
fn without_a_zone_it_is_local_time() {
    assert_eq!(
        parse_timestamp("2024-07-01 12:00:00", &MADRID),
        at("2024-07-01T12:00:00+02:00")
    );
    assert_eq!(
        parse_timestamp("2024-01-01 12:00:00.25", &MADRID),
        at("2024-01-01T12:00:00.25+01:00")
    );
    assert_eq!(
        parse_timestamp("2024-01-01 12:00:00", &Tz::Asia__Kathmandu),
        at("2024-01-01T12:00:00+05:45")
    );
    assert_eq!(
        parse_timestamp("2024-01-01 12:00:00", &Tz::Etc__UTC),
        at("2024-01-01T12:00:00Z")
    );
}

#[test]
fn a_local_time_that_clocks_skip_does_not_fit() {
    assert_eq!(
        parse_timestamp("2024-03-31 01:59:59.999999", &MADRID),
        at("2024-03-31T00:59:59.999999Z")
    );
    assert_eq!(parse_timestamp("2024-03-31 02:00:00", &MADRID), None);
    assert_eq!(parse_timestamp("2024-03-31 02:59:59.999999", &MADRID), None);
    assert_eq!(
        parse_timestamp("2024-03-31 03:00:00", &MADRID),
        at("2024-03-31T01:00:00Z")
    );
    assert_eq!(
        parse_timestamp_with("31/03/2024 02:30", &formats(&["%d/%m/%Y %H:%M"]), &MADRID),
        None
    );
}

#[test]
fn of_a_local_time_shown_twice_the_earlier_instant_is_meant() {
    assert_eq!(
        parse_timestamp("2024-10-27 02:30:00", &MADRID),
        at("2024-10-27T02:30:00+02:00")
    );
    assert_eq!(
        parse_timestamp("2024-10-27 02:30:00+01", &MADRID),
        at("2024-10-27T01:30:00Z")
    );
    let read = parse_timestamp_with("27/10/2024 02:30", &formats(&["%d/%m/%Y %H:%M"]), &MADRID);
    assert_eq!(read, at("2024-10-27T00:30:00Z"));
}

#[test]
fn what_is_no_date_and_time_does_not_fit() {
    for text in [
        "",
        "2024-01-01",
        "2024-01-01 ",
        "2024-01-01T",
        "2024-01-01 10",
        "2024-01-01 10:00",
        "2024-01-01  10:00:00",
        "2024-01-01t10:00:00",
        "2024-01-01 10:00:00z",
        " 2024-01-01 10:00:00",
        "2024-01-01 10:00:00 ",
        "2024-01-01 10:00:00.",
        "2024-01-01 10:00:00.Z",
        "2024-01-01 10:00:00.1234567",
        "2024-01-01 10:00:00.1234560",
        "2024-01-01 10:00:00,5",
        "2024-01-01 24:00:00",
        "2024-01-01 10:60:00",
        "2024-12-31 23:59:60",
        "2024-02-30 10:00:00",
        "0000-01-01 10:00:00",
        "2024-01-01 10:00:00+2",
        "2024-01-01 10:00:00+2:00",
        "2024-01-01 10:00:00+24:00",
        "2024-01-01 10:00:00+02:60",
        "2024-01-01 10:00:00 +02:00",
        "2024-01-01 10:00:00 UTC",
        "2024-01-01 10:00:00ZZ",
        "2024-01-01 10:00:00*0200",
        "2024-01-01 10:00:00+02:00:00",
        "2024-01-01 10:00:0\u{660}",
    ] {
        assert_eq!(utc(text), None, "{text:?}");
        assert_eq!(parse_timestamp(text, &MADRID), None, "{text:?}");
    }
}

#[test]
fn the_instant_lies_in_the_years_1_to_9999() {
    assert_eq!(utc("0001-01-01 00:00:00+00:01"), None);
    assert_eq!(utc("9999-12-31 23:59:59-00:01"), None);
    assert_eq!(utc("0001-01-01 00:00:00-00:01"), at("0001-01-01T00:01:00Z"));
    assert_eq!(parse_timestamp("0001-01-01 00:00:00", &Tz::Asia__Tokyo), None);
    let epoch = formats(&["%s"]);
    assert_eq!(
        parse_timestamp_with("253402300799", &epoch, &MADRID),
        at("9999-12-31T23:59:59Z")
    );
    assert_eq!(parse_timestamp_with("253402300800", &epoch, &MADRID), None);
    assert_eq!(parse_timestamp_with("9223372036854775807", &epoch, &MADRID), None);
}

#[test]
fn formats_replace_the_standard_form() {
    let list = formats(&["%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S%.f", "%d/%m/%Y %I:%M %p %z"]);
    assert_eq!(
        parse_timestamp_with("03/04/2024 10:20", &list, &Tz::UTC),
        at("2024-04-03T10:20:00Z")
    );
    assert_eq!(
        parse_timestamp_with("03/04/2024 10:20", &list, &MADRID),
        at("2024-04-03T10:20:00+02:00")
    );
    assert_eq!(
        parse_timestamp_with("03/04/2024 10:20:30.5", &list, &Tz::UTC),
        at("2024-04-03T10:20:30.5Z")
    );
    assert_eq!(
        parse_timestamp_with("03/04/2024 10:20 PM +0100", &list, &MADRID),
        at("2024-04-03T22:20:00+01:00")
    );
    for text in [
        "2024-04-03 10:20:30",
        "03/04/2024",
        "03/04/2024 10:20:60",
        "31/02/2024 10:20",
        "03/04/0000 10:20",
    ] {
        assert_eq!(parse_timestamp_with(text, &list, &Tz::UTC), None, "{text}");
    }
    assert_eq!(parse_timestamp_with("2024-04-03 10:20:30", &[], &Tz::UTC), None);
}

#[test]
fn seconds_since_the_epoch_need_no_zone() {
    let epoch = formats(&["%s%.f"]);
    assert_eq!(
        parse_timestamp_with("1712139630", &epoch, &MADRID),
        at("2024-04-03T10:20:30Z")
    );
    assert_eq!(
        parse_timestamp_with("1712139630.000001", &epoch, &MADRID),
        at("2024-04-03T10:20:30.000001Z")
    );
}

#[test]
fn nanoseconds_fit_where_no_digit_is_lost() {
    let nano = formats(&["%F %T%.9f"]);
    assert_eq!(
        parse_timestamp_with("2024-04-03 10:20:30.123456000", &nano, &Tz::UTC),
        at("2024-04-03T10:20:30.123456Z")
    );
    assert_eq!(
        parse_timestamp_with("2024-04-03 10:20:30.123456001", &nano, &Tz::UTC),
        None
    );
}

fn printed(micros: i64, decimals: usize, separator: char, zone: &str) -> String {
    let instant = DateTime::from_timestamp_micros(micros).unwrap();
    let fraction = format!("{:06}", instant.timestamp_subsec_micros());
    let fraction = if decimals == 0 {
        String::new()
    } else {
        format!(".{}", &fraction[..decimals])
    };
    format!(
        "{}{separator}{}{fraction}{zone}",
        instant.format("%Y-%m-%d"),
        instant.format("%H:%M:%S")
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_printed_instant_reads_back(micros in INSTANTS, decimals in 0_usize..=6, t: bool, z: bool) {
        let unit = 10_i64.pow(6 - decimals as u32);
        let micros = micros.div_euclid(unit) * unit;
        prop_assume!(INSTANTS.contains(&micros));
        let text = printed(micros, decimals, if t { 'T' } else { ' ' }, if z { "Z" } else { "" });
        prop_assert_eq!(utc(&text), Some(micros), "{}", text);
    }

    #[test]
    fn an_instant_printed_with_an_offset_reads_back(micros in INSTANTS, minutes in -1439_i64..=1439) {
        let local = micros + minutes * 60_000_000;
        prop_assume!(INSTANTS.contains(&local));
        let (sign, minutes) = (if minutes < 0 { '-' } else { '+' }, minutes.abs());
        for colon in ["", ":"] {
            let zone = format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60);
            let text = printed(local, 6, ' ', &zone);
            prop_assert_eq!(parse_timestamp(&text, &MADRID), Some(micros), "{}", text);
        }
    }

    #[test]
    fn local_time_in_any_zone_is_the_earliest_instant_that_shows_it(
        zone in proptest::sample::select(&TZ_VARIANTS[..]),
        seconds in -3_000_000_000_i64..4_000_000_000,
    ) {
        let shown = |instant: i64| {
            let utc = DateTime::from_timestamp(instant, 0).unwrap().naive_utc();
            instant + i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc())
        };
        let local = shown(seconds);
        let text = printed(local * 1_000_000, 0, ' ', "");
        let read = parse_timestamp(&text, &zone).unwrap() / 1_000_000;
        prop_assert_eq!(shown(read), local, "{} in {}", text, zone);
        prop_assert!(read <= seconds, "{} in {}", text, zone);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,32}", near in "2024-[01][0-9]-[0-3][0-9][ T][0-9:]{5,9}[.+0-9Z:-]{0,12}") {
        for text in [text, near] {
            if let Some(micros) = utc(&text) {
                let shortest = printed(micros, 0, ' ', "");
                prop_assert!(INSTANTS.contains(&micros) && shortest.len() == 19);
            }
        }
    }
}
