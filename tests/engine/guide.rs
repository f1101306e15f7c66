//! What the guide says of a process, sentence by sentence.

use std::time::Duration;

use sluice_engine::process::{self, Holder, Lease};
use sluice_engine::run::RunRequest;
use sluice_engine::spec::RejectBudget;

use crate::support::{Bench, definition, failure, request};

/// "loyalty_tier=Silver, promo_code=SPRING10; file row loyalty_tier=Gold, promo_code= (empty); result
/// loyalty_tier=Gold, promo_code=NULL. To keep promo_code, send it with its current value."
#[tokio::test(flavor = "multi_thread")]
async fn before_file_row_and_result_are_as_in_the_guide() {
    let bench = Bench::new().await;
    let toml = definition("update", &["loyalty_tier=string", "promo_code=string"], "");
    bench.process("before", &toml.replace("update", "register")).await;
    let file = |name: &str, row: &str| {
        bench.file(
            name,
            format!("CID,loyalty_tier,promo_code\n{row}\n").replace("CID", "cid"),
        )
    };
    for (name, row, customer) in [
        ("before.csv", "123,Silver,SPRING10", "123|Silver|SPRING10"),
        ("row.csv", "123,Gold,", "123|Gold|-"),
        ("again.csv", "123,Gold,SPRING10", "123|Gold|SPRING10"),
        ("kept.csv", "123,Silver,SPRING10", "123|Silver|SPRING10"),
    ] {
        let report = bench.run_on("before", &file(name, row)).await.unwrap();
        assert!(report.error.is_none(), "{:?}", report.error);
        assert_eq!(bench.customers().await, [customer], "{row}");
    }
}

/// Contract, section 2: draft, ready, scheduled, running, completed, failed, paused, deleted.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_has_every_status_of_the_contract_in_its_turn() {
    let bench = Bench::new().await;
    let (good, bad) = (
        bench.file("good.csv", "cid,A\nC1,1\n"),
        bench.file("bad.csv", "cid,A\n,1\n"),
    );
    let one_time = definition("register", &["A=int"], "");
    process::create(&bench.instance, "p", &one_time).await.unwrap();
    assert_eq!(bench.status("p").await, "draft");
    process::complete(&bench.instance, "p").await.unwrap();
    assert_eq!(bench.status("p").await, "ready");
    bench.run_on("p", &bad).await.unwrap();
    assert_eq!(bench.status("p").await, "failed");
    bench.run_on("p", &good).await.unwrap();
    assert_eq!(bench.status("p").await, "completed");
    process::pause(&bench.instance, "p").await.unwrap();
    assert_eq!(bench.status("p").await, "paused");

    let recurring =
        definition("register", &["B=int"], "[schedule]\nevery = \"6h\"\n").replace("none.csv", "in/");
    bench.process("q", &recurring).await;
    assert_eq!(bench.status("q").await, "scheduled");
    let lease = Lease::new(
        "01900000-0000-7000-8000-000000000000".to_owned(),
        1,
        "manual".to_owned(),
        Duration::from_secs(600),
    );
    assert_eq!(lease.holder, Holder::this());
    let state = bench.state("q");
    let lend = async |lease: Option<Lease>| {
        let lent = state.update(|state| {
            state.lease.clone_from(&lease);
            Ok(())
        });
        lent.await.unwrap();
    };
    lend(Some(lease)).await;
    assert_eq!(bench.status("q").await, "running");
    lend(None).await;
    process::delete(&bench.instance, "q").await.unwrap();
    assert_eq!(bench.cell("SELECT count(*) FROM processes").await, "1");
    let error = process::text(&bench.instance, "q").await.unwrap_err();
    assert!(error.to_string().contains("was deleted"), "{error}");
}

/// "If an ingest of a recurring process fails, the campaign will go out with data from the last successful ingestion."
#[tokio::test(flavor = "multi_thread")]
async fn a_recurring_process_that_failed_leaves_the_last_data_and_goes_on_with_the_next_file() {
    let bench = Bench::new().await;
    let recurring =
        definition("register", &["A=int"], "[schedule]\nevery = \"6h\"\n").replace("none.csv", "in/");
    bench.process("p", &recurring).await;
    for (file, status, customers) in [
        ("cid,A\nC1,1\n", "scheduled", "C1|1"),
        ("cid,A\n,2\n", "failed", "C1|1"),
        ("cid,A\nC1,3\n", "scheduled", "C1|3"),
    ] {
        let report = bench.run_on("p", &bench.file("next.csv", file)).await.unwrap();
        assert_eq!(report.error.is_some(), status == "failed", "{:?}", report.error);
        assert_eq!(bench.status("p").await, status);
        assert_eq!(bench.customers().await, [customers]);
        let next = "SELECT next_run_at IS NOT NULL FROM processes";
        assert_eq!(bench.cell(next).await, "true", "{status}: it is due again");
    }
}

/// "Select Register new & update existing customers ... Select Update existing customers only".
#[tokio::test(flavor = "multi_thread")]
async fn new_cids_are_registered_in_one_mode_and_rejected_in_the_other() {
    let bench = Bench::new().await;
    bench
        .process("all", &definition("register", &["A=int"], ""))
        .await;
    bench
        .process("known", &definition("update", &["B=int"], ""))
        .await;
    bench
        .run_on("all", &bench.file("all.csv", "cid,A\nC1,1\n"))
        .await
        .unwrap();
    let known = bench
        .run_on("known", &bench.file("known.csv", "cid,B\nC1,5\nC2,6\n"))
        .await
        .unwrap();
    assert_eq!(bench.reasons(&known).await, ["2|cid_unknown"]);
    assert_eq!(bench.customers().await, ["C1|1|5"]);
    let all = bench
        .run_on("all", &bench.file("more.csv", "cid,A\nC1,1\nC2,2\n"))
        .await
        .unwrap();
    assert_eq!(
        (all.run.rows_inserted, all.run.rows_unchanged),
        (Some(1), Some(1))
    );
    assert_eq!(bench.customers().await, ["C1|1|5", "C2|2|-"]);
}

/// "For what reasons will the data ingestion process fail?"
#[tokio::test(flavor = "multi_thread")]
async fn each_reason_of_the_guide_for_a_failure_is_a_reject_of_its_rule_and_fails_a_strict_run() {
    let attributes = ["day=date", "note=string", "number=int"];
    let long = "x".repeat(8001);
    let bad: [(&str, String); 7] = [
        ("cid_duplicate", "C2,2024-01-01,a,1\nC2,2024-01-01,b,2".to_owned()),
        ("cid_null", ",2024-01-01,a,1".to_owned()),
        ("cid_unknown", "C9,2024-01-01,a,1".to_owned()),
        ("date_default", "C2,1900-01-01,a,1".to_owned()),
        ("unsupported_character", "C2,2024-01-01,\u{1f600},1".to_owned()),
        ("string_too_long", format!("C2,2024-01-01,{long},1")),
        ("type_mismatch", "C2,2024-01-01,a,one".to_owned()),
    ];
    for (rule, row) in bad {
        let bench = Bench::new().await;
        bench
            .process("base", &definition("register", &["known=int"], ""))
            .await;
        bench
            .run_on("base", &bench.file("base.csv", "cid,known\nC1,1\nC2,1\n"))
            .await
            .unwrap();
        bench.process("p", &definition("update", &attributes, "")).await;
        let file = bench.file(
            "in.csv",
            format!("cid,day,note,number\nC1,2024-01-01,a,1\n{row}\n"),
        );
        let asked = request("p", Some(&file));
        let strict = RunRequest {
            max_rejects: Some(RejectBudget::Rows(0)),
            ..asked.clone()
        };
        let failed = bench.run(strict).await;
        assert_eq!(failure(&failed).class().exit_code(), 3, "{rule}");
        let untouched = "SELECT count(*) FROM customers WHERE number IS NOT NULL";
        assert_eq!(bench.cell(untouched).await, "0", "{rule}: nothing is merged");
        let report = bench.run(asked).await.unwrap();
        assert!(report.error.is_none(), "{rule}: {:?}", report.error);
        let rules: Vec<&str> = report
            .run
            .rule_counts
            .iter()
            .map(|count| count.rule.as_str())
            .collect();
        assert_eq!(rules, [rule]);
        assert_eq!(report.run.rows_accepted, Some(1), "{rule}");
    }
}

/// "Use the Re-Run feature to update values ... You can include additional Customer IDs (CIDs) if needed."
#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_process_is_run_again_on_a_file_of_the_same_format_with_more_cids() {
    let bench = Bench::new().await;
    bench.process("p", &definition("register", &["A=int"], "")).await;
    bench
        .run_on("p", &bench.file("in.csv", "cid,A\nC1,1\n"))
        .await
        .unwrap();
    // The file of the same name, uploaded anew.
    bench
        .run_on("p", &bench.file("in.csv", "cid,A\nC1,2\nC2,22\n"))
        .await
        .unwrap();
    assert_eq!(bench.customers().await, ["C1|2", "C2|22"]);
    let other = bench.run_on("p", &bench.file("other.csv", "cid,B\nC1,3\n")).await;
    assert_eq!(failure(&other).code(), Some("column_missing"));
    assert_eq!(bench.customers().await, ["C1|2", "C2|22"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_process_keeps_its_attributes_and_its_history() {
    let bench = Bench::new().await;
    bench.process("p", &definition("register", &["A=int"], "")).await;
    bench
        .run_on("p", &bench.file("in.csv", "cid,A\nC1,1\n,2\n"))
        .await
        .unwrap();
    process::delete(&bench.instance, "p").await.unwrap();
    assert_eq!(bench.customers().await, ["C1|1"]);
    assert_eq!(
        bench.rows("SELECT attribute, process FROM attributes").await,
        ["a|p"]
    );
    assert_eq!(
        bench.rows("SELECT process, status FROM runs").await,
        ["p|completed_with_rejects"]
    );
    assert_eq!(bench.cell("SELECT count(*) FROM rejects").await, "1");
    assert_eq!(bench.cell("SELECT count(*) FROM changes('p/1')").await, "1");
}
