//! The same content again: known without reading a file of `customers`, unless somebody wrote the cells meanwhile.

use sluice_engine::history::rollback::{LaterWrites, Target};
use sluice_engine::maintain::Forgetting;
use sluice_engine::run::{Repeat, Report, RunRequest};

use crate::history::rollback;
use crate::maintain::optimized;
use crate::support::{Bench, definition, request};

const CSV: &str = "cid,Tier,Spend\nC1,Gold,1.5\nC2,Silver,\nC2,Tin,7\nC3,,12.25\nC4,Tin,never\n";
const TIERS: &str = "SELECT customer_id, tier, spend FROM customers ORDER BY customer_id";

async fn bench(more: &str) -> Bench {
    let bench = Bench::new().await;
    let attributes = ["Tier=string", "Spend=decimal(9,2)"];
    bench
        .process("loyalty", &definition("register", &attributes, more))
        .await;
    bench
        .process("address", &definition("register", &["City=string"], ""))
        .await;
    bench
}

/// Each run under a file name of its own, so that none is the same source.
async fn merge(bench: &Bench, process: &str, csv: &str) -> Report {
    let runs = bench.cell("SELECT count(*) FROM runs").await;
    let file = bench.file(&format!("{process}-{runs}.csv"), csv);
    let report = bench.run_on(process, &file).await.unwrap();
    assert!(report.run.is_merged(), "{:?}", report.error);
    report
}

/// The run that made it unnecessary to merge.
fn repeats(report: &Report) -> Option<&str> {
    report.merge.repeats.as_ref().map(|made| made.run_id.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_content_again_reads_and_writes_no_file_and_counts_every_row() {
    let bench = bench("").await;
    let first = merge(&bench, "loyalty", CSV).await;
    assert_eq!(repeats(&first), None);
    let before = bench.rows(TIERS).await;

    let again = merge(&bench, "loyalty", CSV).await;
    assert_eq!(repeats(&again), Some(first.run.run_id.as_str()));
    assert!(again.merge.files.is_empty() && again.merge.read_bytes == 0);
    let run = &again.run;
    let counts = [
        run.rows_read,
        run.rows_rejected,
        run.rows_unchanged,
        run.rows_updated,
        run.rows_inserted,
    ];
    assert_eq!(counts.map(Option::unwrap), [5, 3, 2, 0, 0]);
    assert_eq!(run.cells_changed, Some(0));
    assert_eq!(
        run.version_after,
        first.run.version_after.map(|version| version + 1)
    );
    assert_eq!(bench.rows(TIERS).await, before);
    let rejects = format!("SELECT count(*) FROM rejects WHERE run_id = '{}'", run.run_id);
    assert_eq!(bench.cell(&rejects).await, "3", "rejects are kept of every run");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_forced_again_is_known_too() {
    let bench = bench("").await;
    let file = bench.file("in.csv", CSV);
    let first = bench.run_on("loyalty", &file).await.unwrap();
    let forced = RunRequest {
        repeat: Repeat::Force,
        ..request("loyalty", Some(&file))
    };
    let report = bench.run(forced).await.unwrap();
    assert_eq!(repeats(&report), Some(first.run.run_id.as_str()));
    assert_eq!(report.run.rows_unchanged, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_other_processes_and_optimize_do_not_make_it_unknown() {
    let bench = bench("").await;
    let first = merge(&bench, "loyalty", CSV).await;
    merge(&bench, "address", "cid,City\nC1,Porto\nC9,Lima\n").await;
    optimized(&bench).await;
    let again = merge(&bench, "loyalty", CSV).await;
    assert_eq!(repeats(&again), Some(first.run.run_id.as_str()));
    let once_more = merge(&bench, "loyalty", CSV).await;
    assert_eq!(repeats(&once_more), Some(again.run.run_id.as_str()));
    assert_eq!(
        bench
            .cell("SELECT city FROM customers WHERE customer_id = 'C1'")
            .await,
        "Porto"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_byte_of_difference_is_merged() {
    let bench = bench("").await;
    merge(&bench, "loyalty", CSV).await;
    let other = merge(&bench, "loyalty", &CSV.replace("12.25", "12.26")).await;
    assert_eq!((repeats(&other), other.run.rows_updated), (None, Some(1)));
    let back = merge(&bench, "loyalty", CSV).await;
    assert_eq!((repeats(&back), back.run.rows_updated), (None, Some(1)));
    // What looks the same under another header is something else.
    let swapped = CSV.replace("Tier,Spend", "Spend,Tier");
    let swapped = merge(&bench, "loyalty", &swapped).await;
    assert_eq!(repeats(&swapped), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_rollback_the_same_content_is_merged_again() {
    let bench = bench("").await;
    merge(&bench, "loyalty", "cid,Tier,Spend\nC1,Tin,1\nC3,Tin,3\n").await;
    let run = merge(&bench, "loyalty", CSV).await;
    let merged = bench.rows(TIERS).await;
    let target = Target::Run(run.run.run_id.clone());
    rollback(&bench, target, LaterWrites::Refuse).await.unwrap();
    assert_ne!(bench.rows(TIERS).await, merged);
    let again = merge(&bench, "loyalty", CSV).await;
    assert_eq!((repeats(&again), again.run.rows_updated), (None, Some(2)));
    assert_eq!(bench.rows(TIERS).await, merged);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_was_forgotten_is_registered_again_by_the_same_content() {
    let bench = bench("").await;
    merge(&bench, "loyalty", CSV).await;
    let merged = bench.rows(TIERS).await;
    let planned = Forgetting::plan(&bench.instance, &bench.settings, "C1")
        .await
        .unwrap();
    planned.carry_out().await.unwrap();
    let again = merge(&bench, "loyalty", CSV).await;
    assert_eq!((repeats(&again), again.run.rows_inserted), (None, Some(1)));
    assert_eq!(bench.rows(TIERS).await, merged);
}

#[tokio::test(flavor = "multi_thread")]
async fn content_of_which_other_records_are_accepted_is_merged() {
    let rule = "[[rule]]\nid = \"not_lima\"\nsql = \"SELECT record_no FROM incoming JOIN customers USING (customer_id) WHERE city = 'Lima'\"\nseverity = \"reject\"\n";
    let bench = bench(rule).await;
    merge(&bench, "address", "cid,City\nC1,Lima\n").await;
    let first = merge(&bench, "loyalty", CSV).await;
    assert_eq!(first.run.rows_accepted, Some(1));
    merge(&bench, "address", "cid,City\nC1,Porto\n").await;
    let second = merge(&bench, "loyalty", CSV).await;
    assert_eq!((repeats(&second), second.run.rows_accepted), (None, Some(2)));
    assert_eq!(
        bench
            .cell("SELECT tier FROM customers WHERE customer_id = 'C1'")
            .await,
        "Gold"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_a_limit_made_malformed_is_merged_once_the_limit_is_raised() {
    let mut bench = bench("").await;
    let long = format!("cid,Tier,Spend\nC1,{},1\nC2,Tin,2\n", "x".repeat(2_000));
    bench.configure("[limits]\nrecord_bytes = \"1KiB\"\n");
    let first = merge(&bench, "loyalty", &long).await;
    assert_eq!(
        (first.run.rows_accepted, first.run.rows_rejected),
        (Some(1), Some(1))
    );
    bench.configure("");
    let second = merge(&bench, "loyalty", &long).await;
    assert_eq!((repeats(&second), second.run.rows_accepted), (None, Some(2)));
    assert_eq!(bench.cell("SELECT count(*) FROM customers").await, "2");
}
