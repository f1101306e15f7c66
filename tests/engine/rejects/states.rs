//! What becomes of rejects that nobody replays: given up, outlived, removed.

use chrono::{Duration, Utc};
use sluice_engine::Class;
use sluice_engine::maintain::{Effect, expire, purge};
use sluice_engine::process::Lease;
use sluice_engine::run::discard_rejects;

use super::support::{asked, bench, edit, run, states};

const ATTRIBUTES: [&str; 2] = ["Tier=string", "Joined=date"];
const CSV: &str = "cid,Tier,Joined\nC0,Tin,2024-01-01\nC1,Gold,1900-01-01\nC2,Gold,never\nC3\n";

#[tokio::test(flavor = "multi_thread")]
async fn rejects_that_are_given_up_are_not_open_and_not_replayed() {
    let bench = bench(&ATTRIBUTES, "").await;
    let first = run(&bench, "a.csv", CSV).await;
    let given_up = discard_rejects(&bench.instance, &bench.settings, ("p", &first), Some("line = 3")).await;
    assert_eq!(given_up.unwrap(), 1);
    assert_eq!(states(&bench).await, ["2|discarded", "3|open", "4|open"]);
    edit(&bench, &ATTRIBUTES, "[rules]\ndate_default = \"off\"\n").await;
    let report = bench.run(asked(&first, |_| ())).await.unwrap();
    assert_eq!(
        (report.run.rows_read, report.run.rows_accepted),
        (Some(2), Some(0))
    );
    let again = discard_rejects(&bench.instance, &bench.settings, ("p", &first), None).await;
    assert_eq!(again.unwrap(), 2, "what is given up is given up once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reject_loses_its_payload_first_and_leaves_later() {
    let bench = bench(
        &ATTRIBUTES,
        "[retention]\nreject_payload = \"30d\"\nreject_rows = \"365d\"\n",
    )
    .await;
    let first = run(&bench, "a.csv", CSV).await;
    let after = |days| {
        expire(
            &bench.instance,
            &bench.settings,
            Utc::now() + Duration::days(days),
        )
    };
    assert!(after(29).await.unwrap().is_empty());
    let expired = after(31).await.unwrap();
    assert_eq!((expired[0].blanked_rows, expired[0].removed_rows), (3, 0));
    assert_eq!(states(&bench).await, ["2|expired", "3|expired", "4|expired"]);
    let left = "SELECT record_no, line, customer_id, raw, rule, value FROM rejects \
                LEFT JOIN (SELECT record_no AS n, rule, value FROM reject_reasons) ON n = record_no ORDER BY 1";
    assert_eq!(
        bench.rows(left).await,
        [
            "2|3|-|-|date_default|-",
            "3|4|-|-|type_mismatch|-",
            "4|5|-|-|malformed_record|-"
        ]
    );
    let skipped = bench.run(asked(&first, |_| ())).await.unwrap();
    assert_eq!(skipped.run.status.word(), "skipped");
    assert!(after(40).await.unwrap().is_empty(), "a payload goes once");
    assert_eq!(after(366).await.unwrap()[0].removed_rows, 3);
    assert_eq!(bench.cell("SELECT count(*) FROM rejects").await, "0");
    let counted = "SELECT rows_rejected FROM runs ORDER BY run_no LIMIT 1";
    assert_eq!(bench.cell(counted).await, "3", "runs counts for ever");
    let events = bench
        .rows("SELECT detail FROM events WHERE kind = 'expired' ORDER BY at")
        .await;
    assert_eq!(events.len(), 2, "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_need_or_cannot_be_judged_stays_and_a_purge_makes_no_reject_younger() {
    let retention = "[retention]\nreject_payload = \"30d\"\n";
    let bench = bench(&ATTRIBUTES, retention).await;
    let first = run(&bench, "a.csv", CSV).await;
    let days = |days| Utc::now() + Duration::days(days);
    let expired = async |at| expire(&bench.instance, &bench.settings, at).await.unwrap();
    let state = bench.state("p");
    let lend = async |lease: Option<Lease>| {
        let lent = state.update(|state| {
            state.lease.clone_from(&lease);
            Ok(())
        });
        lent.await.unwrap();
    };
    // The run is under way still: its files are its own.
    let term = std::time::Duration::from_secs(600);
    lend(Some(Lease::new(first, 1, "manual".to_owned(), term))).await;
    assert!(expired(days(31)).await.is_empty());
    let refused = purge(&bench.instance, &bench.settings, "C1", Effect::Apply).await;
    assert_eq!(refused.unwrap_err().class(), Class::Conflict);
    lend(None).await;
    // A definition that was broken by hand says nothing of a retention.
    let file = bench.instance.base().join("processes/p.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, good.replace("30d", "thirty")).unwrap();
    assert!(expired(days(31)).await.is_empty());
    std::fs::write(&file, good).unwrap();
    // The file that a purge writes is younger than the rejects in it.
    let made: i64 = bench
        .cell("SELECT CAST(max(rejected_at) AS BIGINT) FROM rejects")
        .await
        .parse()
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    purge(&bench.instance, &bench.settings, "C1", Effect::Apply)
        .await
        .unwrap();
    let due = chrono::DateTime::from_timestamp_micros(made).unwrap() + Duration::days(30);
    assert_eq!(expired(due).await[0].blanked_rows, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_retention_nothing_expires() {
    let bench = bench(&ATTRIBUTES, "").await;
    run(&bench, "a.csv", CSV).await;
    let later = Utc::now() + Duration::days(10_000);
    let expired = expire(&bench.instance, &bench.settings, later).await.unwrap();
    assert!(expired.is_empty(), "{expired:?}");
    assert_eq!(states(&bench).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_removes_a_customers_rejects_and_says_whose_in_no_event() {
    let bench = bench(&ATTRIBUTES, "").await;
    let csv = "cid,Tier,Joined\nC0,Tin,2024-01-01\nC10042,Gold,1900-01-01\nC7,friend of C10042,never\n\
               C10042,too,many,fields\nC100421,Gold,1900-01-01\n";
    let first = run(&bench, "a.csv", csv).await;
    assert_eq!(states(&bench).await.len(), 4);
    let planned = purge(&bench.instance, &bench.settings, "C10042", Effect::Plan)
        .await
        .unwrap();
    let counts = (planned.rejects_rows, planned.blanked_rows, planned.version);
    assert_eq!(
        counts,
        (2, 1, None),
        "its own, a malformed one of it; one of another that names it"
    );
    assert_eq!(states(&bench).await.len(), 4, "nothing was written");
    let done = purge(&bench.instance, &bench.settings, "C10042", Effect::Apply)
        .await
        .unwrap();
    assert_eq!((done.rejects_rows, done.blanked_rows), (2, 1));
    assert_eq!(states(&bench).await, ["3|expired", "5|open"]);
    let purged =
        format!("SELECT record_no FROM events WHERE kind = 'purged' AND run_id = '{first}' ORDER BY 1");
    assert_eq!(bench.rows(&purged).await, ["2", "4"]);
    let events = bench.table("SELECT * FROM events").await;
    assert!(!events.contains("C10042"), "{events}");
    let none = purge(&bench.instance, &bench.settings, "C10042", Effect::Apply)
        .await
        .unwrap();
    assert_eq!((none.rejects_rows, none.rewritten_files), (0, 0));
}
