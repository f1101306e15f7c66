//! A process: as typed (`Raw...`, every key optional) and as resolved ([`Process`]).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::attribute::Attribute;
use super::guard::Guard;
use super::policy::{Mode, NullPolicy, OnDuplicate, OnScale, OnTooLong, OnUnsupported, Policy, RawBudget};
use super::retention::RejectRetention;
use super::rule::{BuiltinSeverities, Severity, UserRule};
use super::schedule::{Every, Schedule};
use super::source::{Format, Newline, Source};
use super::table::{table, tables};

/// What a user defined, complete and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Process {
    /// Name: that of the file.
    pub name: String,
    /// What becomes of unknown customers.
    pub mode: Mode,
    /// The source's column that holds the CID.
    pub key: String,
    /// Where rows come from.
    pub source: Source,
    /// What the source's columns become.
    pub attributes: Vec<Attribute>,
    /// What is done with what does not fit.
    pub policy: Policy,
    /// What a run must not do unasked.
    pub guard: Guard,
    /// How long rejects are kept.
    pub retention: RejectRetention,
    /// When it runs; none: one-time.
    pub schedule: Option<Schedule>,
    /// Severities of the built-in rules.
    pub severities: BuiltinSeverities,
    /// The user's own rules.
    pub rules: Vec<UserRule>,
    /// SHA-256 of the file's text, in hexadecimal.
    pub hash: String,
}

impl Process {
    /// The attribute with the role `email`.
    pub fn email(&self) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|attribute| attribute.ty == super::types::AttributeType::Email)
    }
}

/// A process file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename = "process")]
#[schemars(extend("required" = ["mode", "key", "source", "attribute"]))]
pub struct RawProcess {
    /// What becomes of unknown customers: "register" creates them, "update" rejects their rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The source's column that holds the customer id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Where rows come from.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "table")]
    pub source: Option<RawSource>,
    /// What the source's columns become.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "tables")]
    pub attribute: Vec<RawAttribute>,
    /// What is done with what does not fit.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "table")]
    pub policy: Option<RawPolicy>,
    /// What a run must not do to the customers unless it is told yes.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "table")]
    pub guard: Option<RawGuard>,
    /// How long rejects are kept; without it for ever.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "table")]
    pub retention: Option<RawRetention>,
    /// When it runs; without it the process is one-time.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "table")]
    pub schedule: Option<RawSchedule>,
    /// Severities of the built-in rules.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "table")]
    pub rules: Option<RawRules>,
    /// Rules of the user's own.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "tables")]
    pub rule: Vec<RawRule>,
}

/// Where rows come from: `url` or `query`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename = "source")]
pub struct RawSource {
    /// A path, or a URL: s3://, gs://, sftp://, snowflake://DB/SCHEMA/TABLE. A local folder, in/, or a pattern in one,
    /// in/Customers_%.csv, stands for the file there that was modified last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// A query that Snowflake answers, instead of a URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// NAME of a [connections.NAME] in sluice.toml.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Names of the files that follow the first one: their common beginning and _%.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[^%/]+_%$"))]
    pub pattern: Option<String>,
    /// Format of the file; left out, it shows: Parquet by its content, NDJSON by the ending .ndjson or .jsonl, else CSV.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// What divides fields: one to eight ASCII characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// What encloses fields: one ASCII character, or "" for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// What makes a quote inside a quoted field data, in place of doubling it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escape: Option<String>,
    /// Whether the first record holds the columns' names; without it they are column_1, column_2 and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// The columns' names, for a file without a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Physical lines to pass over before the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_rows: Option<u64>,
    /// Physical lines at the end of the file that are no records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_footer_rows: Option<u64>,
    /// What ends a line: "lf" (LF, and CRLF among them) or "cr" (CR alone).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newline: Option<Newline>,
    /// What a comment line starts with: one ASCII character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Encoding of the file: utf-8, utf-16, utf-16le, utf-16be, iso-8859-1, windows-1252, or another of one byte a character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// Whether blanks around a value are taken off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trim: Option<bool>,
    /// Texts that stand for an empty cell, besides no text at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null_tokens: Option<Vec<String>>,
    /// What Snowflake orders rows by, so that "first" and "last" have a meaning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_by: Option<String>,
}

/// A column and what it becomes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename = "attribute")]
#[schemars(extend("required" = ["column", "type"]))]
pub struct RawAttribute {
    /// The source's column, byte for byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Name of the attribute; the column in lower case, other characters as _.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{0,62}$"))]
    pub name: Option<String>,
    /// int, bigint, decimal(p,s), double, boolean, date, timestamp, string, varchar(n), nvarchar(n) or email.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub ty: Option<String>,
    /// Name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// How values are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    /// Formats of a date or timestamp, as "%d/%m/%Y", tried in this order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Vec<String>>,
    /// Zone in which a timestamp without one is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// What an empty cell does to the value stored before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null: Option<NullPolicy>,
    /// Texts that stand for an empty cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null_tokens: Option<Vec<String>>,
    /// Days that stand for "no date", as "1900-01-01".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_dates: Option<Vec<String>>,
    /// What becomes of text that is too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_too_long: Option<OnTooLong>,
    /// What becomes of characters that are not supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_unsupported: Option<OnUnsupported>,
    /// What becomes of digits beyond the scale of a decimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_scale: Option<OnScale>,
}

/// What is done with what does not fit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename = "policy")]
pub struct RawPolicy {
    /// Which of several records of one customer counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_duplicate: Option<OnDuplicate>,
    /// What an empty cell does to the value stored before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null: Option<NullPolicy>,
    /// How many rows may be rejected: N, or "N%" of the rows read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rejects: Option<RawBudget>,
    /// Whether the first rejected row fails the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    /// Whether a run that accepted no row may complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_none: Option<bool>,
}

/// What a run must not do to the customers unless it is told yes: beyond a share it stops before it merges.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename = "guard")]
pub struct RawGuard {
    /// The largest share of an attribute's values that a run may clear, as "20%".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cleared: Option<String>,
    /// The largest share of an attribute's values that a run may replace or clear, as "50%".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_changed: Option<String>,
    /// How many fewer rows than the last run that merged a source may have, as "30%" of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_row_drop: Option<String>,
}

/// How long rejects are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename = "retention")]
pub struct RawRetention {
    /// How long the customer, the values and the bytes of a reject are kept, as "90d" or "48h".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject_payload: Option<String>,
    /// How long a reject is kept at all: its place and the rules it broke. `runs` counts them for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject_rows: Option<String>,
}

/// When a recurring process runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename = "schedule")]
#[schemars(extend("required" = ["every"]))]
pub struct RawSchedule {
    /// How often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Every>,
    /// The first due time, as "2026-01-01T03:00".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Zone of `start`, as "Europe/Madrid".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// Severities of the built-in rules about cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename = "rules")]
pub struct RawRules {
    /// Bytes that are not text in the source's encoding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invalid_encoding: Option<Severity>,
    /// A date that stands for "no date".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_default: Option<Severity>,
    /// A date before 1753-01-01.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_too_early: Option<Severity>,
    /// Text longer than its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string_too_long: Option<Severity>,
    /// A character that is not supported, an emoji for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsupported_character: Option<Severity>,
    /// Text that is no email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_invalid: Option<Severity>,
}

/// A rule of the user's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename = "rule")]
#[schemars(extend("required" = ["id", "sql"]))]
pub struct RawRule {
    /// Id of the rule in rejects and reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{0,62}$"))]
    pub id: Option<String>,
    /// An expression that is true for good rows, or a SELECT of the record_no of bad ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// What breaking the rule means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// What the reject says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
