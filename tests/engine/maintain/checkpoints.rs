//! Checkpoints: a log is read from the last one on.

use std::time::Instant;

use sluice_engine::maintain::{Checkpointed, checkpoint_if_due};

use super::support::{bench, folder, ingest, live, optimized, snapshot};
use crate::support::Bench;

fn log_files(bench: &Bench, table: &str, ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder(bench, table).join("_delta_log")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|name| name.ends_with(ending));
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_is_written_when_due_and_the_table_reads_as_before() {
    let bench = bench().await;
    for number in 0..9 {
        ingest(&bench, number * 5, 10, "x").await;
    }
    let log = bench.instance.customers().unwrap();
    assert_eq!(checkpoint_if_due(&log, 11).await.unwrap(), Checkpointed::NotDue);
    let (rows, files) = (bench.customers().await, live(&snapshot(&bench).await));
    assert_eq!(
        checkpoint_if_due(&log, 10).await.unwrap(),
        Checkpointed::Written { version: 9 }
    );
    assert_eq!(checkpoint_if_due(&log, 10).await.unwrap(), Checkpointed::NotDue);
    assert_eq!(log_files(&bench, "customers", ".checkpoint.parquet").len(), 1);
    // A log of a few days loses nothing.
    assert_eq!(log_files(&bench, "customers", ".json").len(), 10);
    assert_eq!(
        (bench.customers().await, live(&snapshot(&bench).await)),
        (rows, files)
    );
    // The checkpoint alone carries the state, and runs go on from it.
    for version in 0..9 {
        std::fs::remove_file(folder(&bench, "customers").join(format!("_delta_log/{version:020}.json")))
            .unwrap();
    }
    ingest(&bench, 0, 10, "y").await;
    let log = bench.instance.customers().unwrap();
    let number = log.snapshot(None).await.unwrap();
    assert_eq!(number.num_rows(), Some(50));
    assert_eq!(
        bench
            .cell("SELECT count(*) FROM customers WHERE a LIKE 'y%'")
            .await,
        "10"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_hint_costs_a_checkpoint_and_nothing_else() {
    let bench = bench().await;
    ingest(&bench, 0, 10, "x").await;
    let log = bench.instance.customers().unwrap();
    let hint = folder(&bench, "customers").join("_delta_log/_last_checkpoint");
    std::fs::write(hint, "{").unwrap();
    assert_eq!(
        checkpoint_if_due(&log, 2).await.unwrap(),
        Checkpointed::Written { version: 1 }
    );
    assert_eq!(checkpoint_if_due(&log, 2).await.unwrap(), Checkpointed::NotDue);
}

/// Prints how long it takes without and with a checkpoint:
/// `cargo test -p sluice-engine --test engine opening_a_table -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn opening_a_table_of_500_commits_is_faster_with_a_checkpoint() {
    let bench = bench().await;
    let events = bench.instance.events().unwrap();
    for _ in events.snapshot(None).await.unwrap().version..500 {
        let event = sluice_engine::report::Event::lifecycle("completed", "a");
        sluice_engine::report::record_event(&bench.instance, event)
            .await
            .unwrap();
    }
    let median_ms = async || {
        let mut times = Vec::new();
        for _ in 0..9 {
            let begun = Instant::now();
            let snapshot = bench.instance.events().unwrap().snapshot(None).await.unwrap();
            assert_eq!(snapshot.num_rows(), Some(500));
            times.push(begun.elapsed().as_micros() as f64 / 1e3);
        }
        times.sort_by(f64::total_cmp);
        times[4]
    };
    let replayed = median_ms().await;
    assert!(matches!(
        checkpoint_if_due(&events, 10).await.unwrap(),
        Checkpointed::Written { .. }
    ));
    let from_checkpoint = median_ms().await;
    optimized(&bench).await;
    let _ = checkpoint_if_due(&events, 1).await.unwrap();
    let compacted = median_ms().await;
    println!(
        "500 commits: {replayed:.1} ms; from a checkpoint: {from_checkpoint:.1} ms; compacted: {compacted:.1} ms"
    );
    assert!(from_checkpoint < replayed);
}
