//! All that was found about a record, in one place.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, ListArray, RecordBatch};
use arrow::datatypes::{Int64Type, UInt16Type};
use serde::{Deserialize, Serialize};

use crate::decode::layout::BROKEN;
use crate::error::Result;
use crate::stage::BatchStore;
use crate::validate::{Check, RecordSet, Rule, Severity};

/// Records that broke a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCount {
    /// The rule.
    pub rule: String,
    /// `reject` or `warn`.
    pub severity: String,
    /// Records that broke it, once each however many columns did.
    pub records: u64,
}

/// The outcome of validation, counted.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Well-formed and malformed records.
    pub rows_read: u64,
    /// Records with at least one rejecting reason.
    pub rows_rejected: u64,
    /// Accepted records with at least one warning.
    pub rows_warned: u64,
    /// Records by rule, in rule order.
    pub rule_counts: Vec<RuleCount>,
    /// The well-formed records that are rejected.
    pub rejected: Arc<RecordSet>,
}

impl Tally {
    /// Records that nothing rejects.
    #[must_use]
    pub fn rows_accepted(&self) -> u64 {
        self.rows_read - self.rows_rejected
    }
}

/// The rules of a run and which records queries found to break them.
#[derive(Debug, Clone)]
pub struct Verdicts {
    /// The rules; their position is their number.
    pub rules: Arc<Vec<Rule>>,
    found: Vec<(u16, RecordSet)>,
}

impl Verdicts {
    /// No query has run yet.
    #[must_use]
    pub fn new(rules: Arc<Vec<Rule>>) -> Self {
        Self {
            rules,
            found: Vec::new(),
        }
    }

    /// Adds what the query of rule `number` found.
    pub fn add(&mut self, number: u16, records: RecordSet) {
        if !records.is_empty() {
            self.found.push((number, records));
            self.found.sort_by_key(|(number, _)| *number);
        }
    }

    /// The records that the query of the rule `id` found.
    #[must_use]
    pub fn found(&self, id: &str) -> Option<&RecordSet> {
        let is_it = |number: u16| self.rules.get(number as usize).is_some_and(|rule| rule.id == id);
        let mut found = self.found.iter();
        found
            .find(|(number, _)| is_it(*number))
            .map(|(_, records)| records)
    }

    /// Whether any of these rules rejects.
    #[must_use]
    pub fn rejects(&self, numbers: &[u16]) -> bool {
        numbers
            .iter()
            .filter_map(|n| self.rules.get(*n as usize))
            .any(|rule| rule.severity == Severity::Reject)
    }

    /// The ids of those of these rules that reject, once each.
    #[must_use]
    pub fn rejecting(&self, numbers: &[u16]) -> Vec<String> {
        let rules = numbers.iter().filter_map(|n| self.rules.get(*n as usize));
        let mut ids: Vec<String> = rules
            .filter(|rule| rule.severity == Severity::Reject)
            .map(|rule| rule.id.clone())
            .collect();
        ids.dedup();
        ids
    }

    /// Walks the staged rows that broke something: `visit(row, record_no, rules)`, the rules ascending.
    ///
    /// # Errors
    /// A batch that was not staged by a load, and what `visit` returns.
    pub fn each_broken(
        &self,
        batch: &RecordBatch,
        mut visit: impl FnMut(usize, u64, &[u16]) -> Result<()>,
    ) -> Result<()> {
        let records = batch.column(0).as_primitive::<Int64Type>().values();
        let broken = batch
            .column(batch.schema_ref().index_of(BROKEN)?)
            .as_list::<i32>();
        let numbers = broken.values().as_primitive::<UInt16Type>().values();
        let mut rules = Vec::new();
        for row in self.broken_rows(records, broken) {
            let record_no = records.get(row).map_or(0, |record| record.unsigned_abs());
            rules.clear();
            if let (true, Some([from, to])) = (broken.is_valid(row), broken.value_offsets().get(row..row + 2))
            {
                rules.extend_from_slice(numbers.get(*from as usize..*to as usize).unwrap_or_default());
            }
            let found = self.found.iter().filter(|(_, set)| set.contains(record_no));
            rules.extend(found.map(|(number, _)| *number));
            rules.sort_unstable();
            rules.dedup();
            visit(row, record_no, &rules)?;
        }
        Ok(())
    }

    /// The rows that broke a row rule or that a query found, ascending. Records are in their order in the source.
    fn broken_rows(&self, records: &[i64], broken: &ListArray) -> Vec<usize> {
        let mut rows: Vec<usize> = match broken.nulls() {
            Some(nulls) => nulls.valid_indices().collect(),
            None => (0..broken.len()).collect(),
        };
        let (Some(first), Some(last)) = (records.first(), records.last()) else {
            return rows;
        };
        let num_own = rows.len();
        for (_, set) in &self.found {
            let found = set.within(first.unsigned_abs()..=last.unsigned_abs());
            rows.extend(found.filter_map(|number| records.binary_search(&(number as i64)).ok()));
        }
        if rows.len() > num_own {
            rows.sort_unstable();
            rows.dedup();
        }
        rows
    }

    /// Counts all rows of a stage and of the malformed records beside it.
    ///
    /// # Errors
    /// The stage cannot be read.
    pub fn tally(&self, staged: &BatchStore, malformed_rows: u64) -> Result<Tally> {
        let mut counts = Counts::new(&self.rules);
        let mut rejected = RecordSet::default();
        let mut rows_warned = 0;
        let columns = [0, staged.schema().index_of(BROKEN)?];
        for number in 0..staged.len() {
            self.each_broken(
                &staged.read_columns(number, &columns)?,
                |_, record_no, numbers| {
                    counts.count(record_no, numbers);
                    if self.rejects(numbers) {
                        rejected.insert(record_no);
                    } else {
                        rows_warned += 1;
                    }
                    Ok(())
                },
            )?;
        }
        let mut counts = counts.by_rule();
        if let (Some(rule), true) = (
            self.rules.iter().position(|r| r.check == Check::Malformed),
            malformed_rows > 0,
        ) {
            counts.insert((rule, Severity::Reject), malformed_rows);
        }
        let rule_counts = counts.into_iter().filter_map(|((rule, severity), records)| {
            let rule = self.rules.get(rule)?.id.clone();
            Some(RuleCount {
                rule,
                severity: severity.word().to_owned(),
                records,
            })
        });
        Ok(Tally {
            rows_read: staged.num_rows() as u64 + malformed_rows,
            rows_rejected: rejected.len() + malformed_rows,
            rows_warned,
            rule_counts: rule_counts.collect(),
            rejected: Arc::new(rejected),
        })
    }
}

/// Records by rule: the rules of one id and severity count a record once, however many of them it broke.
#[derive(Debug)]
struct Counts {
    /// For each rule, its id's first rule and its severity.
    keys: Vec<(usize, Severity)>,
    /// For each rule, the place of its key's first rule.
    slots: Vec<usize>,
    /// By slot: the records, and the last of them.
    records: Vec<(u64, u64)>,
}

impl Counts {
    fn new(rules: &[Rule]) -> Self {
        let first_with_id = |id: &str| rules.iter().position(|rule| rule.id == id).unwrap_or(0);
        let key = |rule: &Rule| (first_with_id(&rule.id), rule.severity);
        let keys: Vec<(usize, Severity)> = rules.iter().map(key).collect();
        let slot = |key| keys.iter().position(|other| other == key).unwrap_or(0);
        Self {
            slots: keys.iter().map(slot).collect(),
            records: vec![(0, 0); rules.len()],
            keys,
        }
    }

    fn count(&mut self, record_no: u64, rules: &[u16]) {
        for rule in rules {
            let slot = self.slots.get(*rule as usize).copied().unwrap_or(usize::MAX);
            if let Some((records, last)) = self.records.get_mut(slot).filter(|(_, last)| *last != record_no) {
                *records += 1;
                *last = record_no;
            }
        }
    }

    fn by_rule(self) -> BTreeMap<(usize, Severity), u64> {
        let counted = self.keys.into_iter().zip(self.records);
        let counted = counted.filter(|(_, (records, _))| *records > 0);
        counted.map(|(key, (records, _))| (key, records)).collect()
    }
}
