use super::{DateFormat, FormatError};

fn reads(pattern: &str, text: &str) -> bool {
    DateFormat::for_date(pattern).unwrap().read(text).is_some()
}

#[test]
fn a_format_remembers_its_pattern() {
    assert_eq!(DateFormat::for_date("%d/%m/%Y").unwrap().pattern(), "%d/%m/%Y");
}

#[test]
fn a_date_format_determines_a_date() {
    for pattern in [
        "%Y-%m-%d",
        "%d/%m/%y",
        "%Y-%j",
        "%G-W%V-%u",
        "%e %B %Y",
        "%F",
        "%D",
        "%C%y%m%d",
        "%d.%m.%Y %H:%M",
    ] {
        assert!(DateFormat::for_date(pattern).is_ok(), "{pattern}");
    }
    for pattern in ["", "%d/%m", "%Y", "%B %Y", "%H:%M", "%s", "yyyy-MM-dd"] {
        assert_eq!(
            DateFormat::for_date(pattern),
            Err(FormatError::NoDate(pattern.to_owned()))
        );
    }
}

#[test]
fn a_timestamp_format_determines_a_time_too() {
    for pattern in [
        "%F %T",
        "%d/%m/%Y %H:%M",
        "%Y%m%d%H%M%S",
        "%s",
        "%s%.f",
        "%F %I:%M %p",
        "%FT%T%.f%:z",
        "%c",
    ] {
        assert!(DateFormat::for_timestamp(pattern).is_ok(), "{pattern}");
    }
    for pattern in ["%F", "%d/%m/%Y", "%F %H", "%F %I:%M"] {
        assert_eq!(
            DateFormat::for_timestamp(pattern),
            Err(FormatError::NoTime(pattern.to_owned()))
        );
    }
    for pattern in ["%T", "%m-%d %H:%M"] {
        assert_eq!(
            DateFormat::for_timestamp(pattern),
            Err(FormatError::NoDate(pattern.to_owned()))
        );
    }
}

#[test]
fn unknown_and_misleading_specifiers_are_refused() {
    for pattern in ["%Y-%m-%d %Q", "%Y-%m-%d%", "%!"] {
        assert_eq!(
            DateFormat::for_date(pattern),
            Err(FormatError::UnknownSpecifier(pattern.to_owned()))
        );
    }
    for (pattern, refused) in [("%F %T.%f", "%f"), ("%F %T %Z", "%Z"), ("%+", "%+")] {
        let error = DateFormat::for_timestamp(pattern).unwrap_err();
        assert!(
            matches!(error, FormatError::Misleading(specifier, _) if specifier == refused),
            "{error}"
        );
        assert!(
            error.to_string().contains("write") || error.to_string().contains("spell"),
            "{error}"
        );
    }
}

#[test]
fn blanks_are_read_where_the_format_has_them() {
    assert!(reads("%d %b %Y", "3 Apr 2024"));
    assert!(reads("%d %b %Y", "3  Apr 2024"));
    assert!(reads("%b %e %Y", "Apr  3 2024"));
    assert!(reads("%e.%m.%Y", " 3.04.2024"));
    for text in [
        " 3 Apr 2024",
        "3Apr 2024",
        "3 Apr 2024 ",
        "3 Apr\u{2028}",
        "3 Apr",
    ] {
        assert!(!reads("%d %b %Y", text), "{text:?}");
    }
    assert!(!reads("%d/%m/%Y", "03/ 04/2024"));
    assert!(!reads("%d/%m/%Y", "03 /04/2024"));
}

#[test]
fn a_year_is_four_digits_without_a_sign() {
    assert!(reads("%Y-%m-%d", "2024-4-3"));
    for text in [
        "24-04-03",
        "+2024-04-03",
        "-024-04-03",
        "02024-04-03",
        "202-04-03",
    ] {
        assert!(!reads("%Y-%m-%d", text), "{text}");
    }
}

#[test]
fn a_seventh_decimal_is_not_read() {
    let pattern = "%F %T%.f";
    for text in [
        "2024-04-03 01:02:03",
        "2024-04-03 01:02:03.5",
        "2024-04-03 01:02:03.123456",
    ] {
        assert!(reads(pattern, text), "{text}");
    }
    for text in [
        "2024-04-03 01:02:03.",
        "2024-04-03 01:02:03.1234560",
        "2024-04-03 01:02:03.1234567891",
    ] {
        assert!(!reads(pattern, text), "{text}");
    }
}
