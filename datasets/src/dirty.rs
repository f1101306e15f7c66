//! The kinds of flaw, and how many rows have them.

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

/// Which stream of random numbers decides on flaws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FlawDraws {
    /// The one that cells are drawn from: a flaw changes every cell after it.
    #[default]
    Shared,
    /// One of their own: files that differ in their flaws alone agree in every record that is clean in both.
    Own,
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

    /// Six kinds of well-formed flaw, each about as frequent, that spoil `per_million` rows together.
    ///
    /// All of them are rejected, each by one rule, and none is malformed: every CSV reader sees the same records.
    /// Groups of duplicates take more rows than they are drawn, which the shares make up for; at a million no row
    /// stays clean but one that finds no partner before the file ends.
    pub fn well_formed(per_million: u32) -> Self {
        let bad = u64::from(per_million.min(1_000_000));
        // With a share s of each kind, a draw is flawed with 5 s + 4/9 s, and 1 + 5/9 s rows come of it.
        let share = 9_000_000 * bad / (54_000_000 - 5 * bad);
        let flawed_draws = 49_000_000 * bad / (54_000_000 - 5 * bad);
        let rest = flawed_draws - 4 * share - share * 4 / 9;
        let [share, rest] = [share, rest].map(|rows| u32::try_from(rows).unwrap_or(u32::MAX));
        Self {
            null_cid: share,
            duplicate_cid: share,
            type_mismatch: share,
            default_date: share,
            emoji: share,
            bad_email: rest,
            ..Self::default()
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
