//! Rows of Snowflake become customers.

use sluice_engine::run::{Repeat, RunRequest};
use sluice_engine::source::Sources;

use super::support::Warehouse;
use crate::support::{failure, request};

fn table(url: &str) -> String {
    format!("url = {url:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_ingests_a_table_reports_it_and_skips_it_until_it_changes() {
    let warehouse = Warehouse::new().await;
    warehouse.customers("CUSTOMERS", 5).await;
    let url = warehouse.url("CUSTOMERS");
    let bench = warehouse.bench(&warehouse.by_password(), &table(&url)).await;
    let report = bench.run(request("p", None)).await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    assert_eq!(
        (report.run.rows_read, report.run.rows_rejected),
        (Some(5), Some(1))
    );
    assert_eq!(report.run.source_file.as_deref(), Some(url.as_str()));
    let altered = "SELECT source_modified_at BETWEEN started_at - INTERVAL '1 hour' AND ended_at FROM runs";
    assert_eq!(bench.cell(altered).await, "true");
    assert_eq!(
        bench
            .cell("SELECT spend FROM customers WHERE customer_id = 'C0000004'")
            .await,
        "4.25"
    );
    let reject = "SELECT record_no, line, byte_start, byte_len, customer_id, rules[1], CAST(raw AS VARCHAR) FROM rejects";
    assert_eq!(
        bench.cell(reject).await,
        r#"3|-|-|-|C0000002|type_mismatch|{"CID":"C0000002","TIER":"Gold","SPEND":"lots"}"#
    );

    let again = bench.run(request("p", None)).await.unwrap();
    assert_eq!(again.run.status.word(), "skipped", "{:?}", again.error);
    let force = RunRequest {
        repeat: Repeat::Force,
        ..request("p", None)
    };
    assert_eq!(bench.run(force).await.unwrap().run.rows_read, Some(5));
    let insert = format!(
        "INSERT INTO {}.S.CUSTOMERS VALUES ('C9', 'Blue', '9')",
        warehouse.database
    );
    warehouse.execute(&insert).await;
    let changed = bench.run(request("p", None)).await.unwrap();
    assert_eq!(changed.run.rows_inserted, Some(1), "{:?}", changed.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_runs_a_query_every_time_and_a_view_too() {
    let warehouse = Warehouse::new().await;
    warehouse.customers("CUSTOMERS", 5).await;
    let database = &warehouse.database;
    warehouse
        .execute(&format!(
            "CREATE VIEW {database}.S.V AS SELECT * FROM {database}.S.CUSTOMERS"
        ))
        .await;
    let query =
        format!("query = \"SELECT * FROM {database}.S.CUSTOMERS WHERE CID <> 'C0000002' -- all but one\"");
    for source in [
        format!("{query}\norder_by = \"CID DESC\""),
        table(&warehouse.url("V")),
    ] {
        let bench = warehouse.bench(&warehouse.by_password(), &source).await;
        for _ in 0..2 {
            let report = bench.run(request("p", None)).await.unwrap();
            assert!(report.error.is_none(), "{:?}", report.error);
            assert_eq!(report.run.rows_accepted, Some(4));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_keeps_the_last_of_duplicates_in_the_order_that_is_asked_for() {
    let warehouse = Warehouse::new().await;
    let table = format!("{}.S.CUSTOMERS", warehouse.database);
    warehouse
        .execute(&format!(
            "CREATE TABLE {table} (CID VARCHAR, TIER VARCHAR, SPEND VARCHAR, NR INT)"
        ))
        .await;
    warehouse
        .execute(&format!(
            "INSERT INTO {table} VALUES ('C1','new','1',2), ('C1','old','1',1), ('C2','x','1',1)"
        ))
        .await;
    let source = format!(
        "{}\norder_by = \"NR\"\n[policy]\non_duplicate = \"keep_last\"",
        self::table(&warehouse.url("CUSTOMERS"))
    );
    let bench = warehouse.bench(&warehouse.by_password(), &source).await;
    let report = bench.run(request("p", None)).await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    assert_eq!(bench.customers().await, ["C1|new|1.00", "C2|x|1.00"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_says_what_is_wrong_with_a_source_that_cannot_be_read() {
    let warehouse = Warehouse::new().await;
    warehouse.customers("FORBIDDEN", 1).await;
    for (name, expected) in [
        ("GONE", "the source does not exist, or the role may not see it"),
        ("FORBIDDEN", "the role may not read the source"),
    ] {
        let bench = warehouse
            .bench(&warehouse.by_password(), &table(&warehouse.url(name)))
            .await;
        let report = bench.run(request("p", None)).await;
        let error = failure(&report);
        assert!(error.to_string().contains(expected), "{name}: {error}");
        assert!(
            error.hints().iter().any(|hint| hint.contains("role")),
            "{:?}",
            error.hints()
        );
        assert_eq!(error.class().exit_code(), 1);
        assert_eq!(bench.cell("SELECT count(*) FROM customers").await, "0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_lists_databases_schemas_and_tables() {
    let warehouse = Warehouse::new().await;
    warehouse.customers("CUSTOMERS", 3).await;
    warehouse
        .execute(&format!(
            "CREATE TABLE {}.S.\"odd name\" (A INT)",
            warehouse.database
        ))
        .await;
    let bench = warehouse
        .bench(&warehouse.by_password(), &table(&warehouse.url("CUSTOMERS")))
        .await;
    let database = warehouse.database.clone();
    for place in [
        "snowflake://".to_owned(),
        format!("snowflake://{database}"),
        format!("snowflake://{database}/S"),
        "warehouse".to_owned(),
    ] {
        let sources = Sources::of(&bench.instance);
        let connection = (place != "warehouse").then_some("warehouse");
        let listing = sluice_engine::source::blocking(move || sources.list(&place, connection))
            .await
            .unwrap();
        let ours = listing.files.iter().filter(|file| file.url.contains(&database));
        let urls: Vec<&str> = ours.clone().map(|file| file.url.as_str()).collect();
        let prefix = format!("snowflake://{database}/S");
        assert_eq!(
            urls,
            [format!("{prefix}/\"odd name\""), format!("{prefix}/CUSTOMERS")]
        );
        assert!(ours.into_iter().all(|file| file.modified_ns > 0));
    }
}
