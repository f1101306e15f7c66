//! A person leaves the instance: no byte of it is left, and nobody else is touched.

use std::path::{Path, PathBuf};

use arrow::util::pretty::pretty_format_batches;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use sluice_engine::Class;
use sluice_engine::history::rollback::{LaterWrites, Target};
use sluice_engine::maintain::{
    Effect, ForgetReport, Forgetting, MaintainedTable, OptimizeRequest, ShortRetention, VacuumEffect,
    VacuumRequest, checkpoint_if_due, optimize, purge, vacuum,
};

use super::support::{bench, run, states};
use crate::history::rollback;
use crate::properties::jobs::{RUNTIME, cases};
use crate::support::bucket::Bucket;
use crate::support::{Bench, definition};

/// The largest key of every file that holds it, so that logs name it too.
const CID: &str = "FORGET-42";
const ATTRIBUTES: [&str; 2] = ["Tier=string", "Joined=date"];

/// The files below `folder` that hold the id: as they are stored, or decoded if they are Parquet.
fn traces(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(traces(&path));
        } else if holds(&path, std::fs::read(&path).unwrap().into()) {
            found.push(path);
        }
    }
    found
}

/// The same of the objects of a bucket.
async fn traces_in(bucket: &Bucket) -> Vec<String> {
    let objects = bucket.objects().await.into_iter();
    let holding = objects.filter(|(name, bytes)| holds(Path::new(name), bytes.clone()));
    holding.map(|(name, _)| name).collect()
}

fn holds(path: &Path, bytes: Bytes) -> bool {
    let stored = bytes.windows(CID.len()).any(|window| window == CID.as_bytes());
    if stored || path.extension().is_none_or(|extension| extension != "parquet") {
        return stored;
    }
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
    let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
    let shown = pretty_format_batches(&batches).unwrap().to_string();
    // Binary columns are shown in hexadecimal.
    let hex: String = CID.bytes().map(|byte| format!("{byte:02x}")).collect();
    shown.contains(CID) || shown.contains(&hex)
}

async fn plan(bench: &Bench) -> ForgetReport {
    let planned = Forgetting::plan(&bench.instance, &bench.settings, CID)
        .await
        .unwrap();
    planned.give_up().await
}

async fn forget(bench: &Bench) -> ForgetReport {
    let planned = Forgetting::plan(&bench.instance, &bench.settings, CID)
        .await
        .unwrap();
    planned.carry_out().await.unwrap()
}

/// An instance that has known the customer for a while: in files of several versions, as dead rows, in bounds and
/// checkpoints of logs, in rejects, in a message that waits, in the report of a rollback.
async fn with_a_past() -> Bench {
    let bench = Bench::with_config(TELLING).await;
    live_a_while(&bench).await;
    let aborted = bench.instance.base().join("customers/part-dead.parquet#1");
    std::fs::write(aborted, CID).unwrap();
    bench
}

/// Deletion vectors, and somebody who is told values and never answers.
const TELLING: &str = "[defaults]\nmerge = \"deletion_vector\"\n[[notify]]\non = [\"rejects\"]\n\
                       to = \"https://localhost:1/\"\nexamples = \"values\"\n";

async fn live_a_while(bench: &Bench) {
    bench.process("p", &definition("register", &ATTRIBUTES, "")).await;
    let head = "cid,Tier,Joined\n";
    run(bench, "0.csv", format!("{head}C1,Tin,2024-01-01\n")).await;
    let first = run(
        bench,
        "1.csv",
        format!("{head}C2,Tin,2024-01-01\n{CID},Tin,2024-01-01\n"),
    )
    .await;
    run(
        bench,
        "2.csv",
        format!("{head}C1,Gold,2024-01-01\n{CID},Gold,2024-01-01\n"),
    )
    .await;
    rollback(bench, Target::Run(first), LaterWrites::Overwrite)
        .await
        .unwrap();
    let dirty = format!(
        "{head}{CID},Tin,never\nC3,friend of {CID},1900-01-01\n{CID}\n{CID},Tin,2024-01-01\n{CID},Silver,2024-05-05,x\nC4,Tin,2024-01-01\n"
    );
    run(bench, "3.csv", dirty).await;
    run(
        bench,
        "4.csv",
        format!("{head}{CID},Silver,2024-05-05\nC5,Tin,2024-01-01\n"),
    )
    .await;
    for table in MaintainedTable::ALL {
        let _ = checkpoint_if_due(&table.log(&bench.instance).unwrap(), 1)
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_of_a_forgotten_customer_is_left_and_everybody_else_is() {
    let bench = with_a_past().await;
    let others = format!("SELECT * FROM customers WHERE customer_id <> '{CID}' ORDER BY 1");
    let (before, before_rejects) = (bench.rows(&others).await, states(&bench).await.len());
    let held = traces(bench.instance.base());
    for place in [
        "p.state.json",
        "part-dead.parquet#1",
        "2.json",
        ".checkpoint.parquet",
        ".parquet",
    ] {
        let is_there = held.iter().any(|path| path.to_string_lossy().ends_with(place));
        assert!(is_there, "{place}: {held:?}");
    }
    let planned = plan(&bench).await;
    assert!(
        planned.dry_run && planned.customers_rows == 1 && planned.deleted_files > 0,
        "{planned:?}"
    );
    assert_eq!(
        bench
            .cell(&format!(
                "SELECT count(*) FROM customers WHERE customer_id = '{CID}'"
            ))
            .await,
        "1"
    );

    let report = forget(&bench).await;
    assert_eq!(traces(bench.instance.base()), Vec::<PathBuf>::new());
    assert_eq!(bench.rows("SELECT * FROM customers ORDER BY 1").await, before);
    assert_eq!(
        (report.customers_rows, report.rejects_rows, report.blanked_rows),
        (1, 4, 1)
    );
    assert_eq!(states(&bench).await.len(), before_rejects - 4);
    assert!(
        report.cut_logs.contains(&MaintainedTable::Customers),
        "{report:?}"
    );
    assert_eq!(report.mentions, Vec::<String>::new());
    let events = "SELECT kind, detail LIKE '%customers_version%' FROM events WHERE kind = 'forgotten'";
    assert_eq!(bench.rows(events).await, ["forgotten|true"]);
    assert!(
        forget(&bench).await.is_empty(),
        "a second time nothing is left to do"
    );

    // Life goes on: a later file registers it again, and it is a customer like any other.
    run(
        &bench,
        "9.csv",
        format!("cid,Tier,Joined\n{CID},New,2025-01-01\nC1,Tin,2025-01-01\n"),
    )
    .await;
    let again = format!("SELECT tier FROM customers WHERE customer_id = '{CID}'");
    assert_eq!(bench.cell(&again).await, "New");
    assert_eq!(
        bench
            .rows("SELECT count(*) FROM history() WHERE kind = 'run'")
            .await,
        ["1"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_no_byte_of_a_forgotten_customer_is_left_in_the_bucket_and_everybody_else_is() {
    let bucket = Bucket::s3(TELLING).await;
    let bench = &bucket.bench;
    live_a_while(bench).await;
    let others = format!("SELECT * FROM customers WHERE customer_id <> '{CID}' ORDER BY 1");
    let before = bench.rows(&others).await;
    let held = traces_in(&bucket).await;
    for place in [
        "p.state.json",
        "2.json",
        ".checkpoint.parquet",
        "rejects/",
        "customers/",
    ] {
        assert!(held.iter().any(|name| name.contains(place)), "{place}: {held:?}");
    }
    let report = forget(bench).await;
    assert_eq!(traces_in(&bucket).await, Vec::<String>::new());
    assert_eq!(bench.rows("SELECT * FROM customers ORDER BY 1").await, before);
    assert_eq!(
        (report.customers_rows, report.rejects_rows, report.blanked_rows),
        (1, 4, 1)
    );
    assert!(
        forget(bench).await.is_empty(),
        "a second time nothing is left to do"
    );
    run(
        bench,
        "9.csv",
        format!("cid,Tier,Joined\n{CID},New,2025-01-01\nC1,Tin,2025-01-01\n"),
    )
    .await;
    let again = format!("SELECT tier FROM customers WHERE customer_id = '{CID}'");
    assert_eq!(bench.cell(&again).await, "New");
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_a_purge_and_a_vacuum_leave_no_byte_of_a_customer_in_the_rejects_of_the_bucket() {
    let bucket = Bucket::s3("").await;
    let bench = &bucket.bench;
    live_a_while(bench).await;
    let in_rejects = async || {
        let held = traces_in(&bucket).await.into_iter();
        held.filter(|name| name.starts_with("rejects/"))
            .collect::<Vec<_>>()
    };
    assert!(!in_rejects().await.is_empty());
    let purged = purge(&bench.instance, &bench.settings, CID, Effect::Apply)
        .await
        .unwrap();
    assert_eq!((purged.rejects_rows, purged.blanked_rows), (4, 1));
    let now = chrono::Utc::now() + chrono::Duration::hours(2);
    let request = VacuumRequest {
        tables: vec![MaintainedTable::Rejects],
        retention: "0h".parse().unwrap(),
        short: ShortRetention::Forced,
        effect: VacuumEffect::Delete,
        now,
    };
    vacuum(&bench.instance, &request).await.unwrap();
    assert_eq!(in_rejects().await, Vec::<String>::new());
    let left = "SELECT count(*) FROM reject_reasons WHERE customer_id = 'C3'";
    assert_eq!(bench.cell(left).await, "1", "another customer's reject stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_that_held_the_customer_are_lost_and_say_so() {
    let bench = Bench::new().await;
    bench.process("p", &definition("register", &ATTRIBUTES, "")).await;
    let head = "cid,Tier,Joined\n";
    run(
        &bench,
        "1.csv",
        format!("{head}C1,Tin,2024-01-01\nZ9,Tin,2024-01-01\n"),
    )
    .await;
    // Between two others: no bound of a file, so that the log need not forget.
    let second = run(
        &bench,
        "2.csv",
        format!("{head}C2,Tin,2024-01-01\n{CID},Tin,2024-01-01\nZ8,Tin,2024-01-01\n"),
    )
    .await;
    let report = forget(&bench).await;
    assert_eq!(
        (
            report.cut_logs.len(),
            report.customers_rows,
            report.customers_version
        ),
        (0, 1, 3)
    );
    assert_eq!(
        bench
            .rows("SELECT customer_id FROM customers_at(1) ORDER BY 1")
            .await,
        ["C1", "Z9"]
    );
    let lost = bench.query("SELECT * FROM customers_at(2)").await.unwrap_err();
    assert!(lost.to_string().contains("was vacuumed"), "{lost}");
    assert_eq!(
        bench
            .rows("SELECT version, kind FROM history() ORDER BY 1")
            .await
            .last()
            .unwrap(),
        "3|erasure"
    );
    let refused = rollback(&bench, Target::Run(second), LaterWrites::Refuse)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("vacuumed"), "{refused}");
    // Going back to a version that never held it brings nobody back whom it did not have.
    rollback(&bench, Target::Version(1), LaterWrites::Refuse)
        .await
        .unwrap();
    assert_eq!(
        bench.rows("SELECT customer_id FROM customers ORDER BY 1").await,
        ["C1", "Z9"]
    );
    assert_eq!(traces(bench.instance.base()), Vec::<PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_of_older_versions_only_is_forgotten_too() {
    let bench = Bench::new().await;
    bench.process("p", &definition("register", &ATTRIBUTES, "")).await;
    run(&bench, "1.csv", "cid,Tier,Joined\nC1,Tin,2024-01-01\n").await;
    let second = run(
        &bench,
        "2.csv",
        format!("cid,Tier,Joined\n{CID},Tin,2024-01-01\n"),
    )
    .await;
    rollback(&bench, Target::Run(second), LaterWrites::Refuse)
        .await
        .unwrap();
    let report = forget(&bench).await;
    assert_eq!((report.customers_rows, report.rewritten_files), (0, 0));
    assert_eq!(traces(bench.instance.base()), Vec::<PathBuf>::new());
    assert_eq!(bench.customers().await, ["C1|Tin|2024-01-01"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_users_are_named_and_left_as_they_are() {
    let bench = Bench::new().await;
    let rule = format!("[[rule]]\nid = \"not_them\"\nsql = \"customer_id <> '{CID}' OR true\"\n");
    bench
        .process("p", &definition("register", &["Tier=string"], &rule))
        .await;
    run(&bench, "1.csv", format!("cid,Tier\nC1,Tin\n{CID},Tin\n")).await;
    let report = forget(&bench).await;
    assert_eq!(report.mentions, ["processes/p.toml"]);
    let left = traces(bench.instance.base());
    assert!(
        left.iter().all(|path| path.ends_with("processes/p.toml")),
        "{left:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_forgotten_while_a_run_is_under_way_or_somebody_maintains() {
    let bench = with_a_past().await;
    let held = Forgetting::plan(&bench.instance, &bench.settings, CID)
        .await
        .unwrap();
    let second = Forgetting::plan(&bench.instance, &bench.settings, CID).await;
    assert_eq!(second.err().unwrap().class(), Class::Conflict);
    drop(held.carry_out().await.unwrap());
    let lease = sluice_engine::process::Lease::new(
        sluice_engine::ids::new_run_id(),
        9,
        "manual".into(),
        std::time::Duration::from_secs(600),
    );
    bench
        .state("p")
        .update(|state| {
            state.lease = Some(lease.clone());
            Ok(())
        })
        .await
        .unwrap();
    let running = Forgetting::plan(&bench.instance, &bench.settings, CID).await;
    assert_eq!(running.err().unwrap().class(), Class::Conflict);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_cleaned_is_named_and_nobody_is_told_that_the_customer_is_forgotten() {
    let bench = with_a_past().await;
    // No entry of the log, so that none of its successors makes it needless.
    let stray = bench.instance.base().join("customers/_delta_log/notes.txt");
    std::fs::write(&stray, format!("ask {CID}")).unwrap();
    let planned = Forgetting::plan(&bench.instance, &bench.settings, CID)
        .await
        .unwrap();
    let error = planned.carry_out().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("still in customers/_delta_log/notes.txt"),
        "{error}"
    );
    let events = "SELECT count(*) FROM events WHERE kind = 'forgotten'";
    assert_eq!(bench.cell(events).await, "0");
    std::fs::remove_file(stray).unwrap();
    forget(&bench).await;
    assert_eq!(bench.cell(events).await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_id_is_taken_out_of_logs_and_longer_ones_that_begin_like_it_stay() {
    let bench = bench(&["Tier=string"], "").await;
    for (number, rows) in ["7,Tin\n", "7,Gold\n71,Tin\n", "8,Tin\n"].into_iter().enumerate() {
        run(&bench, &format!("{number}.csv"), format!("cid,Tier\n{rows}")).await;
    }
    for table in MaintainedTable::ALL {
        let _ = checkpoint_if_due(&table.log(&bench.instance).unwrap(), 1)
            .await
            .unwrap();
    }
    let log = bench.instance.base().join("customers/_delta_log");
    let entries = || -> Vec<String> {
        let files = std::fs::read_dir(&log)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let texts = files.map(|file| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned());
        texts.filter(|text| text.contains("\\\"7\\\"")).collect()
    };
    assert!(!entries().is_empty(), "it is a bound of a file");
    let planned = Forgetting::plan(&bench.instance, &bench.settings, "7")
        .await
        .unwrap();
    let report = planned.carry_out().await.unwrap();
    assert_eq!(report.customers_rows, 1);
    assert_eq!(entries(), Vec::<String>::new());
    assert_eq!(bench.customers().await, ["71|Tin", "8|Tin"]);
}

#[derive(Debug, Clone)]
enum Step {
    Run(Vec<(usize, bool)>),
    Optimize,
    Checkpoint,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => proptest::collection::vec((0usize..6, any::<bool>()), 1..6).prop_map(Step::Run),
        1 => Just(Step::Optimize),
        1 => Just(Step::Checkpoint),
    ]
}

async fn live(bench: &Bench, steps: &[Step]) {
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Run(sent) => {
                let cid = |i: usize| {
                    if i == 0 {
                        CID.to_owned()
                    } else {
                        format!("{}{i}", if i < 3 { "C" } else { "X" })
                    }
                };
                let rows: String = sent
                    .iter()
                    .map(|(i, good)| {
                        format!(
                            "{},T{number},{}\n",
                            cid(*i),
                            if *good { "2024-01-01" } else { "never" }
                        )
                    })
                    .collect();
                let file = bench.file(&format!("{number}.csv"), format!("cid,Tier,Joined\n{rows}"));
                bench.run_on("p", &file).await.unwrap();
            }
            Step::Optimize => {
                let whole = OptimizeRequest::whole(&bench.instance.config().maintenance);
                optimize(&bench.instance, &bench.settings, &whole).await.unwrap();
            }
            Step::Checkpoint => {
                for table in MaintainedTable::ALL {
                    let _ = checkpoint_if_due(&table.log(&bench.instance).unwrap(), 1)
                        .await
                        .unwrap();
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(6))]

    #[test]
    fn whatever_happened_before_a_forgotten_customer_leaves_no_byte(
        steps in proptest::collection::vec(step(), 1..7),
        vectors in any::<bool>(),
    ) {
        RUNTIME.block_on(async {
            let merge = if vectors { "deletion_vector" } else { "splice" };
            let bench = Bench::with_config(&format!("[defaults]\nmerge = \"{merge}\"\n")).await;
            bench.process("p", &definition("register", &ATTRIBUTES, "")).await;
            live(&bench, &steps).await;
            let others = format!("SELECT * FROM customers WHERE customer_id <> '{CID}' ORDER BY 1");
            let before = bench.rows(&others).await;
            forget(&bench).await;
            assert_eq!(traces(bench.instance.base()), Vec::<PathBuf>::new());
            assert_eq!(bench.rows("SELECT * FROM customers ORDER BY 1").await, before);
            // What is left is a table like any other.
            live(&bench, &[Step::Run(vec![(0, true), (1, true)]), Step::Optimize]).await;
            assert_eq!(bench.cell(&format!("SELECT count(*) FROM customers WHERE customer_id = '{CID}'")).await, "1");
        });
    }
}
