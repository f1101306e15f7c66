//! Random lives of an instance: runs, two runs at once, maintenance of every kind and rollbacks, against a map for
//! each version.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use chrono::{Duration, Utc};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sluice_engine::history::rollback::{LaterWrites, Target};
use sluice_engine::maintain::{
    MaintainedTable, OptimizeRequest, ShortRetention, VacuumEffect, VacuumRequest, after_run, optimize,
    vacuum,
};
use sluice_engine::run::Report;

use super::jobs::{RUNTIME, cases};
use crate::history::rollback;
use crate::support::{Bench, definition};

/// Processes: two that register and one that updates, an attribute each.
const MODES: [&str; 3] = ["register", "register", "update"];

/// Programs that know nothing of Sluice.
const READERS: [&str; 3] = ["polars", "deltalake", "duckdb"];

/// Files that may be sent again.
const LAST_SENT: usize = 3;

/// The values of customers by number, one of each process.
type Customers = BTreeMap<u8, [Option<u8>; 3]>;

/// A file of a process.
#[derive(Debug, Clone)]
struct Sent {
    process: usize,
    rows: BTreeMap<u8, Option<u8>>,
}

#[derive(Debug, Clone)]
enum Step {
    Run(Sent),
    /// One of the last files again, as it was, under another name.
    Again(Index),
    /// Two at once; of one process there is never more than one.
    Pair(Sent, BTreeMap<u8, Option<u8>>),
    RunBesideOptimize(Sent),
    Optimize,
    AfterRun,
    /// Nothing but the newest version is left.
    Vacuum,
    Back(Index),
    /// Runs merge files in this way from here on.
    Way(&'static str),
}

fn rows() -> impl Strategy<Value = BTreeMap<u8, Option<u8>>> {
    btree_map(0..40u8, proptest::option::weighted(0.9, 0..5u8), 0..16)
}

fn sent() -> impl Strategy<Value = Sent> {
    (0..MODES.len(), rows()).prop_map(|(process, rows)| Sent { process, rows })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => sent().prop_map(Step::Run),
        4 => any::<Index>().prop_map(Step::Again),
        4 => (sent(), rows()).prop_map(|(sent, rows)| Step::Pair(sent, rows)),
        2 => sent().prop_map(Step::RunBesideOptimize),
        1 => Just(Step::Optimize),
        2 => Just(Step::AfterRun),
        1 => Just(Step::Vacuum),
        2 => any::<Index>().prop_map(Step::Back),
        2 => select(vec!["auto", "deletion_vector", "splice", "rewrite"]).prop_map(Step::Way),
    ]
}

proptest! {
    #![proptest_config(cases(8))]

    #[test]
    fn whatever_happens_customers_are_what_the_serial_order_of_versions_leaves(steps in vec(step(), 4..14)) {
        RUNTIME.block_on(async {
            let mut life = Life::begun().await;
            for (number, step) in steps.iter().enumerate() {
                life.take(number, step).await;
                assert_eq!(life.found().await, life.shown(), "after {step:?}");
            }
            let reader = READERS[life.files / 2 % READERS.len()];
            assert_eq!(life.read_by(reader), life.shown(), "{reader}");
        });
    }
}

struct Life {
    bench: Bench,
    /// What each version that changed anything left.
    versions: BTreeMap<u64, Customers>,
    /// Versions before this one need not be whole any more.
    whole_from: u64,
    files: usize,
    /// What was sent, oldest first.
    sent: Vec<Sent>,
}

impl Life {
    async fn begun() -> Self {
        let bench = Bench::new().await;
        for (process, mode) in MODES.iter().enumerate() {
            let attribute = format!("a{process}=int");
            let toml = definition(mode, &[&attribute], "[policy]\nallow_none = true\n");
            bench.process(&format!("p{process}"), &toml).await;
        }
        Self {
            bench,
            versions: BTreeMap::from([(0, Customers::new())]),
            whole_from: 0,
            files: 0,
            sent: Vec::new(),
        }
    }

    async fn take(&mut self, number: usize, step: &Step) {
        match step {
            Step::Run(sent) => {
                let report = self.run(self.files, sent).await;
                self.applied(&report, sent);
            }
            Step::Again(index) => {
                let last = &self.sent[self.sent.len().saturating_sub(LAST_SENT)..];
                if !last.is_empty() {
                    let sent = index.get(last).clone();
                    let report = self.run(self.files, &sent).await;
                    self.applied(&report, &sent);
                }
            }
            Step::Pair(one, rows) => self.pair(one, rows.clone()).await,
            Step::RunBesideOptimize(sent) => {
                let (report, ()) = tokio::join!(self.run(self.files, sent), self.optimize());
                self.applied(&report, sent);
            }
            Step::Optimize => self.optimize().await,
            Step::AfterRun => {
                let done = after_run(&self.bench.instance, &self.bench.settings, &Arc::default()).await;
                assert!(done.problems.is_empty(), "{:?}", done.problems);
            }
            Step::Vacuum => self.vacuum().await,
            Step::Back(index) => self.back(index).await,
            Step::Way(way) => {
                let small = 2 + number % 3;
                self.bench.configure(&format!(
                    "[defaults]\nmerge = \"{way}\"\n[maintenance]\nsmall_files = {small}\n"
                ));
            }
        }
        self.files += 2;
    }

    async fn pair(&mut self, one: &Sent, rows: BTreeMap<u8, Option<u8>>) {
        let other = Sent {
            process: (one.process + 1) % MODES.len(),
            rows,
        };
        let (first, second) = tokio::join!(self.run(self.files, one), self.run(self.files + 1, &other));
        let mut both = [(first, one), (second, &other)];
        both.sort_by_key(|(report, _)| report.run.version_after);
        for (report, sent) in both {
            self.applied(&report, sent);
        }
    }

    async fn run(&self, file: usize, sent: &Sent) -> Report {
        let name = format!("p{}", sent.process);
        let cell = |value: &Option<u8>| value.map_or(String::new(), |value| value.to_string());
        let rows: String = sent
            .rows
            .iter()
            .map(|(customer, value)| format!("{},{}\n", cid(*customer), cell(value)))
            .collect();
        let file = self
            .bench
            .file(&format!("{file}.csv"), format!("cid,a{}\n{rows}", sent.process));
        let report = self.bench.run_on(&name, &file).await.unwrap();
        assert!(report.run.is_merged(), "{:?}", report.error);
        report
    }

    /// What a run does, in the order of versions, and what it must have counted.
    fn applied(&mut self, report: &Report, sent: &Sent) {
        self.sent.push(sent.clone());
        let version = report.run.version_after.unwrap();
        let mut customers = self.at(version);
        let [mut inserted, mut updated, mut unchanged, mut rejected] = [0; 4];
        for (customer, value) in &sent.rows {
            match customers.get_mut(customer) {
                Some(values) if values[sent.process] == *value => unchanged += 1,
                Some(values) => {
                    values[sent.process] = *value;
                    updated += 1;
                }
                None if MODES[sent.process] == "update" => rejected += 1,
                None => {
                    customers.entry(*customer).or_default()[sent.process] = *value;
                    inserted += 1;
                }
            }
        }
        let run = &report.run;
        let counts = [
            run.rows_inserted,
            run.rows_updated,
            run.rows_unchanged,
            run.rows_rejected,
        ];
        assert_eq!(
            counts,
            [inserted, updated, unchanged, rejected].map(Some),
            "version {version}"
        );
        self.versions.insert(version, customers);
    }

    async fn optimize(&self) {
        let request = OptimizeRequest::whole(&self.bench.instance.config().maintenance);
        optimize(&self.bench.instance, &self.bench.settings, &request)
            .await
            .unwrap();
    }

    async fn vacuum(&mut self) {
        let request = VacuumRequest {
            tables: MaintainedTable::ALL.to_vec(),
            retention: "0h".parse().unwrap(),
            effect: VacuumEffect::Delete,
            short: ShortRetention::Forced,
            now: Utc::now() + Duration::hours(2),
        };
        vacuum(&self.bench.instance, &request).await.unwrap();
        self.whole_from = self.newest().await;
    }

    async fn back(&mut self, index: &Index) {
        let newest = self.newest().await;
        let target = index.index(newest as usize + 1) as u64;
        let outcome = rollback(&self.bench, Target::Version(target), LaterWrites::Refuse).await;
        match outcome {
            Ok(report) => {
                let customers = self.at(target);
                self.versions.insert(report.version_after.unwrap(), customers);
            }
            Err(error) => assert!(
                target == newest || target < self.whole_from,
                "{target} of {newest}: {error}"
            ),
        }
    }

    async fn newest(&self) -> u64 {
        let log = self.bench.instance.customers().unwrap();
        log.snapshot(None).await.unwrap().version
    }

    /// What a version left, or the last before it that changed anything.
    fn at(&self, version: u64) -> Customers {
        let (_, customers) = self.versions.range(..=version).next_back().unwrap();
        customers.clone()
    }

    fn shown(&self) -> Vec<String> {
        let cell = |value: &Option<u8>| value.map_or("-".to_owned(), |value| value.to_string());
        let mut rows: Vec<String> = self
            .at(u64::MAX)
            .iter()
            .map(|(customer, values)| {
                let values: Vec<String> = values.iter().map(cell).collect();
                format!("{}|{}", cid(*customer), values.join("|"))
            })
            .collect();
        rows.sort();
        rows
    }

    /// The same as another program reads it.
    fn read_by(&self, reader: &str) -> Vec<String> {
        let python = std::env::var("SLUICE_PYTHON")
            .unwrap_or_else(|_| panic!("the readers are not set up: run the tests with tests/run"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/readers/read_customers.py");
        let table = self.bench.folder.path().join("instance/customers");
        let read = Command::new(python)
            .arg(script)
            .arg(table)
            .arg(reader)
            .output()
            .unwrap();
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        let text = String::from_utf8(read.stdout).unwrap();
        let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let names = lines.next().unwrap();
        // A column that no run has filled yet is not there.
        let cell = |row: &[&str], name: &str| match names.iter().position(|other| *other == name) {
            Some(place) if row[place] != "\\N" => row[place].to_owned(),
            _ => "-".to_owned(),
        };
        let shown = |row: Vec<&str>| {
            ["customer_id", "a0", "a1", "a2"]
                .map(|name| cell(&row, name))
                .join("|")
        };
        lines.map(shown).collect()
    }

    async fn found(&self) -> Vec<String> {
        self.bench
            .rows("SELECT customer_id, a0, a1, a2 FROM customers ORDER BY 1")
            .await
    }
}

/// Neighbours among the numbers are none among the names.
fn cid(customer: u8) -> String {
    format!("C{:02}", u32::from(customer) * 37 % 41)
}
