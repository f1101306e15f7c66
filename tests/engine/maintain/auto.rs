//! What runs do for the tables by themselves.

use std::sync::Arc;

use sluice_engine::maintain::{AfterRun, MaintainedTable, MaintenanceLock, TableReport, after_run};
use sluice_engine::merge::Strategy;

use super::support::{bench, folder, ingest, snapshot};
use crate::support::Bench;

async fn after(bench: &Bench) -> AfterRun {
    after_run(&bench.instance, &bench.settings, &Arc::default()).await
}

fn written(done: &AfterRun) -> usize {
    done.tables.iter().map(TableReport::written_groups).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_threshold_that_is_passed_starts_a_piece_of_work() {
    let mut bench = bench().await;
    bench.configure("[maintenance]\nsmall_files = 3\ncheckpoint_commits = 4\n");
    for from in [0, 100] {
        ingest(&bench, from, 10, "x").await;
    }
    let done = after(&bench).await;
    assert!(done.problems.is_empty(), "{:?}", done.problems);
    assert_eq!(
        (done.tables[0].written_groups(), done.tables[0].checkpoint),
        (0, None)
    );
    ingest(&bench, 200, 10, "x").await;
    let rows = bench.customers().await;
    let done = after(&bench).await;
    let customers = &done.tables[0];
    assert_eq!(
        (customers.table, customers.written_groups()),
        (MaintainedTable::Customers, 1)
    );
    assert_eq!(snapshot(&bench).await.files.len(), 1);
    // Of the optimize's own commit.
    assert_eq!(customers.checkpoint, Some(4));
    assert_eq!(bench.customers().await, rows);
    assert_eq!(written(&after(&bench).await), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_switched_off() {
    let mut bench = bench().await;
    bench.configure("[maintenance]\nauto = \"off\"\nsmall_files = 2\ncheckpoint_commits = 1\n");
    for from in [0, 100] {
        ingest(&bench, from, 10, "x").await;
    }
    let done = after(&bench).await;
    assert!(done.tables.is_empty() && done.problems.is_empty());
    assert_eq!(snapshot(&bench).await.version, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_maintains_already_is_left_alone() {
    let mut bench = bench().await;
    bench.configure("[maintenance]\nsmall_files = 2\n");
    for from in [0, 100] {
        ingest(&bench, from, 10, "x").await;
    }
    let lock = MaintenanceLock::take(&bench.instance, "test").await.unwrap();
    assert!(after(&bench).await.tables.is_empty());
    lock.release().await;
    assert!(written(&after(&bench).await) > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_told_and_the_other_tables_are_looked_after() {
    let mut bench = bench().await;
    bench.configure("[maintenance]\nsmall_files = 2\n");
    for from in [0, 100] {
        ingest(&bench, from, 10, "x").await;
    }
    let lost = &snapshot(&bench).await.files[0].add.path;
    std::fs::remove_file(folder(&bench, "customers").join(lost)).unwrap();
    let done = after(&bench).await;
    assert_eq!(done.problems.len(), 1, "{:?}", done.problems);
    let runs = done
        .tables
        .iter()
        .find(|table| table.table == MaintainedTable::Runs)
        .unwrap();
    assert_eq!(runs.written_groups(), 1);
}

/// Customers in no order, so that files of new ones lie over all others.
fn scattered(run: usize) -> String {
    let rows: String = (0..20)
        .map(|i| format!("C{:05},v{run}\n", (run * 20 + i) * 7919 % 100_003))
        .collect();
    let known: String = (0..run.min(5))
        .map(|i| format!("C{:05},u{run}\n", i * 20 * 7919 % 100_003))
        .collect();
    format!("cid,A\n{rows}{known}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_small_table_are_merged_after_some_runs_and_not_after_each() {
    let bench = bench().await;
    let overlap_files = bench.instance.config().maintenance.overlap_files;
    let (mut merged, mut most_files) = (0, 0);
    for run in 0..24 {
        let file = bench.file("scattered.csv", scattered(run));
        assert!(bench.run_on("a", &file).await.unwrap().run.is_merged());
        let done = after(&bench).await;
        assert!(done.problems.is_empty(), "{:?}", done.problems);
        merged += usize::from(done.tables[0].written_groups() > 0);
        most_files = most_files.max(snapshot(&bench).await.files.len());
    }
    assert!((1..=24 / overlap_files).contains(&merged), "{merged} of 24 runs");
    assert!(most_files <= overlap_files, "{most_files}");
    let counts = "SELECT count(*), count(DISTINCT customer_id), count(a) FROM customers";
    assert_eq!(bench.rows(counts).await, ["480|480|480"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_marked_run_after_run_while_new_customers_come_at_random() {
    let mut bench = bench().await;
    bench.configure("[defaults]\nmerge = \"auto\"\n");
    let base: String = (0..40_000)
        .map(|i| format!("C{i:05},{}\n", i * 7919 % 100_003))
        .collect();
    let file = bench.file("base.csv", format!("cid,A\n{base}"));
    bench.run_on("a", &file).await.unwrap();
    for run in 0..10 {
        let rows: String = (0..20)
            .map(|i| {
                format!(
                    "C{:05},u{run}\nC{:05}N{run},n\n",
                    (run * 911 + i * 1801) % 40_000,
                    i * 1999
                )
            })
            .collect();
        let file = bench.file("run.csv", format!("cid,A\n{rows}"));
        let report = bench.run_on("a", &file).await.unwrap();
        let base = report
            .merge
            .files
            .iter()
            .max_by_key(|file| file.counts.rows_updated)
            .unwrap();
        assert_eq!(base.strategy, Strategy::DeletionVector, "run {run}: {base:?}");
        assert!(after(&bench).await.problems.is_empty());
    }
}
