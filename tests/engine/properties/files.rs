//! Files: cells of known meaning, records of known faults, and every way to write them.

use chrono::{Days, NaiveDate, NaiveTime};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::model::{Cell, Content, Placed, Value};
use super::processes::{Attribute, Kind, Process, TOKENS, Trim};

/// What stands in a cell before it is known whether blanks and tokens count.
#[derive(Debug, Clone)]
enum Draw {
    Bytes(Vec<u8>),
    /// A text between blanks, with its meaning if it is a value of the column's type, and what that value breaks.
    Text(&'static str, String, &'static str, Option<Meaning>),
}

type Meaning = (Value, Vec<&'static str>);

/// Why a record is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    FewFields(usize),
    ManyFields(usize),
    QuoteInside,
    TextAfterQuote,
    Unterminated,
}

#[derive(Debug, Clone)]
struct Record {
    key: Cell,
    attributes: Vec<Cell>,
    note: Cell,
    damage: Option<Damage>,
    /// Cells in quotes that need none, one bit each.
    quotes: u16,
    is_crlf: bool,
    blank_lines_before: usize,
}

/// A file of a process.
#[derive(Debug, Clone)]
pub struct File {
    delimiter: u8,
    has_bom: bool,
    has_final_newline: bool,
    /// Names in file order; `None` is an unmapped column of no interest.
    header: Vec<(String, Slot)>,
    records: Vec<Record>,
    header_quotes: u16,
}

/// Where a column's cells come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Key,
    Attribute(usize),
    Note,
    Other,
}

impl File {
    /// The bytes, and what they are by construction.
    pub fn write(&self) -> (Vec<u8>, Vec<Placed>) {
        let mut out = if self.has_bom {
            b"\xef\xbb\xbf".to_vec()
        } else {
            Vec::new()
        };
        let names = self.header.iter().map(|(name, _)| name.as_bytes());
        out.extend(self.row(names, self.header_quotes));
        out.extend(b"\r\n");
        let mut placed = Vec::new();
        let mut after_open_quote = false;
        for record in &self.records {
            let line_end: &[u8] = if record.is_crlf { b"\r\n" } else { b"\n" };
            out.extend(line_end.repeat(record.blank_lines_before));
            let raw = self.raw(record, after_open_quote);
            after_open_quote = record.damage == Some(Damage::Unterminated);
            placed.push(Placed {
                content: content(record),
                line: 1 + out.iter().filter(|byte| **byte == b'\n').count() as u64,
                byte_start: out.len() as u64,
                raw: raw.clone(),
            });
            out.extend(raw);
            out.extend(line_end);
        }
        if !self.has_final_newline {
            while matches!(out.last(), Some(b'\n' | b'\r')) {
                out.pop();
            }
        }
        (out, placed)
    }

    fn raw(&self, record: &Record, after_open_quote: bool) -> Vec<u8> {
        let Some(damage) = record.damage else {
            let cells = self.header.iter().map(|(_, slot)| match slot {
                Slot::Key => &record.key.bytes[..],
                Slot::Attribute(at) => &record.attributes[*at].bytes,
                Slot::Note => &record.note.bytes,
                Slot::Other => b"other",
            });
            return self.row(cells, record.quotes);
        };
        let expected = self.header.len();
        // A line of one field tells nobody that the open quote before it was a mistake.
        let fewest = if after_open_quote { 2 } else { 1 };
        let num_fields = match damage {
            Damage::FewFields(missing) => expected.saturating_sub(missing).max(fewest),
            Damage::ManyFields(more) => expected + more,
            _ => expected,
        };
        let mut fields: Vec<&[u8]> = vec![b"x"; num_fields];
        let at = usize::from(record.quotes) % num_fields;
        match damage {
            Damage::FewFields(_) | Damage::ManyFields(_) => {}
            Damage::QuoteInside => fields[at] = b"a\"b",
            Damage::TextAfterQuote => fields[at] = b"\"a\"b",
            Damage::Unterminated => fields[at] = b"\"a b",
        }
        fields.join(&self.delimiter)
    }

    fn row<'a>(&self, cells: impl Iterator<Item = &'a [u8]>, quotes: u16) -> Vec<u8> {
        let written = |(at, cell): (usize, &[u8])| {
            let special = |byte: &u8| *byte == self.delimiter || matches!(byte, b'"' | b'\n');
            let is_needed = cell.iter().any(special) || cell.ends_with(b"\r");
            if !is_needed && quotes & (1 << (at % 16)) == 0 {
                return cell.to_vec();
            }
            let doubled = cell
                .iter()
                .flat_map(|byte| std::iter::repeat_n(*byte, if *byte == b'"' { 2 } else { 1 }));
            std::iter::once(b'"').chain(doubled).chain([b'"']).collect()
        };
        let cells: Vec<Vec<u8>> = cells.enumerate().map(written).collect();
        cells.join(&self.delimiter)
    }
}

fn content(record: &Record) -> Content {
    match record.damage {
        None => Content::Cells {
            key: record.key.clone(),
            attributes: record.attributes.clone(),
            note: record.note.clone(),
        },
        Some(Damage::FewFields(_) | Damage::ManyFields(_)) => Content::Malformed("field count"),
        Some(Damage::QuoteInside | Damage::TextAfterQuote) => Content::Malformed("stray quote"),
        Some(Damage::Unterminated) => Content::Malformed("unterminated quote"),
    }
}

/// A file of `process` with up to `most` records.
pub fn file(process: &Process, most: usize) -> impl Strategy<Value = File> + use<> {
    let mut header = vec![(process.key.clone(), Slot::Key), ("note".to_owned(), Slot::Note)];
    let mapped = process.attributes.iter().enumerate();
    header.extend(mapped.map(|(at, attribute)| (attribute.column.clone(), Slot::Attribute(at))));
    let others = vec(select(vec!["other", "another", ""]), 0..3);
    let header = others.prop_flat_map(move |others| {
        let unmapped = others.into_iter().map(|name| (name.to_owned(), Slot::Other));
        Just(header.iter().cloned().chain(unmapped).collect::<Vec<_>>()).prop_shuffle()
    });
    let delimiter = process.delimiter;
    let records = vec(record(process), 0..=most);
    (header, any::<(bool, bool, u16)>(), records).prop_map(move |(header, flags, records)| File {
        delimiter,
        has_bom: flags.0,
        has_final_newline: flags.1,
        header,
        records,
        header_quotes: flags.2,
    })
}

fn record(process: &Process) -> impl Strategy<Value = Record> + use<> {
    let trim = process.trim;
    let tokens = process.null_tokens.clone();
    let key = key().prop_map(move |draw| cell(&draw, Kind::Text, trim, &tokens));
    let attributes: Vec<_> = process
        .attributes
        .iter()
        .map(|attribute| attribute_cell(attribute, process))
        .collect();
    let note = select(vec!["bad", "good", "", "\u{e9}", "two\r\nlines"])
        .prop_map(|text| Draw::Text("", text.to_owned(), "", None));
    let note = prop_oneof![6 => note, 1 => Just(Draw::Bytes(b"\xff".to_vec()))]
        .prop_map(|draw| cell(&draw, Kind::Text, Trim::Nothing, &[]));
    let damage = prop_oneof![
        (1..4usize).prop_map(Damage::FewFields),
        (1..3usize).prop_map(Damage::ManyFields),
        Just(Damage::QuoteInside),
        Just(Damage::TextAfterQuote),
        Just(Damage::Unterminated),
    ];
    let shape = (
        option::weighted(0.12, damage),
        any::<u16>(),
        any::<bool>(),
        prop_oneof![8 => Just(0), 1 => 1..3usize],
    );
    (key, attributes, note, shape).prop_map(|(key, attributes, note, shape)| Record {
        key,
        attributes,
        note,
        damage: shape.0,
        quotes: shape.1,
        is_crlf: shape.2,
        blank_lines_before: shape.3,
    })
}

/// A CID: few enough that they repeat, within a file and from file to file.
fn key() -> impl Strategy<Value = Draw> {
    let plain = (0..9u8).prop_map(|number| Draw::Text("", format!("C{number}"), "", None));
    let odd = select(vec![
        "c1",
        "\u{e9}",
        "a\"b",
        "a,b;c\td",
        "two\nlines",
        "lone\rcr",
        "",
        "NA",
    ]);
    let odd = odd.prop_map(|text| Draw::Text("", text.to_owned(), "", None));
    prop_oneof![10 => plain, 2 => odd, 1 => text_faults(), 1 => blanks("C1".to_owned()), 1 => undecodable()]
}

fn attribute_cell(attribute: &Attribute, process: &Process) -> impl Strategy<Value = Cell> + use<> {
    let (kind, trim) = (attribute.kind, process.trim);
    let tokens = attribute
        .null_tokens
        .clone()
        .unwrap_or_else(|| process.null_tokens.clone());
    let draw = prop_oneof![
        12 => fitting(kind),
        3 => Just(Draw::Text("", String::new(), "", None)),
        2 => select(unfit(kind)).prop_map(|text| Draw::Text("", text.to_owned(), "", None)),
        1 => select(TOKENS.to_vec()).prop_map(|text| Draw::Text("", text.to_owned(), "", None)),
        1 => (fitting(kind), blank(), blank()).prop_map(|(draw, before, after)| match draw {
            Draw::Text(_, text, _, meaning) => Draw::Text(before, text, after, meaning),
            bytes => bytes,
        }),
        1 => select(vec!["", "NA"]).prop_flat_map(|text| blanks(text.to_owned())),
        1 => undecodable(),
    ];
    draw.prop_map(move |draw| cell(&draw, kind, trim, &tokens))
}

/// Never a delimiter or line end in front: after an open quote, a quote and one of these look like its end.
fn blank() -> impl Strategy<Value = &'static str> {
    select(vec!["", " ", "  ", "\u{a0}"])
}

fn blanks(text: String) -> impl Strategy<Value = Draw> {
    let after = prop_oneof![blank(), Just(" \t"), Just(" \r\n")];
    (blank(), after).prop_map(move |(before, after)| Draw::Text(before, text.clone(), after, None))
}

fn undecodable() -> impl Strategy<Value = Draw> {
    select(vec![&b"G\xffd"[..], b"\xc3", b"a\xed\xa0\x80", b"\xff, \"\xff\""])
        .prop_map(|bytes| Draw::Bytes(bytes.to_vec()))
}

/// What a drawn cell is in a column.
fn cell(draw: &Draw, kind: Kind, trim: Trim, null_tokens: &[&str]) -> Cell {
    let (written, text, meaning) = match draw {
        Draw::Bytes(bytes) => {
            return Cell {
                bytes: bytes.clone(),
                value: None,
                breaks: vec!["invalid_encoding"],
            };
        }
        Draw::Text(before, text, after, meaning) => (format!("{before}{text}{after}"), text, meaning),
    };
    let stored = if trim == Trim::Blanks {
        written.trim()
    } else {
        &written
    };
    let (value, breaks) = match meaning {
        _ if stored.is_empty() || null_tokens.contains(&stored) => (None, Vec::new()),
        _ if kind.is_text() => (Some(Value::Text(stored.to_owned())), text_breaks(kind, stored)),
        Some((value, breaks)) if stored == text => (Some(value.clone()), breaks.clone()),
        _ => (None, vec!["type_mismatch"]),
    };
    Cell {
        bytes: written.into_bytes(),
        value,
        breaks,
    }
}

/// Of all characters used here, those that Windows-1252 lacks; the last two are not supported at all.
const OUTSIDE_WINDOWS_1252: [char; 4] = ['\u{141}', '\u{17a}', '\u{fdd0}', '\u{1f600}'];
const UNSUPPORTED: [char; 3] = ['\u{fdd0}', '\u{1f600}', '\u{7}'];
const ADDRESSES: [&str; 3] = ["a@b.co", "first.last+tag@mail.example.com", "\u{1f600}@b.co"];

fn text_breaks(kind: Kind, text: &str) -> Vec<&'static str> {
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

/// Texts that break a rule about texts, or only just do not.
fn text_faults() -> BoxedStrategy<Draw> {
    let long = prop_oneof![
        Just(("a", 8000)),
        Just(("a", 8001)),
        Just(("\u{141}", 4000)),
        Just(("\u{141}", 4001))
    ];
    let long = long.prop_map(|(character, times)| character.repeat(times));
    let odd = select(vec!["\u{1f600}", "bell\u{7}", "\u{fdd0}", "\u{141}od\u{17a}"]).prop_map(str::to_owned);
    let text = prop_oneof![1 => long, 6 => odd];
    text.prop_map(|text| Draw::Text("", text, "", None)).boxed()
}

/// A text that is a value of `kind`.
fn fitting(kind: Kind) -> BoxedStrategy<Draw> {
    let number = |(text, value): (String, Value)| Draw::Text("", text, "", Some((value, Vec::new())));
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
        Kind::Date => date().prop_map(date_draw).boxed(),
        Kind::Timestamp => timestamp(0),
        Kind::LocalTimestamp => timestamp(2 * 3600),
        Kind::Text | Kind::Varchar | Kind::Email => {
            let words = [
                "Gold",
                "gold",
                "\u{e9}t\u{e9}",
                "a,b;c",
                "say \"hi\"",
                "\"quoted\"",
                "two\nlines",
                "two\r\nlines",
                "lone\rcr",
                "cr\r",
                "1",
                "#",
                "\u{a9}",
                "'",
                "null",
            ];
            let words = select([&words[..], &ADDRESSES].concat()).prop_map(str::to_owned);
            let text = words.prop_map(|text| Draw::Text("", text, "", None));
            prop_oneof![5 => text, 1 => text_faults()].boxed()
        }
    }
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
    prop_oneof![2 => select(edges), 2 => any_day, 8 => recent]
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

fn date_draw(date: NaiveDate) -> Draw {
    let days = (date - NaiveDate::default()).num_days() as i32;
    let meaning = (Value::Date(days), date_breaks(date));
    Draw::Text("", date.format("%Y-%m-%d").to_string(), "", Some(meaning))
}

/// An instant in a column whose clocks are `ahead` seconds ahead of UTC, and which has its date there.
fn timestamp(ahead: i64) -> BoxedStrategy<Draw> {
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
            Draw::Text("", text + zone, "", Some(meaning))
        })
        .boxed()
}

/// Texts that are no value of `kind`; for a text type, texts that break its rules.
fn unfit(kind: Kind) -> Vec<&'static str> {
    match kind {
        Kind::Int => vec!["abc", "1.0", "1e3", "2147483648", "--1", "1 2", "\u{661}"],
        Kind::Bigint => vec!["abc", "9223372036854775808", "1.", "0x1"],
        Kind::Decimal => vec!["abc", "1.234", "10000000.00", "1e7", ".", "1,5", "NaN"],
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
