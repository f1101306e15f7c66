//! Reading TOML into a typed struct without stopping at the first mistake.
//!
//! Serde is the only judge of keys and types, but it stops at its first complaint. So the document is parsed once
//! with its positions; each complaint is recorded, the entry it points at is taken out, and the rest is read again.
//! The structs read this way have only optional fields, so taking an entry out never causes a complaint of its own.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::problem::{Findings, Problem};

/// A document with its positions.
pub(super) struct Document<'text> {
    text: &'text str,
    root: Spanned<DeTable<'text>>,
}

/// One step down the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

impl<'text> Document<'text> {
    /// Parses the text.
    ///
    /// # Errors
    /// The first violation of TOML's syntax, with line and column.
    pub(super) fn parse(text: &'text str) -> Result<Self, Problem> {
        match DeTable::parse(text) {
            Ok(root) => Ok(Self { text, root }),
            Err(error) => {
                let (line, column) = position(text, error.span().map_or(0, |span| span.start));
                let at = format!("line {line}, column {column}");
                let what = format!("not TOML: {}", error.message().replace('\n', ", "));
                Err(Problem::new(
                    at,
                    what,
                    "correct the syntax; the rest of the file was not judged",
                ))
            }
        }
    }

    /// The integer at a top-level key.
    pub(super) fn integer(&self, key: &str) -> Option<i64> {
        let value = self.root.get_ref().get(key)?.get_ref().as_integer()?;
        i64::from_str_radix(value.as_str(), value.radix()).ok()
    }

    /// Reads what can be read as `T`, recording everything else in `findings`.
    pub(super) fn read<T: DeserializeOwned + Default>(&self, findings: &mut Findings) -> T {
        let mut rest = self.root.clone();
        loop {
            let error = match T::deserialize(toml::Deserializer::from(rest.clone())) {
                Ok(typed) => return typed,
                Err(error) => error,
            };
            let culprit = error.span().and_then(|span| {
                let there = path_in_table(rest.get_ref(), &span)?;
                Some((path_in_table(self.root.get_ref(), &span)?, there))
            });
            let Some((path, there)) = culprit else {
                findings.add("file", error.message(), "compare with `sluice process schema`");
                return T::default();
            };
            self.report(&path, error.message(), findings);
            remove(rest.get_mut(), &there);
        }
    }

    /// Adds ` (line N)` to a path that the file has, or whose table it has.
    pub(super) fn locate(&self, problems: &mut [Problem]) {
        for problem in problems.iter_mut() {
            let wanted = steps(&problem.at);
            if let Some(span) = deepest(self.root.get_ref(), &wanted) {
                problem.at = format!("{} (line {})", problem.at, position(self.text, span.start).0);
            }
        }
    }

    fn report(&self, path: &[Step], message: &str, findings: &mut Findings) {
        let at = shown(path);
        let bare_date = value_at(self.root.get_ref(), path).is_some_and(DeValue::is_datetime);
        let (what, remedy) = if bare_date && !message.starts_with("unknown field") {
            (
                "a bare date where a string belongs".to_owned(),
                "put it in quotes".to_owned(),
            )
        } else {
            worded(&at, message)
        };
        findings.refuse(at.clone(), Problem::new(at, what, remedy));
    }
}

/// Serde's message, in the words of somebody who writes the file.
fn worded(at: &str, message: &str) -> (String, String) {
    let (head, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let expected = expected.strip_prefix("one of ").unwrap_or(expected);
    if let Some(key) = head.strip_prefix("unknown field ") {
        return unknown_key(at, key.trim_matches('`'), expected);
    }
    if let Some(found) = head.strip_prefix("unknown variant ") {
        return (
            format!("{found} is not one of the values"),
            format!("write {}", expected.replace("`, `", "` or `")),
        );
    }
    if head == "wanted string or table" {
        return (
            "not one of the words of this key".to_owned(),
            "write a word in quotes".to_owned(),
        );
    }
    match head
        .strip_prefix("invalid type: ")
        .or_else(|| head.strip_prefix("invalid value: "))
    {
        Some(found) => (
            format!("found {}", toml_word(found)),
            format!("write {}", toml_word(expected)),
        ),
        None => (message.to_owned(), "correct the value".to_owned()),
    }
}

/// TOML's word for what serde calls otherwise.
fn toml_word(word: &str) -> &str {
    match word {
        "map" => "a table",
        "sequence" | "a sequence" => "a list",
        _ => word,
    }
}

fn unknown_key(at: &str, key: &str, known: &str) -> (String, String) {
    if at.starts_with("rules.") && super::rule::BUILTIN_RULE_IDS.contains(&key) {
        return (
            format!("`{key}` always rejects"),
            format!("remove the line; only {known} can be set"),
        );
    }
    let remedy = if known.is_empty() {
        "remove it".to_owned()
    } else {
        format!("the keys here are {known}")
    };
    (format!("unknown key `{key}`"), remedy)
}

/// Line and column of a byte, both from 1; the column counts characters.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (
        before.matches('\n').count() + 1,
        before.get(line_start..).unwrap_or("").chars().count() + 1,
    )
}

/// The innermost entry that `span` points at: a key exactly, or a value that covers it.
fn path_in_table(table: &DeTable<'_>, span: &Range<usize>) -> Option<Vec<Step>> {
    table.iter().find_map(|(key, value)| {
        let inner = if key.span() == *span {
            Some(vec![])
        } else {
            path_in_value(value, span)
        };
        inner.map(|path| prefixed(Step::Key(key.get_ref().to_string()), path))
    })
}

fn path_in_value(value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<Vec<Step>> {
    let own = value.span();
    // The tables of `[[name]]` have the span of their array's header: the array comes first.
    if own == *span {
        return Some(Vec::new());
    }
    let inner = match value.get_ref() {
        DeValue::Table(table) => path_in_table(table, span),
        DeValue::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
            path_in_value(item, span).map(|path| prefixed(Step::Index(index), path))
        }),
        _ => None,
    };
    inner.or_else(|| (own.start <= span.start && span.end <= own.end).then(Vec::new))
}

fn prefixed(step: Step, mut path: Vec<Step>) -> Vec<Step> {
    path.insert(0, step);
    path
}

fn remove(table: &mut DeTable<'_>, path: &[Step]) {
    match path {
        [Step::Key(last)] => {
            table.remove(last.as_str());
        }
        [Step::Key(first), rest @ ..] => {
            if let Some(value) = table.get_mut(first.as_str()) {
                remove_in_value(value.get_mut(), rest);
            }
        }
        _ => {}
    }
}

fn remove_in_value(value: &mut DeValue<'_>, path: &[Step]) {
    match (value, path) {
        (DeValue::Table(table), path) => remove(table, path),
        (DeValue::Array(items), [Step::Index(last)]) => {
            let mut kept = DeArray::new();
            items
                .iter()
                .enumerate()
                .filter(|(index, _)| index != last)
                .for_each(|(_, item)| kept.push(item.clone()));
            *items = kept;
        }
        (DeValue::Array(items), [Step::Index(first), rest @ ..]) => {
            if let Some(item) = items.get_mut(*first) {
                remove_in_value(item.get_mut(), rest);
            }
        }
        _ => {}
    }
}

fn value_at<'t, 'text>(table: &'t DeTable<'text>, path: &[Step]) -> Option<&'t DeValue<'text>> {
    let (Step::Key(first), rest) = path.split_first()? else {
        return None;
    };
    rest.iter()
        .try_fold(table.get(first.as_str())?.get_ref(), |value, step| match step {
            Step::Key(key) => Some(value.as_table()?.get(key.as_str())?.get_ref()),
            Step::Index(index) => Some(value.as_array()?.get(*index)?.get_ref()),
        })
}

/// Where the last step that exists stands.
fn deepest(table: &DeTable<'_>, path: &[Step]) -> Option<Range<usize>> {
    let (Step::Key(first), rest) = path.split_first()? else {
        return None;
    };
    let (key, mut value) = table.get_key_value(first.as_str())?;
    let mut span = key.span();
    for step in rest {
        let next = match (value.get_ref(), step) {
            (DeValue::Table(table), Step::Key(key)) => {
                table.get_key_value(key.as_str()).map(|(k, v)| (k.span(), v))
            }
            (DeValue::Array(items), Step::Index(index)) => items.get(*index).map(|item| (item.span(), item)),
            _ => None,
        };
        let Some((next_span, next_value)) = next else {
            break;
        };
        (span, value) = (next_span, next_value);
    }
    Some(span)
}

fn shown(path: &[Step]) -> String {
    let mut shown = String::new();
    for step in path {
        match step {
            Step::Key(key) if shown.is_empty() => shown.push_str(key),
            Step::Key(key) => shown.extend([".", key]),
            Step::Index(index) => shown.push_str(&format!("[{index}]")),
        }
    }
    shown
}

/// The inverse of `shown`, for the paths that the checks build themselves.
fn steps(path: &str) -> Vec<Step> {
    path.split(['.', '['])
        .map(
            |part| match part.strip_suffix(']').and_then(|index| index.parse().ok()) {
                Some(index) => Step::Index(index),
                None => Step::Key(part.to_owned()),
            },
        )
        .collect()
}
