//! History, differences between versions, one customer's story, and rollback.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow::util::pretty::pretty_format_batches;
use deltalake_core::kernel::Action;
use serde_json::json;
use sluice_engine::commit::{Commit, CommitOutcome, commit};
use sluice_engine::history::rollback::{LaterWrites, Rollback, RollbackReport, RollbackRequest, Target};
use sluice_engine::history::{self, TraceRow};
use sluice_engine::maintain::MaintenanceLock;
use sluice_engine::session::new_session;
use sluice_engine::table::LiveFile;
use sluice_engine::write::{RollingWriter, VectorWriter, WriterOptions};
use sluice_engine::{Result, ids};
use tokio::sync::Notify;

use crate::support::{Bench, batches, definition};

/// The values that customers have, by CID and attribute.
pub type Cells = BTreeMap<String, BTreeMap<String, String>>;

/// All values of a relation of customers.
pub async fn cells(bench: &Bench, relation: &str) -> Cells {
    let batches = bench.query(&format!("SELECT * FROM {relation}")).await;
    let batches = batches.unwrap_or_else(|e| panic!("{relation}: {e}"));
    let mut cells = Cells::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let mut values = BTreeMap::new();
            for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                if column.is_valid(row) {
                    let shown = ArrayFormatter::try_new(column.as_ref(), &FormatOptions::default()).unwrap();
                    values.insert(field.name().clone(), shown.value(row).to_string());
                }
            }
            let cid = values.remove("customer_id").unwrap();
            assert!(
                cells.insert(cid, values).is_none(),
                "a customer twice in {relation}"
            );
        }
    }
    cells
}

/// A cell in which two versions differ: CID, change, attribute, before, after.
pub type Differing = [String; 5];

/// The differences of two versions, found by comparing all of both.
pub fn naive_diff(before: &Cells, after: &Cells) -> Vec<Differing> {
    let mut found = Vec::new();
    let nobody = BTreeMap::new();
    let cids: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for cid in cids {
        let change = match (before.contains_key(cid), after.contains_key(cid)) {
            (true, true) => "updated",
            (true, false) => "removed",
            _ => "inserted",
        };
        let old = before.get(cid).unwrap_or(&nobody);
        let new = after.get(cid).unwrap_or(&nobody);
        let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        let cell =
            |side: &BTreeMap<String, String>, name: &str| side.get(name).map_or("-".to_owned(), Clone::clone);
        let len = found.len();
        for name in names.into_iter().filter(|name| old.get(*name) != new.get(*name)) {
            let values = (cell(old, name), cell(new, name));
            found.push([cid.clone(), change.to_owned(), name.clone(), values.0, values.1]);
        }
        if found.len() == len && change != "updated" {
            found.push([cid.as_str(), change, "-", "-", "-"].map(str::to_owned));
        }
    }
    found
}

/// The lines of a diff.
pub async fn diff(bench: &Bench, from: u64, to: u64) -> Vec<String> {
    bench
        .rows(&format!(
            "SELECT * FROM diff({from}, {to}) ORDER BY customer_id, attribute"
        ))
        .await
}

/// Rolls back for good.
pub async fn rollback(bench: &Bench, target: Target, later: LaterWrites) -> Result<RollbackReport> {
    let request = RollbackRequest { target, later };
    let planned = Rollback::plan(&bench.instance, &bench.settings, request).await?;
    planned.commit(&Notify::new()).await
}

async fn undo(bench: &Bench, run_id: &str) -> Result<RollbackReport> {
    rollback(bench, Target::Run(run_id.to_owned()), LaterWrites::Refuse).await
}

async fn version(bench: &Bench) -> u64 {
    bench
        .cell("SELECT max(version) FROM history()")
        .await
        .parse()
        .unwrap()
}

/// A process `p` of a tier and a spend.
async fn bench() -> Bench {
    let bench = Bench::new().await;
    bench
        .process(
            "p",
            &definition("register", &["Tier=string", "Spend=decimal(9,2)"], ""),
        )
        .await;
    bench
}

/// A run of `p` on records `cid,Tier,Spend`.
async fn run(bench: &Bench, records: &str) -> String {
    let file = bench.file(
        &format!("{}.csv", ids::new_run_id()),
        format!("cid,Tier,Spend\n{records}"),
    );
    let report = bench.run_on("p", &file).await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    report.run.run_id
}

/// A run of a process that has a city.
async fn city(bench: &Bench, records: &str) -> String {
    let file = bench.file("city.csv", format!("cid,City\n{records}"));
    let report = bench
        .ingest(&file, "cid", &["City=string"], "register")
        .await
        .unwrap();
    report.run.run_id
}

#[tokio::test(flavor = "multi_thread")]
async fn rolling_back_a_run_sets_back_exactly_its_cells() {
    let bench = bench().await;
    run(&bench, "C1,Gold,1\nC2,Silver,2\nC3,,3\nC4,Bronze,4\n").await;
    let before = bench.customers().await;
    let second = run(&bench, "C1,Silver,1\nC2,,2\nC3,Gold,\nC4,Bronze,4\n").await;
    let report = undo(&bench, &second).await.unwrap();
    assert_eq!(bench.customers().await, before);
    assert_eq!(
        (
            report.rows_updated,
            report.rows_removed,
            report.rows_inserted,
            report.cells_changed
        ),
        (3, 0, 0, 4)
    );
    assert_eq!(report.version_after, Some(version(&bench).await));
    // NULL was cleared with a value, and cleared again.
    let cleared: Vec<(&str, u64, u64)> = report
        .attributes
        .iter()
        .map(|cells| (cells.attribute.as_str(), cells.cells_changed, cells.cells_cleared))
        .collect();
    assert_eq!(cleared, [("tier", 3, 1), ("spend", 1, 0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_runs_wrote_since_stays_though_it_is_of_the_same_customers() {
    let bench = bench().await;
    run(&bench, "C1,Gold,1\nC2,Silver,2\n").await;
    let second = run(&bench, "C1,Silver,1\n").await;
    // The same process, another attribute; another process, the same customer.
    run(&bench, "C1,Silver,9\nC2,Silver,7\n").await;
    city(&bench, "C1,Lima\n").await;
    undo(&bench, &second).await.unwrap();
    assert_eq!(bench.customers().await, ["C1|Gold|9.00|Lima", "C2|Silver|7.00|-"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_that_the_run_registered_leaves_unless_a_later_run_touched_it() {
    let bench = bench().await;
    run(&bench, "C1,Gold,1\n").await;
    let second = run(&bench, "C1,Gold,2\nC2,Silver,2\nC3,Bronze,3\nC4,,\n").await;
    city(&bench, "C3,Lima\nC9,Rome\n").await;
    let report = undo(&bench, &second).await.unwrap();
    assert_eq!(
        bench.customers().await,
        ["C1|Gold|1.00|-", "C3|-|-|Lima", "C9|-|-|Rome"]
    );
    assert_eq!(
        (
            report.rows_removed,
            report.rows_kept,
            report.rows_updated,
            report.cells_changed
        ),
        (2, 1, 2, 3)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_refused_where_a_later_run_wrote_the_same_cells_and_names_who_and_whom() {
    let bench = bench().await;
    run(&bench, "C1,Gold,1\nC2,Gold,2\nC3,Gold,3\n").await;
    let second = run(&bench, "C1,Silver,1\nC2,Silver,2\nC3,Silver,3\n").await;
    let third = run(&bench, "C2,Bronze,2\n").await;
    let before = (bench.customers().await, version(&bench).await);
    let error = undo(&bench, &second).await.unwrap_err();
    assert_eq!(error.class().exit_code(), 2);
    let text = error.to_string();
    assert!(
        text.contains(&third) && text.contains("1 customer, such as C2"),
        "{text}"
    );
    assert!(
        error.hints().iter().any(|hint| hint.contains("--force")),
        "{error:?}"
    );
    assert_eq!((bench.customers().await, version(&bench).await), before);
    // After the later run is undone, it goes.
    undo(&bench, &third).await.unwrap();
    undo(&bench, &second).await.unwrap();
    assert_eq!(
        bench.customers().await,
        ["C1|Gold|1.00", "C2|Gold|2.00", "C3|Gold|3.00"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_that_later_runs_changed_and_changed_back_is_theirs_too() {
    let bench = bench().await;
    run(&bench, "C1,Gold,1\n").await;
    let second = run(&bench, "C1,Silver,1\n").await;
    run(&bench, "C1,Bronze,1\n").await;
    run(&bench, "C1,Silver,1\n").await;
    assert!(undo(&bench, &second).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn force_sets_the_cells_to_what_they_were_before_the_run() {
    let bench = bench().await;
    run(&bench, "C1,Gold,1\nC2,Gold,2\n").await;
    let second = run(&bench, "C1,Silver,1\nC2,Silver,2\nC3,Gold,3\n").await;
    run(&bench, "C2,Bronze,5\nC3,Bronze,3\n").await;
    let report = rollback(&bench, Target::Run(second), LaterWrites::Overwrite)
        .await
        .unwrap();
    // C3 was touched by a later run: it stays, and has nothing of the run that is undone.
    assert_eq!(
        bench.customers().await,
        ["C1|Gold|1.00", "C2|Gold|5.00", "C3|-|-"]
    );
    assert_eq!(report.conflicts.len(), 1);
    assert_eq!(report.conflicts[0].rows, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn rolling_back_to_a_version_gives_that_version_cell_by_cell() {
    let bench = bench().await;
    run(&bench, "C1,Gold,1\nC2,Silver,2\n").await;
    let second = run(&bench, "C2,Gold,2\nC3,Bronze,3\n").await;
    city(&bench, "C1,Lima\nC4,Rome\n").await;
    undo(&bench, &second).await.unwrap();
    run(&bench, "C1,,\nC5,Gold,5\n").await;
    for target in [2, 4, 1, 5, 0] {
        let expected = cells(&bench, &format!("customers_at({target})")).await;
        let report = rollback(&bench, Target::Version(target), LaterWrites::Refuse)
            .await
            .unwrap();
        assert_eq!(cells(&bench, "customers").await, expected, "version {target}");
        assert_eq!(report.to_version, Some(target));
        // Columns that came later stay, and are empty.
        let columns = bench.query("SELECT * FROM customers").await.unwrap();
        assert!(columns.is_empty() || columns[0].num_columns() == 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_there_now_or_is_not_there_is_refused() {
    let bench = bench().await;
    run(&bench, "C1,Gold,1\n").await;
    for (target, says) in [(1, "is at version 1 now"), (7, "no version 7; the newest is 1")] {
        let error = rollback(&bench, Target::Version(target), LaterWrites::Refuse)
            .await
            .unwrap_err();
        assert_eq!(error.class().exit_code(), 2);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_can_be_rolled_back_and_its_run_counts_again() {
    let bench = bench().await;
    run(&bench, "C1,Gold,1\n").await;
    let second = run(&bench, "C1,Silver,1\nC2,Gold,2\n").await;
    city(&bench, "C1,Lima\n").await;
    let with = bench.customers().await;
    let back = undo(&bench, &second).await.unwrap();
    assert_eq!(bench.customers().await, ["C1|Gold|1.00|Lima"]);
    let twice = undo(&bench, &second).await.unwrap_err();
    assert!(twice.to_string().contains(&back.run_id), "{twice}");
    let again = undo(&bench, &back.run_id).await.unwrap();
    assert_eq!(again.rows_inserted, 1);
    assert_eq!(bench.customers().await, with);
    // And once more, now that it counts.
    undo(&bench, &second).await.unwrap();
    assert_eq!(bench.customers().await, ["C1|Gold|1.00|Lima"]);
    let events = "SELECT kind, process FROM events WHERE run_id IS NOT NULL AND kind IN ('rolled_back', 'reapplied') ORDER BY at";
    let events = bench.rows(events).await;
    assert_eq!(events.len(), 4, "{events:?}");
    assert_eq!(events[0], "rolled_back|p");
    assert!(events.contains(&"reapplied|p".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_run_was_undone_may_be_merged_again() {
    let bench = bench().await;
    let file = bench.file("in.csv", "cid,Tier,Spend\nC1,Gold,1\n");
    let first = bench.run_on("p", &file).await.unwrap().run;
    let status = |report: sluice_engine::run::Report| report.run.status.word();
    assert_eq!(status(bench.run_on("p", &file).await.unwrap()), "skipped");
    let back = undo(&bench, &first.run_id).await.unwrap();
    assert_eq!(bench.cell("SELECT count(*) FROM customers").await, "0");
    assert_eq!(status(bench.run_on("p", &file).await.unwrap()), "completed");
    assert_eq!(status(bench.run_on("p", &file).await.unwrap()), "skipped");
    assert_eq!(bench.customers().await, ["C1|Gold|1.00"]);
    // To a version before both, and then the first run back again: it counts, so the file does.
    rollback(&bench, Target::Version(2), LaterWrites::Refuse)
        .await
        .unwrap();
    undo(&bench, &back.run_id).await.unwrap();
    assert_eq!(bench.customers().await, ["C1|Gold|1.00"]);
    assert_eq!(status(bench.run_on("p", &file).await.unwrap()), "skipped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_changed_nothing_can_be_undone_and_one_that_merged_nothing_cannot() {
    let bench = bench().await;
    run(&bench, "C1,Gold,1\n").await;
    let same = run(&bench, "C1,Gold,1.00\n").await;
    let report = undo(&bench, &same).await.unwrap();
    assert_eq!((report.rows_updated, report.rows_removed), (0, 0));
    let bad = bench.file("bad.csv", "cid,Tier,Spend\n,Gold,1\n");
    let failed = bench.run_on("p", &bad).await.unwrap();
    let error = undo(&bench, &failed.run.run_id).await.unwrap_err();
    assert_eq!(error.class().exit_code(), 2);
    assert!(error.to_string().contains("committed nothing"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_columns_that_a_run_added_stay_when_it_is_undone() {
    let bench = bench().await;
    run(&bench, "C1,Gold,1\n").await;
    let city = city(&bench, "C1,Lima\nC2,Rome\n").await;
    undo(&bench, &city).await.unwrap();
    assert_eq!(bench.customers().await, ["C1|Gold|1.00|-"]);
    assert_eq!(diff(&bench, 1, 3).await, [""; 0]);
    assert_eq!(
        diff(&bench, 1, 2).await,
        ["C1|updated|city|-|Lima", "C2|inserted|city|-|Rome"]
    );
    assert_eq!(
        diff(&bench, 2, 1).await,
        ["C1|updated|city|Lima|-", "C2|removed|city|Rome|-"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn history_lists_what_made_each_version_and_what_undid_it() {
    let bench = bench().await;
    run(&bench, "C1,Gold,1\nC2,Silver,2\n").await;
    let second = run(&bench, "C1,Silver,1\nC3,Gold,3\n,Gold,4\n").await;
    let back = undo(&bench, &second).await.unwrap();
    let listed = bench
        .rows(
            "SELECT version, kind, process, run_no, rows_inserted, rows_updated, rows_removed, rows_unchanged, \
             cells_changed, rows_rejected, cardinality(undoes) FROM history() ORDER BY version",
        )
        .await;
    assert_eq!(
        listed,
        [
            "0|create|-|-|-|-|-|-|-|-|0",
            "1|run|p|1|2|0|-|0|0|0|0",
            "2|run|p|2|1|1|-|0|1|1|0",
            "3|rollback|p|-|0|1|1|-|1|-|1"
        ]
    );
    let undone = "SELECT run_id, undone_by FROM history() WHERE undone_by IS NOT NULL";
    assert_eq!(bench.rows(undone).await, [format!("{second}|{}", back.run_id)]);
    let changed = format!("SELECT * FROM changes('{}') ORDER BY 1", back.run_id);
    assert_eq!(
        bench.rows(&changed).await,
        ["C1|updated|[tier]", "C3|removed|[tier, spend]"]
    );
    let joined = "SELECT count(*) FROM history() h JOIN runs r ON h.run_id = r.run_id AND h.cells_changed = r.cells_changed";
    assert_eq!(bench.cell(joined).await, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_read_as_it_was_and_one_that_is_gone_is_told_so() {
    let bench = bench().await;
    run(&bench, "C1,Gold,1\n").await;
    run(&bench, "C1,Silver,1\nC2,Gold,2\n").await;
    assert_eq!(
        bench.rows("SELECT * FROM customers_at(1)").await,
        ["C1|Gold|1.00"]
    );
    let error = bench.query("SELECT * FROM customers_at(9)").await.unwrap_err();
    assert_eq!(error.class().exit_code(), 2);
    assert!(
        error.to_string().contains("no version 9; the newest is 2"),
        "{error}"
    );
    // What vacuum does: a file that is not live goes.
    let log = bench.instance.customers().unwrap();
    let old = log.snapshot(Some(1)).await.unwrap().files;
    std::fs::remove_file(bench.instance.base().join("customers").join(&old[0].add.path)).unwrap();
    for query in ["SELECT * FROM customers_at(1)", "SELECT * FROM diff(1, 2)"] {
        let error = bench.query(query).await.unwrap_err();
        assert_eq!(error.class().exit_code(), 2, "{error}");
        assert!(
            error.to_string().contains("version 1 of customers was vacuumed"),
            "{error}"
        );
    }
    assert_eq!(
        bench.rows("SELECT * FROM customers_at(2) ORDER BY 1").await,
        ["C1|Silver|1.00", "C2|Gold|2.00"]
    );
}

async fn story(bench: &Bench, cid: &str) -> Vec<String> {
    let ctx = new_session(&bench.settings, bench.settings.memory_bytes).unwrap();
    let trace = history::trace(&bench.instance, &ctx, cid).await.unwrap();
    let text = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "-".to_owned());
    let line = |row: &TraceRow| {
        let version = row.version.map_or("-".to_owned(), |v| v.to_string());
        format!(
            "{version}|{}|{}|{}|{}|{}",
            text(&row.process),
            row.change,
            text(&row.attribute),
            text(&row.before),
            text(&row.after)
        )
    };
    trace.rows.iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_story_has_every_change_and_every_reject_in_order() {
    let bench = bench().await;
    run(&bench, "C1,Gold,1\nC2,Silver,2\n").await;
    run(&bench, "C2,Gold,2\n").await;
    run(&bench, "C2,Gold,2\nC1,Gold,x\n").await;
    city(&bench, "C1,Lima\n").await;
    let last = run(&bench, "C1,,7\n").await;
    undo(&bench, &last).await.unwrap();
    assert_eq!(
        story(&bench, "C1").await,
        [
            "1|p|registered|tier|-|Gold",
            "1|p|registered|spend|-|1.00",
            "-|p|rejected|Spend|-|x",
            "4|city|changed|city|-|Lima",
            "5|p|changed|tier|Gold|-",
            "5|p|changed|spend|1.00|7.00",
            "6|p|changed|tier|-|Gold",
            "6|p|changed|spend|7.00|1.00",
        ]
    );
    assert!(story(&bench, "C404").await.is_empty());
    let second = bench
        .cell("SELECT run_id FROM runs WHERE run_no = 2 AND process = 'p'")
        .await;
    undo(&bench, &second).await.unwrap();
    assert_eq!(
        story(&bench, "C2").await.last().unwrap(),
        "7|p|changed|tier|Gold|Silver"
    );
    let ctx = new_session(&bench.settings, bench.settings.memory_bytes).unwrap();
    let trace = history::trace(&bench.instance, &ctx, "C1").await.unwrap();
    let reject = trace.rows.iter().find(|row| row.change == "rejected").unwrap();
    assert_eq!((reject.record_no, reject.line), (Some(2), Some(3)));
    assert!(reject.reason.as_ref().unwrap().starts_with("type_mismatch: "));
    assert!(reject.source_file.is_some() && reject.run_id.is_some() && reject.at.is_some());
}

/// Gives C2 another tier as a deletion vector does it: its row is marked, and it stands in another file with C4, which
/// is carried over as it was.
async fn mark_and_carry_over(bench: &Bench, run_id: &str) {
    let log = bench.instance.customers().unwrap();
    let base = log.snapshot(None).await.unwrap();
    let file: &LiveFile = &base.files[0];
    let mut vectors = VectorWriter::new(&base.log, run_id, 0);
    vectors.mark(file, &[], [1, 3]).unwrap();
    let written = vectors.finish().await.unwrap();
    let sql = "SELECT customer_id, CASE customer_id WHEN 'C2' THEN 'Gold' ELSE tier END AS tier, spend FROM customers \
               WHERE customer_id IN ('C2', 'C4') ORDER BY customer_id";
    let rows = bench.query(sql).await.unwrap();
    let options = WriterOptions::clustered("customer_id", base.encoding);
    let store = base.log.object_store(None);
    let mut writer = RollingWriter::new(store, run_id, Arc::clone(&base.schema), options);
    for batch in rows {
        let columns = batch.columns().iter().zip(base.schema.fields());
        let columns = columns
            .map(|(column, field)| arrow::compute::cast(column, field.data_type()).unwrap())
            .collect();
        writer
            .write(&RecordBatch::try_new(Arc::clone(&base.schema), columns).unwrap())
            .await
            .unwrap();
    }
    let mut actions: Vec<Action> = written.actions.into_iter().map(Action::from).collect();
    actions.extend(writer.finish().await.unwrap().into_iter().map(Action::Add));
    let info = [
        ("run_id".to_owned(), json!(run_id)),
        ("process".to_owned(), json!("p")),
        ("run".to_owned(), json!({ "run_no": 2 })),
    ];
    let entry = Commit {
        actions,
        info: info.into_iter().collect(),
        txn: None,
    };
    let outcome = commit(&log, &base, entry).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Committed { version: 2 });
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_only_carried_over_to_another_file_are_no_change() {
    let bench = bench().await;
    run(
        &bench,
        "C1,Gold,1\nC2,Silver,2\nC3,Gold,3\nC4,Gold,4\nC5,Gold,5\n",
    )
    .await;
    let marked = ids::new_run_id();
    mark_and_carry_over(&bench, &marked).await;
    assert_eq!(diff(&bench, 1, 2).await, ["C2|updated|tier|Silver|Gold"]);
    assert_eq!(diff(&bench, 2, 1).await, ["C2|updated|tier|Gold|Silver"]);
    assert_eq!(
        story(&bench, "C2").await.last().unwrap(),
        "2|p|changed|tier|Silver|Gold"
    );
    assert_eq!(story(&bench, "C4").await.len(), 2);
    let ctx = bench.session().await;
    let log = bench.instance.customers().unwrap();
    let table = history::changes(&log, &ctx.state(), &marked).await.unwrap();
    assert_eq!(ctx.read_table(table).unwrap().count().await.unwrap(), 1);
    // And it is undone like any other.
    let expected = cells(&bench, "customers_at(1)").await;
    let report = undo(&bench, &marked).await.unwrap();
    assert_eq!((report.rows_updated, report.cells_changed), (1, 1));
    assert_eq!(cells(&bench, "customers").await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_reads_of_a_marked_file_only_the_rows_that_differ() {
    let bench = bench().await;
    run(
        &bench,
        "C1,Gold,1\nC2,Silver,2\nC3,Gold,3\nC4,Gold,4\nC5,Gold,5\n",
    )
    .await;
    mark_and_carry_over(&bench, &ids::new_run_id()).await;
    let log = bench.instance.customers().unwrap();
    let (before, after) = (
        log.snapshot(Some(1)).await.unwrap(),
        log.snapshot(Some(2)).await.unwrap(),
    );
    let difference = history::Difference::of(&log, &before, &after).await.unwrap();
    let ctx = bench.session().await;
    for side in [&difference.before, &difference.after] {
        ctx.deregister_table("side").unwrap();
        ctx.register_table("side", Arc::new(side.table(&after))).unwrap();
        let keys = batches(&ctx, "SELECT customer_id FROM side ORDER BY 1").await;
        let shown = pretty_format_batches(&keys).unwrap().to_string();
        assert!(shown.contains("C2") && shown.contains("C4"), "{shown}");
        assert_eq!(
            keys.iter().map(RecordBatch::num_rows).sum::<usize>(),
            2,
            "{shown}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_that_loses_the_race_is_planned_again() {
    let bench = bench().await;
    run(&bench, "C1,Gold,1\nC2,Gold,2\n").await;
    let second = run(&bench, "C1,Silver,1\nC3,Silver,3\n").await;
    let request = |target| RollbackRequest {
        target,
        later: LaterWrites::Refuse,
    };
    let plan = |target| Rollback::plan(&bench.instance, &bench.settings, request(target));
    // Somebody else is faster, on other cells: the rollback takes them in.
    let planned = plan(Target::Run(second.clone())).await.unwrap();
    city(&bench, "C3,Lima\n").await;
    let report = planned.commit(&Notify::new()).await.unwrap();
    assert_eq!((report.rows_kept, report.version_after), (1, Some(4)));
    assert_eq!(
        bench.customers().await,
        ["C1|Gold|1.00|-", "C2|Gold|2.00|-", "C3|-|-|Lima"]
    );
    // On the same cells: it is refused.
    let third = run(&bench, "C1,Silver,1\n").await;
    let planned = plan(Target::Run(third)).await.unwrap();
    run(&bench, "C1,Bronze,1\n").await;
    let error = planned.commit(&Notify::new()).await.unwrap_err();
    assert_eq!(error.class().exit_code(), 2, "{error}");
    // A version: what came meanwhile was not asked for.
    let planned = plan(Target::Version(1)).await.unwrap();
    run(&bench, "C1,Gold,9\n").await;
    let error = planned.commit(&Notify::new()).await.unwrap_err();
    assert_eq!(error.class().exit_code(), 4, "{error}");
    assert_eq!(
        bench
            .cell("SELECT spend FROM customers WHERE customer_id = 'C1'")
            .await,
        "9.00"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_a_rollback_counts_and_writes_nothing() {
    let bench = bench().await;
    run(&bench, "C1,Gold,1\n").await;
    let second = run(&bench, "C1,Silver,2\nC2,Gold,2\n").await;
    let listing = || {
        let mut names: Vec<_> = std::fs::read_dir(bench.instance.base().join("customers"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    let before = (listing(), bench.customers().await);
    let request = RollbackRequest {
        target: Target::Run(second),
        later: LaterWrites::Refuse,
    };
    let planned = Rollback::plan(&bench.instance, &bench.settings, request)
        .await
        .unwrap();
    let report = planned.report();
    assert!(report.dry_run && report.version_after.is_none());
    assert_eq!(
        (report.rows_updated, report.rows_removed, report.cells_changed),
        (1, 1, 2)
    );
    assert_eq!((listing(), bench.customers().await), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adopted_base_goes_and_comes_back_with_its_columns() {
    let bench = Bench::new().await;
    let base = bench.file("base.csv", "id,name\nC1,Ann\nC2,Bob\n");
    sluice_engine::adopt::adopt(&bench.instance, &bench.settings, base.to_str().unwrap(), "id")
        .await
        .unwrap();
    let adopted = bench.customers().await;
    rollback(&bench, Target::Version(0), LaterWrites::Refuse)
        .await
        .unwrap();
    assert!(bench.customers().await.is_empty());
    rollback(&bench, Target::Version(1), LaterWrites::Refuse)
        .await
        .unwrap();
    assert_eq!(bench.customers().await, adopted);
    let kinds = "SELECT kind FROM history() ORDER BY version";
    assert_eq!(
        bench.rows(kinds).await,
        ["create", "adoption", "rollback", "rollback"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_named_in_changes_by_an_ending_and_a_wrong_version_is_told() {
    let bench = bench().await;
    let first = run(&bench, "C1,Gold,1\n").await;
    let ending = &first[first.len() - 12..];
    let named = bench
        .rows(&format!("SELECT customer_id FROM changes('{ending}')"))
        .await;
    assert_eq!(named, ["C1"]);
    for query in [
        "SELECT * FROM diff(1)",
        "SELECT * FROM diff('a', 1)",
        "SELECT * FROM history(1)",
    ] {
        let error = bench.query(query).await.unwrap_err();
        assert_eq!(error.class().exit_code(), 2, "{query}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_waits_for_maintenance_that_is_under_way() {
    let bench = bench().await;
    let file = bench.file("1.csv", "cid,Tier,Spend\nC1,Gold,1\n");
    bench.run_on("p", &file).await.unwrap();
    let lock = MaintenanceLock::take(&bench.instance, "optimize").await.unwrap();
    let back = rollback(&bench, Target::Version(0), LaterWrites::Refuse);
    tokio::pin!(back);
    let waiting = tokio::time::timeout(Duration::from_millis(1500), &mut back).await;
    assert!(waiting.is_err(), "{waiting:?}");
    assert_eq!(version(&bench).await, 1);
    lock.release().await;
    assert_eq!(back.await.unwrap().version_after, Some(2));
    // And gives the lease back.
    let next = MaintenanceLock::try_take(&bench.instance, "vacuum")
        .await
        .unwrap();
    assert!(next.is_some());
}
