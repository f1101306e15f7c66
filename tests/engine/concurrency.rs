//! Runs side by side: different processes on one instance lose nothing, whoever commits first.

use sluice_engine::Class;

use crate::support::{Bench, definition};

/// `lines` records from number `from`, one attribute.
fn records(column: &str, from: usize, lines: usize) -> String {
    let records: String = (from..from + lines)
        .map(|i| format!("C{i:05},{column}{i}\n"))
        .collect();
    format!("cid,{column}\n{records}")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_at_once_lose_nothing_in_any_round() {
    let bench = Bench::new().await;
    bench
        .process("a", &definition("register", &["A=string"], ""))
        .await;
    bench
        .process("b", &definition("register", &["B=string"], ""))
        .await;
    for round in 0..5 {
        let a = bench.file(&format!("a{round}.csv"), records("A", round * 100, 200));
        let b = bench.file(&format!("b{round}.csv"), records("B", round * 100 + 50, 200));
        let (one, two) = tokio::join!(bench.run_on("a", &a), bench.run_on("b", &b));
        let (one, two) = (one.unwrap(), two.unwrap());
        assert!(
            one.error.is_none() && two.error.is_none(),
            "{:?} {:?}",
            one.error,
            two.error
        );
        // The books balance whoever came second.
        let inserted = one.run.rows_inserted.unwrap() + two.run.rows_inserted.unwrap();
        let new = if round == 0 { 250 } else { 100 };
        assert_eq!(inserted, new, "round {round}");
        assert_ne!(one.run.version_after, two.run.version_after);
    }
    let counts = "SELECT count(*), count(DISTINCT customer_id), count(a), count(b) FROM customers";
    assert_eq!(bench.rows(counts).await, ["650|650|600|600"]);
    let wrong = "SELECT count(*) FROM customers WHERE a <> 'A' || CAST(CAST(substr(customer_id, 2) AS INT) AS VARCHAR) \
                 OR b <> 'B' || CAST(CAST(substr(customer_id, 2) AS INT) AS VARCHAR)";
    assert_eq!(bench.cell(wrong).await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_cid_that_two_processes_register_at_once_is_one_customer() {
    for _ in 0..4 {
        let bench = Bench::new().await;
        bench
            .process("a", &definition("register", &["A=string"], ""))
            .await;
        bench.process("b", &definition("register", &["B=int"], "")).await;
        let a = bench.file("a.csv", "cid,A\nC1,x\nC2,y\n");
        let b = bench.file("b.csv", "cid,B\nC2,2\nC1,1\n");
        let (one, two) = tokio::join!(bench.run_on("a", &a), bench.run_on("b", &b));
        let inserted = one.unwrap().run.rows_inserted.unwrap() + two.unwrap().run.rows_inserted.unwrap();
        assert_eq!(inserted, 2);
        assert_eq!(
            bench
                .rows("SELECT customer_id, a, b FROM customers ORDER BY 1")
                .await,
            ["C1|x|1", "C2|y|2"]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_hold_for_the_version_that_the_commit_builds_on() {
    for _ in 0..4 {
        let bench = Bench::new().await;
        bench
            .process("seed", &definition("register", &["A=string"], ""))
            .await;
        bench
            .run_on("seed", &bench.file("seed.csv", "cid,A\nC0,x\n"))
            .await
            .unwrap();
        bench
            .process("more", &definition("update", &["B=string"], ""))
            .await;
        let new = bench.file("new.csv", "cid,A\nC1,y\n");
        let update = bench.file("update.csv", "cid,B\nC0,u\nC1,v\n");
        let (one, two) = tokio::join!(bench.run_on("seed", &new), bench.run_on("more", &update));
        let (one, two) = (one.unwrap().run, two.unwrap().run);
        let came_second = two.version_after > one.version_after;
        let (b, rejected) = if came_second { ("v", 0) } else { ("-", 1) };
        assert_eq!(
            bench
                .cell("SELECT b FROM customers WHERE customer_id = 'C1'")
                .await,
            b
        );
        assert_eq!(two.rows_rejected, Some(rejected));
        // Rejects of a lost attempt are replaced.
        let kept = format!("SELECT count(*) FROM rejects WHERE run_id = '{}'", two.run_id);
        assert_eq!(bench.cell(&kept).await, rejected.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_runs_once_at_a_time() {
    let bench = Bench::new().await;
    bench
        .process("a", &definition("register", &["A=string"], ""))
        .await;
    let one = bench.file("1.csv", records("A", 0, 5000));
    let two = bench.file("2.csv", records("A", 2500, 5000));
    let (first, second) = tokio::join!(bench.run_on("a", &one), bench.run_on("a", &two));
    let conflicts = [&first, &second]
        .iter()
        .filter(|r| matches!(r, Err(e) if e.class() == Class::Conflict))
        .count();
    let merged = [&first, &second]
        .iter()
        .filter(|r| r.as_ref().is_ok_and(|report| report.run.is_merged()))
        .count();
    assert_eq!((conflicts, merged), (1, 1), "{first:?} {second:?}");
    assert_eq!(bench.cell("SELECT count(*) FROM customers").await, "5000");
    assert_eq!(bench.cell("SELECT count(*) FROM runs").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_at_once_all_merge() {
    let bench = Bench::new().await;
    let names: Vec<String> = (0..6).map(|i| format!("p{i}")).collect();
    let mut files = Vec::new();
    for (i, name) in names.iter().enumerate() {
        bench
            .process(name, &definition("register", &[&format!("{name}=int")], ""))
            .await;
        files.push(bench.file(&format!("{name}.csv"), format!("cid,{name}\nC1,{i}\nC{i}X,{i}\n")));
    }
    let runs = names
        .iter()
        .zip(&files)
        .map(|(name, file)| bench.run_on(name, file));
    for report in futures::future::join_all(runs).await {
        assert!(report.unwrap().run.is_merged());
    }
    let shared = "SELECT p0, p1, p2, p3, p4, p5 FROM customers WHERE customer_id = 'C1'";
    assert_eq!(bench.rows(shared).await, ["0|1|2|3|4|5"]);
    assert_eq!(bench.cell("SELECT count(*) FROM customers").await, "7");
    let versions = "SELECT count(DISTINCT version_after), max(version_after) FROM runs";
    assert_eq!(bench.rows(versions).await, ["6|6"]);
}
