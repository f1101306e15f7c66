//! From draft to deleted: what a process may do in each status, what completing locks, and who owns an attribute.

use sluice_engine::process::{self, Ingest};
use sluice_engine::{Class, Error, Result};

use crate::support::{Bench, definition, failure, fixture};

const RECORDS: &str = "cid,Tier\nC1,Gold\n";

fn usage<T: std::fmt::Debug>(result: Result<T>) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.class(), Class::Usage, "{error}");
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_process_goes_from_draft_to_ready_to_completed() {
    let bench = Bench::new().await;
    let file = bench.file("in.csv", RECORDS);
    process::create(
        &bench.instance,
        "p",
        &definition("register", &["Tier=string"], ""),
    )
    .await
    .unwrap();
    assert_eq!(bench.status("p").await, "draft");
    let error = usage(bench.run_on("p", &file).await);
    assert!(
        error.hints()[0].contains("process complete p"),
        "{:?}",
        error.hints()
    );
    process::complete(&bench.instance, "p").await.unwrap();
    assert_eq!(bench.status("p").await, "ready");
    usage(process::complete(&bench.instance, "p").await);
    bench.run_on("p", &file).await.unwrap();
    assert_eq!(bench.status("p").await, "completed");
    bench.run_on("p", &file).await.unwrap();
    assert_eq!(bench.status("p").await, "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_process_runs_again_and_completes() {
    let bench = Bench::new().await;
    bench
        .process("p", &definition("register", &["Tier=string"], ""))
        .await;
    bench
        .run_on("p", &bench.file("bad.csv", "cid,Tier\n,Gold\n"))
        .await
        .unwrap();
    assert_eq!(bench.status("p").await, "failed");
    bench.run_on("p", &bench.file("in.csv", RECORDS)).await.unwrap();
    assert_eq!(bench.status("p").await, "completed");
    let row = "SELECT last_run_id = (SELECT max(run_id) FROM runs), last_status, last_ended_at IS NOT NULL FROM processes";
    assert_eq!(bench.rows(row).await, ["true|completed|true"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_process_runs_only_when_resumed_and_is_then_what_it_was() {
    let bench = Bench::new().await;
    let file = bench.file("in.csv", RECORDS);
    process::create(
        &bench.instance,
        "p",
        &definition("register", &["Tier=string"], ""),
    )
    .await
    .unwrap();
    usage(process::pause(&bench.instance, "p").await);
    usage(process::resume(&bench.instance, "p").await);
    process::complete(&bench.instance, "p").await.unwrap();
    for (content, was) in [
        ("", "ready"),
        (RECORDS, "completed"),
        ("cid,Tier\n,Gold\n", "failed"),
    ] {
        if !content.is_empty() {
            bench
                .run_on("p", &bench.file(&format!("{was}.csv"), content))
                .await
                .unwrap();
        }
        process::pause(&bench.instance, "p").await.unwrap();
        usage(process::pause(&bench.instance, "p").await);
        assert_eq!(bench.status("p").await, "paused");
        let error = usage(bench.run_on("p", &file).await);
        assert!(
            error.hints()[0].contains("process resume p"),
            "{:?}",
            error.hints()
        );
        process::resume(&bench.instance, "p").await.unwrap();
        assert_eq!(bench.status("p").await, was);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_never_used_twice_not_even_after_delete() {
    let bench = Bench::new().await;
    let toml = definition("register", &["Tier=string"], "");
    bench.process("p", &toml).await;
    usage(process::create(&bench.instance, "p", &toml).await);
    process::delete(&bench.instance, "p").await.unwrap();
    usage(process::create(&bench.instance, "p", &toml).await);
    usage(bench.run_on("p", &bench.file("in.csv", RECORDS)).await);
    usage(process::delete(&bench.instance, "p").await);
    assert_eq!(bench.cell("SELECT count(*) FROM processes").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_none_is_refused() {
    let bench = Bench::new().await;
    let toml = definition("register", &["Tier=string"], "");
    for name in [
        "",
        "P",
        "a b",
        "-a",
        "_a",
        "é",
        "a/b",
        "..",
        &"a".repeat(65),
        "batch",
    ] {
        usage(process::create(&bench.instance, name, &toml).await);
    }
    assert!(process::names(&bench.instance).await.unwrap().is_empty());
    bench.process(&"a".repeat(64), &toml).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_is_an_event() {
    let bench = Bench::new().await;
    let toml = definition("register", &["Tier=string"], "");
    bench.process("p", &toml).await;
    process::edit(&bench.instance, "p", &(toml + "# a comment\n"))
        .await
        .unwrap();
    process::pause(&bench.instance, "p").await.unwrap();
    process::resume(&bench.instance, "p").await.unwrap();
    process::delete(&bench.instance, "p").await.unwrap();
    let kinds = "SELECT kind FROM events WHERE process = 'p' AND at IS NOT NULL ORDER BY at";
    assert_eq!(
        bench.rows(kinds).await,
        ["created", "completed", "edited", "paused", "resumed", "deleted"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn completing_locks_mode_source_key_and_attributes_and_tells_the_difference() {
    let bench = Bench::new().await;
    let toml = definition("register", &["Tier=string", "Spend=int"], "");
    bench.process("p", &toml).await;
    let file = bench.file("in.csv", "cid,Tier,Spend\nC1,Gold,1\n");
    for (was, is, says) in [
        ("\"register\"", "\"update\"", "mode: was register, is update"),
        ("none.csv", "other.csv", "source: was none.csv, is other.csv"),
        ("key = \"cid\"", "key = \"id\"", "key: was cid, is id"),
        (
            "\"int\"",
            "\"bigint\"",
            "attribute spend.type: was int, is bigint",
        ),
        (
            "\"Spend\"",
            "\"Spend\"\nname = \"outlay\"",
            "attribute outlay: was absent",
        ),
        (
            "column = \"Spend\"",
            "column = \"Sum\"\nname = \"spend\"",
            "attribute spend.column: was Spend, is Sum",
        ),
    ] {
        let edited = toml.replacen(was, is, 1);
        assert_ne!(edited, toml);
        let error = usage(process::edit(&bench.instance, "p", &edited).await);
        assert!(error.to_string().contains(says), "{error}");
        // By hand, past `edit`: it refuses to run.
        let path = bench.instance.base().join("processes/p.toml");
        std::fs::write(&path, &edited).unwrap();
        let error = usage(bench.run_on("p", &file).await);
        assert!(error.to_string().contains(says), "{error}");
        std::fs::write(&path, &toml).unwrap();
    }
    assert_eq!(bench.cell("SELECT count(*) FROM runs").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_policies_and_labels_stay_editable_and_each_run_records_the_hash() {
    let bench = Bench::new().await;
    let toml = definition("register", &["Tier=string"], "");
    bench.process("p", &toml).await;
    bench.run_on("p", &bench.file("1.csv", RECORDS)).await.unwrap();
    let edited = toml.replace("type = \"string\"", "type = \"string\"\nlabel = \"Loyalty tier\"")
        + "[policy]\nmax_rejects = 0\n[[rule]]\nid = \"gold\"\nsql = \"tier = 'Gold'\"\nseverity = \"reject\"\n";
    process::edit(&bench.instance, "p", &edited).await.unwrap();
    let report = bench
        .run_on("p", &bench.file("2.csv", "cid,Tier\nC1,Silver\n"))
        .await
        .unwrap();
    assert_eq!(report.error.unwrap().class().exit_code(), 3);
    assert_eq!(
        bench
            .cell("SELECT count(DISTINCT definition_hash) FROM runs")
            .await,
        "2"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_may_have_problems_and_completing_reports_them_all() {
    let bench = Bench::new().await;
    let toml = "mode = \"upsert\"\nkee = \"cid\"\n[source]\nurl = \"a.csv\"\n[[attribute]]\ncolumn = \"A\"\ntype = \"strng\"\n";
    process::create(&bench.instance, "p", toml).await.unwrap();
    let text = usage(process::complete(&bench.instance, "p").await).to_string();
    for part in ["mode", "kee", "key", "type"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(bench.status("p").await, "draft");
    process::edit(&bench.instance, "p", &definition("register", &["A=string"], ""))
        .await
        .unwrap();
    process::complete(&bench.instance, "p").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_on_a_local_file_is_refused() {
    let bench = Bench::new().await;
    let toml = definition("register", &["Tier=string"], "[schedule]\nevery = \"24h\"\n");
    let error = usage(bench.try_process("p", &toml).await);
    assert!(error.to_string().contains("one time"), "{error}");
    assert!(!error.hints().is_empty());
    // Nor by an edit of what was completed without.
    bench
        .process("q", &definition("register", &["Tier=string"], ""))
        .await;
    usage(process::edit(&bench.instance, "q", &toml).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_belongs_to_the_first_process_that_completed_with_it() {
    let bench = Bench::new().await;
    bench
        .process("p", &definition("register", &["Tier=string"], ""))
        .await;
    let toml = definition("register", &["Tier=string"], "");
    let error = usage(bench.try_process("q", &toml).await);
    assert!(
        error.to_string().contains("tier belongs to the process p"),
        "{error}"
    );
    assert_eq!(bench.status("q").await, "draft");
    // Merged, it is owned in the table too.
    bench.run_on("p", &bench.file("in.csv", RECORDS)).await.unwrap();
    usage(process::complete(&bench.instance, "q").await);
    let owned = "SELECT attribute, type, process, source_column, since_version FROM attributes";
    assert_eq!(bench.rows(owned).await, ["tier|string|p|Tier|1"]);
    process::delete(&bench.instance, "p").await.unwrap();
    usage(process::complete(&bench.instance, "q").await);
    assert_eq!(bench.customers().await, ["C1|Gold"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_process_that_never_merged_frees_its_names() {
    let bench = Bench::new().await;
    let toml = definition("register", &["Tier=string"], "");
    bench.process("p", &toml).await;
    bench
        .run_on("p", &bench.file("bad.csv", "cid,Tier\n,Gold\n"))
        .await
        .unwrap();
    assert_eq!(
        bench
            .cell("SELECT process || ' ' || attribute FROM attributes")
            .await,
        "p tier"
    );
    process::delete(&bench.instance, "p").await.unwrap();
    assert_eq!(bench.cell("SELECT count(*) FROM attributes").await, "0");
    bench.process("q", &toml).await;
    assert!(
        bench
            .run_on("q", &bench.file("in.csv", RECORDS))
            .await
            .unwrap()
            .run
            .is_merged()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_has_ten_attributes_and_an_instance_two_hundred() {
    let bench = Bench::new().await;
    let attributes = |from: usize, count: usize| -> String {
        let attributes: Vec<String> = (from..from + count).map(|i| format!("A{i}=int")).collect();
        let attributes: Vec<&str> = attributes.iter().map(String::as_str).collect();
        definition("register", &attributes, "")
    };
    let error = usage(bench.try_process("eleven", &attributes(0, 11)).await);
    assert!(error.to_string().contains("10"), "{error}");
    for i in 0..20 {
        bench.process(&format!("p{i}"), &attributes(i * 10, 10)).await;
    }
    let error = usage(bench.try_process("more", &attributes(200, 1)).await);
    assert!(error.to_string().contains("limit is 200"), "{error}");
    process::delete(&bench.instance, "p0").await.unwrap();
    process::complete(&bench.instance, "more").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_the_engine_and_of_the_instance_are_reserved() {
    let bench = Bench::with_config("reserved_attributes = [\"segment\"]\n").await;
    for name in [
        "customer_id",
        "raw",
        "record_no",
        "line",
        "byte_start",
        "byte_len",
        "segment",
        "Tier",
        "2nd",
        "a-b",
    ] {
        let toml = definition("register", &["Tier=string"], "")
            .replace("\"string\"", &format!("\"string\"\nname = \"{name}\""));
        let text = usage(
            bench
                .try_process(
                    &format!("p{}", name.len() * 100 + name.as_bytes()[0] as usize),
                    &toml,
                )
                .await,
        )
        .to_string();
        assert!(text.contains(name), "{name}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_has_one_email() {
    let bench = Bench::new().await;
    bench
        .process("p", &definition("register", &["Email=email"], ""))
        .await;
    let second = definition("register", &["Mail=email"], "");
    // Reserved, and not in the table yet.
    let error = usage(bench.try_process("q", &second).await);
    assert!(error.to_string().contains("email"), "{error}");
    bench
        .run_on("p", &bench.file("in.csv", "cid,Email\nC1,ana@example.com\n"))
        .await
        .unwrap();
    usage(process::complete(&bench.instance, "q").await);
    assert_eq!(
        bench.rows("SELECT attribute, role FROM attributes").await,
        ["email|email"]
    );
    let twice = definition("register", &["Home=email", "Work=email"], "");
    usage(bench.try_process("r", &twice).await);
    process::edit(
        &bench.instance,
        "q",
        &definition("register", &["Mail=string"], ""),
    )
    .await
    .unwrap();
    process::complete(&bench.instance, "q").await.unwrap();
}

fn ingest(file: &std::path::Path, attributes: &[&str]) -> Ingest {
    Ingest {
        file: file.to_owned(),
        connection: None,
        key: "cid".to_owned(),
        attributes: attributes.iter().map(|a| (*a).to_owned()).collect(),
        mode: "register".to_owned(),
        name: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ingest_makes_completes_and_reuses_the_process_of_its_file() {
    let bench = Bench::new().await;
    let file = bench.file("Loyalty Tiers 2024.csv", RECORDS);
    bench
        .ingest(&file, "cid", &["Tier=string"], "register")
        .await
        .unwrap();
    let again = bench
        .ingest(&file, "cid", &["Tier:tier=string"], "register")
        .await
        .unwrap();
    assert_eq!(
        (again.run.process.as_str(), again.run.status.word()),
        ("loyalty_tiers_2024", "skipped")
    );
    assert_eq!(bench.cell("SELECT count(*) FROM processes").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn ingest_with_other_attributes_mode_or_key_tells_the_difference() {
    let bench = Bench::new().await;
    let file = bench.file("in.csv", "cid,id,Tier,Spend\nC1,1,Gold,1\n");
    bench
        .ingest(&file, "cid", &["Tier=string"], "register")
        .await
        .unwrap();
    let differing = [
        (
            ingest(&file, &["Tier=varchar(9)"]),
            "tier.type: the process has string, asked for varchar(9)",
        ),
        (
            ingest(&file, &["Tier=string", "Spend=int"]),
            "attribute spend: the process has absent",
        ),
        (
            Ingest {
                mode: "update".to_owned(),
                ..ingest(&file, &["Tier=string"])
            },
            "mode: the process has register",
        ),
        (
            Ingest {
                key: "id".to_owned(),
                ..ingest(&file, &["Tier=string"])
            },
            "key: the process has cid, asked for id",
        ),
    ];
    for (asked, says) in differing {
        let error = usage(process::ensure(&bench.instance, &asked).await);
        assert!(error.to_string().contains(says), "{error}");
    }
    let named = Ingest {
        name: Some("other".to_owned()),
        ..ingest(&file, &["Spend=int"])
    };
    assert_eq!(process::ensure(&bench.instance, &named).await.unwrap(), "other");
}

#[tokio::test(flavor = "multi_thread")]
async fn ingest_without_attributes_gives_the_columns_and_a_line_to_copy() {
    let bench = Bench::new().await;
    let file = bench.file("in.csv", "cid,Loyalty Tier,a:b\nC1,Gold,x\n");
    let error = usage(process::ensure(&bench.instance, &ingest(&file, &[])).await);
    let hints = error.hints().join("\n");
    assert!(hints.contains("\"Loyalty Tier\""), "{hints}");
    assert!(
        hints.contains("--key cid --attribute 'Loyalty Tier=string' --attribute 'a\\:b=string'"),
        "{hints}"
    );
    let error = usage(process::ensure(&bench.instance, &ingest(&fixture("clean.csv"), &[])).await);
    // The line it gives holds as many attributes as a process may have.
    assert_eq!(error.hints().join("\n").matches("--attribute ").count(), 10);
    assert_eq!(bench.cell("SELECT count(*) FROM processes").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ingest_that_cannot_be_completed_leaves_nothing_behind() {
    let bench = Bench::new().await;
    bench
        .process("owner", &definition("register", &["Tier=string"], ""))
        .await;
    let file = bench.file("in.csv", "cid,Tier,Other\nC1,Gold,x\n");
    let eleven: Vec<String> = (0..11).map(|i| format!("Other:a{i}=string")).collect();
    let eleven: Vec<&str> = eleven.iter().map(String::as_str).collect();
    for attributes in [
        &["Tier=string"][..],
        &["Nope=string"],
        &["Other=strng"],
        &["Other:raw=string"],
        &eleven,
    ] {
        usage(process::ensure(&bench.instance, &ingest(&file, attributes)).await);
        assert_eq!(
            bench.cell("SELECT count(*) FROM processes").await,
            "1",
            "{attributes:?}"
        );
    }
    process::ensure(&bench.instance, &ingest(&file, &["Tier:tier_two=string"]))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_not_there_is_a_usage_error() {
    let bench = Bench::new().await;
    let result = bench.run_on("nobody", &bench.file("in.csv", RECORDS)).await;
    assert_eq!(failure(&result).class(), Class::Usage);
}
