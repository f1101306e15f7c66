//! What becomes of a run when the session, the connection or the user does not stay.

use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::common::runtime::SpawnedTask;
use sluice_engine::source::snowflake::{SnowflakeRows, TableName, What};
use sluice_engine::source::{Rows, Stop, blocking};

use super::support::{PATIENCE, Warehouse, account, by_password, count};
use crate::support::proxy::{Fault, Proxy};
use crate::support::{failure, request};

const ROWS: usize = 50_000;

async fn open(config: &str, url: &str) -> sluice_engine::Result<Arc<dyn Rows>> {
    let (account, table) = (account(config).await?, TableName::of(url)?);
    let rows = blocking(move || SnowflakeRows::open(account, &What::Table(table), Some("CID"))).await?;
    Ok(Arc::new(rows))
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_rows_in_many_parts_come_whole_and_in_order() {
    let warehouse = Warehouse::new().await;
    warehouse.customers("BIG", ROWS).await;
    let source = format!("url = {:?}\norder_by = \"CID\"", warehouse.url("BIG"));
    let bench = warehouse.bench(&warehouse.by_password(), &source).await;
    let report = bench.run(request("p", None)).await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    assert_eq!(report.run.rows_read, Some(ROWS as u64));
    assert_eq!(
        bench.cell("SELECT count(*) FROM customers").await,
        (ROWS - 1).to_string()
    );
    assert_eq!(bench.cell("SELECT record_no FROM rejects").await, "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_renews_a_session_that_expired() {
    let warehouse = Warehouse::new().await;
    warehouse.customers("T", 5).await;
    let rows = open(&warehouse.by_password(), &warehouse.url("T")).await.unwrap();
    assert_eq!(count(Arc::clone(&rows)).await.unwrap(), 5);
    warehouse
        .wish(&format!("expire?table={}", warehouse.database))
        .await;
    assert_eq!(count(rows).await.unwrap(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_is_asked_again_when_it_is_unavailable_or_a_part_is_cut_off() {
    let warehouse = Warehouse::new().await;
    warehouse.customers("BIG", ROWS).await;
    let proxy = Proxy::to(&warehouse.server.address());
    let endpoint = format!("http://{}", proxy.address);
    let config = warehouse.connection(&endpoint, &by_password("SLUICE_TEST_SNOWFLAKE_PASSWORD"));
    proxy.next(Fault::Unavailable).next(Fault::Refuse);
    let rows = open(&config, &warehouse.url("BIG")).await.unwrap();
    // The login is kept; the query is the next connection, then each part has its own.
    proxy
        .next(Fault::Unavailable)
        .next(Fault::Delay(Duration::from_millis(1)))
        .next(Fault::CutAfter(20_000));
    assert_eq!(count(rows).await.unwrap(), ROWS);
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_that_stays_unavailable_is_an_error_with_a_remedy() {
    let warehouse = Warehouse::new().await;
    let proxy = Proxy::to("127.0.0.1:1");
    let config = warehouse.connection(
        &format!("http://{}", proxy.address),
        &by_password("SLUICE_TEST_SNOWFLAKE_PASSWORD"),
    );
    let bench = warehouse
        .bench(&config, &format!("url = {:?}", warehouse.url("T")))
        .await;
    let report = bench.run(request("p", None)).await;
    let error = failure(&report);
    assert!(
        error.to_string().contains("Snowflake cannot be reached"),
        "{error}"
    );
    assert!(!error.hints().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_stops_a_query_that_nobody_wants_any_more() {
    let warehouse = Warehouse::new().await;
    warehouse.customers("SLOW", 5).await;
    let rows = open(&warehouse.by_password(), &warehouse.url("SLOW"))
        .await
        .unwrap();
    let aborted = |text: String| serde_json::from_str::<Vec<String>>(&text).unwrap().len();
    for (round, is_dropped) in [false, true].into_iter().enumerate() {
        let before = aborted(warehouse.wish("aborted").await);
        let hold = format!("hold?seconds=600&table={}", warehouse.database);
        warehouse.wish(&hold).await;
        let stop = Stop::default();
        let batches = rows.batches(stop.clone()).unwrap();
        // The statement of the round before still waits too: nobody there hears that it was stopped.
        warehouse.until_waiting(round + 1).await;
        let unwanted = Instant::now();
        if is_dropped {
            SpawnedTask::spawn_blocking(move || drop(batches)).await.unwrap();
        } else {
            let next = SpawnedTask::spawn_blocking(move || batches.into_iter().next());
            stop.ask();
            assert!(next.await.unwrap().unwrap().is_err());
        }
        while aborted(warehouse.wish("aborted").await) == before {
            assert!(unwanted.elapsed() < PATIENCE, "nobody stopped the query");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_goes_on_in_a_new_session_when_the_old_one_expires_in_the_middle_of_a_run() {
    let warehouse = Warehouse::new().await;
    warehouse.customers("T", 5).await;
    let source = format!("url = {:?}", warehouse.url("T"));
    let bench = warehouse.bench(&warehouse.by_password(), &source).await;
    // The third statement is the query itself; the first two look the table up.
    let hold = format!("hold?seconds=600&skip=2&table={}", warehouse.database);
    warehouse.wish(&hold).await;
    let run = SpawnedTask::spawn(async move {
        let report = bench.run(request("p", None)).await;
        (bench, report)
    });
    warehouse.until_waiting(1).await;
    let expired = warehouse
        .wish(&format!("expire?table={}", warehouse.database))
        .await;
    assert_ne!(expired, "0");
    let (bench, report) = run.await.unwrap();
    let report = report.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    assert_eq!(report.run.rows_read, Some(5));
    assert_eq!(bench.cell("SELECT count(*) FROM customers").await, "4");
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_merges_nothing_when_it_does_not_let_us_in_or_a_part_never_comes() {
    let warehouse = Warehouse::new().await;
    warehouse.customers("BIG", ROWS).await;
    let proxy = Proxy::to(&warehouse.server.address());
    let (password, token) = ("SLUICE_TEST_SNOWFLAKE_PASSWORD", "SLUICE_TEST_SNOWFLAKE_TOKEN");
    let endpoint = format!("http://{}", proxy.address);
    let source = format!("url = {:?}", warehouse.url("BIG"));
    let mut bench = warehouse
        .bench(&warehouse.connection(&endpoint, &by_password(token)), &source)
        .await;
    let refused = bench.run(request("p", None)).await;
    assert!(
        failure(&refused).to_string().contains("refused the login"),
        "{refused:?}"
    );
    bench.configure(&warehouse.connection(&endpoint, &by_password(password)));
    // Login and look-ups share a connection; every part after them is cut off.
    for _ in 0..40 {
        proxy.next(Fault::CutAfter(20_000));
    }
    let cut = bench.run(request("p", None)).await;
    let error = failure(&cut);
    assert!(!error.hints().is_empty(), "{error}");
    assert_eq!(bench.cell("SELECT count(*) FROM customers").await, "0", "{error}");
    assert_eq!(
        bench
            .cell("SELECT count(*) FROM runs WHERE status = 'failed'")
            .await,
        "2"
    );
}
