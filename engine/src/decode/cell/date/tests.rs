use chrono::{Datelike, NaiveDate};
use proptest::prelude::*;

use super::{parse_date, parse_date_with};
use crate::decode::cell::DateFormat;

fn formats(patterns: &[&str]) -> Vec<DateFormat> {
    patterns
        .iter()
        .map(|pattern| DateFormat::for_date(pattern).unwrap())
        .collect()
}

fn day(year: i32, month: u32, day: u32) -> Option<i32> {
    Some(NaiveDate::from_ymd_opt(year, month, day)?.num_days_from_ce() - 719_163)
}

#[test]
fn days_count_from_1970() {
    assert_eq!(parse_date("1970-01-01"), Some(0));
    assert_eq!(parse_date("1969-12-31"), Some(-1));
    assert_eq!(parse_date("2000-02-29"), Some(11_016));
    assert_eq!(parse_date("0001-01-01"), Some(-719_162));
    assert_eq!(parse_date("9999-12-31"), Some(2_932_896));
}

#[test]
fn every_day_of_the_calendar_agrees_with_chrono() {
    let first = NaiveDate::from_ymd_opt(1, 1, 1).unwrap();
    let last = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap();
    let mut expected = parse_date("0001-01-01").unwrap();
    for date in first.iter_days().take_while(|date| *date <= last) {
        let text = format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day());
        assert_eq!(parse_date(&text), Some(expected), "{text}");
        expected += 1;
    }
    assert_eq!(expected, 2_932_897);
}

#[test]
fn days_that_no_calendar_has_do_not_fit() {
    for year in (0..=9999).step_by(7).chain([0, 1900, 2000, 2100]) {
        for month in 0..=13 {
            for number in [0, 28, 29, 30, 31, 32] {
                let text = format!("{year:04}-{month:02}-{number:02}");
                let expected = if year == 0 { None } else { day(year, month, number) };
                assert_eq!(parse_date(&text), expected, "{text}");
            }
        }
    }
}

#[test]
fn only_four_two_and_two_digits_fit() {
    for text in [
        "",
        "2024",
        "2024-1-01",
        "2024-01-1",
        "24-01-01",
        "2024/01/01",
        "20240101",
        " 2024-01-01",
        "2024-01-01 ",
        "2024-01-01T00:00:00",
        "2024-01-0x",
        "+024-01-01",
        "-024-01-01",
        "02024-01-01",
        "2024-0101-",
        "２024-01-01",
        "20\u{664}4-01-01",
    ] {
        assert_eq!(parse_date(text), None, "{text:?}");
    }
}

#[test]
fn the_first_format_that_fits_wins() {
    let european_first = formats(&["%d/%m/%Y", "%m/%d/%Y"]);
    assert_eq!(parse_date_with("03/04/2024", &european_first), day(2024, 4, 3));
    assert_eq!(parse_date_with("03/31/2024", &european_first), day(2024, 3, 31));
    assert_eq!(parse_date_with("31/31/2024", &european_first), None);
    assert_eq!(parse_date_with("3/4/2024", &european_first), day(2024, 4, 3));
}

#[test]
fn only_listed_formats_count() {
    assert_eq!(parse_date_with("2024-04-03", &formats(&["%d/%m/%Y"])), None);
    assert_eq!(
        parse_date_with("2024-04-03", &formats(&["%d/%m/%Y", "%Y-%m-%d"])),
        day(2024, 4, 3)
    );
    assert_eq!(parse_date_with("2024-04-03", &[]), None);
}

#[test]
fn two_digits_are_no_full_year() {
    let both = formats(&["%d/%m/%Y", "%d/%m/%y"]);
    assert_eq!(parse_date_with("03/04/24", &both), day(2024, 4, 3));
    assert_eq!(parse_date_with("03/04/2024", &both), day(2024, 4, 3));
    assert_eq!(parse_date_with("03/04/12024", &both), None);
    assert_eq!(parse_date_with("03/04/0000", &both), None);
}

#[test]
fn a_time_of_day_is_read_only_at_midnight() {
    let with_time = formats(&["%Y-%m-%d %H:%M:%S%.f", "%d.%m.%Y %I:%M %p"]);
    assert_eq!(
        parse_date_with("2024-04-03 00:00:00", &with_time),
        day(2024, 4, 3)
    );
    assert_eq!(
        parse_date_with("2024-04-03 00:00:00.000", &with_time),
        day(2024, 4, 3)
    );
    assert_eq!(
        parse_date_with("03.04.2024 12:00 AM", &with_time),
        day(2024, 4, 3)
    );
    for text in [
        "2024-04-03 00:00:01",
        "2024-04-03 00:00:00.000001",
        "2024-04-03 12:00:00",
        "03.04.2024 12:00 PM",
    ] {
        assert_eq!(parse_date_with(text, &with_time), None, "{text}");
    }
}

proptest! {
    #[test]
    fn a_date_printed_in_a_format_reads_back(days in -719_162..=2_932_896_i32) {
        let date = NaiveDate::from_num_days_from_ce_opt(days + 719_163).unwrap();
        for pattern in ["%Y-%m-%d", "%d/%m/%Y", "%Y%m%d", "%e %B %Y", "%a, %-d %b %Y", "%Y-%j", "%G-W%V-%u"] {
            let text = date.format(pattern).to_string();
            // The week year of the first days of 0001 is 0000, and that of the last of 9999 may be 10000.
            let in_range = !pattern.contains("%G") || (1..=9999).contains(&date.iso_week().year());
            prop_assert_eq!(parse_date_with(&text, &formats(&[pattern])), in_range.then_some(days), "{}", text);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,12}", near in "[0-9]{3,5}[-/][0-9]{1,2}-[0-9]{2}") {
        for text in [text, near] {
            let expected = NaiveDate::parse_from_str(&text, "%Y-%m-%d")
                .ok()
                .filter(|date| date.format("%Y-%m-%d").to_string() == text && (1..=9999).contains(&date.year()));
            prop_assert_eq!(parse_date(&text), expected.and_then(|date| day(date.year(), date.month(), date.day())));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_date_with_one_byte_changed_is_read_as_chrono_reads_it(
        days in prop_oneof![-719_162..=2_932_896_i32, 10_000..12_000_i32, Just(-719_162), Just(2_932_896)],
        at in 0_usize..10,
        byte in prop_oneof![0_u8..=0x7F, b'0'..=b'9'],
    ) {
        let date = NaiveDate::from_num_days_from_ce_opt(days + 719_163).unwrap();
        let mut text = date.format("%Y-%m-%d").to_string().into_bytes();
        text[at] = byte;
        let text = String::from_utf8(text).unwrap();
        let expected = NaiveDate::parse_from_str(&text, "%Y-%m-%d")
            .ok()
            .filter(|date| date.format("%Y-%m-%d").to_string() == text && (1..=9999).contains(&date.year()));
        prop_assert_eq!(parse_date(&text), expected.and_then(|date| day(date.year(), date.month(), date.day())), "{:?}", text);
    }
}
