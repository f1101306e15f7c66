//! Optimize and runs at the same time lose nothing, whoever commits first.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sluice_engine::maintain::{MaintainedTable, OptimizeReport, OptimizeRequest, optimize};
use sluice_engine::run::{Report, Watch, run};

use super::support::{bench, ingest, records, whole};
use crate::support::{Bench, request};

#[tokio::test(flavor = "multi_thread")]
async fn runs_and_optimize_side_by_side_lose_nothing() {
    let bench = bench().await;
    for round in 0..6 {
        ingest(&bench, round * 50, 100, "x").await;
        let file = bench.file(&format!("{round}.csv"), records(round * 40, 150, "y"));
        // A little later from round to round.
        let request = whole(&bench);
        let meanwhile = async {
            tokio::time::sleep(Duration::from_millis(5 * round as u64)).await;
            optimize(&bench.instance, &bench.settings, &request).await
        };
        let (report, optimized) = tokio::join!(bench.run_on("a", &file), meanwhile);
        assert!(report.unwrap().error.is_none());
        optimized.unwrap();
    }
    let counts = "SELECT count(*), count(DISTINCT customer_id), count(a) FROM customers";
    assert_eq!(bench.rows(counts).await, ["350|350|350"]);
    // The last round wrote y from 200 on.
    assert_eq!(
        bench
            .cell("SELECT count(*) FROM customers WHERE a LIKE 'y%'")
            .await,
        "350"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_loses_against_optimize_merges_again() {
    let bench = bench().await;
    // A large file that the run rewrites, and two small ones that optimize merges meanwhile.
    ingest(&bench, 0, 60_000, "x").await;
    for attempt in 0..10 {
        let from = 80_000 + attempt * 100;
        ingest(&bench, from, 10, "s").await;
        ingest(&bench, from + 50, 10, "s").await;
        let value = format!("v{attempt}-");
        let lines: Vec<String> = [(0, 60_000), (from, 10), (from + 50, 10)]
            .map(|(from, lines)| records(from, lines, &value)["cid,A\n".len()..].to_owned())
            .to_vec();
        let file = bench.file(&format!("run{attempt}.csv"), format!("cid,A\n{}", lines.concat()));
        let (report, optimized) = run_while_optimizing(&bench, &file).await;
        let right = format!("SELECT count(*) FROM customers WHERE a LIKE '{value}%'");
        assert_eq!(bench.cell(&right).await, "60020");
        let counts = "SELECT count(*) - count(DISTINCT customer_id), count(*) FROM customers";
        assert_eq!(bench.rows(counts).await, [format!("0|{}", 60_020 + attempt * 20)]);
        let between = optimized.tables[0].after.version;
        if optimized.written_groups() > 0 && report.run.version_before == Some(between) {
            assert_eq!(report.run.version_after, Some(between + 1));
            return;
        }
    }
    panic!("the run never lost");
}

/// Runs `a` on a file; when its merge has begun, the small files of `customers` are merged.
async fn run_while_optimizing(bench: &Bench, file: &Path) -> (Report, OptimizeReport) {
    let watch = Watch::default();
    let phase = Arc::clone(&watch.phase);
    let mut customers = OptimizeRequest {
        tables: vec![MaintainedTable::Customers],
        ..whole(bench)
    };
    // So that the large file is not small, and optimize is faster than the run.
    customers.thresholds.target_bytes = 64 << 10;
    let meanwhile = async {
        while !["merge", "commit"].contains(&*phase.lock().unwrap()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        optimize(&bench.instance, &bench.settings, &customers).await
    };
    let running = run(&bench.instance, &bench.settings, request("a", Some(file)), &watch);
    let (report, optimized) = tokio::join!(running, meanwhile);
    let (report, optimized) = (report.unwrap(), optimized.unwrap());
    assert!(report.error.is_none(), "{:?}", report.error);
    (report, optimized)
}
