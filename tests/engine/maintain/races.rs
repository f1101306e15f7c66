//! Optimize and runs at the same time lose nothing, whoever commits first.

use std::time::Duration;

use sluice_engine::maintain::optimize;

use super::support::{bench, ingest, records, whole};

#[tokio::test(flavor = "multi_thread")]
async fn runs_and_optimize_side_by_side_lose_nothing() {
    let bench = bench().await;
    for round in 0..6 {
        ingest(&bench, round * 50, 100, "x").await;
        let file = bench.file(&format!("{round}.csv"), records(round * 40, 150, "y"));
        // A little later from round to round.
        let request = whole(&bench);
        let meanwhile = async {
            tokio::time::sleep(Duration::from_millis(5 * round as u64)).await;
            optimize(&bench.instance, &bench.settings, &request).await
        };
        let (report, optimized) = tokio::join!(bench.run_on("a", &file), meanwhile);
        assert!(report.unwrap().error.is_none());
        optimized.unwrap();
    }
    let counts = "SELECT count(*), count(DISTINCT customer_id), count(a) FROM customers";
    assert_eq!(bench.rows(counts).await, ["350|350|350"]);
    // The last round wrote y from 200 on.
    assert_eq!(
        bench
            .cell("SELECT count(*) FROM customers WHERE a LIKE 'y%'")
            .await,
        "350"
    );
}
