//! Cells: what is written, and what that is in its column.

use proptest::prelude::*;
use proptest::sample::select;

use super::processes::{Attribute, Kind, Mend, Process, TOKENS, Trim};
use super::values::{Typed, fitting, mended, rounded, text_breaks, text_faults, unfit};

/// A typed value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    Text(String),
    Integer(i64),
    /// Units of the last decimal.
    Decimal(i128),
    /// Bits of a double.
    Double(u64),
    Boolean(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
}

/// A cell, and what it is in its column.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Its content, unquoted.
    pub bytes: Vec<u8>,
    /// What is stored; `None` is NULL.
    pub value: Option<Value>,
    /// The cell rules that it breaks.
    pub breaks: Vec<&'static str>,
}

/// How well a file is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// Most records are accepted.
    Tidy,
    /// Most are not.
    Dirty,
}

impl Care {
    /// Good cells for every few bad ones.
    fn weight(self) -> u32 {
        match self {
            Self::Tidy => 60,
            Self::Dirty => 8,
        }
    }
}

/// What stands in a cell before it is known whether blanks and tokens count.
#[derive(Debug, Clone)]
enum Draw {
    Bytes(Vec<u8>),
    /// A text between blanks.
    Text(&'static str, Typed, &'static str),
}

impl Draw {
    fn plain(text: impl Into<String>) -> Self {
        Self::Text("", Typed::of(text), "")
    }
}

/// A CID: few enough that they repeat, within a file and from file to file.
pub fn key_cell(process: &Process, care: Care) -> impl Strategy<Value = Cell> + use<> {
    let common = (0..9u8).prop_map(|number| Draw::plain(format!("C{number}")));
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
    let draw = prop_oneof![
        care.weight() => common,
        2 => odd.prop_map(Draw::plain),
        1 => text_faults().prop_map(Draw::plain),
        1 => blanks("C1"),
        1 => undecodable(),
    ];
    let (trim, tokens) = (process.trim, process.null_tokens.clone());
    draw.prop_map(move |draw| cell(&draw, Kind::Text, trim, &tokens, &[]))
}

/// A cell of the unmapped column `note`.
pub fn note_cell() -> impl Strategy<Value = Cell> {
    let notes = select(vec!["bad", "good", "", "\u{e9}", "two\r\nlines"]).prop_map(Draw::plain);
    prop_oneof![6 => notes, 1 => undecodable()]
        .prop_map(|draw| cell(&draw, Kind::Text, Trim::Nothing, &[], &[]))
}

/// A cell of an attribute, of every quality.
pub fn attribute_cell(
    attribute: &Attribute,
    process: &Process,
    care: Care,
) -> impl Strategy<Value = Cell> + use<> {
    let (kind, trim) = (attribute.kind, process.trim);
    let tokens = attribute
        .null_tokens
        .clone()
        .unwrap_or_else(|| process.null_tokens.clone());
    let draw = prop_oneof![
        care.weight() => fitting(kind).prop_map(|text| Draw::Text("", text, "")),
        care.weight() / 4 => Just(Draw::plain("")),
        2 => select(unfit(kind)).prop_map(Draw::plain),
        1 => select(TOKENS.to_vec()).prop_map(Draw::plain),
        1 => (blank(), fitting(kind), blank()).prop_map(|(before, text, after)| Draw::Text(before, text, after)),
        1 => select(vec!["", "NA"]).prop_flat_map(blanks),
        1 => text_faults().prop_map(Draw::plain),
        1 => undecodable(),
    ];
    let mends = attribute.mends.clone();
    draw.prop_map(move |draw| cell(&draw, kind, trim, &tokens, &mends))
}

/// Never a delimiter or line end in front: after an open quote, a quote and one of these look like its end.
fn blank() -> impl Strategy<Value = &'static str> {
    select(vec!["", " ", "  ", "\u{a0}"])
}

fn blanks(text: &'static str) -> impl Strategy<Value = Draw> {
    let after = prop_oneof![blank(), Just(" \t"), Just(" \r\n")];
    (blank(), after).prop_map(move |(before, after)| Draw::Text(before, Typed::of(text), after))
}

fn undecodable() -> impl Strategy<Value = Draw> {
    select(vec![&b"G\xffd"[..], b"\xc3", b"a\xed\xa0\x80", b"\xff, \"\xff\""])
        .prop_map(|bytes| Draw::Bytes(bytes.to_vec()))
}

/// What a drawn cell is in a column.
fn cell(draw: &Draw, kind: Kind, trim: Trim, null_tokens: &[&str], mends: &[Mend]) -> Cell {
    let (written, typed) = match draw {
        Draw::Bytes(bytes) => {
            return Cell {
                bytes: bytes.clone(),
                value: None,
                breaks: vec!["invalid_encoding"],
            };
        }
        Draw::Text(before, typed, after) => (format!("{before}{}{after}", typed.text), typed),
    };
    let stored = if trim == Trim::Blanks {
        written.trim()
    } else {
        &written
    };
    let (value, breaks) = match &typed.meaning {
        _ if stored.is_empty() || null_tokens.contains(&stored) => (None, Vec::new()),
        _ if kind.is_text() => match mended(kind, stored, mends) {
            text if text.is_empty() => (None, Vec::new()),
            text => {
                let breaks = text_breaks(kind, &text);
                (Some(Value::Text(text)), breaks)
            }
        },
        Some((value, breaks)) if stored == typed.text => (Some(value.clone()), breaks.clone()),
        _ => match rounded(stored).filter(|_| kind == Kind::Decimal && mends.contains(&Mend::Round)) {
            Some(units) => (Some(Value::Decimal(units)), Vec::new()),
            None => (None, vec!["type_mismatch"]),
        },
    };
    Cell {
        bytes: written.into_bytes(),
        value,
        breaks,
    }
}
