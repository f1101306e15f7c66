//! The properties.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use sluice_engine::process::{self, RuleLine};
use sluice_engine::run::{Effect, Extent, Repeat, Report, RunRequest};
use sluice_engine::spec::RejectBudget;
use tokio::runtime::Runtime;

use super::files::{File, file};
use super::model::{self, Content, Customers, Expected, Merged, Placed};
use super::processes::{Budget, Check, Kind, OnDuplicate, Process, Severity, budget, process};
use super::read;
use crate::support::{Bench, batches, request};

/// Most records of a file.
const MOST_RECORDS: usize = 14;

pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// `PROPTEST_CASES`, or as many cases as a test run has time for.
pub fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 200,
        max_shrink_time: 60_000,
        ..ProptestConfig::with_cases(asked.unwrap_or(usual))
    }
}

/// A file for one of the processes.
#[derive(Debug, Clone)]
pub struct Step {
    pub process: usize,
    pub file: File,
    /// Instead of the process's.
    budget: Option<Budget>,
    /// How the files of `customers` are merged: the keys of `[defaults]`.
    merging: (&'static str, &'static str),
    then: Then,
}

/// What happens after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Next,
    SameFileAgain,
}

fn one_process() -> impl Strategy<Value = Process> {
    process(
        "one",
        vec![
            Kind::Bigint,
            Kind::Decimal,
            Kind::Date,
            Kind::Text,
            Kind::Email,
            Kind::LocalTimestamp,
        ],
    )
}

fn other_process() -> impl Strategy<Value = Process> {
    process(
        "other",
        vec![
            Kind::Double,
            Kind::Boolean,
            Kind::Timestamp,
            Kind::Varchar,
            Kind::Text,
            Kind::Date,
        ],
    )
}

pub fn history() -> impl Strategy<Value = ([Process; 2], Vec<Step>)> {
    (one_process(), other_process()).prop_flat_map(|(one, other)| {
        let files = prop_oneof![
            file(&one, MOST_RECORDS).prop_map(|file| (0, file)),
            file(&other, MOST_RECORDS).prop_map(|file| (1, file)),
        ];
        let then = prop_oneof![3 => Just(Then::Next), 1 => Just(Then::SameFileAgain)];
        let step = (files, option::weighted(0.2, budget()), merging(), then).prop_map(
            |((process, file), budget, merging, then)| Step {
                process,
                file,
                budget,
                merging,
                then,
            },
        );
        (Just([one, other]), vec(step, 2..=4))
    })
}

/// Every way to merge a file, whatever it costs, with deletion vectors and without.
fn merging() -> impl Strategy<Value = (&'static str, &'static str)> {
    let ways = prop_oneof![
        Just("auto"),
        Just("deletion_vector"),
        Just("splice"),
        Just("rewrite")
    ];
    (ways, prop_oneof![4 => Just("on"), 1 => Just("off")])
}

fn process_and_file() -> impl Strategy<Value = (Process, File)> {
    prop_oneof![one_process(), other_process()]
        .prop_flat_map(|process| (Just(process.clone()), file(&process, 3 * MOST_RECORDS)))
}

proptest! {
    #![proptest_config(cases(20))]

    #[test]
    fn whatever_is_ingested_customers_rejects_and_counts_are_those_of_the_model((processes, steps) in history()) {
        RUNTIME.block_on(play(&processes, &steps));
    }

    #[test]
    fn a_printed_rule_finds_the_records_that_the_run_rejects_for_it((process, file) in process_and_file()) {
        RUNTIME.block_on(paste_rules(&process, &file));
    }
}

/// An instance with customers, whom a third process registered.
pub async fn bench() -> Bench {
    let bench = Bench::new().await;
    let base = bench.file("base.csv", "cid,base\nC0,1\nC1,1\nC2,1\nC3,1\n\u{e9},1\nNA,1\n");
    bench
        .ingest(&base, "cid", &["base=int"], "register")
        .await
        .unwrap();
    bench
}

async fn play(processes: &[Process; 2], steps: &[Step]) {
    let mut bench = bench().await;
    for process in processes {
        bench.process(process.name, &process.toml()).await;
    }
    let mut customers = read::customers(&bench.session().await).await;
    for (number, step) in steps.iter().enumerate() {
        let process = &processes[step.process];
        let (merge, vectors) = step.merging;
        bench.configure(&format!(
            "[defaults]\nmerge = \"{merge}\"\ndeletion_vectors = \"{vectors}\"\n"
        ));
        let (bytes, records) = step.file.write();
        let path = bench.file(&format!("{number}.csv"), bytes);
        let asked = RunRequest {
            max_rejects: step.budget.map(engine_budget),
            ..request(process.name, Some(&path))
        };
        let run =
            |before: &Customers| model::run(process, step.budget.unwrap_or(process.budget), &records, before);
        let expected = run(&customers);
        dry_run(&bench, &asked, &expected).await;
        let merged = real_run(&bench, asked.clone(), &records, &expected).await;
        customers = expected.customers;
        if let (Some(merged), Then::SameFileAgain) = (merged, step.then) {
            skipped(&bench, asked.clone(), &customers).await;
            let again = run(&customers);
            let forced = RunRequest {
                extent: Extent::Whole,
                repeat: Repeat::Force,
                ..asked
            };
            let repeated = real_run(&bench, forced, &records, &again).await;
            customers = again.customers;
            let asks_customers = |rule: &super::processes::UserRule| rule.check == Check::Falls;
            if !process.rules.iter().any(asks_customers) {
                let all = merged.inserted + merged.updated + merged.unchanged;
                assert_eq!(
                    repeated.map(|again| again.unchanged),
                    Some(all),
                    "the same file again changes nothing"
                );
            }
        }
    }
}

/// Finds out the same as the run that follows, and writes nothing.
async fn dry_run(bench: &Bench, asked: &RunRequest, expected: &Expected) {
    let before = listing(bench.instance.base());
    let dry = RunRequest {
        effect: Effect::Explain,
        ..asked.clone()
    };
    let report = bench.run(dry).await.unwrap();
    assert!(report.dry_run);
    assert_eq!(read::counts(&report), expected.counts, "the counts of a dry run");
    assert!(
        listing(bench.instance.base()) == before,
        "a dry run wrote something"
    );
}

async fn real_run(
    bench: &Bench,
    asked: RunRequest,
    records: &[Placed],
    expected: &Expected,
) -> Option<Merged> {
    let report = bench.run(asked).await.unwrap();
    assert_eq!(read::counts(&report), expected.counts);
    assert_eq!(report.run.status.word(), status(expected));
    let (before, after) = (report.run.version_before.unwrap(), report.run.version_after);
    let committed = expected.counts.merged.is_ok().then_some(before + 1);
    assert_eq!(after, committed, "one run is one commit, or none");
    let tables = bench.session().await;
    let (rejects, malformed) = read::rejects(&tables, &report.run.run_id).await;
    assert_eq!(rejects, expected.rejects);
    for (record, message) in malformed {
        let Content::Malformed(words) = records[record as usize - 1].content else {
            panic!("record {record} is well-formed");
        };
        assert!(
            message.starts_with(words),
            "{message:?} should begin with {words:?}"
        );
    }
    assert_eq!(read::customers(&tables).await, expected.customers);
    if let Ok(merged) = &expected.counts.merged {
        assert_eq!(
            read::changed(&tables, &report.run.run_id).await,
            merged.inserted + merged.updated
        );
    }
    expected.counts.merged.clone().ok()
}

fn status(expected: &Expected) -> &'static str {
    match &expected.counts.merged {
        Err(_) => "failed",
        Ok(_) if expected.rejects.is_empty() => "completed",
        Ok(_) => "completed_with_rejects",
    }
}

async fn skipped(bench: &Bench, asked: RunRequest, customers: &Customers) {
    let tables = ["customers", "rejects"].map(|table| bench.instance.base().join(table));
    let before = tables.each_ref().map(|table| listing(table));
    let report: Report = bench.run(asked).await.unwrap();
    assert_eq!(
        (report.run.status.word(), report.run.rows_read),
        ("skipped", None)
    );
    assert!(
        tables.each_ref().map(|table| listing(table)) == before,
        "a skipped run wrote something"
    );
    assert_eq!(&read::customers(&bench.session().await).await, customers);
}

fn engine_budget(budget: Budget) -> RejectBudget {
    match budget {
        Budget::Unlimited => RejectBudget::Unlimited,
        Budget::Rows(rows) => RejectBudget::Rows(rows),
        Budget::Percent(share) => RejectBudget::Percent(share as f64),
    }
}

/// Every file below a folder with its content.
fn listing(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(listing(&path));
        } else {
            files.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    files
}

async fn paste_rules(process: &Process, file: &File) {
    let bench = bench().await;
    bench.process(process.name, &process.toml()).await;
    let (bytes, records) = file.write();
    let path = bench.file("file.csv", bytes);
    // Twice: at first the table lacks the attributes, then it has them.
    for repeat in [Repeat::SkipMerged, Repeat::Force] {
        let tables = bench.session().await;
        let before = read::customers(&tables).await;
        let expected = model::run(process, Budget::Unlimited, &records, &before);
        let mut found = BTreeMap::new();
        let rules = process::rules(&bench.instance, process.name).await.unwrap();
        for rule in rules
            .iter()
            .filter(|rule| can_be_pasted(rule, process, &expected))
        {
            let sql = on_file(&rule.sql, process.name, &path);
            let records = read::first_numbers(&batches(&tables, &sql).await);
            found.insert((rule.id.clone(), rule.column.clone()), (records, sql));
        }
        let asked = RunRequest {
            repeat,
            max_rejects: Some(RejectBudget::Unlimited),
            ..request(process.name, Some(&path))
        };
        let report = bench.run(asked).await.unwrap();
        let (rejects, _) = read::rejects(&bench.session().await, &report.run.run_id).await;
        for ((id, column), (records, sql)) in found {
            let rejected: BTreeSet<u64> = if severity(process, &id) == Severity::Reject {
                let is_it = |(rule, at, _): &model::Reason| *rule == id && *at == column;
                let of_rule = rejects
                    .iter()
                    .filter(|(_, reject)| reject.reasons.iter().any(is_it));
                of_rule.map(|(record, _)| *record).collect()
            } else {
                expected
                    .broken
                    .get(&(id.clone(), column.clone()))
                    .cloned()
                    .unwrap_or_default()
            };
            assert_eq!(records, rejected, "{id} of {column:?}: {sql}");
        }
    }
}

/// The SQL of a rule that fails on a record fails as a whole, and so does what asks every rule.
fn can_be_pasted(rule: &RuleLine, process: &Process, expected: &Expected) -> bool {
    let fails = expected.broken.contains_key(&("rule_error".to_owned(), None));
    let asks_all = rule.id == "cid_duplicate" && process.on_duplicate != OnDuplicate::RejectAll;
    rule.id != "rule_error" && !(fails && (asks_all || rule.id == "divides"))
}

fn severity(process: &Process, rule: &str) -> Severity {
    let own = process.rules.iter().find(|own| own.id == rule);
    let set = process.severities.get(rule).copied();
    own.map_or(set.unwrap_or(Severity::Reject), |own| own.severity)
}

/// The query with the process's file for `incoming` and `records`.
fn on_file(sql: &str, process: &str, path: &Path) -> String {
    let mut sql = sql.to_owned();
    for relation in ["incoming", "records"] {
        let function = format!("FROM {relation}('{process}', '{}')", path.display());
        sql = sql.replace(&format!("FROM {relation}"), &function);
    }
    sql
}
