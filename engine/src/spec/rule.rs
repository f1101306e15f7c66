//! The rules a user may set: severities of the built-in ones, and rules of their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::is_identifier;
use super::problem::Findings;
use super::process::{RawRule, RawRules};

/// The ids of the engine's rules, in the order in which they are reported.
pub const BUILTIN_RULE_IDS: [&str; 12] = [
    "malformed_record",
    "invalid_encoding",
    "cid_null",
    "cid_duplicate",
    "cid_unknown",
    "type_mismatch",
    "date_default",
    "date_too_early",
    "string_too_long",
    "unsupported_character",
    "email_invalid",
    "rule_error",
];

/// What a broken rule means for the record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The record is rejected.
    #[default]
    Reject,
    /// The record is accepted and counted.
    Warn,
    /// The rule is not looked at.
    Off,
}

/// Severities of the built-in rules that a process may set; all others reject.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BuiltinSeverities {
    /// Bytes that are not text in the source's encoding.
    pub invalid_encoding: Severity,
    /// A date that stands for "no date".
    pub date_default: Severity,
    /// A date before 1753-01-01.
    pub date_too_early: Severity,
    /// Text longer than its type.
    pub string_too_long: Severity,
    /// A character that is not supported, an emoji for one.
    pub unsupported_character: Severity,
    /// Text that is no email address.
    pub email_invalid: Severity,
}

impl BuiltinSeverities {
    /// The severity of a built-in rule.
    pub fn of(&self, id: &str) -> Severity {
        match id {
            "invalid_encoding" => self.invalid_encoding,
            "date_default" => self.date_default,
            "date_too_early" => self.date_too_early,
            "string_too_long" => self.string_too_long,
            "unsupported_character" => self.unsupported_character,
            "email_invalid" => self.email_invalid,
            _ => Severity::Reject,
        }
    }
}

impl From<RawRules> for BuiltinSeverities {
    fn from(raw: RawRules) -> Self {
        Self {
            invalid_encoding: raw.invalid_encoding.unwrap_or_default(),
            date_default: raw.date_default.unwrap_or_default(),
            date_too_early: raw.date_too_early.unwrap_or_default(),
            string_too_long: raw.string_too_long.unwrap_or_default(),
            unsupported_character: raw.unsupported_character.unwrap_or_default(),
            email_invalid: raw.email_invalid.unwrap_or_default(),
        }
    }
}

/// How a user's rule finds its offenders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    /// An expression over a row; true and NULL pass.
    Row,
    /// A query that returns the `record_no` of the offenders.
    Set,
}

impl RuleKind {
    /// A rule that begins with SELECT or WITH, after blanks and comments, is a set rule.
    pub fn of(sql: &str) -> Self {
        let word = first_word(sql);
        match word.eq_ignore_ascii_case("select") || word.eq_ignore_ascii_case("with") {
            true => Self::Set,
            false => Self::Row,
        }
    }
}

/// A rule of the user's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRule {
    /// Its id, unique in the process and none of [`BUILTIN_RULE_IDS`].
    pub id: String,
    /// The expression or query.
    pub sql: String,
    /// What breaking it means.
    pub severity: Severity,
    /// What the reject says, where the user chose the words.
    pub message: Option<String>,
    /// Whether it is an expression or a query.
    pub kind: RuleKind,
}

/// The rules of `[[rule]]`.
pub(super) fn resolve(raw: &[RawRule], findings: &mut Findings) -> Vec<UserRule> {
    let mut rules: Vec<UserRule> = Vec::new();
    for (index, rule) in raw.iter().enumerate() {
        let at = format!("rule[{index}]");
        let id = check_id(rule, &at, findings);
        let earlier = raw.get(..index).unwrap_or_default();
        if let Some(id) = id.filter(|id| earlier.iter().any(|other| other.id.as_deref() == Some(id))) {
            findings.add(
                format!("{at}.id"),
                format!("`{id}` is the id of two rules"),
                "choose another id",
            );
        }
        let sql = check_sql(rule, &at, findings);
        if let (Some(id), Some(sql)) = (id, sql) {
            rules.push(UserRule {
                id: id.to_owned(),
                sql: sql.to_owned(),
                severity: rule.severity.unwrap_or_default(),
                message: rule.message.clone(),
                kind: RuleKind::of(sql),
            });
        }
    }
    rules
}

fn check_id<'a>(rule: &'a RawRule, at: &str, findings: &mut Findings) -> Option<&'a str> {
    let at = format!("{at}.id");
    let Some(id) = rule.id.as_deref() else {
        findings.missing(&at, "name the rule, as id = \"spend_positive\"");
        return None;
    };
    if !is_identifier(id) {
        let remedy = "write an id of a-z, 0-9 and _ that starts with a letter, 63 characters at most";
        findings.add(at, format!("`{id}` cannot name a rule"), remedy);
    } else if BUILTIN_RULE_IDS.contains(&id) {
        let remedy = "choose another id; a built-in rule's severity is set under [rules]";
        findings.add(at, format!("`{id}` is a built-in rule"), remedy);
    }
    Some(id)
}

fn check_sql<'a>(rule: &'a RawRule, at: &str, findings: &mut Findings) -> Option<&'a str> {
    let at = format!("{at}.sql");
    let Some(sql) = rule.sql.as_deref() else {
        findings.missing(
            &at,
            "write an expression that is true for good rows, or a SELECT of the record_no of bad ones",
        );
        return None;
    };
    if after_comments(sql).is_empty() {
        findings.add(at, "no SQL", "write an expression that is true for good rows");
    }
    Some(sql)
}

fn first_word(sql: &str) -> &str {
    let rest = after_comments(sql);
    let end = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

/// The text from the first character that is neither blank nor in a comment.
fn after_comments(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    loop {
        let next = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, next)| next)
        } else if rest.starts_with("/*") {
            after_block(rest)
        } else {
            return rest;
        };
        rest = next.trim_start();
    }
}

/// What follows the block comment that `text` starts with; block comments nest.
fn after_block(text: &str) -> &str {
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(mark) = rest.find(['/', '*']) {
        rest = rest.get(mark..).unwrap_or_default();
        let (step, length) = match rest.as_bytes() {
            [b'/', b'*', ..] => (1, 2),
            [b'*', b'/', ..] => (-1, 2),
            _ => (0, 1),
        };
        depth = depth.saturating_add_signed(step);
        rest = rest.get(length..).unwrap_or_default();
        if depth == 0 {
            return rest;
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_select_behind_blanks_and_comments_is_a_set_rule() {
        for sql in [
            "SELECT record_no FROM incoming",
            "  with x AS (SELECT 1) SELECT 1",
            "-- why\n -- and how\nselect 1",
            "/* a /* nested */ one */ Select 1",
            "SELECT\n1",
            "select(1)",
        ] {
            assert_eq!(RuleKind::of(sql), RuleKind::Set, "{sql}");
        }
    }

    #[test]
    fn an_expression_that_merely_mentions_select_is_a_row_rule() {
        for sql in [
            "spend >= 0",
            "selected",
            "with_tax > 1",
            "/* SELECT */ a > b",
            "-- SELECT",
            "(SELECT 1) = 1",
            "/*",
        ] {
            assert_eq!(RuleKind::of(sql), RuleKind::Row, "{sql}");
        }
    }

    #[test]
    fn rules_that_cannot_be_set_always_reject() {
        let off = Severity::Off;
        let all_off = BuiltinSeverities {
            invalid_encoding: off,
            date_default: off,
            date_too_early: off,
            string_too_long: off,
            unsupported_character: off,
            email_invalid: off,
        };
        let rejecting: Vec<_> = BUILTIN_RULE_IDS
            .iter()
            .filter(|id| all_off.of(id) == Severity::Reject)
            .collect();
        let fixed = [
            "malformed_record",
            "cid_null",
            "cid_duplicate",
            "cid_unknown",
            "type_mismatch",
            "rule_error",
        ];
        assert_eq!(rejecting, fixed.iter().collect::<Vec<_>>());
    }
}
