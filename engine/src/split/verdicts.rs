//! All that was found about a record, in one place.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
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

    /// The rules that a row of a staged batch broke, ascending.
    #[must_use]
    pub fn of_row(&self, broken: &[u16], record_no: u64) -> Vec<u16> {
        let mut numbers = broken.to_vec();
        numbers.extend(
            self.found
                .iter()
                .filter(|(_, set)| set.contains(record_no))
                .map(|(number, _)| *number),
        );
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Whether any of these rules rejects.
    #[must_use]
    pub fn rejects(&self, numbers: &[u16]) -> bool {
        numbers
            .iter()
            .filter_map(|n| self.rules.get(*n as usize))
            .any(|rule| rule.severity == Severity::Reject)
    }

    /// Walks the staged rows that broke something: `visit(row, record_no, rules)`.
    ///
    /// # Errors
    /// What `visit` returns.
    pub fn each_broken(
        &self,
        batch: &RecordBatch,
        mut visit: impl FnMut(usize, u64, Vec<u16>) -> Result<()>,
    ) -> Result<()> {
        let records = batch.column(0).as_primitive::<Int64Type>();
        let broken = batch.column(batch.schema().index_of(BROKEN)?).as_list::<i32>();
        let numbers = broken.values().as_primitive::<UInt16Type>().values();
        if broken.null_count() == broken.len() && self.found.is_empty() {
            return Ok(());
        }
        for row in 0..batch.num_rows() {
            let mine = if broken.is_null(row) {
                &[]
            } else {
                let (from, to) = (
                    broken.value_offsets()[row] as usize,
                    broken.value_offsets()[row + 1] as usize,
                );
                numbers.get(from..to).unwrap_or_default()
            };
            let record_no = records.value(row).unsigned_abs();
            if mine.is_empty() && !self.found.iter().any(|(_, set)| set.contains(record_no)) {
                continue;
            }
            visit(row, record_no, self.of_row(mine, record_no))?;
        }
        Ok(())
    }

    /// Counts all rows of a stage and of the malformed records beside it.
    ///
    /// # Errors
    /// The stage cannot be read.
    pub fn tally(&self, staged: &BatchStore, malformed_rows: u64) -> Result<Tally> {
        let mut counts: BTreeMap<(usize, Severity), u64> = BTreeMap::new();
        let order: Vec<usize> = self
            .rules
            .iter()
            .map(|rule| self.first_with_id(&rule.id))
            .collect();
        let mut rejected = RecordSet::default();
        let mut rows_warned = 0;
        for number in 0..staged.len() {
            self.each_broken(&staged.read(number)?, |_, record_no, numbers| {
                let mut seen: Vec<(usize, Severity)> = Vec::with_capacity(numbers.len());
                for rule in &numbers {
                    if let (Some(first), Some(rule)) =
                        (order.get(*rule as usize), self.rules.get(*rule as usize))
                    {
                        seen.push((*first, rule.severity));
                    }
                }
                seen.sort_unstable();
                seen.dedup();
                seen.into_iter()
                    .for_each(|key| *counts.entry(key).or_default() += 1);
                if self.rejects(&numbers) {
                    rejected.insert(record_no);
                } else {
                    rows_warned += 1;
                }
                Ok(())
            })?;
        }
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

    fn first_with_id(&self, id: &str) -> usize {
        self.rules.iter().position(|rule| rule.id == id).unwrap_or(0)
    }
}
