//! Rejects that are judged again.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use parquet::arrow::ArrowWriter;
use sluice_engine::history::rollback::{LaterWrites, Target};
use sluice_engine::process;
use sluice_engine::report::RunStatus;

use super::support::{asked, bench, dry, edit, forced, replay, run, run_on, states};
use crate::history::rollback;
use crate::support::{Bench, definition, failure};

const DATED: [&str; 2] = ["Tier=string", "Joined=date"];
const LENIENT: &str = "[rules]\ndate_default = \"off\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_the_rules_of_now_is_merged_and_what_does_not_stays_open() {
    let bench = bench(&DATED, "").await;
    let csv = "cid,Tier,Joined\nC1,Gold,2024-01-01\nC2,Gold,1900-01-01\n\nC3,Tin,never\nC4,Tin,1900-01-01\n";
    let first = run(&bench, "a.csv", csv).await;
    assert_eq!(states(&bench).await, ["2|open", "3|open", "4|open"]);
    edit(&bench, &DATED, LENIENT).await;
    let report = replay(&bench, &first, |_| ()).await;
    let counts = (
        report.run.rows_read,
        report.run.rows_accepted,
        report.run.rows_inserted,
        report.run.rows_rejected,
    );
    assert_eq!(counts, (Some(3), Some(2), Some(2), Some(1)));
    assert_eq!((report.run.run_no, report.run.trigger.as_str()), (2, "replay"));
    assert_eq!(
        bench.customers().await,
        ["C1|Gold|2024-01-01", "C2|Gold|1900-01-01", "C4|Tin|1900-01-01"]
    );
    assert_eq!(states(&bench).await, ["2|replayed", "3|open", "4|replayed"]);
    let lineage = "SELECT s.record_no, s.line, s.byte_start, r.run_no, r.parent_run_id = s.run_id, r.source_file = s.source_file \
                   FROM reject_states s JOIN runs r ON r.run_id = s.state_by ORDER BY 1";
    assert_eq!(
        bench.rows(lineage).await,
        ["2|3|35|2|true|true", "4|6|68|2|true|true"]
    );
    // Nobody is counted twice, and a second time there is nothing left to merge.
    assert_eq!(bench.cell("SELECT count(*) FROM rejects").await, "3");
    let again = replay(&bench, &first, |_| ()).await;
    assert_eq!((again.run.rows_read, again.run.rows_accepted), (Some(1), Some(0)));
    edit(
        &bench,
        &DATED,
        "[rules]\ndate_default = \"off\"\n[[rule]]\nid = \"any\"\nsql = \"true\"\n",
    )
    .await;
    let none = replay(&bench, &first, |replay| {
        replay.filter = Some("record_no = 2".to_owned())
    })
    .await;
    assert_eq!(none.run.status, RunStatus::Skipped);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_the_same_and_writes_nothing() {
    let bench = bench(&DATED, "").await;
    let first = run(
        &bench,
        "a.csv",
        "cid,Tier,Joined\nC1,Gold,2024-01-01\nC2,Gold,1900-01-01\n",
    )
    .await;
    edit(&bench, &DATED, LENIENT).await;
    let report = bench.run(dry(asked(&first, |_| ()))).await.unwrap();
    assert_eq!((report.dry_run, report.run.rows_inserted), (true, Some(1)));
    assert_eq!(states(&bench).await, ["2|open"]);
    assert_eq!(bench.cell("SELECT count(*) FROM runs").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_record_is_not_written_over_what_a_later_run_wrote() {
    let bench = bench(&DATED, "").await;
    let csv = "cid,Tier,Joined\nC0,Tin,2024-01-01\nC1,Old,1900-01-01\nC2,Old,1900-01-01\nC3,Old,1900-01-01\n";
    let first = run(&bench, "a.csv", csv).await;
    run(
        &bench,
        "b.csv",
        "cid,Tier,Joined\nC1,New,2024-02-02\nC2,New,2024-02-02\n",
    )
    .await;
    edit(&bench, &DATED, LENIENT).await;
    let report = replay(&bench, &first, |_| ()).await;
    assert_eq!(
        (report.run.rows_accepted, report.run.rows_rejected),
        (Some(1), Some(2))
    );
    let rules: Vec<_> = report
        .run
        .rule_counts
        .iter()
        .map(|c| (c.rule.as_str(), c.records))
        .collect();
    assert_eq!(rules, [("cid_overtaken", 2)]);
    assert!(
        report.warnings[0].starts_with("held back: 2 records"),
        "{:?}",
        report.warnings
    );
    assert_eq!(states(&bench).await, ["2|open", "3|open", "4|replayed"]);
    let held = "SELECT record_no FROM events WHERE kind = 'held_back' ORDER BY 1";
    assert_eq!(bench.rows(held).await, ["2", "3"]);
    assert_eq!(
        bench
            .cell("SELECT count(*) FROM customers WHERE tier = 'New'")
            .await,
        "2"
    );
    let only = |replay: &mut sluice_engine::run::Replay| {
        forced(replay);
        replay.filter = Some("customer_id = 'C1'".to_owned());
    };
    replay(&bench, &first, only).await;
    assert_eq!(
        bench
            .cell("SELECT tier FROM customers WHERE customer_id = 'C1'")
            .await,
        "Old"
    );
    assert_eq!(
        bench
            .cell("SELECT tier FROM customers WHERE customer_id = 'C2'")
            .await,
        "New"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_that_a_later_run_may_have_sent_as_it_was_is_left_alone() {
    let bench = bench(&DATED, "").await;
    run(
        &bench,
        "a.csv",
        "cid,Tier,Joined\nC1,New,2024-01-01\nC2,New,2024-01-01\n",
    )
    .await;
    let second = run(
        &bench,
        "b.csv",
        "cid,Tier,Joined\nC0,Tin,2024-01-01\nC1,Old,1900-01-01\nC9,Old,1900-01-01\n",
    )
    .await;
    // Sends C1 as it was: the table shows no trace of it.
    run(&bench, "c.csv", "cid,Tier,Joined\nC1,New,2024-01-01\n").await;
    edit(&bench, &DATED, LENIENT).await;
    let report = replay(&bench, &second, |_| ()).await;
    assert_eq!(
        (report.run.rows_inserted, report.run.rows_rejected),
        (Some(1), Some(1))
    );
    assert_eq!(
        bench
            .cell("SELECT tier FROM customers WHERE customer_id = 'C1'")
            .await,
        "New"
    );
    // A second replay knows what the first one wrote, whatever it left unchanged.
    let again = replay(&bench, &second, forced).await;
    assert_eq!(again.run.rows_updated, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_run_itself_left_unchanged_holds_no_record_of_another_customer_back() {
    let bench = bench(&DATED, "").await;
    run(
        &bench,
        "a.csv",
        "cid,Tier,Joined\nC1,Tin,2024-01-01\nC2,Tin,2024-01-01\n",
    )
    .await;
    let second = run(
        &bench,
        "b.csv",
        "cid,Tier,Joined\nC1,Tin,2024-01-01\nC2,Gold,1900-01-01\n",
    )
    .await;
    edit(&bench, &DATED, LENIENT).await;
    let report = replay(&bench, &second, |_| ()).await;
    assert_eq!(
        (report.run.rows_updated, report.run.rows_rejected),
        (Some(1), Some(0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_duplicates_one_is_chosen_by_where_and_one_that_lost_stays_behind_the_kept_one() {
    let reject_all = bench(&["Tier=string"], "").await;
    let csv = "cid,Tier\nC0,Tin\nC1,first\nC1,second\n";
    let first = run(&reject_all, "a.csv", csv).await;
    let both = replay(&reject_all, &first, |_| ()).await;
    assert_eq!(
        (both.run.rows_accepted, both.run.rows_rejected),
        (Some(0), Some(2))
    );
    replay(&reject_all, &first, |replay| {
        replay.filter = Some("record_no = 3".to_owned())
    })
    .await;
    assert_eq!(reject_all.customers().await, ["C0|Tin", "C1|second"]);
    // The other one is older than what is there now.
    let other = replay(&reject_all, &first, |_| ()).await;
    assert_eq!(other.run.rows_rejected, Some(1));

    let keep_first = bench(&["Tier=string"], "[policy]\non_duplicate = \"keep_first\"\n").await;
    let first = run(&keep_first, "a.csv", csv).await;
    let lost = replay(&keep_first, &first, |_| ()).await;
    assert_eq!(
        (lost.run.rows_accepted, lost.run.rows_rejected),
        (Some(0), Some(1))
    );
    assert_eq!(keep_first.customers().await, ["C0|Tin", "C1|first"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_record_passes_when_the_process_reads_it_otherwise() {
    let attributes = ["Tier=string", "Spend=int"];
    let bench = bench(&attributes, "").await;
    let first = run(
        &bench,
        "a.csv",
        "cid,Tier,Spend\nC1,12\" screen,1\nC2,Gold,2\nC3,3\n",
    )
    .await;
    assert_eq!(states(&bench).await, ["1|open", "3|open"]);
    let toml = definition("register", &attributes, "");
    let toml = toml.replace("[source]\n", "[source]\nquote = \"\"\n");
    process::edit(&bench.instance, "p", &toml).await.unwrap();
    replay(&bench, &first, |_| ()).await;
    assert_eq!(bench.customers().await, ["C1|12\" screen|1", "C2|Gold|2"]);
    assert_eq!(states(&bench).await, ["1|replayed", "3|open"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bytes_are_read_in_the_encoding_of_the_run() {
    let wide = |more: &str| {
        let toml = definition("register", &DATED, more);
        toml.replace("[source]\n", "[source]\nencoding = \"utf-16\"\n")
    };
    let bench = Bench::new().await;
    bench.process("p", &wide("")).await;
    let text = "cid,Tier,Joined\nC1,Zoë 😀,2024-01-01\nC2,Zoë,1900-01-01\nC3,Al,2024-01-01\n";
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    let bytes: Vec<u8> = units.flat_map(u16::to_be_bytes).collect();
    let first = run(&bench, "a.csv", bytes).await;
    let lenient = wide("[rules]\ndate_default = \"off\"\nunsupported_character = \"off\"\n");
    process::edit(&bench.instance, "p", &lenient).await.unwrap();
    replay(&bench, &first, |_| ()).await;
    assert_eq!(
        bench.customers().await,
        ["C1|Zoë 😀|2024-01-01", "C2|Zoë|1900-01-01", "C3|Al|2024-01-01"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_ndjson_and_of_typed_files_are_replayed_as_what_they_were() {
    let attributes = ["Tier=string", "Joined=date", "Seen=timestamp"];
    let ndjson = bench(&attributes, "").await;
    let lines =
        "{\"cid\":\"C1\",\"Tier\":\"a\\u00e9\",\"Joined\":\"1900-01-01\",\"Seen\":null}\n{\"cid\":\"C2\"}\n";
    let first = run(&ndjson, "a.ndjson", lines).await;
    edit(&ndjson, &attributes, LENIENT).await;
    replay(&ndjson, &first, |_| ()).await;
    assert_eq!(ndjson.customers().await, ["C1|aé|1900-01-01|-", "C2|-|-|-"]);

    let typed = bench(&attributes, "").await;
    let columns: [(&str, ArrayRef); 4] = [
        ("cid", Arc::new(StringArray::from(vec!["C1", "C2"]))),
        ("Tier", Arc::new(StringArray::from(vec!["say \"x\"\n", "Tin"]))),
        ("Joined", Arc::new(Date32Array::from(vec![-25567, 19723]))),
        (
            "Seen",
            Arc::new(TimestampMicrosecondArray::from(vec![Some(1_500_000), None])),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let file = typed.file("a.parquet", bytes);
    let first = run_on(&typed, &file).await;
    let why = typed
        .rows("SELECT record_no, array_to_string(rules, ' ') FROM rejects")
        .await;
    assert_eq!(why, ["1|date_default"]);
    edit(&typed, &attributes, LENIENT).await;
    replay(&typed, &first, |_| ()).await;
    let found = typed
        .rows("SELECT customer_id, tier, joined, seen FROM customers ORDER BY 1")
        .await;
    assert_eq!(found[0], "C1|say \"x\"\n|1900-01-01|1970-01-01T00:00:01.500Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_is_rolled_back_leaves_its_rejects_open_again() {
    let bench = bench(&DATED, "").await;
    let first = run(
        &bench,
        "a.csv",
        "cid,Tier,Joined\nC1,Gold,2024-01-01\nC2,Gold,1900-01-01\n",
    )
    .await;
    edit(&bench, &DATED, LENIENT).await;
    let replayed = replay(&bench, &first, |_| ()).await.run.run_id;
    assert_eq!(states(&bench).await, ["2|replayed"]);
    let undone = rollback(&bench, Target::Run(replayed), LaterWrites::Refuse)
        .await
        .unwrap();
    assert_eq!(states(&bench).await, ["2|open"]);
    rollback(&bench, Target::Run(undone.run_id), LaterWrites::Refuse)
        .await
        .unwrap();
    assert_eq!(states(&bench).await, ["2|replayed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_of_a_run_that_does_not_count_are_not_replayed() {
    let bench = bench(&DATED, "").await;
    let first = run(
        &bench,
        "a.csv",
        "cid,Tier,Joined\nC1,Gold,2024-01-01\nC2,Gold,1900-01-01\n",
    )
    .await;
    rollback(&bench, Target::Run(first.clone()), LaterWrites::Refuse)
        .await
        .unwrap();
    let refused = bench.run(asked(&first, |_| ())).await;
    assert!(
        failure(&refused).to_string().contains("was rolled back"),
        "{refused:?}"
    );
    let file = bench.file("b.csv", "cid,Tier,Joined\nC3,Gold,1900-01-01\n");
    let failed = bench.run_on("p", &file).await.unwrap();
    let refused = bench.run(asked(&failed.run.run_id, |_| ())).await;
    assert!(
        failure(&refused).to_string().contains("merged nothing"),
        "{refused:?}"
    );
    assert_eq!(bench.cell("SELECT count(*) FROM runs").await, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_chooses_rejects_is_one_expression_and_reaches_no_other_run() {
    let bench = bench(&DATED, "").await;
    run(
        &bench,
        "a.csv",
        "cid,Tier,Joined\nC1,Gold,2024-01-01\nC2,Gold,1900-01-01\n",
    )
    .await;
    let second = run(
        &bench,
        "b.csv",
        "cid,Tier,Joined\nC3,Gold,2024-01-01\nC4,Gold,1900-01-01\n",
    )
    .await;
    edit(&bench, &DATED, LENIENT).await;
    for wrong in ["true) OR (true", "no_such_column = 1", "SELECT 1", ""] {
        let refused = bench
            .run(asked(&second, |replay| replay.filter = Some(wrong.to_owned())))
            .await;
        assert!(
            failure(&refused).to_string().contains("--where"),
            "{wrong}: {refused:?}"
        );
    }
    let chosen = Some("list_contains(rules, 'date_default') OR true".to_owned());
    replay(&bench, &second, |replay| replay.filter.clone_from(&chosen)).await;
    assert_eq!(
        bench.rows("SELECT customer_id FROM customers ORDER BY 1").await,
        ["C1", "C3", "C4"]
    );
}
