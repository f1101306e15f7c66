use super::*;
use crate::decode::cell::{
    DateFormat, OnScale, parse_bigint, parse_boolean, parse_date, parse_date_with, parse_decimal,
    parse_double, parse_int, parse_timestamp, parse_timestamp_with,
};
use crate::discover::report::ColumnReport;
use crate::validate::text::is_email;
use chrono_tz::Tz;
use proptest::prelude::*;

fn profile_of(name: &str, cells: &[&str]) -> ColumnProfile {
    let mut profile = ColumnProfile::new(name);
    cells.iter().for_each(|cell| profile.observe(Some(cell)));
    profile
}

fn guess(cells: &[&str]) -> TypeGuess {
    guess_type(&profile_of("x", cells))
}

fn says(guess: &TypeGuess, words: &str) -> bool {
    guess.notes.iter().any(|note| note.contains(words))
}

#[test]
fn the_narrowest_type_that_all_cells_fit_is_guessed() {
    for (cells, ty, format) in [
        (&["1", "-2", "", "3000"][..], "int", ""),
        (&["1", "3000000000"], "bigint", ""),
        (&["1", "12.50"], "decimal(9,2)", ""),
        (&["12345678.25", "1.5"], "decimal(18,2)", ""),
        (&["1e3", "2.5"], "double", ""),
        (&["0.1234567890123", "2"], "double", ""),
        (&["true", "False"], "boolean", ""),
        (&["Y", "n", "N"], "boolean", ""),
        (&["2024-01-31", ""], "date", ""),
        (&["31/01/2024", "01/02/2024"], "date", "%d/%m/%Y"),
        (&["01/31/2024", "02/01/2024"], "date", "%m/%d/%Y"),
        (&["31.01.2024"], "date", "%d.%m.%Y"),
        (&["2024/01/31"], "date", "%Y/%m/%d"),
        (&["31-Jan-2024"], "date", "%d-%b-%Y"),
        (
            &["2024-01-31 10:00:00", "2024-01-31T10:00:00.5Z"],
            "timestamp",
            "",
        ),
        (&["31/01/2024 10:00"], "timestamp", "%d/%m/%Y %H:%M"),
        (&["01/31/2024 10:00:00 PM"], "timestamp", "%m/%d/%Y %I:%M:%S %p"),
        (&["a@b.co", "c@d.org"], "email", ""),
        (&["gold", "silver"], "string", ""),
        (&["", ""], "string", ""),
    ] {
        let found = guess(cells);
        assert_eq!(
            (found.ty.to_string().as_str(), found.format.join(", ").as_str()),
            (ty, format),
            "{cells:?} {found:?}"
        );
    }
}

#[test]
fn codes_are_text_though_they_are_digits() {
    for (cells, words) in [
        (&["01234", "99999"][..], "leading zeros"),
        (&["+491701234567", "+441234567"], "telephone"),
        (
            &["4111111111111111222233", "4111111111111111222234"],
            "more than bigint holds",
        ),
    ] {
        let found = guess(cells);
        assert_eq!(found.ty, AttributeType::String, "{cells:?}");
        assert!(says(&found, words), "{found:?}");
    }
    assert_eq!(guess(&["0", "0.5", "-0.25"]).ty.to_string(), "decimal(9,2)");
}

#[test]
fn other_notations_of_numbers_are_text_and_said_to_be() {
    for (cells, words) in [
        (&["1.234,50", "12,00", "7,5"][..], "decimal comma"),
        (
            &["1,234.50", "12,000.00", "1,000,000"],
            "commas between thousands",
        ),
        (&["12 %", "7%", "€ 5.00"], "percent sign or a currency"),
    ] {
        let found = guess(cells);
        assert_eq!(found.ty, AttributeType::String, "{cells:?}");
        assert!(says(&found, words) && says(&found, "3 of 3"), "{found:?}");
    }
}

#[test]
fn zeros_and_ones_are_boolean_or_int_and_both_are_said() {
    let both = guess(&["0", "1", "1"]);
    assert_eq!(both.ty, AttributeType::Boolean);
    assert_eq!(
        both.runner_up.as_ref().map(|other| other.ty),
        Some(AttributeType::Int)
    );
    assert!(says(&both, "0 or 1"));
    let ones = guess(&["1", "1"]);
    assert_eq!(ones.ty, AttributeType::Int);
    assert_eq!(ones.runner_up.map(|other| other.ty), Some(AttributeType::Boolean));
    assert_eq!(guess(&["F", "F"]).ty, AttributeType::String);
    assert_eq!(guess(&["TRUE", "true"]).ty, AttributeType::Boolean);
}

#[test]
fn a_day_that_could_be_a_month_is_said_to_be_open() {
    let open = guess(&["03/04/2024", "05/06/2024"]);
    assert_eq!(open.format, ["%d/%m/%Y"]);
    assert_eq!(
        open.runner_up
            .as_ref()
            .map(|other| other.format.join(""))
            .as_deref(),
        Some("%m/%d/%Y")
    );
    assert!(says(&open, "cannot be told apart"));
    let settled = guess(&["03/04/2024", "13/06/2024"]);
    assert_eq!(
        (settled.runner_up, settled.format),
        (None, vec!["%d/%m/%Y".to_owned()])
    );
}

#[test]
fn several_formats_are_listed_but_never_two_that_contradict() {
    let mixed = guess(&["2024-01-31", "31.01.2024", "2024-02-01"]);
    assert_eq!(
        (mixed.format, mixed.share),
        (vec!["%Y-%m-%d".to_owned(), "%d.%m.%Y".to_owned()], 1.0)
    );
    let contradictory = guess(&["31/01/2024", "01/31/2024"]);
    assert_eq!(contradictory.ty, AttributeType::String);
}

#[test]
fn eight_digits_are_dates_only_where_the_name_says_so() {
    let cells = ["20240131", "20240201"];
    let number = guess(&cells);
    assert_eq!(number.ty, AttributeType::Int);
    assert_eq!(
        number.runner_up.map(|other| other.format.join("")).as_deref(),
        Some("%Y%m%d")
    );
    let date = guess_type(&profile_of("birth_date", &cells));
    assert_eq!(
        (date.ty, date.format),
        (AttributeType::Date, vec!["%Y%m%d".to_owned()])
    );
}

#[test]
fn a_few_misfits_are_shown_and_many_make_it_text() {
    let mut cells = vec!["7"; 97];
    cells.extend(["seven", "8 ", "x"]);
    let found = guess(&cells);
    assert_eq!((found.ty, found.share), (AttributeType::Int, 0.97));
    assert!(
        says(&found, "3 of 100 values do not fit int") && says(&found, "\"seven\""),
        "{found:?}"
    );
    cells.extend(["y"; 5]);
    let text = guess(&cells);
    assert_eq!(text.ty, AttributeType::String);
    assert!(says(&text, "fit int, but too many do not"), "{text:?}");
}

#[test]
fn null_tokens_do_not_count_against_a_type() {
    let found = guess(&["1", "NULL", "2", "-", "NULL", ""]);
    assert_eq!((found.ty, found.share), (AttributeType::Int, 1.0));
    assert_eq!(found.null_tokens, ["-", "NULL"]);
    let text = guess(&["gold", "none", "\\N"]);
    assert_eq!(
        (text.ty, text.null_tokens),
        (AttributeType::String, vec!["\\N".to_owned()])
    );
}

#[test]
fn odd_days_blanks_and_characters_are_said() {
    assert!(says(
        &guess(&["1900-01-01", "2024-01-01"]),
        "1 of 2 values are 1900-01-01"
    ));
    assert!(says(&guess(&["1600-01-01", "2024-01-01"]), "before 1753"));
    assert!(says(&guess(&["2024-01-01 00:00:00"]), "every time is midnight"));
    assert!(says(
        &guess(&["2024-01-01 00:00:00.1234567"]),
        "more than six decimals"
    ));
    assert!(says(&guess(&[" 1", "2 "]), "trimmed, the column is int"));
    assert!(says(&guess(&["hi 😀"]), "unsupported characters, as \"😀\""));
    assert!(says(&guess(&[&"ł".repeat(4001)]), "too long for string"));
}

#[test]
fn a_report_shows_the_range_in_the_guessed_type() {
    for (cells, min, max) in [
        (&["9", "10", "-3"][..], "-3", "10"),
        (&["9.5", "10.25"], "9.5", "10.25"),
        (&["31.12.2023", "01.02.2024"], "2023-12-31", "2024-02-01"),
        (
            &["2024-01-01 02:00:00+02:00", "2024-01-01 00:00:01"],
            "2024-01-01T00:00:00Z",
            "2024-01-01T00:00:01Z",
        ),
        (&["pear", "fig"], "fig", "pear"),
    ] {
        let profile = profile_of("x", cells);
        let report = ColumnReport::new(&profile, guess_type(&profile));
        assert_eq!(
            (report.min.as_deref(), report.max.as_deref()),
            (Some(min), Some(max)),
            "{cells:?}"
        );
    }
}

/// Whether a run would read the cell.
fn fits(cell: &str, guess: &TypeGuess) -> bool {
    let dates: Vec<_> = guess
        .format
        .iter()
        .filter_map(|pattern| DateFormat::for_date(pattern).ok())
        .collect();
    let times: Vec<_> = guess
        .format
        .iter()
        .filter_map(|pattern| DateFormat::for_timestamp(pattern).ok())
        .collect();
    match guess.ty {
        AttributeType::Int => parse_int(cell).is_some(),
        AttributeType::Bigint => parse_bigint(cell).is_some(),
        AttributeType::Decimal { precision, scale } => {
            parse_decimal(cell, precision, scale, OnScale::Reject).is_some()
        }
        AttributeType::Double => parse_double(cell).is_some(),
        AttributeType::Boolean => parse_boolean(cell).is_some(),
        AttributeType::Date if dates.is_empty() => parse_date(cell).is_some(),
        AttributeType::Date => parse_date_with(cell, &dates).is_some(),
        AttributeType::Timestamp if times.is_empty() => parse_timestamp(cell, &Tz::UTC).is_some(),
        AttributeType::Timestamp => parse_timestamp_with(cell, &times, &Tz::UTC).is_some(),
        AttributeType::Email => is_email(cell),
        _ => true,
    }
}

fn any_cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[+-]?[0-9]{1,12}",
        "-?[0-9]{0,20}[.][0-9]{0,20}",
        "[0-9]{1,3}(e-?[0-9]{1,2})?",
        "(0[1-9]|1[0-2])/(0[1-9]|1[0-9])/20[0-9]{2}",
        "20[0-9]{2}-0[1-9]-1[0-9]([ T]0[0-9]:10:59([.][0-9]{1,8})?(Z|[+]01)?)?",
        "(yes|no|t|F|1|0)",
        "[a-z]{1,3}@[a-z]{1,3}[.]de",
        "(NULL|-||NA| 7|x)",
    ]
}

proptest! {
    #[test]
    fn the_share_is_what_a_run_would_read(
        kinds in prop::collection::vec(any_cell(), 1..4),
        picks in prop::collection::vec(0..4_usize, 1..60),
    ) {
        let cells: Vec<&str> = picks.iter().map(|pick| kinds[pick % kinds.len()].as_str()).collect();
        let found = guess(&cells);
        let judged: Vec<&str> = cells.iter().copied().filter(|cell| !cell.is_empty() && !NULL_SUSPECTS.contains(cell)).collect();
        let good = judged.iter().filter(|cell| fits(cell, &found)).count();
        if found.ty != AttributeType::String {
            prop_assert!((found.share - good as f64 / judged.len() as f64).abs() < 1e-9, "{:?} {:?}", cells, found);
            prop_assert!(found.share >= MIN_SHARE);
        }
    }

    #[test]
    fn the_needed_decimal_holds_every_number_seen(cells in prop::collection::vec("-?[0-9]{1,15}[.][0-9]{1,9}", 1..20)) {
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let found = guess(&cells);
        let is_code = cells.iter().any(|cell| cell.trim_start_matches('-').starts_with("0") && !cell.trim_start_matches('-').starts_with("0."));
        prop_assert!(is_code || matches!(found.ty, AttributeType::Decimal { .. }), "{:?}", found);
        prop_assert!(cells.iter().all(|cell| fits(cell, &found)));
    }
}
