//! What the rules of now would have made of a run: its source again if it is still what it was, else its rejects.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::prelude::{col, lit};
use serde::Serialize;

use super::coordinator::{Judged, judge_again};
use super::replay::Parent;
use super::request::{Effect, Extent, Guards, Overtaken, Repeat, Replay, RunRequest, Watch};
use crate::error::{Class, Error, Result};
use crate::instance::Instance;
use crate::process::Trigger;
use crate::report::{RunRecord, read_run};
use crate::settings::Settings;
use crate::sql;
use crate::table::schemas::CUSTOMER_ID;
use crate::validate::RecordSet;

/// Examples of records that change side, each way.
const EXAMPLES: usize = 5;

/// What was judged again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The source, which is what it was.
    Source,
    /// The rejects that were kept: records that were accepted are not seen.
    Rejects,
}

/// A rule before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleChange {
    /// The rule.
    pub rule: String,
    /// `reject` or `warn`; after, where it has one.
    pub severity: String,
    /// Records that broke it in the run.
    pub before: u64,
    /// Records that break it now.
    pub after: u64,
}

/// A record that changes side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SideChange {
    /// Its number.
    pub record_no: u64,
    /// Its customer, as far as it has one.
    pub customer_id: Option<String>,
    /// The rules that rejected it, or that reject it now.
    pub rules: Vec<String>,
}

/// What the rules of now would have made of a run.
#[derive(Debug, Clone, Serialize)]
pub struct BackTest {
    /// The run.
    pub run_id: String,
    /// What was judged again.
    pub basis: Basis,
    /// Why it is not the source.
    pub note: Option<String>,
    /// Records judged again.
    pub rows_read: u64,
    /// Those of them that the run rejected.
    pub rejected_before: u64,
    /// Those that are rejected now.
    pub rejected_after: u64,
    /// By rule; set rules and `cid_unknown` ask the customers of now.
    pub rules: Vec<RuleChange>,
    /// Records that were accepted and are rejected now.
    pub newly_rejected_rows: u64,
    /// Records that were rejected and are accepted now.
    pub newly_accepted_rows: u64,
    /// A few that are rejected now.
    pub newly_rejected: Vec<SideChange>,
    /// A few that are accepted now, with the rules that they broke.
    pub newly_accepted: Vec<SideChange>,
}

/// Judges what the run `run_id` of `process` read by the rules of now. Writes nothing.
///
/// # Errors
/// There is no such run of the process; the source or the tables cannot be read.
pub async fn back_test(
    instance: &Instance,
    settings: &Settings,
    (process, run_id): (&str, &str),
    watch: &Watch,
) -> Result<BackTest> {
    let Some(run) = read_run(instance, run_id).await? else {
        return Err(Error::usage(format!("run {run_id} has not ended")));
    };
    if run.process != process {
        return Err(Error::usage(format!(
            "run {run_id} is of the process {}",
            run.process
        )));
    }
    let (basis, judged, note) = match again(instance, settings, &run, watch).await? {
        Again::Source(judged) => (Basis::Source, Some(*judged), None),
        Again::Gone(why) => {
            let parent = Parent::of(run.clone());
            let request = of_rejects(&run);
            let judged = judge_again(instance, settings, &request, Some(parent), watch).await?;
            (Basis::Rejects, judged, Some(why))
        }
    };
    let before = Before::read(instance, settings, run_id).await?;
    let test = BackTest {
        run_id: run_id.to_owned(),
        basis,
        note,
        rows_read: 0,
        rejected_before: before.records.len(),
        rejected_after: 0,
        rules: rules(&run, judged.as_ref()),
        newly_rejected_rows: 0,
        newly_accepted_rows: 0,
        newly_rejected: Vec::new(),
        newly_accepted: Vec::new(),
    };
    match judged {
        Some(judged) => test.compared(&before, &judged),
        None => Ok(test),
    }
}

/// The source, judged again, or why it is not.
enum Again {
    Source(Box<Judged>),
    Gone(String),
}

async fn again(instance: &Instance, settings: &Settings, run: &RunRecord, watch: &Watch) -> Result<Again> {
    let Some(file) = run
        .source_file
        .as_deref()
        .filter(|_| run.source_size_bytes.is_some())
    else {
        return Ok(Again::Gone("a table or a query is not kept".to_owned()));
    };
    let request = RunRequest {
        file: Some(file.into()),
        ..of_rejects(run)
    };
    let request = RunRequest {
        replay: None,
        ..request
    };
    match judge_again(instance, settings, &request, None, watch).await {
        Ok(Some(judged)) if is_same(&judged.record, run) => Ok(Again::Source(Box::new(judged))),
        Ok(_) => Ok(Again::Gone(format!("{file} is no longer what it was"))),
        Err(error) if matches!(error.class(), Class::Runtime | Class::Data) => {
            Ok(Again::Gone(format!("{file} cannot be read again: {error}")))
        }
        Err(error) => Err(error),
    }
}

fn is_same(now: &RunRecord, then: &RunRecord) -> bool {
    let is_same_state = match (&now.source_etag, &then.source_etag) {
        (Some(now), Some(then)) => now == then,
        _ => now.source_modified_at == then.source_modified_at,
    };
    is_same_state && now.source_size_bytes == then.source_size_bytes
}

/// All rejects of a run, to be judged.
fn of_rejects(run: &RunRecord) -> RunRequest {
    RunRequest {
        process: run.process.clone(),
        file: None,
        effect: Effect::DryRun,
        extent: Extent::Whole,
        repeat: Repeat::Force,
        max_rejects: None,
        trigger: Trigger::Manual,
        replay: Some(Replay {
            overtaken: Overtaken::Written,
            ..Replay::of(&run.run_id)
        }),
        guards: Guards::Overruled,
    }
}

fn rules(run: &RunRecord, judged: Option<&Judged>) -> Vec<RuleChange> {
    let mut rules: Vec<RuleChange> = Vec::new();
    let now = judged.map_or(&[][..], |judged| &judged.judgement.tally.rule_counts);
    for (counts, is_now) in [(now, true), (run.rule_counts.as_slice(), false)] {
        for count in counts {
            let same = |change: &&mut RuleChange| change.rule == count.rule;
            let change = match rules.iter_mut().find(same) {
                Some(change) => change,
                None => {
                    rules.push(RuleChange {
                        rule: count.rule.clone(),
                        severity: count.severity.clone(),
                        before: 0,
                        after: 0,
                    });
                    let Some(change) = rules.last_mut() else { continue };
                    change
                }
            };
            *(if is_now {
                &mut change.after
            } else {
                &mut change.before
            }) += count.records;
        }
    }
    rules
}

/// What the run rejected.
struct Before {
    records: RecordSet,
    by_record: BTreeMap<u64, (Option<String>, Vec<String>)>,
}

impl Before {
    async fn read(instance: &Instance, settings: &Settings, run_id: &str) -> Result<Self> {
        let ctx = sql::session(instance, settings).await?;
        let rows = ctx
            .table("rejects")
            .await?
            .filter(col("run_id").eq(lit(run_id)))?;
        let rows = rows.select_columns(&["record_no", CUSTOMER_ID, "rules"])?;
        let (mut records, mut by_record) = (RecordSet::default(), BTreeMap::new());
        for batch in rows.collect().await? {
            let numbers = batch.column(0).as_primitive::<Int64Type>();
            let keys = cast(batch.column(1), &DataType::Utf8)?;
            let rules = batch.column(2).as_list::<i32>();
            for row in 0..batch.num_rows() {
                let key = keys.as_string::<i32>();
                let key = key.is_valid(row).then(|| key.value(row).to_owned());
                let broken = cast(&rules.value(row), &DataType::Utf8)?;
                let broken = broken
                    .as_string::<i32>()
                    .iter()
                    .flatten()
                    .map(str::to_owned)
                    .collect();
                let number = numbers.value(row).unsigned_abs();
                records.insert(number);
                by_record.insert(number, (key, broken));
            }
        }
        Ok(Self { records, by_record })
    }
}

impl BackTest {
    fn compared(mut self, before: &Before, judged: &Judged) -> Result<Self> {
        let (prepared, judgement) = (&judged.prepared, &judged.judgement);
        self.rows_read = judgement.tally.rows_read;
        self.rejected_after = judgement.tally.rows_rejected;
        let mut after = RecordSet::default();
        for number in 0..prepared.loaded.staged.len() {
            let batch = prepared.loaded.staged.read(number)?;
            let keys = batch
                .column(batch.schema().index_of(CUSTOMER_ID)?)
                .as_string_view()
                .clone();
            judgement
                .verdicts
                .each_broken(&batch, |row, record_no, numbers| {
                    if judgement.verdicts.rejects(numbers) {
                        after.insert(record_no);
                        let key = keys.is_valid(row).then(|| keys.value(row).to_owned());
                        self.rejects_now(before, record_no, key, judgement.verdicts.rejecting(numbers));
                    }
                    Ok(())
                })?;
        }
        for number in 0..prepared.loaded.malformed.len() {
            let batch = prepared.loaded.malformed.read(number)?;
            for record_no in batch.column(0).as_primitive::<Int64Type>().values() {
                after.insert(record_no.unsigned_abs());
                let rules = vec![crate::validate::id::MALFORMED_RECORD.to_owned()];
                self.rejects_now(before, record_no.unsigned_abs(), None, rules);
            }
        }
        let accepted = before
            .by_record
            .iter()
            .filter(|(record_no, _)| !after.contains(**record_no));
        for (record_no, (customer_id, rules)) in accepted {
            self.newly_accepted_rows += 1;
            if self.newly_accepted.len() < EXAMPLES {
                self.newly_accepted.push(SideChange {
                    record_no: *record_no,
                    customer_id: customer_id.clone(),
                    rules: rules.clone(),
                });
            }
        }
        Ok(self)
    }

    fn rejects_now(
        &mut self,
        before: &Before,
        record_no: u64,
        customer_id: Option<String>,
        rules: Vec<String>,
    ) {
        if before.records.contains(record_no) {
            return;
        }
        self.newly_rejected_rows += 1;
        if self.newly_rejected.len() < EXAMPLES {
            self.newly_rejected.push(SideChange {
                record_no,
                customer_id,
                rules,
            });
        }
    }
}
