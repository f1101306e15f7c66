//! `optimize`: what is laid out anew, and that nothing else changes.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use deltalake_core::kernel::{Action, Add};
use parquet::arrow::ArrowWriter;
use sluice_engine::maintain::{Effect, MaintainedTable, OptimizeRequest, Reason, optimize};

use super::support::{
    bench, commit, folder, ingest, listed, live, mark_dead, of, optimized, reasons, snapshot, whole,
};
use crate::support::{Bench, LEASE_TERM, definition, request};

#[tokio::test(flavor = "multi_thread")]
async fn many_small_files_become_one_and_no_row_changes() {
    let bench = bench().await;
    for from in [0, 500, 200, 900, 100, 700] {
        ingest(&bench, from, 300, "x").await;
    }
    let (rows, before) = (bench.customers().await, snapshot(&bench).await);
    assert!(before.files.len() > 3);
    let report = optimized(&bench).await;
    let after = snapshot(&bench).await;
    assert_eq!((after.files.len(), after.version), (1, before.version + 1));
    assert_eq!(bench.customers().await, rows);
    let file = &after.files[0];
    assert_eq!(file.num_rows, Some(rows.len() as u64));
    let keys = file.keys.clone().unwrap();
    assert_eq!((keys.min.as_str(), keys.max.as_str()), ("C00000", "C01199"));
    let customers = of(&report, MaintainedTable::Customers);
    assert_eq!(reasons(customers), [Reason::SmallFiles]);
    assert_eq!((customers.after.files, customers.after.max_overlap), (1, Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commit_says_that_no_data_changed_and_what_a_run_changed_stays_told() {
    let bench = bench().await;
    ingest(&bench, 0, 10, "x").await;
    ingest(&bench, 5, 10, "y").await;
    let told = "SELECT * FROM changes('a/2') ORDER BY 1";
    let before = bench.rows(told).await;
    assert_eq!(before.len(), 10);
    optimized(&bench).await;
    assert_eq!(bench.rows(told).await, before);
    let version = snapshot(&bench).await.version;
    let entry = folder(&bench, "customers").join(format!("_delta_log/{version:020}.json"));
    let entry = std::fs::read_to_string(entry).unwrap();
    assert!(entry.contains("\"operation\":\"OPTIMIZE\""), "{entry}");
    let (no, yes) = ("\"dataChange\":false", "\"dataChange\":true");
    assert!(entry.matches(no).count() >= 2 && !entry.contains(yes), "{entry}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let bench = bench().await;
    ingest(&bench, 0, 10, "x").await;
    ingest(&bench, 20, 10, "x").await;
    let (before, names) = (snapshot(&bench).await.version, listed(&bench, "customers"));
    let plan = OptimizeRequest {
        effect: Effect::Plan,
        ..whole(&bench)
    };
    let report = optimize(&bench.instance, &bench.settings, &plan).await.unwrap();
    assert!(report.dry_run && report.written_groups() == 0);
    assert_eq!(
        reasons(of(&report, MaintainedTable::Customers)),
        [Reason::SmallFiles]
    );
    assert_eq!(
        (snapshot(&bench).await.version, listed(&bench, "customers")),
        (before, names)
    );
}

/// Commits a file that a foreign writer made: `keys` in this order, no statistics.
async fn foreign_file(bench: &Bench, keys: &[&str]) {
    let name = format!("{}.parquet", keys.join("-"));
    let path = folder(bench, "customers").join(&name);
    let column: ArrayRef = Arc::new(StringArray::from(keys.to_vec()));
    let batch = RecordBatch::try_from_iter([("customer_id", column)]).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let add = Add {
        path: name,
        size: path.metadata().unwrap().len() as i64,
        data_change: true,
        ..Add::default()
    };
    commit(bench, vec![Action::Add(add)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_file_is_sorted_and_gets_statistics() {
    let bench = bench().await;
    ingest(&bench, 0, 10, "x").await;
    foreign_file(&bench, &["F9", "C99999", "F1"]).await;
    let rows = bench.customers().await;
    let report = optimized(&bench).await;
    assert_eq!(
        reasons(of(&report, MaintainedTable::Customers)),
        [Reason::NoStatistics]
    );
    assert_eq!(bench.customers().await, rows);
    assert_eq!(rows.len(), 13);
    let after = snapshot(&bench).await;
    assert!(
        after
            .files
            .iter()
            .all(|file| file.keys.is_some() && file.num_rows.is_some())
    );
    // What was written on the way there is gone.
    let named: Vec<_> = live(&after);
    let ours: Vec<_> = listed(&bench, "customers");
    assert!(named.iter().all(|name| ours.contains(name)));
    let unnamed = ours.len() - named.len();
    assert_eq!(unnamed, 2, "the two files that were merged: {ours:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_that_another_program_left_in_any_order_are_found_by_each_run_that_follows() {
    let mut bench = bench().await;
    bench.configure("[defaults]\nmerge = \"rewrite\"");
    foreign_file(&bench, &["C00007", "C00001", "C00009", "C00000"]).await;
    for (value, counts) in [("x", "6|4"), ("y", "0|10"), ("z", "0|10")] {
        ingest(&bench, 0, 10, value).await;
        let last = "SELECT rows_inserted, rows_updated FROM runs ORDER BY run_no DESC LIMIT 1";
        assert_eq!(bench.cell(last).await, counts);
    }
    assert_eq!(bench.customers().await.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_in_two_files_stops_it_and_nothing_is_left_behind() {
    let bench = bench().await;
    ingest(&bench, 0, 10, "x").await;
    foreign_file(&bench, &["C00003", "F1"]).await;
    let (version, names) = (snapshot(&bench).await.version, listed(&bench, "customers"));
    let error = optimize(&bench.instance, &bench.settings, &whole(&bench))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("\"C00003\" stands in two live files"),
        "{error}"
    );
    assert_eq!(error.class().exit_code(), 1);
    assert_eq!(
        (snapshot(&bench).await.version, listed(&bench, "customers")),
        (version, names)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn more_overlap_than_four_files_comes_down_to_it() {
    let bench = bench().await;
    // Every second, third ... customer: files with one range and different customers.
    for step in 0..7 {
        let lines: String = (0..40)
            .map(|i| format!("C{:05},s{step}\n", i * 7 + step))
            .collect();
        let file = bench.file(&format!("{step}.csv"), format!("cid,A\n{lines}"));
        bench.run_on("a", &file).await.unwrap();
    }
    let rows = bench.customers().await;
    let report = optimized(&bench).await;
    let customers = of(&report, MaintainedTable::Customers);
    assert_eq!(
        (customers.before.max_overlap, customers.after.max_overlap),
        (Some(7), Some(1))
    );
    assert_eq!(bench.customers().await, rows);
    assert_eq!(rows.len(), 280);
}

#[tokio::test(flavor = "multi_thread")]
async fn recent_ids_touch_recent_files_only() {
    let bench = bench().await;
    for from in [0, 1000, 2000] {
        ingest(&bench, from, 1000, "x").await;
    }
    let before = snapshot(&bench).await;
    assert_eq!(before.files.len(), 3);
    ingest(&bench, 2500, 1000, "y").await;
    let after = live(&snapshot(&bench).await);
    let untouched = |file: &usize| after.contains(&before.files[*file].add.path);
    assert!([0, 1].iter().all(untouched), "{after:?}");
    assert_eq!(
        bench
            .cell("SELECT count(*) FROM customers WHERE a LIKE 'y%'")
            .await,
        "1000"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_records_are_compacted_and_rows_keep_their_order() {
    let mut bench = bench().await;
    // One thread reads files in their order.
    bench.settings.threads = 1;
    for number in 0..5 {
        let file = bench.file(
            &format!("{number}.csv"),
            format!("cid,A\nC{number},x\n,{number}\n,again\n"),
        );
        bench.run_on("a", &file).await.unwrap();
    }
    let queries = [
        "SELECT * FROM rejects",
        "SELECT * FROM events",
        "SELECT * FROM runs ORDER BY run_id",
    ];
    let mut before = Vec::new();
    for query in queries {
        before.push(bench.rows(query).await);
    }
    optimized(&bench).await;
    for (query, rows) in queries.iter().zip(before) {
        assert_eq!(bench.rows(query).await, rows, "{query}");
    }
    for log in [
        bench.instance.rejects(),
        bench.instance.runs(),
        bench.instance.events(),
    ] {
        assert!(log.unwrap().snapshot(None).await.unwrap().files.len() <= 1);
    }
    let late = bench.file("l.csv", "cid,A\nC9,x\n,late\n");
    bench.run(request("a", Some(&late))).await.unwrap();
    let rejects = bench.rows("SELECT record_no, line FROM rejects").await;
    let expected: Vec<&str> = ["2|3", "3|4"]
        .into_iter()
        .cycle()
        .take(10)
        .chain(["2|3"])
        .collect();
    assert_eq!(rejects, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_of_a_run_under_way_stay_in_their_files() {
    let bench = bench().await;
    for number in 0..3 {
        let file = bench.file(
            &format!("{number}.csv"),
            format!("cid,A\nC{number},x\n,{number}\n"),
        );
        bench.run_on("a", &file).await.unwrap();
    }
    let run_id = bench.cell("SELECT run_id FROM runs WHERE run_no = 2").await;
    let lease = sluice_engine::process::Lease::new(run_id.clone(), 2, "manual".to_owned(), LEASE_TERM);
    bench
        .state("a")
        .update(|state| {
            state.lease = Some(lease.clone());
            Ok(())
        })
        .await
        .unwrap();
    optimized(&bench).await;
    let files = bench
        .instance
        .rejects()
        .unwrap()
        .snapshot(None)
        .await
        .unwrap()
        .files;
    assert!(
        files.iter().any(|file| file.add.path.contains(&run_id)),
        "{files:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_maintenance_at_a_time() {
    let bench = bench().await;
    ingest(&bench, 0, 10, "x").await;
    let lock = sluice_engine::maintain::MaintenanceLock::take(&bench.instance, "test")
        .await
        .unwrap();
    let error = optimize(&bench.instance, &bench.settings, &whole(&bench))
        .await
        .unwrap_err();
    assert_eq!(error.class().exit_code(), 4, "{error}");
    lock.release().await;
    optimized(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_came_between_are_null_before_and_after() {
    let bench = bench().await;
    ingest(&bench, 0, 10, "x").await;
    bench.process("b", &definition("register", &["B=int"], "")).await;
    let file = bench.file("b.csv", "cid,B\nC00003,3\nZ1,1\n");
    bench.run_on("b", &file).await.unwrap();
    let rows = bench.customers().await;
    optimized(&bench).await;
    assert_eq!(bench.customers().await, rows);
    assert_eq!(snapshot(&bench).await.files.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_rows_beyond_a_fifth_go_and_fewer_stay() {
    let bench = bench().await;
    ingest(&bench, 0, 100, "x").await;
    mark_dead(&bench, 10..30).await;
    optimized(&bench).await;
    assert!(snapshot(&bench).await.files[0].dead_rows() == 20);
    mark_dead(&bench, 99..100).await;
    let rows = bench.customers().await;
    assert_eq!(rows.len(), 79);
    let report = optimized(&bench).await;
    assert_eq!(
        reasons(of(&report, MaintainedTable::Customers)),
        [Reason::DeadRows]
    );
    let after = snapshot(&bench).await;
    let file = &after.files[0];
    assert_eq!((file.dead_rows(), file.num_rows), (0, Some(79)));
    // The bounds are tight again.
    assert_eq!(file.keys.as_ref().unwrap().max, "C00098");
    assert_eq!(bench.customers().await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_file_with_dead_rows_joins_its_neighbours() {
    let bench = bench().await;
    ingest(&bench, 0, 100, "x").await;
    mark_dead(&bench, 0..99).await;
    ingest(&bench, 200, 10, "x").await;
    let rows = bench.customers().await;
    optimized(&bench).await;
    assert_eq!(
        (snapshot(&bench).await.files.len(), bench.customers().await),
        (1, rows)
    );
}
