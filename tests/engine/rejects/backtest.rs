//! What the rules of now would have made of an earlier run.

use sluice_engine::run::{BackTest, Basis, Watch, back_test, discard_rejects};

use super::support::{bench, edit, run};
use crate::support::{Bench, definition};

const ATTRIBUTES: [&str; 2] = ["Tier=string", "Joined=date"];
const CSV: &str = "cid,Tier,Joined\nC1,Gold,2024-01-01\nC2,Gold,1900-01-01\nC3,Tin,2024-01-01\nC4\n";
const CHANGED: &str = "[rules]\ndate_default = \"off\"\n[[rule]]\nid = \"no_tin\"\nsql = \"tier <> 'Tin'\"\n";

async fn tested(bench: &Bench, run_id: &str) -> BackTest {
    back_test(&bench.instance, &bench.settings, ("p", run_id), &Watch::default())
        .await
        .unwrap()
}

fn rules(test: &BackTest) -> Vec<(&str, u64, u64)> {
    let mut rules: Vec<_> = test
        .rules
        .iter()
        .map(|r| (r.rule.as_str(), r.before, r.after))
        .collect();
    rules.sort_unstable();
    rules
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_rules_are_held_against_the_source_if_it_is_what_it_was() {
    let bench = bench(&ATTRIBUTES, "").await;
    let first = run(&bench, "a.csv", CSV).await;
    edit(&bench, &ATTRIBUTES, CHANGED).await;
    let before = bench
        .rows("SELECT (SELECT count(*) FROM runs) AS runs, (SELECT count(*) FROM events) AS events")
        .await;
    let test = tested(&bench, &first).await;
    assert_eq!(test.basis, Basis::Source);
    assert_eq!(
        (test.rows_read, test.rejected_before, test.rejected_after),
        (4, 2, 2)
    );
    assert_eq!(
        rules(&test),
        [
            ("date_default", 1, 0),
            ("malformed_record", 1, 1),
            ("no_tin", 0, 1)
        ]
    );
    assert_eq!((test.newly_rejected_rows, test.newly_accepted_rows), (1, 1));
    let [now] = test.newly_rejected.as_slice() else {
        panic!("{test:#?}")
    };
    assert_eq!(
        (now.record_no, now.customer_id.as_deref(), now.rules[0].as_str()),
        (3, Some("C3"), "no_tin")
    );
    let [then] = test.newly_accepted.as_slice() else {
        panic!("{test:#?}")
    };
    assert_eq!((then.record_no, then.rules[0].as_str()), (2, "date_default"));
    let after = bench
        .rows("SELECT (SELECT count(*) FROM runs) AS runs, (SELECT count(*) FROM events) AS events")
        .await;
    assert_eq!(after, before, "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_are_judged_again_whatever_became_of_them_and_warnings_change_no_side() {
    let bench = bench(&ATTRIBUTES, "").await;
    let first = run(&bench, "a.csv", CSV).await;
    discard_rejects(&bench.instance, &bench.settings, ("p", &first), None)
        .await
        .unwrap();
    let warns = "[rules]\ndate_default = \"off\"\n[[rule]]\nid = \"no_gold\"\nsql = \"tier <> 'Gold'\"\nseverity = \"warn\"\n";
    edit(&bench, &ATTRIBUTES, warns).await;
    let whole = tested(&bench, &first).await;
    assert_eq!((whole.newly_rejected_rows, whole.newly_accepted_rows), (0, 1));
    std::fs::remove_file(bench.folder.path().join("a.csv")).unwrap();
    let rejects = tested(&bench, &first).await;
    assert_eq!((rejects.rows_read, rejects.rejected_after), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_records_that_change_side_a_few_are_shown_and_all_are_counted() {
    let bench = bench(&ATTRIBUTES, "").await;
    let rows: String = (0..8)
        .map(|i| format!("A{i},Tin,2024-01-01\nB{i},Gold,1900-01-01\n"))
        .collect();
    let first = run(&bench, "a.csv", format!("cid,Tier,Joined\n{rows}")).await;
    edit(&bench, &ATTRIBUTES, CHANGED).await;
    let test = tested(&bench, &first).await;
    assert_eq!((test.newly_rejected_rows, test.newly_accepted_rows), (8, 8));
    assert_eq!((test.newly_rejected.len(), test.newly_accepted.len()), (5, 5));
    bench
        .process("q", &definition("register", &["Score=int"], ""))
        .await;
    let other = back_test(&bench.instance, &bench.settings, ("q", &first), &Watch::default()).await;
    assert!(other.unwrap_err().to_string().contains("is of the process p"));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_source_is_another_one_the_rejects_are_judged_alone() {
    let bench = bench(&ATTRIBUTES, "").await;
    let first = run(&bench, "a.csv", CSV).await;
    edit(&bench, &ATTRIBUTES, CHANGED).await;
    bench.file("a.csv", "cid,Tier,Joined\nC9,Tin,2024-01-01\n");
    let test = tested(&bench, &first).await;
    assert_eq!(test.basis, Basis::Rejects);
    assert!(
        test.note.as_ref().unwrap().ends_with("is no longer what it was"),
        "{:?}",
        test.note
    );
    assert_eq!(
        (test.rows_read, test.rejected_before, test.rejected_after),
        (2, 2, 1)
    );
    assert_eq!((test.newly_rejected_rows, test.newly_accepted_rows), (0, 1));
    std::fs::remove_file(bench.folder.path().join("a.csv")).unwrap();
    assert_eq!(tested(&bench, &first).await.basis, Basis::Rejects);
}
