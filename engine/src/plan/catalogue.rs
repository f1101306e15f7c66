//! Every rule of a process, as SQL (contract, section 4).

use crate::spec::{
    self, Attribute, AttributeType, Mode, OnDuplicate, OnTooLong, OnUnsupported, Process, RuleKind, Trim,
};
use crate::table::schemas::CUSTOMER_ID;
use crate::validate::{Check, Rule, Severity, id};

/// The first date that is not too early.
const EARLIEST: &str = "1753-01-01";

/// All rules in the contract's order; a rule that is off is left out.
#[must_use]
pub fn catalogue(process: &Process) -> Vec<Rule> {
    let mut rules = Catalogue {
        process,
        rules: Vec::new(),
    };
    rules.whole_record();
    rules.cells();
    rules.users();
    rules.rules
}

struct Catalogue<'a> {
    process: &'a Process,
    rules: Vec<Rule>,
}

/// A text column that cell rules look at: the key or a text attribute.
struct Text<'a> {
    source: &'a str,
    name: &'a str,
    ty: AttributeType,
    too_long: OnTooLong,
    unsupported: OnUnsupported,
}

impl Catalogue<'_> {
    fn add(&mut self, id: &str, column: Option<&str>, check: Check, sql: String, message: String) {
        let Some(severity) = active(self.process.severities.of(id)) else {
            return;
        };
        let column = column.map(str::to_owned);
        self.rules.push(Rule {
            id: id.to_owned(),
            column,
            check,
            sql,
            severity,
            message,
        });
    }

    fn whole_record(&mut self) {
        let malformed = "SELECT record_no FROM records WHERE malformed IS NOT NULL".to_owned();
        self.add(
            id::MALFORMED_RECORD,
            None,
            Check::Malformed,
            malformed,
            "the record is malformed".to_owned(),
        );
        let mut seen: Vec<&str> = Vec::new();
        let process = self.process;
        for source in std::iter::once(&process.key).chain(process.attributes.iter().map(|a| &a.column)) {
            if !seen.contains(&source.as_str()) {
                seen.push(source);
                // The list is NULL in nearly every batch: then the rest is left out.
                let sql = format!(
                    "invalid_encoding IS NOT NULL AND array_has(invalid_encoding, {})",
                    text_literal(source)
                );
                self.add(
                    id::INVALID_ENCODING,
                    Some(source),
                    Check::Row,
                    sql,
                    "the bytes are not valid UTF-8".to_owned(),
                );
            }
        }
        let key = Some(process.key.as_str());
        let null = format!("{CUSTOMER_ID} IS NULL");
        self.add(
            id::CID_NULL,
            key,
            Check::Row,
            null,
            "the customer ID is empty".to_owned(),
        );
        let (sql, message) = duplicate_sql(process.policy.on_duplicate);
        self.add(id::CID_DUPLICATE, key, Check::Query, sql, message.to_owned());
        if process.mode == Mode::Update {
            let sql = format!(
                "SELECT record_no FROM incoming WHERE {CUSTOMER_ID} IS NOT NULL AND {CUSTOMER_ID} NOT IN (SELECT {CUSTOMER_ID} FROM customers)"
            );
            let message = "no customer has this ID; mode update registers none";
            self.add(id::CID_UNKNOWN, key, Check::Query, sql, message.to_owned());
        }
    }

    fn cells(&mut self) {
        let process = self.process;
        for attribute in process.attributes.iter().filter(|a| !a.ty.is_text()) {
            let sql = self.mismatch_sql(attribute);
            let message = format!("the value is not a {} {}", attribute.ty, expectation(attribute));
            self.add(
                id::TYPE_MISMATCH,
                Some(&attribute.column),
                Check::Row,
                sql,
                message.trim_end().to_owned(),
            );
        }
        for attribute in process
            .attributes
            .iter()
            .filter(|a| a.ty.is_temporal() && !a.default_dates.is_empty())
        {
            let dates: Vec<String> = attribute
                .default_dates
                .iter()
                .map(|d| format!("DATE '{d}'"))
                .collect();
            let sql = format!("{} IN ({})", date_sql(attribute), dates.join(", "));
            self.add(
                id::DATE_DEFAULT,
                Some(&attribute.column),
                Check::Row,
                sql,
                "the date is a default that stands for none; leave the cell empty".to_owned(),
            );
        }
        for attribute in process.attributes.iter().filter(|a| a.ty.is_temporal()) {
            let sql = format!("{} < DATE '{EARLIEST}'", date_sql(attribute));
            self.add(
                id::DATE_TOO_EARLY,
                Some(&attribute.column),
                Check::Row,
                sql,
                format!("the date is before {EARLIEST}"),
            );
        }
        let texts = Self::texts(process);
        for text in texts.iter().filter(|t| t.too_long == OnTooLong::Reject) {
            self.add(
                id::STRING_TOO_LONG,
                Some(text.source),
                Check::Row,
                too_long_sql(text),
                too_long_message(text.ty),
            );
        }
        for text in &texts {
            if let Some((sql, message)) = unsupported(text) {
                self.add(
                    id::UNSUPPORTED_CHARACTER,
                    Some(text.source),
                    Check::Row,
                    sql,
                    message,
                );
            }
        }
        for attribute in process.attributes.iter().filter(|a| a.ty == AttributeType::Email) {
            let sql = format!("NOT is_email({})", quoted(&attribute.name));
            self.add(
                id::EMAIL_INVALID,
                Some(&attribute.column),
                Check::Row,
                sql,
                "the text is not an e-mail address".to_owned(),
            );
        }
    }

    fn users(&mut self) {
        let process = self.process;
        for rule in &process.rules {
            let Some(severity) = active(rule.severity) else {
                continue;
            };
            let (check, otherwise) = match rule.kind {
                RuleKind::Row => (
                    Check::UserRow,
                    format!("the rule is not met: {}", rule.sql.trim()),
                ),
                RuleKind::Set => (
                    Check::UserQuery,
                    "the rule's query returned this record".to_owned(),
                ),
            };
            let message = rule.message.clone().unwrap_or(otherwise);
            self.rules.push(Rule {
                id: rule.id.clone(),
                column: None,
                check,
                sql: rule.sql.clone(),
                severity,
                message,
            });
        }
        for rule in process
            .rules
            .iter()
            .filter(|r| r.kind == RuleKind::Row && active(r.severity).is_some())
        {
            let message = format!("the rule {} failed on this record: {}", rule.id, rule.sql.trim());
            self.add(id::RULE_ERROR, None, Check::Error, rule.id.clone(), message);
        }
    }

    fn mismatch_sql(&self, attribute: &Attribute) -> String {
        let raw = format!("raw[{}]", text_literal(&attribute.column));
        let text = match self.process.source.dialect.trim {
            Trim::Keep => raw,
            Trim::Blanks => format!("trim_blanks({raw})"),
        };
        let tokens = attribute.null_tokens.iter().map(|token| text_literal(token));
        let empty: Vec<String> = std::iter::once("''".to_owned()).chain(tokens).collect();
        match empty.as_slice() {
            [only] => format!("{} IS NULL AND {text} <> {only}", quoted(&attribute.name)),
            many => format!(
                "{} IS NULL AND {text} NOT IN ({})",
                quoted(&attribute.name),
                many.join(", ")
            ),
        }
    }

    fn texts(process: &Process) -> Vec<Text<'_>> {
        let key = Text {
            source: &process.key,
            name: CUSTOMER_ID,
            ty: AttributeType::String,
            too_long: OnTooLong::Reject,
            unsupported: OnUnsupported::Reject,
        };
        let attributes = process
            .attributes
            .iter()
            .filter(|a| a.ty.is_text())
            .map(|a| Text {
                source: &a.column,
                name: &a.name,
                ty: a.ty,
                too_long: a.on_too_long,
                unsupported: a.on_unsupported,
            });
        std::iter::once(key).chain(attributes).collect()
    }
}

fn active(severity: spec::Severity) -> Option<Severity> {
    match severity {
        spec::Severity::Reject => Some(Severity::Reject),
        spec::Severity::Warn => Some(Severity::Warn),
        spec::Severity::Off => None,
    }
}

fn duplicate_sql(policy: OnDuplicate) -> (String, &'static str) {
    let repeated = format!(
        "SELECT record_no FROM incoming WHERE {CUSTOMER_ID} IN (SELECT {CUSTOMER_ID} FROM incoming WHERE {CUSTOMER_ID} IS NOT NULL GROUP BY {CUSTOMER_ID} HAVING count(*) > 1)"
    );
    let kept = |which: &str| {
        format!(
            "{repeated} AND record_no NOT IN (SELECT {which}(record_no) FROM passing WHERE {CUSTOMER_ID} IS NOT NULL GROUP BY {CUSTOMER_ID})"
        )
    };
    match policy {
        OnDuplicate::RejectAll => (repeated, "the customer ID stands more than once in the source"),
        OnDuplicate::KeepFirst => (
            kept("min"),
            "the customer ID stands more than once; the first good record is kept",
        ),
        OnDuplicate::KeepLast => (
            kept("max"),
            "the customer ID stands more than once; the last good record is kept",
        ),
    }
}

/// The calendar date of a date or an instant, as the source meant it.
fn date_sql(attribute: &Attribute) -> String {
    let name = quoted(&attribute.name);
    match attribute.ty {
        AttributeType::Timestamp => {
            format!("local_date({name}, {})", text_literal(attribute.time_zone.name()))
        }
        _ => name,
    }
}

/// What finds the characters that a text may not have, and in words. What is stripped is not there any more; a
/// character that a `varchar` cannot hold is never stripped.
fn unsupported(text: &Text<'_>) -> Option<(String, String)> {
    let name = quoted(text.name);
    let anywhere = (text.unsupported == OnUnsupported::Reject).then(|| {
        let what = "an emoji, a control character or a noncharacter";
        (format!("has_unsupported({name})"), what)
    });
    let here = matches!(text.ty, AttributeType::Varchar(_)).then(|| {
        let what = "a character that is not in Windows-1252 (use nvarchar for it)";
        (format!("NOT is_windows_1252({name})"), what)
    });
    let (sql, what) = match (anywhere, here) {
        (Some(any), Some(here)) => (
            format!("{} OR {}", any.0, here.0),
            format!("{}, or {}", any.1, here.1),
        ),
        (one, other) => one.or(other).map(|(sql, what)| (sql, what.to_owned()))?,
    };
    Some((sql, format!("the text has {what}")))
}

/// `longer_than` counts UTF-16 units, and says false of NULL: so the rest of the AND is left out where no text is long.
fn too_long_sql(text: &Text<'_>) -> String {
    let name = quoted(text.name);
    match text.ty {
        AttributeType::Varchar(n) | AttributeType::Nvarchar(n) => {
            format!("longer_than({name}, {n})")
        }
        _ => format!(
            "longer_than({name}, 4000) AND (longer_than({name}, 8000) OR NOT is_windows_1252({name}))"
        ),
    }
}

fn too_long_message(ty: AttributeType) -> String {
    match ty {
        AttributeType::Varchar(n) => format!("the text has more than {n} characters"),
        AttributeType::Nvarchar(n) => format!("the text has more than {n} UTF-16 units"),
        _ => "the text has more than 8000 characters, or more than 4000 UTF-16 units with characters outside Windows-1252".to_owned(),
    }
}

fn expectation(attribute: &Attribute) -> String {
    match attribute.ty {
        AttributeType::Date if attribute.formats.is_empty() => "(yyyy-MM-dd)".to_owned(),
        AttributeType::Timestamp if attribute.formats.is_empty() => {
            "(yyyy-MM-dd HH:mm:ss, with at most six decimals)".to_owned()
        }
        AttributeType::Date | AttributeType::Timestamp => format!("({})", attribute.formats.join(" or ")),
        AttributeType::Decimal { scale, .. } => format!("(at most {scale} decimals; nothing is rounded)"),
        AttributeType::Boolean => "(true/false, t/f, yes/no, y/n, 1/0)".to_owned(),
        _ => String::new(),
    }
}

/// A rule's SQL as a query that can be pasted: returns the `record_no` of offenders.
#[must_use]
pub fn printed_sql(rule: &Rule, rules: &[Rule]) -> String {
    match rule.check {
        Check::Row => format!("SELECT record_no FROM incoming WHERE {}", rule.sql),
        Check::UserRow => {
            format!(
                "SELECT record_no FROM incoming WHERE {} IS FALSE",
                in_brackets(&rule.sql)
            )
        }
        Check::Error => format!("-- records on which the rule {} fails", rule.sql),
        Check::Query if rule.sql.contains("FROM passing") => {
            format!("WITH passing AS ({}) {}", passing(rules), rule.sql)
        }
        Check::Malformed | Check::Query | Check::UserQuery => rule.sql.clone(),
    }
}

/// A user's SQL between brackets; a comment at its end must not take the closing one along.
fn in_brackets(sql: &str) -> String {
    if sql.contains("--") {
        format!("({sql}\n)")
    } else {
        format!("({sql})")
    }
}

/// The records that break no other rejecting rule.
fn passing(rules: &[Rule]) -> String {
    let conditions = rules
        .iter()
        .filter(|r| r.severity == Severity::Reject && r.id != id::CID_DUPLICATE)
        .filter_map(|r| match r.check {
            Check::Row => Some(format!("({}) IS NOT TRUE", r.sql)),
            Check::UserRow => Some(format!("{} IS NOT FALSE", in_brackets(&r.sql))),
            Check::Query | Check::UserQuery => Some(format!(
                "record_no NOT IN {}",
                in_brackets(r.sql.trim().trim_end_matches(';'))
            )),
            Check::Malformed | Check::Error => None,
        });
    let conditions: Vec<String> = conditions.collect();
    format!("SELECT * FROM incoming WHERE {}", conditions.join(" AND "))
}

/// A name as an SQL identifier.
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as an SQL literal.
#[must_use]
pub fn text_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
