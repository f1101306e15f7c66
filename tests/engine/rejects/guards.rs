//! Runs that would do too much are stopped before they merge.

use sluice_engine::run::{Effect, GuardOutcome, Guards, Report, RunRequest};
use sluice_engine::table::num_values;

use super::support::{bench, run};
use crate::support::{Bench, definition, failure, request};

const GUARD: &str = "[guard]\nmax_cleared = \"20%\"\nmax_changed = \"60%\"\nmax_row_drop = \"50%\"\n";

/// `p` with ten customers, all with a tier and one with a note.
async fn guarded(more: &str) -> Bench {
    let bench = bench(&["Tier=string", "Note=string"], more).await;
    let rows: String = (0..10)
        .map(|i| format!("C{i},Tin,{}\n", if i == 0 { "x" } else { "" }))
        .collect();
    run(&bench, "a.csv", format!("cid,Tier,Note\n{rows}")).await;
    bench
}

/// Ten records, of which the first `cleared` have no tier and the next `changed` another one.
fn file(cleared: usize, changed: usize) -> String {
    let tier = |i: usize| match i {
        i if i < cleared => "",
        i if i < cleared + changed => "Gold",
        _ => "Tin",
    };
    let rows: String = (0..10)
        .map(|i| format!("C{i},{},{}\n", tier(i), if i == 0 { "x" } else { "" }))
        .collect();
    format!("cid,Tier,Note\n{rows}")
}

/// Runs `p` on a file of this content, whatever it merged before.
pub async fn with(bench: &Bench, content: &str, change: impl Fn(&mut RunRequest)) -> Report {
    let path = bench.file(&format!("{}.csv", content.len()), content);
    let mut asked = request("p", Some(&path));
    asked.repeat = sluice_engine::run::Repeat::Force;
    change(&mut asked);
    bench.run(asked).await.unwrap()
}

pub fn tripped(report: &Report) -> Vec<String> {
    let readings = report
        .guards
        .iter()
        .filter(|reading| reading.outcome == GuardOutcome::Tripped);
    readings.map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_would_clear_more_than_a_share_of_an_attribute_stops_before_it_merges() {
    let bench = guarded(GUARD).await;
    let at_the_limit = with(&bench, &file(2, 0), |_| ()).await;
    assert!(at_the_limit.error.is_none(), "{:?}", at_the_limit.error);
    let before = bench.customers().await;
    let report = with(&bench, &file(4, 0), |_| ()).await;
    let error = report.error.as_ref().unwrap();
    assert_eq!(
        (error.code(), error.class().exit_code()),
        (Some("guard_tripped"), 3)
    );
    assert_eq!(
        tripped(&report),
        ["2 of 8 values of tier cleared (max_cleared allows 20%)"]
    );
    assert_eq!(bench.customers().await, before);
    assert_eq!(bench.status("p").await, "failed");
    let merged = with(&bench, &file(4, 0), |asked| asked.guards = Guards::Overruled).await;
    assert_eq!(merged.run.cells_cleared, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_is_of_the_values_that_are_there() {
    // One note of one is cleared: all of them, whatever the number of customers.
    let bench = guarded(GUARD).await;
    let report = with(&bench, &file(0, 0).replace(",x", ","), |_| ()).await;
    assert_eq!(
        tripped(&report),
        [
            "1 of 1 values of note cleared (max_cleared allows 20%)",
            "1 of 1 values of note changed (max_changed allows 60%)"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_would_change_more_than_a_share_of_the_values_stops_and_a_first_load_does_not() {
    let bench = guarded(GUARD).await;
    let report = with(&bench, &file(0, 7), |_| ()).await;
    assert_eq!(
        tripped(&report),
        ["7 of 10 values of tier changed (max_changed allows 60%)"]
    );
    assert!(with(&bench, &file(0, 6), |_| ()).await.error.is_none());
    // Another process fills an attribute of its own for all customers.
    let other = definition("register", &["Score=int"], GUARD);
    bench.process("q", &other).await;
    let rows: String = (0..10).map(|i| format!("C{i},{i}\n")).collect();
    let path = bench.file("q.csv", format!("cid,Score\n{rows}"));
    assert!(bench.run_on("q", &path).await.unwrap().error.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_sparse_attribute_few_values_are_a_large_share_and_filling_it_changes_none() {
    let bench = guarded("[guard]\nmax_changed = \"60%\"\n").await;
    // Its one note is another one: nothing of it stays, whatever the number of customers.
    let report = with(&bench, &file(0, 0).replace(",x", ",y"), |_| ()).await;
    assert_eq!(
        tripped(&report),
        ["1 of 1 values of note changed (max_changed allows 60%)"]
    );
    // The others get their first note, the one that is there stays.
    let filled = with(&bench, &file(0, 0).replace(",\n", ",z\n"), |_| ()).await;
    assert!(filled.error.is_none(), "{:?}", filled.error);
    assert_eq!(filled.run.cells_changed, Some(9));
    // Now one of ten is a small share.
    let other = file(0, 0).replace(",\n", ",z\n").replace(",x", ",y");
    assert!(with(&bench, &other, |_| ()).await.error.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_that_is_there_and_empty_is_loaded_for_the_first_time() {
    let bench = bench(&["Tier=string", "Note=string"], GUARD).await;
    run(&bench, "a.csv", "cid,Tier,Note\nC1,Tin,\nC2,Tin,\n").await;
    let loaded = with(&bench, "cid,Tier,Note\nC1,Tin,x\nC2,Tin,y\n", |_| ()).await;
    assert!(loaded.error.is_none(), "{:?}", loaded.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_counted_as_sql_counts_them_however_files_were_merged() {
    for merge in ["deletion_vector", "splice", "rewrite"] {
        let bench = Bench::with_config(&format!("[defaults]\nmerge = \"{merge}\"\n")).await;
        let attributes = ["Tier=string", "Score=int", "Late=date"];
        bench
            .process("p", &definition("register", &attributes[..2], ""))
            .await;
        bench
            .process("q", &definition("register", &attributes[2..], ""))
            .await;
        let rows = |from: usize, to: usize, step: usize| -> String {
            let some = |i: usize| {
                if i.is_multiple_of(3) {
                    i.to_string()
                } else {
                    String::new()
                }
            };
            (from..to)
                .step_by(step)
                .map(|i| format!("C{i:03},a{step},{}\n", some(i / step)))
                .collect()
        };
        for (number, (from, to, step)) in [(0, 100, 1), (100, 200, 1), (50, 150, 7)].into_iter().enumerate() {
            let csv = format!("cid,Tier,Score\n{}", rows(from, to, step));
            run(&bench, &format!("{number}.csv"), csv).await;
        }
        let late = bench.file("q.csv", "cid,Late\nC001,2024-01-01\nC101,2024-01-01\nC102,\n");
        bench.run_on("q", &late).await.unwrap();
        let snapshot = bench.instance.customers().unwrap().snapshot(None).await.unwrap();
        if merge == "deletion_vector" {
            assert!(snapshot.files.iter().any(|file| file.dead_rows() > 0));
        }
        for attribute in ["tier", "score", "late"] {
            let counted = num_values(&bench.session().await, &snapshot, attribute)
                .await
                .unwrap();
            let expected = bench
                .cell(&format!("SELECT count({attribute}) FROM customers"))
                .await;
            assert_eq!(counted.to_string(), expected, "{attribute}, merged by {merge}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_with_far_fewer_rows_than_the_last_one_stops() {
    let bench = guarded(GUARD).await;
    let few = "cid,Tier,Note\nC1,Tin,\nC2,Tin,\nC3,Tin,\nC4,Tin,\n";
    let report = with(&bench, few, |_| ()).await;
    assert_eq!(
        tripped(&report),
        ["6 rows fewer than the 10 of the last run (max_row_drop allows 50%)"]
    );
    // A run that failed is not the last one to compare with.
    assert_eq!(tripped(&with(&bench, few, |_| ()).await).len(), 1);
    let half = few.to_owned() + "C5,Tin,\n";
    assert!(with(&bench, &half, |_| ()).await.error.is_none());
    assert!(with(&bench, few, |_| ()).await.error.is_none(), "four of five");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_the_numbers_of_the_guards_and_ends_as_the_run_would() {
    let bench = guarded(GUARD).await;
    let explain = |asked: &mut RunRequest| asked.effect = Effect::Explain;
    let fine = with(&bench, &file(1, 1), explain).await;
    let shown: Vec<String> = fine.guards.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "0 rows fewer than the 10 of the last run (max_row_drop allows 50%)",
            "1 of 10 values of tier cleared (max_cleared allows 20%)",
            "2 of 10 values of tier changed (max_changed allows 60%)",
            "no value of note cleared (max_cleared allows 20%)",
            "no value of note changed (max_changed allows 60%)",
        ]
    );
    let too_much = Ok(with(&bench, &file(9, 0), explain).await);
    assert_eq!(failure(&too_much).code(), Some("guard_tripped"));
    assert_eq!(bench.cell("SELECT count(*) FROM runs").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_guard_nothing_is_read_and_everything_passes() {
    let bench = guarded("").await;
    let report = with(&bench, "cid,Tier,Note\nC1,,\n", |_| ()).await;
    assert!(report.error.is_none() && report.guards.is_empty());
}
