//! What holds a replayed record back, and what does not.

use sluice_engine::history::rollback::{LaterWrites, Target};
use sluice_engine::maintain::{MaintainedTable, ShortRetention, VacuumEffect, VacuumRequest, vacuum};
use sluice_engine::run::rejects_of;

use super::support::{asked, bench, edit, replay, run, states};
use crate::history::rollback;
use crate::support::{Bench, definition, failure};

const DATED: [&str; 2] = ["Tier=string", "Joined=date"];
const LENIENT: &str = "[rules]\ndate_default = \"off\"\n";
const HEAD: &str = "cid,Tier,Joined\n";

/// An instance and the run that rejected C1, whose rules pass it now.
async fn rejected(more: &str) -> (Bench, String) {
    let bench = bench(&DATED, "").await;
    let csv = format!("{HEAD}C0,Tin,2024-01-01\nC1,Old,1900-01-01\n{more}");
    let first = run(&bench, "a.csv", csv).await;
    edit(&bench, &DATED, LENIENT).await;
    (bench, first)
}

async fn tier(bench: &Bench) -> String {
    bench
        .rows("SELECT tier FROM customers WHERE customer_id = 'C1'")
        .await
        .join(",")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_rolled_back_holds_nothing_back() {
    let (bench, first) = rejected("").await;
    let later = run(&bench, "b.csv", format!("{HEAD}C1,New,2024-02-02\n")).await;
    rollback(&bench, Target::Run(later), LaterWrites::Refuse)
        .await
        .unwrap();
    assert_eq!(replay(&bench, &first, |_| ()).await.run.rows_accepted, Some(1));
    assert_eq!(tier(&bench).await, "Old");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_other_processes_hold_nothing_back() {
    let (bench, first) = rejected("").await;
    bench
        .process("q", &definition("register", &["Score=int"], ""))
        .await;
    for scores in ["C1,5\n", "C1,5\nC0,1\n"] {
        let file = bench.file("q.csv", format!("cid,Score\n{scores}"));
        bench.run_on("q", &file).await.unwrap();
    }
    assert_eq!(replay(&bench, &first, |_| ()).await.run.rows_accepted, Some(1));
    assert_eq!(tier(&bench).await, "Old");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_run_whose_files_are_gone_every_customer_counts_as_written() {
    let (bench, first) = rejected("").await;
    run(&bench, "b.csv", format!("{HEAD}C1,New,2024-02-02\n")).await;
    run(&bench, "c.csv", format!("{HEAD}C1,Newer,2024-03-03\n")).await;
    let request = VacuumRequest {
        tables: vec![MaintainedTable::Customers],
        retention: "0h".parse().unwrap(),
        short: ShortRetention::Forced,
        effect: VacuumEffect::Delete,
        now: chrono::Utc::now() + chrono::Duration::hours(2),
    };
    vacuum(&bench.instance, &request).await.unwrap();
    assert_eq!(replay(&bench, &first, |_| ()).await.run.rows_accepted, Some(0));
    assert_eq!(tier(&bench).await, "Newer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_of_its_own_process_and_the_rejects_of_a_replay_are_those_it_replayed() {
    let (bench, first) = rejected("C2,Old,never\n").await;
    bench
        .process("q", &definition("register", &["Score=int"], ""))
        .await;
    let mut other = asked(&first, |_| ());
    other.process = "q".to_owned();
    let refused = bench.run(other).await;
    assert!(
        failure(&refused).to_string().contains("is of the process p"),
        "{refused:?}"
    );
    let replayed = replay(&bench, &first, |_| ()).await.run.run_id;
    let of = rejects_of(&bench.instance, Some(&replayed)).await.unwrap();
    assert_eq!(of, ("p".to_owned(), first));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_has_no_budget() {
    let (bench, first) = rejected("C2,Old,never\n").await;
    edit(&bench, &DATED, &format!("{LENIENT}[policy]\nmax_rejects = 0\n")).await;
    let report = replay(&bench, &first, |_| ()).await;
    assert_eq!(
        (report.run.rows_accepted, report.run.rows_rejected),
        (Some(1), Some(1))
    );
    assert_eq!(states(&bench).await, ["2|replayed", "3|open"]);
}
