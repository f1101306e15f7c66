//! Processes: what is done with a file.

use std::collections::BTreeMap;
use std::fmt::Write;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::forms::Form;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Register,
    Update,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDuplicate {
    RejectAll,
    KeepFirst,
    KeepLast,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Null {
    Clear,
    Keep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trim {
    Blanks,
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Reject,
    Warn,
    Off,
}

impl Severity {
    pub fn word(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Warn => "warn",
            Self::Off => "off",
        }
    }
}

/// How many records may be rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    Unlimited,
    Rows(u64),
    Percent(u64),
}

impl Budget {
    pub fn is_exceeded(self, rejected: u64, read: u64) -> bool {
        match self {
            Self::Unlimited => false,
            Self::Rows(most) => rejected > most,
            Self::Percent(most) => rejected * 100 > most * read,
        }
    }

    pub fn text(self) -> String {
        match self {
            Self::Unlimited => "unlimited".to_owned(),
            Self::Rows(rows) => rows.to_string(),
            Self::Percent(share) => format!("{share}%"),
        }
    }
}

/// The type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Int,
    Bigint,
    /// `decimal(9,2)`.
    Decimal,
    Double,
    Boolean,
    Date,
    Timestamp,
    /// A `timestamp` two hours ahead of UTC.
    LocalTimestamp,
    Text,
    /// `varchar(5)`.
    Varchar,
    Email,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Bigint => "bigint",
            Self::Decimal => "decimal(9,2)",
            Self::Double => "double",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp | Self::LocalTimestamp => "timestamp",
            Self::Text => "string",
            Self::Varchar => "varchar(5)",
            Self::Email => "email",
        }
    }

    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Varchar | Self::Email)
    }
}

/// What is done with a value that does not fit, instead of rejecting its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mend {
    /// Too long a text is cut.
    Truncate,
    /// Unsupported characters are left out.
    Strip,
    /// Too many decimals are rounded.
    Round,
}

impl Mend {
    const ALL: [Self; 3] = [Self::Truncate, Self::Strip, Self::Round];

    fn is_of(self, kind: Kind) -> bool {
        match self {
            Self::Truncate => matches!(kind, Kind::Text | Kind::Varchar),
            Self::Strip => kind.is_text(),
            Self::Round => kind == Kind::Decimal,
        }
    }

    fn toml(self) -> &'static str {
        match self {
            Self::Truncate => "on_too_long = \"truncate\"\n",
            Self::Strip => "on_unsupported = \"strip\"\n",
            Self::Round => "on_scale = \"round\"\n",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Attribute {
    pub column: String,
    pub name: String,
    pub kind: Kind,
    /// Instead of the process's.
    pub null: Option<Null>,
    /// Instead of the source's.
    pub null_tokens: Option<Vec<&'static str>>,
    /// Those of its kind.
    pub mends: Vec<Mend>,
}

/// What a rule of the user asks of the first attribute, or of the column `note`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    NotNegative,
    /// Fails on a zero.
    Divides,
    Note,
    Largest,
    Falls,
}

#[derive(Debug, Clone)]
pub struct UserRule {
    pub id: &'static str,
    pub check: Check,
    pub severity: Severity,
}

impl UserRule {
    /// Comments and semicolons are where people leave them.
    fn sql(&self, number: &str) -> String {
        match self.check {
            Check::NotNegative => format!("{number} >= 0 -- no debts"),
            Check::Divides => format!("100 / {number} <> 50"),
            Check::Note => "raw['note'] <> 'bad'".to_owned(),
            Check::Largest => {
                format!(
                    "SELECT record_no FROM incoming WHERE {number} = (SELECT max({number}) FROM incoming);"
                )
            }
            Check::Falls => format!(
                "SELECT i.record_no FROM incoming i JOIN customers c ON i.customer_id = c.customer_id WHERE c.{number} > i.{number} -- never less"
            ),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Process {
    pub name: &'static str,
    pub mode: Mode,
    pub key: String,
    pub form: Form,
    pub delimiter: &'static str,
    pub trim: Trim,
    pub null_tokens: Vec<&'static str>,
    pub on_duplicate: OnDuplicate,
    pub null: Null,
    pub budget: Budget,
    pub allow_none: bool,
    pub attributes: Vec<Attribute>,
    pub severities: BTreeMap<&'static str, Severity>,
    pub rules: Vec<UserRule>,
}

impl Process {
    /// The process file.
    pub fn toml(&self) -> String {
        let mut text = format!(
            "mode = \"{}\"\nkey = {:?}\n[source]\nurl = \"unused.csv\"\n{}trim = {}\nnull_tokens = {:?}\n",
            if self.mode == Mode::Update {
                "update"
            } else {
                "register"
            },
            self.key,
            self.form.toml(self.delimiter),
            self.trim == Trim::Blanks,
            self.null_tokens,
        );
        let duplicate = match self.on_duplicate {
            OnDuplicate::RejectAll => "reject_all",
            OnDuplicate::KeepFirst => "keep_first",
            OnDuplicate::KeepLast => "keep_last",
        };
        text += &format!(
            "[policy]\non_duplicate = {duplicate:?}\nnull = {:?}\nmax_rejects = {:?}\nallow_none = {}\n[rules]\n",
            null_word(self.null),
            self.budget.text(),
            self.allow_none,
        );
        for (rule, severity) in &self.severities {
            writeln!(text, "{rule} = {:?}", severity.word()).unwrap();
        }
        for attribute in &self.attributes {
            text += &attribute.toml();
        }
        for rule in &self.rules {
            let sql = rule.sql(&self.attributes[0].name);
            text += &format!(
                "[[rule]]\nid = {:?}\nsql = {sql:?}\nseverity = {:?}\n",
                rule.id,
                rule.severity.word()
            );
        }
        text
    }
}

impl Attribute {
    fn toml(&self) -> String {
        let mut text = format!(
            "[[attribute]]\ncolumn = {:?}\nname = {:?}\ntype = {:?}\n",
            self.column,
            self.name,
            self.kind.word()
        );
        if let Some(null) = self.null {
            writeln!(text, "null = {:?}", null_word(null)).unwrap();
        }
        if let Some(tokens) = &self.null_tokens {
            writeln!(text, "null_tokens = {tokens:?}").unwrap();
        }
        text.extend(self.mends.iter().map(|mend| mend.toml()));
        if self.kind == Kind::LocalTimestamp {
            text += "time_zone = \"Etc/GMT-2\"\n";
        }
        text
    }
}

fn null_word(null: Null) -> &'static str {
    match null {
        Null::Clear => "clear",
        Null::Keep => "keep",
    }
}

/// Texts that a process may take for an empty cell.
pub const TOKENS: [&str; 2] = ["NA", "-"];

/// The built-in rules whose severity a process may set.
const ADJUSTABLE: [&str; 6] = [
    "invalid_encoding",
    "date_default",
    "date_too_early",
    "string_too_long",
    "unsupported_character",
    "email_invalid",
];

fn severity() -> impl Strategy<Value = Severity> {
    select(vec![Severity::Reject, Severity::Warn, Severity::Off])
}

fn null() -> impl Strategy<Value = Null> {
    select(vec![Null::Clear, Null::Keep])
}

fn tokens() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(TOKENS.to_vec(), 0..=TOKENS.len())
}

/// Attributes of kinds that are not asked of the first one; the column's name is a nuisance to quote.
fn attributes(name: &'static str, kinds: Vec<Kind>) -> impl Strategy<Value = Vec<Attribute>> {
    let all: Vec<Kind> = kinds.into_iter().chain([Kind::Int]).collect();
    let others = subsequence(all.clone(), 1..=5);
    let mends = subsequence(Mend::ALL.to_vec(), 0..=3);
    (others, vec((option::of(null()), option::of(tokens()), mends), 6)).prop_map(move |(others, own)| {
        let kinds = std::iter::once(Kind::Int).chain(others);
        let attribute =
            |(at, (kind, (null, null_tokens, mends))): (usize, (Kind, (_, _, Vec<Mend>)))| Attribute {
                column: format!("{name}'s \"{at}\"; ok, {}", kind.word()),
                name: format!("{name}_{at}"),
                kind,
                null,
                null_tokens,
                mends: mends.into_iter().filter(|mend| mend.is_of(kind)).collect(),
            };
        kinds.zip(own).enumerate().map(attribute).collect()
    })
}

fn rules() -> impl Strategy<Value = Vec<UserRule>> {
    let all = vec![
        ("not_negative", Check::NotNegative),
        ("divides", Check::Divides),
        ("note_good", Check::Note),
        ("largest", Check::Largest),
        ("falls", Check::Falls),
    ];
    (subsequence(all, 0..=3), vec(severity(), 3)).prop_map(|(rules, severities)| {
        let rule = |((id, check), severity)| UserRule { id, check, severity };
        rules.into_iter().zip(severities).map(rule).collect()
    })
}

pub fn budget() -> impl Strategy<Value = Budget> {
    prop_oneof![
        6 => Just(Budget::Unlimited),
        1 => (0..4u64).prop_map(Budget::Rows),
        1 => select(vec![0, 20, 50, 99]).prop_map(Budget::Percent),
    ]
}

/// A process with attributes of `kinds`.
pub fn process(name: &'static str, kinds: Vec<Kind>) -> impl Strategy<Value = Process> {
    let delimiter = select(vec![",", ";", "\t", "|", "||", "~|~"]);
    let form = prop_oneof![
        4 => Just(Form::Utf8),
        1 => Just(Form::Utf16),
        1 => Just(Form::Latin1),
        1 => Just(Form::Ndjson),
        1 => Just(Form::Parquet),
    ];
    let source = (delimiter, any::<bool>(), tokens(), form);
    let duplicates = select(vec![
        OnDuplicate::RejectAll,
        OnDuplicate::KeepFirst,
        OnDuplicate::KeepLast,
    ]);
    let policy = (duplicates, null(), budget(), any::<bool>());
    let mode = prop_oneof![3 => Just(Mode::Register), 1 => Just(Mode::Update)];
    let severities = btree_map(select(ADJUSTABLE.to_vec()), severity(), 0..4);
    (mode, source, policy, attributes(name, kinds), severities, rules()).prop_map(
        move |(mode, source, policy, attributes, severities, rules)| Process {
            name,
            mode,
            key: format!("{name} ID"),
            form: source.3,
            delimiter: source.0,
            trim: if source.1 { Trim::Blanks } else { Trim::Nothing },
            null_tokens: source.2,
            on_duplicate: policy.0,
            null: policy.1,
            budget: policy.2,
            allow_none: policy.3,
            attributes,
            severities,
            rules,
        },
    )
}
