//! What runs do for the tables by themselves.

use std::sync::Arc;

use sluice_engine::maintain::{AfterRun, MaintainedTable, MaintenanceLock, TableReport, after_run};

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
    let lock = MaintenanceLock::take(&bench.instance).unwrap();
    assert!(after(&bench).await.tables.is_empty());
    drop(lock);
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
