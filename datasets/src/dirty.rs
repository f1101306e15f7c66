//! The kinds of flaw, how many rows have them, and how a clean record gets one.

use crate::record::{ATTRIBUTES, Column, Record};
use crate::rng::Rng;

/// What is wrong with a row; a row has one flaw at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dirty {
    /// One to three fields are missing at the end.
    ShortRecord,
    /// One to three fields too many.
    LongRecord,
    /// A quote inside a bare field, or text after a closing quote. The record ends at its own line end.
    StrayQuote,
    /// The last field opens a quote and the file ends within it; so there is one at most, in the last record.
    UnterminatedQuote,
    /// Bytes of another encoding in the city.
    InvalidUtf8,
    /// No CID, bare or as an empty quoted field.
    NullCid,
    /// The CID of another row: all two or three records of the group count.
    DuplicateCid,
    /// A cell that does not fit its type, or would fit only rounded.
    TypeMismatch,
    /// 1900-01-01 or 1989-01-01, as a date or as the date of a timestamp.
    DefaultDate,
    /// A date before 1753-01-01.
    EarlyDate,
    /// A note of more than 8000 characters.
    LongString,
    /// An emoji in the city or the note.
    Emoji,
    /// An address that is none.
    BadEmail,
    /// A spend below zero: valid, unless a user's rule forbids it.
    NegativeSpend,
    /// Every attribute is empty: valid, and clears what the customer had.
    Cleared,
}

impl Dirty {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::ShortRecord,
        Self::LongRecord,
        Self::StrayQuote,
        Self::UnterminatedQuote,
        Self::InvalidUtf8,
        Self::NullCid,
        Self::DuplicateCid,
        Self::TypeMismatch,
        Self::DefaultDate,
        Self::EarlyDate,
        Self::LongString,
        Self::Emoji,
        Self::BadEmail,
        Self::NegativeSpend,
        Self::Cleared,
    ];

    /// The id of the built-in rule that such a row breaks, and no other; none if it breaks none.
    pub fn rule(self) -> Option<&'static str> {
        match self {
            Self::ShortRecord | Self::LongRecord | Self::StrayQuote | Self::UnterminatedQuote => {
                Some("malformed_record")
            }
            Self::InvalidUtf8 => Some("invalid_encoding"),
            Self::NullCid => Some("cid_null"),
            Self::DuplicateCid => Some("cid_duplicate"),
            Self::TypeMismatch => Some("type_mismatch"),
            Self::DefaultDate => Some("date_default"),
            Self::EarlyDate => Some("date_too_early"),
            Self::LongString => Some("string_too_long"),
            Self::Emoji => Some("unsupported_character"),
            Self::BadEmail => Some("email_invalid"),
            Self::NegativeSpend | Self::Cleared => None,
        }
    }
}

/// Rows per million with each kind of flaw; all zero by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DirtyShare {
    /// [`Dirty::ShortRecord`]
    pub short_record: u32,
    /// [`Dirty::LongRecord`]
    pub long_record: u32,
    /// [`Dirty::StrayQuote`]
    pub stray_quote: u32,
    /// [`Dirty::UnterminatedQuote`]: no share, the last record has it if this is not zero.
    pub unterminated_quote: u32,
    /// [`Dirty::InvalidUtf8`]
    pub invalid_utf8: u32,
    /// [`Dirty::NullCid`]
    pub null_cid: u32,
    /// [`Dirty::DuplicateCid`]: all records of the groups together.
    pub duplicate_cid: u32,
    /// [`Dirty::TypeMismatch`]
    pub type_mismatch: u32,
    /// [`Dirty::DefaultDate`]
    pub default_date: u32,
    /// [`Dirty::EarlyDate`]
    pub early_date: u32,
    /// [`Dirty::LongString`]
    pub long_string: u32,
    /// [`Dirty::Emoji`]
    pub emoji: u32,
    /// [`Dirty::BadEmail`]
    pub bad_email: u32,
    /// [`Dirty::NegativeSpend`]
    pub negative_spend: u32,
    /// [`Dirty::Cleared`]
    pub cleared: u32,
}

impl DirtyShare {
    /// The same share of every kind but the unterminated quote.
    pub fn even(per_million: u32) -> Self {
        Self {
            short_record: per_million,
            long_record: per_million,
            stray_quote: per_million,
            unterminated_quote: 0,
            invalid_utf8: per_million,
            null_cid: per_million,
            duplicate_cid: per_million,
            type_mismatch: per_million,
            default_date: per_million,
            early_date: per_million,
            long_string: per_million,
            emoji: per_million,
            bad_email: per_million,
            negative_spend: per_million,
            cleared: per_million,
        }
    }

    /// The share of one kind, in rows per million.
    pub fn of(&self, kind: Dirty) -> u32 {
        match kind {
            Dirty::ShortRecord => self.short_record,
            Dirty::LongRecord => self.long_record,
            Dirty::StrayQuote => self.stray_quote,
            Dirty::UnterminatedQuote => self.unterminated_quote,
            Dirty::InvalidUtf8 => self.invalid_utf8,
            Dirty::NullCid => self.null_cid,
            Dirty::DuplicateCid => self.duplicate_cid,
            Dirty::TypeMismatch => self.type_mismatch,
            Dirty::DefaultDate => self.default_date,
            Dirty::EarlyDate => self.early_date,
            Dirty::LongString => self.long_string,
            Dirty::Emoji => self.emoji,
            Dirty::BadEmail => self.bad_email,
            Dirty::NegativeSpend => self.negative_spend,
            Dirty::Cleared => self.cleared,
        }
    }
}

/// Gives a clean record its flaw. A duplicate has it by its id already.
pub(crate) fn spoil(record: &mut Record, kind: Dirty, rng: &mut Rng) {
    match kind {
        Dirty::ShortRecord => record.cut_before(rng.pick(&[Column::OptedIn, Column::Points, Column::Note])),
        Dirty::LongRecord => record.append(rng.pick(&[",", ",surplus", ",1,2,3"]).as_bytes()),
        Dirty::StrayQuote => record.replace(
            Column::Tier,
            rng.pick(&["Go\"ld", "\"Silver\" card\""]).as_bytes(),
        ),
        Dirty::UnterminatedQuote => {
            record.replace(Column::Note, b"\"left open, and the file ends here");
        }
        Dirty::InvalidUtf8 => {
            // Latin-1, a sequence cut short, an overlong form, a surrogate.
            let cities: [&[u8]; 4] = [b"M\xFCnchen", b"Par\xC3", b"L\xC0\xAFon", b"\xED\xA0\x80xford"];
            record.replace(Column::City, rng.pick(&cities));
        }
        Dirty::NullCid => record.replace(Column::Cid, rng.pick(&["", "\"\""]).as_bytes()),
        Dirty::DuplicateCid => {}
        Dirty::TypeMismatch => mistype(record, rng),
        Dirty::DefaultDate => default_date(record, rng),
        Dirty::EarlyDate => {
            record.replace(
                Column::Signup,
                rng.pick(&["1752-12-31", "1066-10-14", "0001-01-01"]).as_bytes(),
            );
        }
        Dirty::LongString => record.replace(Column::Note, &vec![b'x'; 8_001 + rng.below(1_000) as usize]),
        Dirty::Emoji => {
            let column = rng.pick(&[Column::City, Column::Note]);
            record.replace(
                column,
                rng.pick(&["Lyon 👍", "🇪🇸 fan", "best ❤️ shop", "1️⃣ first", "👩‍🚀"])
                    .as_bytes(),
            );
        }
        Dirty::BadEmail => {
            let addresses = [
                "no-at.example.com",
                "two@@example.com",
                "ana@nodot",
                "@example.com",
                "a@exa mple.com",
            ];
            record.replace(Column::Email, rng.pick(&addresses).as_bytes());
        }
        Dirty::NegativeSpend => record.replace(
            Column::Spend,
            rng.pick(&["-0.01", "-12.50", "-1000.00"]).as_bytes(),
        ),
        Dirty::Cleared => {
            record.cut_before(Column::Email);
            record.append(&[b','; ATTRIBUTES.len()]);
        }
    }
}

fn mistype(record: &mut Record, rng: &mut Rng) {
    let cells = [
        (Column::Orders, "many"),
        (Column::Orders, "12.5"),
        (Column::Orders, "99999999999"),
        (Column::Signup, "2023-02-30"),
        (Column::Signup, "31/12/2023"),
        (Column::Spend, "12.345"),
        (Column::Spend, "\"1,234.50\""),
        (Column::Login, "2024-01-01 25:00:00"),
        (Column::OptedIn, "perhaps"),
        (Column::Points, "9223372036854775808"),
    ];
    let (column, cell) = rng.pick(&cells);
    record.replace(column, cell.as_bytes());
}

fn default_date(record: &mut Record, rng: &mut Rng) {
    let cells = [
        (Column::Signup, "1900-01-01"),
        (Column::Signup, "1989-01-01"),
        (Column::Login, "1900-01-01 00:00:00"),
        (Column::Login, "1989-01-01 12:30:00"),
    ];
    let (column, cell) = rng.pick(&cells);
    record.replace(column, cell.as_bytes());
}
