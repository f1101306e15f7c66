//! `changes(run_id)`: what a run changed, and nothing else.

use crate::support::{Bench, definition, request};

async fn changes(bench: &Bench, run: &str) -> Vec<String> {
    bench
        .rows(&format!("SELECT * FROM changes('{run}') ORDER BY customer_id"))
        .await
}

async fn two_runs(bench: &Bench) -> (String, String) {
    bench
        .process(
            "loyalty",
            &definition("register", &["Tier=string", "Spend=decimal(9,2)"], ""),
        )
        .await;
    let first = bench.file(
        "first.csv",
        "cid,Tier,Spend\nC1,Gold,1.00\nC2,Silver,2.00\nC3,,3.00\nC4,,\n",
    );
    let second = bench.file(
        "second.csv",
        "cid,Tier,Spend\nC1,Gold,1\nC2,Gold,2.50\nC3,,\nC5,Bronze,\n",
    );
    let first = bench.run_on("loyalty", &first).await.unwrap();
    let second = bench.run_on("loyalty", &second).await.unwrap();
    (first.run.run_id, second.run.run_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_lists_the_customers_it_inserted_and_updated_and_the_attributes_that_differ() {
    let bench = Bench::new().await;
    let (first, second) = two_runs(&bench).await;
    let registered = [
        "C1|inserted|[tier, spend]",
        "C2|inserted|[tier, spend]",
        "C3|inserted|[spend]",
        "C4|inserted|[]",
    ];
    assert_eq!(changes(&bench, &first).await, registered);
    // C1 was sent as it is, C4 was not sent.
    assert_eq!(
        changes(&bench, &second).await,
        [
            "C2|updated|[tier, spend]",
            "C3|updated|[spend]",
            "C5|inserted|[tier]"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_runs_changed_since_does_not_show() {
    let bench = Bench::new().await;
    let (first, second) = two_runs(&bench).await;
    let before = (changes(&bench, &first).await, changes(&bench, &second).await);
    let other = bench.file("other.csv", "cid,City\nC1,Madrid\nC5,Porto\nC9,Lima\n");
    let report = bench
        .ingest(&other, "cid", &["City=string"], "register")
        .await
        .unwrap();
    assert_eq!(
        (changes(&bench, &first).await, changes(&bench, &second).await),
        before
    );
    assert_eq!(
        changes(&bench, &report.run.run_id).await,
        ["C1|updated|[city]", "C5|updated|[city]", "C9|inserted|[city]"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn its_counts_are_those_of_the_run() {
    let bench = Bench::new().await;
    two_runs(&bench).await;
    for number in [1, 2] {
        let counted = format!(
            "SELECT count(*) FILTER (WHERE change = 'inserted'), count(*) FILTER (WHERE change = 'updated'), \
             sum(CASE WHEN change = 'updated' THEN cardinality(attributes) ELSE 0 END) FROM changes('loyalty/{number}')"
        );
        let recorded = format!(
            "SELECT rows_inserted, rows_updated, cells_changed FROM runs WHERE process = 'loyalty' AND run_no = {number}"
        );
        assert_eq!(bench.rows(&counted).await, bench.rows(&recorded).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_merged_nothing_changed_nothing() {
    let bench = Bench::new().await;
    two_runs(&bench).await;
    let again = bench
        .run_on("loyalty", &bench.folder.path().join("second.csv"))
        .await
        .unwrap();
    assert_eq!(again.run.status.word(), "skipped");
    assert!(changes(&bench, &again.run.run_id).await.is_empty());
    let bad = bench.file("bad.csv", "cid,Tier,Spend\n,Gold,1\n");
    let failed = bench.run_on("loyalty", &bad).await.unwrap();
    assert!(failed.error.is_some());
    assert!(changes(&bench, &failed.run.run_id).await.is_empty());
    let mut forced = request("loyalty", Some(&bench.folder.path().join("second.csv")));
    forced.repeat = sluice_engine::run::Repeat::Force;
    let forced = bench.run(forced).await.unwrap();
    assert!(forced.run.is_merged());
    assert!(changes(&bench, &forced.run.run_id).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_joins_with_customers_and_refuses_a_run_that_is_not() {
    let bench = Bench::new().await;
    let (_, second) = two_runs(&bench).await;
    let joined = format!(
        "SELECT customer_id, tier FROM customers JOIN changes('{second}') USING (customer_id) \
         WHERE array_has(attributes, 'tier') ORDER BY 1"
    );
    assert_eq!(bench.rows(&joined).await, ["C2|Gold", "C5|Bronze"]);
    let types = bench
        .query(&format!("SELECT * FROM changes('{second}')"))
        .await
        .unwrap();
    let schema = types[0].schema();
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    assert_eq!(names, ["customer_id", "change", "attributes"]);
    let error = bench.query("SELECT * FROM changes('nobody')").await.unwrap_err();
    assert_eq!(error.class().exit_code(), 2, "{error}");
}
