//! The main job over maps and vectors, written from the contract alone.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::{Cell, Value};
use super::processes::{Attribute, Budget, Check, Mode, Null, OnDuplicate, Process, Severity};

/// What a record is.
#[derive(Debug, Clone)]
pub enum Content {
    /// A cell of the key, of each attribute, and of the unmapped column `note`.
    Cells {
        key: Cell,
        attributes: Vec<Cell>,
        note: Cell,
    },
    /// Malformed; the words with which the reason begins.
    Malformed(&'static str),
}

/// A record and where it stands in the file; a row of Parquet nowhere, which is 0.
#[derive(Debug, Clone)]
pub struct Placed {
    pub content: Content,
    pub line: u64,
    pub byte_start: u64,
    pub byte_len: u64,
    pub raw: Vec<u8>,
}

/// A rule, its column and the text in it.
pub type Reason = (String, Option<String>, Option<String>);

/// A row of `rejects`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    pub line: u64,
    pub byte_start: u64,
    pub byte_len: u64,
    pub customer_id: Option<String>,
    pub rules: Vec<String>,
    pub reasons: BTreeSet<Reason>,
    pub raw: Vec<u8>,
}

/// All customers; an attribute that is NULL is left out.
pub type Customers = BTreeMap<String, BTreeMap<String, Value>>;

/// What a merge counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    pub inserted: u64,
    pub updated: u64,
    pub unchanged: u64,
    /// Changed and cleared cells by attribute.
    pub cells: Vec<(String, u64, u64)>,
}

/// What a run finds out, whether it merges or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    pub rows_read: u64,
    pub rows_rejected: u64,
    pub rows_warned: u64,
    pub rule_counts: Vec<(String, String, u64)>,
    /// The merge, or the code of what failed the run.
    pub merged: Result<Merged, String>,
}

/// What a run does.
#[derive(Debug, Clone)]
pub struct Expected {
    pub counts: Counts,
    pub rejects: BTreeMap<u64, Reject>,
    /// The records that broke each rule, by rule and column.
    pub broken: BTreeMap<(String, Option<String>), BTreeSet<u64>>,
    pub customers: Customers,
}

/// The built-in rules in the order of reports.
const BUILT_IN: [&str; 11] = [
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
];

/// Runs `process` on the records of a file.
pub fn run(process: &Process, budget: Budget, records: &[Placed], before: &Customers) -> Expected {
    let mut book = Book {
        process,
        records,
        before,
        broken: vec![BTreeSet::new(); records.len()],
    };
    book.cells();
    book.user_rules();
    book.duplicates();
    let rejects = book.rejects();
    let (merged, after) = book.merge(&rejects);
    let (read, rejected) = (records.len() as u64, rejects.len() as u64);
    let merged = if budget.is_exceeded(rejected, read) {
        Err("budget_exceeded".to_owned())
    } else if read > 0 && rejected == read && !process.allow_none {
        Err("none_accepted".to_owned())
    } else {
        Ok(merged)
    };
    let customers = if merged.is_ok() { after } else { before.clone() };
    let warned = book
        .broken
        .iter()
        .filter(|broken| !broken.is_empty() && !book.rejecting(broken))
        .count();
    Expected {
        counts: Counts {
            rows_read: read,
            rows_rejected: rejected,
            rows_warned: warned as u64,
            rule_counts: book.rule_counts(),
            merged,
        },
        rejects,
        broken: book.by_rule(),
        customers,
    }
}

/// A rule that a record broke: id, column, text of the cell.
type Broken = BTreeSet<Reason>;

struct Book<'a> {
    process: &'a Process,
    records: &'a [Placed],
    before: &'a Customers,
    /// What each record broke, warnings included.
    broken: Vec<Broken>,
}

impl Book<'_> {
    fn severity(&self, rule: &str) -> Severity {
        let own = self.process.rules.iter().find(|own| own.id == rule);
        let set = self.process.severities.get(rule).copied();
        own.map_or(set.unwrap_or(Severity::Reject), |own| own.severity)
    }

    fn rejecting(&self, broken: &Broken) -> bool {
        broken
            .iter()
            .any(|(rule, ..)| self.severity(rule) == Severity::Reject)
    }

    fn add(&mut self, record: usize, rule: &str, column: Option<(&str, &Cell)>) {
        if self.severity(rule) == Severity::Off {
            return;
        }
        let shown = column.map(|(_, cell)| String::from_utf8_lossy(&cell.bytes).chars().take(256).collect());
        let column = column.map(|(name, _)| name.to_owned());
        self.broken[record].insert((rule.to_owned(), column, shown));
    }

    /// Rules about one record and, in mode `update`, the customers.
    fn cells(&mut self) {
        let process = self.process;
        for (at, record) in self.records.iter().enumerate() {
            let Content::Cells { key, attributes, .. } = &record.content else {
                self.add(at, "malformed_record", None);
                continue;
            };
            let key_column = (process.key.as_str(), key);
            let columns = process.attributes.iter().map(|a| a.column.as_str());
            for (column, cell) in std::iter::once(key_column).chain(columns.zip(attributes)) {
                for rule in &cell.breaks {
                    self.add(at, rule, Some((column, cell)));
                }
            }
            match cid(record) {
                None => self.add(at, "cid_null", Some(key_column)),
                Some(cid) if process.mode == Mode::Update && !self.before.contains_key(cid) => {
                    self.add(at, "cid_unknown", Some(key_column));
                }
                Some(_) => {}
            }
        }
    }

    fn user_rules(&mut self) {
        for rule in &self.process.rules {
            if rule.severity == Severity::Off {
                continue;
            }
            let numbers = |book: &Self| book.records.iter().map(first_number).collect::<Vec<_>>();
            let largest = numbers(self).into_iter().flatten().max();
            for (at, record) in self.records.iter().enumerate() {
                let Content::Cells { note, .. } = &record.content else {
                    continue;
                };
                let number = first_number(record);
                let breaks = match rule.check {
                    Check::NotNegative => number.is_some_and(|n| n < 0),
                    Check::Divides => number.is_some_and(|n| n != 0 && 100 / n == 50),
                    Check::Note => note.bytes == b"bad",
                    Check::Largest => number.is_some() && number == largest,
                    Check::Falls => self.stored_number(record) > number && number.is_some(),
                };
                if rule.check == Check::Divides && number == Some(0) {
                    self.add(at, "rule_error", None);
                } else if breaks {
                    self.add(at, rule.id, None);
                }
            }
        }
    }

    /// The first attribute of the record's customer before the run.
    fn stored_number(&self, record: &Placed) -> Option<i64> {
        let customer = self.before.get(cid(record)?)?;
        match customer.get(self.process.attributes.first()?.name.as_str()) {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    fn duplicates(&mut self) {
        let process = self.process;
        let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, record) in self.records.iter().enumerate() {
            if let Some(cid) = cid(record) {
                groups.entry(cid).or_default().push(at);
            }
        }
        for group in groups.into_values().filter(|group| group.len() > 1) {
            let passing: Vec<usize> = group
                .iter()
                .copied()
                .filter(|at| !self.rejecting(&self.broken[*at]))
                .collect();
            let kept = match process.on_duplicate {
                OnDuplicate::RejectAll => None,
                OnDuplicate::KeepFirst => passing.first(),
                OnDuplicate::KeepLast => passing.last(),
            };
            for at in group.iter().filter(|at| Some(*at) != kept) {
                if let Content::Cells { key, .. } = &self.records[*at].content {
                    self.add(*at, "cid_duplicate", Some((&process.key, key)));
                }
            }
        }
    }

    fn rejects(&self) -> BTreeMap<u64, Reject> {
        let mut rejects = BTreeMap::new();
        for (at, (record, broken)) in self.records.iter().zip(&self.broken).enumerate() {
            let rejecting = broken
                .iter()
                .filter(|(rule, ..)| self.severity(rule) == Severity::Reject);
            let reasons: BTreeSet<Reason> = rejecting.cloned().collect();
            if reasons.is_empty() {
                continue;
            }
            let ids: BTreeSet<&str> = reasons.iter().map(|(rule, ..)| rule.as_str()).collect();
            let reject = Reject {
                line: record.line,
                byte_start: record.byte_start,
                byte_len: record.byte_len,
                customer_id: cid(record).map(str::to_owned),
                rules: self
                    .rule_order()
                    .filter(|id| ids.contains(id))
                    .map(str::to_owned)
                    .collect(),
                reasons,
                raw: record.raw.clone(),
            };
            rejects.insert(at as u64 + 1, reject);
        }
        rejects
    }

    fn rule_order(&self) -> impl Iterator<Item = &'static str> {
        let own: Vec<&'static str> = self.process.rules.iter().map(|rule| rule.id).collect();
        BUILT_IN.into_iter().chain(own).chain(["rule_error"])
    }

    fn rule_counts(&self) -> Vec<(String, String, u64)> {
        let records = |id: &str| {
            let broke = |broken: &&Broken| broken.iter().any(|(rule, ..)| rule == id);
            self.broken.iter().filter(broke).count() as u64
        };
        self.rule_order()
            .map(|id| (id.to_owned(), self.severity(id).word().to_owned(), records(id)))
            .filter(|count| count.2 > 0)
            .collect()
    }

    fn by_rule(&self) -> BTreeMap<(String, Option<String>), BTreeSet<u64>> {
        let mut all: BTreeMap<_, BTreeSet<u64>> = BTreeMap::new();
        for (at, broken) in self.broken.iter().enumerate() {
            for (rule, column, _) in broken {
                let records = all.entry((rule.clone(), column.clone())).or_default();
                records.insert(at as u64 + 1);
            }
        }
        all
    }

    /// Last write wins, whole record.
    fn merge(&self, rejects: &BTreeMap<u64, Reject>) -> (Merged, Customers) {
        let mut after = self.before.clone();
        let mut merged = Merged {
            cells: self
                .process
                .attributes
                .iter()
                .map(|a| (a.name.clone(), 0, 0))
                .collect(),
            ..Merged::default()
        };
        for (at, record) in self.records.iter().enumerate() {
            let Content::Cells { attributes, .. } = &record.content else {
                continue;
            };
            let Some(cid) = cid(record).filter(|_| !rejects.contains_key(&(at as u64 + 1))) else {
                continue;
            };
            let is_new = !self.before.contains_key(cid);
            let customer = after.entry(cid.to_owned()).or_default();
            let mut changed = false;
            for ((attribute, cell), count) in self
                .process
                .attributes
                .iter()
                .zip(attributes)
                .zip(&mut merged.cells)
            {
                if write(customer, attribute, self.process.null, cell) && !is_new {
                    changed = true;
                    count.1 += 1;
                    count.2 += u64::from(cell.value.is_none());
                }
            }
            match (is_new, changed) {
                (true, _) => merged.inserted += 1,
                (false, true) => merged.updated += 1,
                (false, false) => merged.unchanged += 1,
            }
        }
        (merged, after)
    }
}

/// Sets one attribute; says whether it changed.
fn write(customer: &mut BTreeMap<String, Value>, attribute: &Attribute, null: Null, cell: &Cell) -> bool {
    let old = customer.get(&attribute.name).cloned();
    match &cell.value {
        Some(value) => customer.insert(attribute.name.clone(), value.clone()),
        None if attribute.null.unwrap_or(null) == Null::Keep => return false,
        None => customer.remove(&attribute.name),
    };
    old != cell.value
}

fn cid(record: &Placed) -> Option<&str> {
    match &record.content {
        Content::Cells { key, .. } => match &key.value {
            Some(Value::Text(cid)) => Some(cid),
            _ => None,
        },
        Content::Malformed(_) => None,
    }
}

/// The first attribute, which is an `int` in every process.
fn first_number(record: &Placed) -> Option<i64> {
    match &record.content {
        Content::Cells { attributes, .. } => match attributes.first()?.value {
            Some(Value::Integer(number)) => Some(number),
            _ => None,
        },
        Content::Malformed(_) => None,
    }
}
