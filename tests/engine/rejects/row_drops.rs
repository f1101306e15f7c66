//! Which run a source's number of rows is compared with.

use sluice_engine::history::rollback::{LaterWrites, Target};
use sluice_engine::run::{Effect, Extent, Report};

use super::guards::{tripped, with};
use super::support::{bench, edit, replay, run};
use crate::history::rollback;
use crate::support::{Bench, definition};

const ATTRIBUTES: [&str; 1] = ["Joined=date"];
const GUARD: &str = "[guard]\nmax_row_drop = \"50%\"\n";

/// So many customers, the first with a date that stands for none.
fn file(num_rows: usize) -> String {
    let day = |i: usize| if i == 0 { "1900-01-01" } else { "2024-01-01" };
    let rows: String = (0..num_rows).map(|i| format!("C{i},{}\n", day(i))).collect();
    format!("cid,Joined\n{rows}")
}

async fn on(bench: &Bench, num_rows: usize) -> Report {
    with(bench, &file(num_rows), |_| ()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_has_no_rows_to_compare_and_none_to_be_compared_with() {
    let bench = bench(&ATTRIBUTES, GUARD).await;
    let first = run(&bench, "a.csv", file(10)).await;
    edit(
        &bench,
        &ATTRIBUTES,
        &format!("{GUARD}[rules]\ndate_default = \"off\"\n"),
    )
    .await;
    let replayed = replay(&bench, &first, |_| ()).await;
    assert_eq!((replayed.run.rows_read, tripped(&replayed).len()), (Some(1), 0));
    let few = on(&bench, 4).await;
    assert_eq!(
        tripped(&few),
        ["6 rows fewer than the 10 of the last run (max_row_drop allows 50%)"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_rolled_back_and_those_of_other_processes_are_not_the_last_one() {
    let bench = bench(&ATTRIBUTES, GUARD).await;
    run(&bench, "a.csv", file(10)).await;
    let large = run(&bench, "b.csv", file(100)).await;
    rollback(&bench, Target::Run(large), LaterWrites::Refuse)
        .await
        .unwrap();
    bench
        .process("q", &definition("register", &["Score=int"], ""))
        .await;
    let scores: String = (0..50).map(|i| format!("C{i},{i}\n")).collect();
    let scores = bench.file("q.csv", format!("cid,Score\n{scores}"));
    bench.run_on("q", &scores).await.unwrap();
    let six = on(&bench, 6).await;
    assert!(six.error.is_none(), "{:?}", six.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_rows_are_no_drop_and_a_sample_has_none() {
    let bench = bench(&ATTRIBUTES, GUARD).await;
    run(&bench, "a.csv", file(10)).await;
    let csv = file(10);
    let sample = with(&bench, &csv, |asked| {
        (asked.effect, asked.extent) = (Effect::Explain, Extent::First(2));
    });
    let sample = sample.await;
    assert!(sample.error.is_none(), "{:?}", sample.error);
    let more = on(&bench, 40).await;
    assert!(more.error.is_none(), "{:?}", more.error);
}
