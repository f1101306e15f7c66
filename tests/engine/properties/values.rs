//! Values: the texts that are one, and the texts that are none.

use chrono::{Days, NaiveDate, NaiveTime};
use proptest::prelude::*;
use proptest::sample::select;

use super::cells::Value;
use super::processes::{Kind, Mend};

/// A text and, if its column's type is no text, what it means there.
#[derive(Debug, Clone)]
pub struct Typed {
    pub text: String,
    /// The value, and the cell rules that it breaks.
    pub meaning: Option<(Value, Vec<&'static str>)>,
}

impl Typed {
    /// A text that is no value of another type.
    pub fn of(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            meaning: None,
        }
    }
}

/// Of all characters used here, those that Windows-1252 lacks; the last two are not supported at all.
const OUTSIDE_WINDOWS_1252: [char; 4] = ['\u{141}', '\u{17a}', '\u{fdd0}', '\u{1f600}'];
const UNSUPPORTED: [char; 3] = ['\u{fdd0}', '\u{1f600}', '\u{7}'];
const ADDRESSES: [&str; 3] = ["a@b.co", "first.last+tag@mail.example.com", "\u{1f600}@b.co"];

/// The cell rules that a stored text breaks.
pub fn text_breaks(kind: Kind, text: &str) -> Vec<&'static str> {
    let has = |characters: &[char]| text.chars().any(|c| characters.contains(&c));
    let (units, is_foreign) = (text.encode_utf16().count(), has(&OUTSIDE_WINDOWS_1252));
    let most = match (kind, is_foreign) {
        (Kind::Varchar, _) => 5,
        (_, true) => 4000,
        (_, false) => 8000,
    };
    let broken = [
        ("string_too_long", units > most),
        (
            "unsupported_character",
            has(&UNSUPPORTED) || (kind == Kind::Varchar && is_foreign),
        ),
        ("email_invalid", kind == Kind::Email && !ADDRESSES.contains(&text)),
    ];
    broken
        .into_iter()
        .filter(|(_, is)| *is)
        .map(|(rule, _)| rule)
        .collect()
}

/// The text as it is stored by a process that says how to make it fit.
pub fn mended(kind: Kind, text: &str, mends: &[Mend]) -> String {
    let mut text = text.to_owned();
    if mends.contains(&Mend::Strip) {
        text.retain(|c| !UNSUPPORTED.contains(&c));
    }
    let is_foreign = text.chars().any(|c| OUTSIDE_WINDOWS_1252.contains(&c));
    let most = match kind {
        Kind::Varchar if is_foreign => return text,
        Kind::Varchar => 5,
        Kind::Text if is_foreign => 4000,
        _ => 8000,
    };
    // No character of more than one unit stands in a text that is too long.
    if mends.contains(&Mend::Truncate) {
        text = text.chars().take(most).collect();
    }
    text
}

/// Hundredths that a `decimal(9,2)` has of a number with more digits: half away from zero.
pub fn rounded(text: &str) -> Option<i128> {
    let known = [("1.234", 123), ("-0.005", -1), ("0.0049", 0), ("1235e-3", 124)];
    known
        .into_iter()
        .find(|(known, _)| *known == text)
        .map(|(_, units)| units)
}

/// Texts that break a rule about texts, or only just do not.
pub fn text_faults() -> BoxedStrategy<String> {
    let long = prop_oneof![
        Just(("a", 8000)),
        Just(("a", 8001)),
        Just(("\u{141}", 4000)),
        Just(("\u{141}", 4001))
    ];
    let long = long.prop_map(|(character, times)| character.repeat(times));
    let odd = select(vec!["\u{1f600}", "bell\u{7}", "\u{fdd0}", "\u{141}od\u{17a}"]).prop_map(str::to_owned);
    prop_oneof![1 => long, 6 => odd].boxed()
}

/// A text that is a value of `kind`.
pub fn fitting(kind: Kind) -> BoxedStrategy<Typed> {
    let number = |(text, value): (String, Value)| Typed {
        text,
        meaning: Some((value, Vec::new())),
    };
    match kind {
        Kind::Int => prop_oneof![4 => -3..6i64, 1 => any::<i32>().prop_map(i64::from)]
            .prop_flat_map(integer)
            .prop_map(number)
            .boxed(),
        Kind::Bigint => any::<i64>().prop_flat_map(integer).prop_map(number).boxed(),
        Kind::Decimal => decimal().prop_map(number).boxed(),
        Kind::Double => {
            let finite =
                proptest::num::f64::NORMAL | proptest::num::f64::ZERO | proptest::num::f64::SUBNORMAL;
            let written = (finite, any::<bool>()).prop_map(|(value, is_short)| {
                let text = if is_short {
                    format!("{value:e}")
                } else {
                    format!("{value}")
                };
                (text, Value::Double(value.to_bits()))
            });
            written.prop_map(number).boxed()
        }
        Kind::Boolean => {
            let yes = ["true", "T", "Yes", "y", "1", "TRUE"].map(|word| (word, true));
            let no = ["false", "F", "nO", "n", "0", "FALSE"].map(|word| (word, false));
            select([yes, no].concat())
                .prop_map(move |(word, value)| number((word.to_owned(), Value::Boolean(value))))
                .boxed()
        }
        Kind::Date => date().prop_map(dated).boxed(),
        Kind::Timestamp => timestamp(0),
        Kind::LocalTimestamp => timestamp(2 * 3600),
        Kind::Text => texts(&WORDS),
        Kind::Varchar => texts(&WORDS[..9]),
        Kind::Email => texts(&ADDRESSES),
    }
}

/// Nine short words, then longer ones.
const WORDS: [&str; 15] = [
    "Gold",
    "gold",
    "\u{e9}t\u{e9}",
    "a,b;c",
    "cr\r",
    "1",
    "#",
    "\u{a9}",
    "null",
    "say \"hi\"",
    "\"quoted\"",
    "two\nlines",
    "two\r\nlines",
    "lone\rcr",
    "Oak Street 1, 'left'",
];

fn texts(pool: &[&'static str]) -> BoxedStrategy<Typed> {
    select(pool.to_vec()).prop_map(Typed::of).boxed()
}

fn integer(value: i64) -> impl Strategy<Value = (String, Value)> {
    let sign = if value < 0 { "-" } else { "+" };
    let mut texts = vec![format!("{value}"), format!("{sign}00{}", value.unsigned_abs())];
    if value == 0 {
        texts.push("-0".to_owned());
    }
    select(texts).prop_map(move |text| (text, Value::Integer(value)))
}

/// `decimal(9,2)`.
fn decimal() -> impl Strategy<Value = (String, Value)> {
    let most = 999_999_999i64;
    let units = prop_oneof![Just(-most), Just(most), -1000..1000i64, -most..=most];
    units.prop_flat_map(|units| {
        let sign = if units < 0 { "-" } else { "" };
        let (whole, cents) = (units.abs() / 100, units.abs() % 100);
        let texts = vec![
            format!("{sign}{whole}.{cents:02}"),
            format!("{sign}0{whole}.{cents:02}000"),
            format!("{units}e-2"),
            format!("{sign}{whole}{cents:02}.0E-02"),
        ];
        select(texts).prop_map(move |text| (text, Value::Decimal(units.into())))
    })
}

fn date() -> impl Strategy<Value = NaiveDate> {
    let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
    let edges = vec![
        day(1900, 1, 1),
        day(1989, 1, 1),
        day(1752, 12, 31),
        day(1753, 1, 1),
        day(2024, 2, 29),
    ];
    // The first and the last days stay out: an offset would leave the calendar.
    let last = (day(9999, 12, 30) - day(1, 1, 2)).num_days() as u64;
    let any_day = (0..=last).prop_map(move |days| day(1, 1, 2) + Days::new(days));
    let recent = (0..20_000u64).prop_map(move |days| day(1980, 1, 1) + Days::new(days));
    prop_oneof![1 => select(edges), 1 => any_day, 20 => recent]
}

fn date_breaks(date: NaiveDate) -> Vec<&'static str> {
    let is = |year| date == NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
    let mut breaks = Vec::new();
    if is(1900) || is(1989) {
        breaks.push("date_default");
    }
    if date < NaiveDate::from_ymd_opt(1753, 1, 1).unwrap() {
        breaks.push("date_too_early");
    }
    breaks
}

fn dated(date: NaiveDate) -> Typed {
    let days = (date - NaiveDate::default()).num_days() as i32;
    Typed {
        text: date.format("%Y-%m-%d").to_string(),
        meaning: Some((Value::Date(days), date_breaks(date))),
    }
}

/// An instant in a column whose clocks are `ahead` seconds ahead of UTC, and which has its date there.
fn timestamp(ahead: i64) -> BoxedStrategy<Typed> {
    let zones = vec![
        ("", ahead),
        ("Z", 0),
        ("+02:00", 7200),
        ("-0530", -19_800),
        ("+01", 3600),
    ];
    let micros = prop_oneof![Just(0), Just(500_000), 0..1_000_000i64];
    (date(), 0..86_400u32, micros, any::<bool>(), select(zones))
        .prop_map(move |(date, seconds, micros, has_t, (zone, offset))| {
            let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).unwrap();
            let written = date.and_time(time);
            let separator = if has_t { 'T' } else { ' ' };
            let mut text = written
                .format(&format!("%Y-%m-%d{separator}%H:%M:%S"))
                .to_string();
            if micros > 0 {
                text += format!(".{micros:06}").trim_end_matches('0');
            }
            let utc_seconds = written.and_utc().timestamp() - offset;
            let shown = written + chrono::TimeDelta::seconds(ahead - offset);
            let meaning = (
                Value::Timestamp(utc_seconds * 1_000_000 + micros),
                date_breaks(shown.date()),
            );
            Typed {
                text: text + zone,
                meaning: Some(meaning),
            }
        })
        .boxed()
}

/// Texts that are no value of `kind`; for a text type, texts that break its rules.
pub fn unfit(kind: Kind) -> Vec<&'static str> {
    match kind {
        Kind::Int => vec!["abc", "1.0", "1e3", "2147483648", "--1", "1 2", "\u{661}"],
        Kind::Bigint => vec!["abc", "9223372036854775808", "1.", "0x1"],
        Kind::Decimal => vec![
            "abc",
            "1.234",
            "-0.005",
            "0.0049",
            "1235e-3",
            "9999999.995",
            "10000000.00",
            "1e7",
            ".",
            "1,5",
            "NaN",
        ],
        Kind::Double => vec!["abc", "NaN", "inf", "-infinity", "1e309", "1,5"],
        Kind::Boolean => vec!["abc", "2", "on", "01"],
        Kind::Date => vec![
            "abc",
            "2023-02-29",
            "24-01-01",
            "2024-1-1",
            "2024-01-01 00:00:00",
            "0000-01-01",
        ],
        Kind::Timestamp | Kind::LocalTimestamp => vec![
            "abc",
            "2024-01-01",
            "2024-01-01 24:00:00",
            "2024-01-01 10:00:00.1234567",
            "2024-01-01 10:00",
        ],
        Kind::Text => vec!["\u{1f600}", "a\u{7}"],
        Kind::Varchar => vec![
            "123456",
            "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
            "\u{141}",
            "\u{1f600}",
        ],
        Kind::Email => vec!["nobody", "a@b", "a b@c.de", "a@b.co ", "a@@b.co", "@b.co"],
    }
}
