//! A CSV in, valid rows merged, every reject in SQL.

use crate::support::{Bench, request};

#[tokio::test(flavor = "multi_thread")]
async fn valid_rows_are_merged_and_every_reject_keeps_its_reasons() {
    let bench = Bench::new().await;
    let file = bench.file(
        "customers.csv",
        "cid,Loyalty Tier,Spend,Joined\nC1,Gold,10.50,2024-01-01\nC2,Silver,abc,1900-01-01\n,Gold,1,2024-01-01\nC3,Bronze\nC4,Gold,1,2024-05-05\nC4,Gold,2,2024-05-05\nC5,,,\n",
    );
    let attributes = ["Loyalty Tier=string", "Spend=decimal(18,2)", "Joined=date"];
    let report = bench.ingest(&file, "cid", &attributes, "register").await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    assert_eq!(report.run.status.word(), "completed_with_rejects");
    assert_eq!(report.run.rows_read, Some(7));
    assert_eq!(
        (report.run.rows_accepted, report.run.rows_rejected),
        (Some(2), Some(5))
    );
    assert_eq!(report.run.rows_inserted, Some(2));
    let customers = bench.table("SELECT * FROM customers ORDER BY 1").await;
    assert_eq!(
        customers,
        "\
+-------------+--------------+-------+------------+
| customer_id | loyalty_tier | spend | joined     |
+-------------+--------------+-------+------------+
| C1          | Gold         | 10.50 | 2024-01-01 |
| C5          |              |       |            |
+-------------+--------------+-------+------------+"
    );
    let rejects = "SELECT record_no, line, byte_start, byte_len, customer_id, rules, arrow_cast(raw, 'Utf8') AS raw FROM rejects ORDER BY 1";
    assert_eq!(
        bench.table(rejects).await,
        "\
+-----------+------+------------+----------+-------------+-------------------------------+--------------------------+
| record_no | line | byte_start | byte_len | customer_id | rules                         | raw                      |
+-----------+------+------------+----------+-------------+-------------------------------+--------------------------+
| 2         | 3    | 55         | 24       | C2          | [type_mismatch, date_default] | C2,Silver,abc,1900-01-01 |
| 3         | 4    | 80         | 18       |             | [cid_null]                    | ,Gold,1,2024-01-01       |
| 4         | 5    | 99         | 9        |             | [malformed_record]            | C3,Bronze                |
| 5         | 6    | 109        | 20       | C4          | [cid_duplicate]               | C4,Gold,1,2024-05-05     |
| 6         | 7    | 130        | 20       | C4          | [cid_duplicate]               | C4,Gold,2,2024-05-05     |
+-----------+------+------------+----------+-------------+-------------------------------+--------------------------+"
    );
}

/// Enough new customers for a writer a thread.
#[tokio::test(flavor = "multi_thread")]
async fn customers_that_several_writers_wrote_are_all_there_in_files_that_do_not_overlap() {
    const CUSTOMERS: usize = 600_000;
    let bench = Bench::new().await;
    // In no order: 7 and the number of customers have no divisor in common.
    let rows = (0..CUSTOMERS)
        .map(|at| at * 7 % CUSTOMERS)
        .map(|id| format!("C{id:07},{id}\n"));
    let content: String = std::iter::once("cid,n\n".to_owned()).chain(rows).collect();
    let file = bench.file("many.csv", content);
    let report = bench.ingest(&file, "cid", &["n=int"], "register").await.unwrap();
    assert_eq!(report.run.rows_inserted, Some(CUSTOMERS as u64));
    let sums = "SELECT count(*) AS n, count(DISTINCT customer_id) AS ids, sum(n) AS sum FROM customers";
    let found = bench.table(sums).await;
    let sum = CUSTOMERS * (CUSTOMERS - 1) / 2;
    assert!(
        found.contains(&format!("| {CUSTOMERS} | {CUSTOMERS} | {sum} |")),
        "{found}"
    );
    let snapshot = bench.instance.customers().unwrap().snapshot(None).await.unwrap();
    let mut ranges: Vec<_> = snapshot
        .files
        .iter()
        .map(|file| file.keys.clone().unwrap())
        .collect();
    ranges.sort_by(|a, b| a.min.cmp(&b.min));
    assert_eq!(ranges.len(), 2, "one a thread");
    assert!(ranges[0].max < ranges[1].min, "{ranges:?}");
}

/// The guide's example: Silver with a promo code, the row says Gold and leaves the code empty.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_write_wins_and_an_empty_cell_clears() {
    let bench = Bench::new().await;
    let attributes = ["loyalty_tier=string", "promo_code=string"];
    let before = bench.file(
        "before.csv",
        "cid,loyalty_tier,promo_code\n123,Silver,SPRING10\n124,Gold,X\n",
    );
    bench
        .ingest(&before, "cid", &attributes, "register")
        .await
        .unwrap();
    let after = bench.file("after.csv", "cid,loyalty_tier,promo_code\n123,Gold,\n");
    let report = bench.run(request("before", Some(&after))).await.unwrap();
    assert_eq!(
        (
            report.run.rows_updated,
            report.run.cells_changed,
            report.run.cells_cleared
        ),
        (Some(1), Some(2), Some(1))
    );
    assert_eq!(
        bench.table("SELECT * FROM customers ORDER BY 1").await,
        "\
+-------------+--------------+------------+
| customer_id | loyalty_tier | promo_code |
+-------------+--------------+------------+
| 123         | Gold         |            |
| 124         | Gold         | X          |
+-------------+--------------+------------+"
    );
}
