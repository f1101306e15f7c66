//! One rule, as plain data: what SQL finds the offenders, and what is said of them.

/// What breaking a rule means for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The record is rejected.
    Reject,
    /// The record is counted.
    Warn,
}

impl Severity {
    /// The word in reports and tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Warn => "warn",
        }
    }
}

/// How a rule finds its offenders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// Known from splitting: the record never becomes a row.
    Malformed,
    /// A predicate over a row of `incoming`; true means broken.
    Row,
    /// The user's expression; false means broken, an error means `rule_error`.
    UserRow,
    /// A query that returns the `record_no` of offenders.
    Query,
    /// The user's query, likewise.
    UserQuery,
    /// What a [`Check::UserRow`] that fails on a row breaks.
    Error,
}

/// A rule of one process, for one column where it is about a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Stable id: a built-in's, or the user's.
    pub id: String,
    /// The source's column; `None` for a rule about the whole record.
    pub column: Option<String>,
    /// How offenders are found.
    pub check: Check,
    /// The SQL, as `sluice rules` prints it.
    pub sql: String,
    /// What breaking it means.
    pub severity: Severity,
    /// What is said of an offender.
    pub message: String,
}

/// Ids of the built-in rules that code refers to (contract, section 4).
pub mod id {
    /// Field count, stray or unterminated quote, oversized.
    pub const MALFORMED_RECORD: &str = "malformed_record";
    /// Bytes that are no text in the source's encoding.
    pub const INVALID_ENCODING: &str = "invalid_encoding";
    /// No customer id.
    pub const CID_NULL: &str = "cid_null";
    /// A customer id that stands more than once in the source.
    pub const CID_DUPLICATE: &str = "cid_duplicate";
    /// A customer id that is no customer, in mode `update`.
    pub const CID_UNKNOWN: &str = "cid_unknown";
    /// A replayed record whose customer another run may have written since.
    pub const CID_OVERTAKEN: &str = "cid_overtaken";
    /// A text that is no value of the attribute's type.
    pub const TYPE_MISMATCH: &str = "type_mismatch";
    /// A date that stands for "none".
    pub const DATE_DEFAULT: &str = "date_default";
    /// A date before 1753-01-01.
    pub const DATE_TOO_EARLY: &str = "date_too_early";
    /// A text over its type's length.
    pub const STRING_TOO_LONG: &str = "string_too_long";
    /// Emoji, control characters, and what the type's alphabet lacks.
    pub const UNSUPPORTED_CHARACTER: &str = "unsupported_character";
    /// No address.
    pub const EMAIL_INVALID: &str = "email_invalid";
    /// A user's row rule that failed on a row.
    pub const RULE_ERROR: &str = "rule_error";
}
