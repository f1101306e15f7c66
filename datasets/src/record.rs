//! One record of a customer file, cell by cell.

use crate::rng::Rng;
use crate::text::{DAY_2012, DAY_2024, push_cents, push_cid, push_date, push_number, push_timestamp};
use crate::words::{CITIES, HOSTS, NAMES, NOTE_WORDS, TIERS};

/// The column that holds the customer's id.
pub const KEY_COLUMN: &str = "cid";

/// The other columns, in order, each with the attribute type that it fits.
pub const ATTRIBUTES: [(&str, &str); 10] = [
    ("Email", "email"),
    ("Loyalty Tier", "string"),
    ("City", "string"),
    ("Signup Date", "date"),
    ("Last Login", "timestamp"),
    ("Total Spend", "decimal(18,2)"),
    ("Orders", "int"),
    ("Opted In", "boolean"),
    ("Points", "bigint"),
    ("Favourite Note", "string"),
];

/// A column of the file; its number is its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Cid,
    Email,
    Tier,
    City,
    Signup,
    Login,
    Spend,
    Orders,
    OptedIn,
    Points,
    Note,
}

impl Column {
    /// Every column, in order.
    pub(crate) const ALL: [Self; ATTRIBUTES.len() + 1] = [
        Self::Cid,
        Self::Email,
        Self::Tier,
        Self::City,
        Self::Signup,
        Self::Login,
        Self::Spend,
        Self::Orders,
        Self::OptedIn,
        Self::Points,
        Self::Note,
    ];
}

/// The header line, with its line end.
pub(crate) fn header() -> String {
    let mut line = String::from(KEY_COLUMN);
    for (column, _) in ATTRIBUTES {
        line.push(',');
        line.push_str(column);
    }
    line.push('\n');
    line
}

/// The bytes of a record without its line end, and where each cell starts in them.
#[derive(Debug, Default)]
pub(crate) struct Record {
    bytes: Vec<u8>,
    starts: [usize; Column::ALL.len()],
}

impl Record {
    /// Becomes a clean record of customer `id`.
    pub(crate) fn fill(&mut self, id: u64, rng: &mut Rng) {
        self.bytes.clear();
        for (column, start) in Column::ALL.into_iter().zip(&mut self.starts) {
            if column != Column::Cid {
                self.bytes.push(b',');
            }
            *start = self.bytes.len();
            push_cell(&mut self.bytes, column, id, rng);
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Appends to the last cell.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Drops `column` and all after it, its comma too.
    pub(crate) fn cut_before(&mut self, column: Column) {
        self.bytes
            .truncate(self.starts[column as usize].saturating_sub(1));
    }

    /// Puts `cell`, quoted already if it must be, in the place of a column's. A second replacement has to be
    /// further left than the first.
    pub(crate) fn replace(&mut self, column: Column, cell: &[u8]) {
        let start = self.starts[column as usize];
        let end = self
            .starts
            .get(column as usize + 1)
            .map_or(self.bytes.len(), |next| next - 1);
        self.bytes.splice(start..end, cell.iter().copied());
    }
}

/// Appends a clean cell, here and there an empty one.
fn push_cell(out: &mut Vec<u8>, column: Column, id: u64, rng: &mut Rng) {
    if rng.chance(empty_per_million(column)) {
        return;
    }
    match column {
        Column::Cid => push_cid(out, id),
        Column::Email => push_email(out, id, rng),
        Column::Tier => out.extend_from_slice(rng.pick(&TIERS).as_bytes()),
        Column::City => out.extend_from_slice(rng.pick(&CITIES).as_bytes()),
        Column::Signup => push_date(out, DAY_2012 + rng.below(DAY_2024 - DAY_2012)),
        Column::Login => push_timestamp(out, DAY_2024, 700, rng),
        Column::Spend => push_spend(out, rng),
        Column::Orders => push_number(out, rng.below(400)),
        Column::OptedIn => out.extend_from_slice(rng.pick(&["true", "false"]).as_bytes()),
        Column::Points => push_points(out, rng),
        Column::Note => push_note(out, rng),
    }
}

/// How many cells of a column are empty: optional facts are missing more often than booked ones.
fn empty_per_million(column: Column) -> u64 {
    match column {
        Column::Cid | Column::Signup | Column::Orders => 0,
        Column::Spend | Column::OptedIn | Column::Points => 5_000,
        Column::Email | Column::City | Column::Login => 30_000,
        Column::Tier => 150_000,
        Column::Note => 400_000,
    }
}

fn push_email(out: &mut Vec<u8>, id: u64, rng: &mut Rng) {
    out.extend_from_slice(rng.pick(&NAMES).as_bytes());
    out.push(b'.');
    push_number(out, id);
    out.push(b'@');
    out.extend_from_slice(rng.pick(&HOSTS).as_bytes());
}

/// Most spend little, a few spend a lot.
pub(crate) fn push_spend(out: &mut Vec<u8>, rng: &mut Rng) {
    let scale = rng.pick(&[100, 10_000, 10_000, 100_000, 100_000, 2_000_000, 50_000_000]);
    push_cents(out, 1 + rng.below(scale));
}

/// One in sixteen does not fit in 32 bits.
fn push_points(out: &mut Vec<u8>, rng: &mut Rng) {
    let scale = if rng.chance(62_500) { 1 << 40 } else { 1 << 16 };
    push_number(out, rng.below(scale));
}

/// A few words: bare, or quoted for a comma, for doubled quotes, or now and then for a line end.
fn push_note(out: &mut Vec<u8>, rng: &mut Rng) {
    let (open, middle, close) = match rng.below(32) {
        0 => ("\"", "\n", "\""),
        1 => ("\"", ",\r\n", "\""),
        2..6 => ("\"", ", \"\"", "\"\"\""),
        6..16 => ("\"", ", ", "\""),
        _ => ("", " ", ""),
    };
    out.extend_from_slice(open.as_bytes());
    push_words(out, rng);
    out.extend_from_slice(middle.as_bytes());
    push_words(out, rng);
    out.extend_from_slice(close.as_bytes());
}

/// One to four words.
pub(crate) fn push_words(out: &mut Vec<u8>, rng: &mut Rng) {
    out.extend_from_slice(rng.pick(&NOTE_WORDS).as_bytes());
    for _ in 0..rng.below(4) {
        out.push(b' ');
        out.extend_from_slice(rng.pick(&NOTE_WORDS).as_bytes());
    }
}
