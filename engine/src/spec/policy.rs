//! What is done with what does not fit: every choice a word, none a flag.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::instance::Defaults;
use super::problem::{Findings, Problem};
use super::process::RawPolicy;

/// What becomes of a customer the instance does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// An unknown customer is created.
    Register,
    /// A row with an unknown customer is rejected.
    Update,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Register => "register",
            Self::Update => "update",
        })
    }
}

/// What an empty cell does to the value stored before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NullPolicy {
    /// It clears the value: last write wins, whole record.
    #[default]
    Clear,
    /// It leaves the value as it was.
    Keep,
}

/// What becomes of text longer than its type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnTooLong {
    /// It breaks `string_too_long`.
    #[default]
    Reject,
    /// It is cut to the longest text that fits.
    Truncate,
}

/// What becomes of characters that are not supported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnUnsupported {
    /// They break `unsupported_character`.
    #[default]
    Reject,
    /// They are taken out of the text.
    Strip,
}

/// What becomes of a decimal with more digits after the point than its scale.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnScale {
    /// It breaks `type_mismatch`.
    #[default]
    Reject,
    /// It is rounded to the scale.
    Round,
}

/// Which of several records of one customer counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicate {
    /// None.
    #[default]
    RejectAll,
    /// The first that breaks no other rejecting rule.
    KeepFirst,
    /// The last that breaks no other rejecting rule.
    KeepLast,
}

/// Whether the first rejected row fails the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strictness {
    /// The budget decides.
    #[default]
    Lenient,
    /// The budget is 0 rows.
    Strict,
}

/// Whether a run that read rows and accepted none may complete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NoneAccepted {
    /// The run fails.
    #[default]
    Fails,
    /// The run completes.
    Completes,
}

/// How many rows a run may reject and still merge.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum RejectBudget {
    /// Any number.
    #[default]
    Unlimited,
    /// So many rows.
    Rows(u64),
    /// So many of every hundred rows read, 0 to 100.
    Percent(f64),
}

impl RejectBudget {
    /// Whether `rejected_rows` of `read_rows` are too many; judged at the end of the source.
    pub fn is_exceeded(self, rejected_rows: u64, read_rows: u64) -> bool {
        match self {
            Self::Unlimited => false,
            Self::Rows(most) => rejected_rows > most,
            Self::Percent(most) => rejected_rows as f64 * 100.0 > most * read_rows as f64,
        }
    }
}

impl fmt::Display for RejectBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::Rows(rows) => write!(f, "{rows}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl FromStr for RejectBudget {
    type Err = Problem;

    /// Reads `N`, `N%`, or `unlimited`, which undoes a limit set further out.
    fn from_str(text: &str) -> Result<Self, Problem> {
        let plain = |c: char| c.is_ascii_digit() || c == '.';
        let budget = match text.strip_suffix('%') {
            Some(share) => Some(share.trim_end())
                .filter(|share| share.chars().all(plain))
                .and_then(|share| share.parse().ok())
                .filter(|share| (0.0..=100.0).contains(share))
                .map(Self::Percent),
            None if text == "unlimited" => Some(Self::Unlimited),
            None => text
                .chars()
                .all(|c| c.is_ascii_digit())
                .then(|| text.parse().ok())
                .flatten()
                .map(Self::Rows),
        };
        budget.ok_or_else(|| {
            let remedy = "write a number of rows, as 100, or a share of the rows read from 0% to 100%, as 1%";
            Problem::new("max_rejects", format!("`{text}` is no budget"), remedy)
        })
    }
}

/// A budget as typed: an integer or a string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RawBudget {
    /// A number of rows.
    Rows(u64),
    /// A number of rows, a percentage, or `unlimited`.
    Text(String),
}

impl RawBudget {
    fn resolve(&self) -> Result<RejectBudget, Problem> {
        match self {
            Self::Rows(rows) => Ok(RejectBudget::Rows(*rows)),
            Self::Text(text) => text.parse(),
        }
    }
}

impl<'de> Deserialize<'de> for RawBudget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawBudgetVisitor)
    }
}

struct RawBudgetVisitor;

impl de::Visitor<'_> for RawBudgetVisitor {
    type Value = RawBudget;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of rows, as 100, or a percentage of the rows read, as \"1%\"")
    }

    fn visit_i64<E: de::Error>(self, rows: i64) -> Result<RawBudget, E> {
        u64::try_from(rows)
            .map(RawBudget::Rows)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(rows), &self))
    }

    fn visit_u64<E: de::Error>(self, rows: u64) -> Result<RawBudget, E> {
        Ok(RawBudget::Rows(rows))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RawBudget, E> {
        Ok(RawBudget::Text(text.to_owned()))
    }
}

/// The policies of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Policy {
    /// Which of several records of one customer counts.
    pub on_duplicate: OnDuplicate,
    /// What an empty cell does, where the attribute says nothing.
    pub null: NullPolicy,
    /// How many rows may be rejected; 0 rows where `strict` is `Strict`.
    pub max_rejects: RejectBudget,
    /// Whether the first rejected row fails the run.
    pub strict: Strictness,
    /// Whether a run that accepted no row may complete.
    pub allow_none: NoneAccepted,
}

impl Policy {
    /// The policy with every rejected row fatal, as `--strict` asks.
    pub fn made_strict(self) -> Self {
        Self {
            strict: Strictness::Strict,
            max_rejects: RejectBudget::Rows(0),
            ..self
        }
    }

    /// The policy with this budget, as `--max-rejects` asks; a strict process becomes lenient.
    pub fn with_max_rejects(self, max_rejects: RejectBudget) -> Self {
        Self {
            strict: Strictness::Lenient,
            max_rejects,
            ..self
        }
    }
}

/// The policy of `[policy]` over that of `defaults`. A budget of its own lifts an inherited strictness.
pub(super) fn resolve(raw: &RawPolicy, defaults: &Defaults, at: &str, findings: &mut Findings) -> Policy {
    let outer = defaults.policy;
    let mut policy = Policy {
        on_duplicate: raw.on_duplicate.unwrap_or(outer.on_duplicate),
        null: raw.null.unwrap_or(outer.null),
        allow_none: raw.allow_none.map_or(outer.allow_none, |allowed| match allowed {
            true => NoneAccepted::Completes,
            false => NoneAccepted::Fails,
        }),
        ..outer
    };
    let here = format!("{at}.max_rejects");
    let budget = raw
        .max_rejects
        .as_ref()
        .and_then(|budget| findings.take(&here, budget.resolve()));
    match (raw.strict, budget) {
        (Some(true), Some(budget)) if budget != RejectBudget::Rows(0) => {
            findings.add(
                here,
                format!("strict = true allows no reject, this {budget}"),
                "keep one of the two",
            );
        }
        (Some(true), _) => policy = policy.made_strict(),
        (_, Some(budget)) => policy = policy.with_max_rejects(budget),
        (Some(false), None) if outer.strict == Strictness::Strict => {
            policy = policy.with_max_rejects(RejectBudget::Unlimited);
        }
        (_, None) => {}
    }
    policy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_reads_back_as_it_prints() {
        for (text, budget) in [
            ("0", RejectBudget::Rows(0)),
            ("250", RejectBudget::Rows(250)),
            ("1%", RejectBudget::Percent(1.0)),
            ("0.5%", RejectBudget::Percent(0.5)),
            ("100%", RejectBudget::Percent(100.0)),
            ("unlimited", RejectBudget::Unlimited),
        ] {
            assert_eq!(text.parse(), Ok(budget));
            assert_eq!(budget.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_number_or_share_is_no_budget() {
        for text in [
            "", "%", "-1", "+1", "1.5", "101%", "-1%", "NaN%", "inf%", "1e1%", "ten", "1 row",
        ] {
            assert!(text.parse::<RejectBudget>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_budget_is_exceeded_by_one_row_more_and_not_by_its_own_number() {
        assert!(!RejectBudget::Rows(3).is_exceeded(3, 10));
        assert!(RejectBudget::Rows(3).is_exceeded(4, 10));
        assert!(!RejectBudget::Percent(1.0).is_exceeded(2, 200));
        assert!(RejectBudget::Percent(1.0).is_exceeded(3, 200));
        assert!(!RejectBudget::Percent(0.0).is_exceeded(0, 0));
        assert!(!RejectBudget::Unlimited.is_exceeded(u64::MAX, u64::MAX));
    }
}
