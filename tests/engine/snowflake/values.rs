//! Values of every type, as they arrive in `customers` and in `rejects`.

use super::support::Warehouse;
use crate::support::{Bench, request};

const COLUMNS: &str = "CID NUMBER(38,0), N NUMBER(10,2), F FLOAT, S VARCHAR, B BOOLEAN, D DATE, T TIME, \
                       NTZ TIMESTAMP_NTZ, TZ TIMESTAMP_TZ, BIN BINARY, V VARIANT";

async fn bench(warehouse: &Warehouse, attributes: &[(&str, &str)]) -> Bench {
    let bench = Bench::with_config(&warehouse.by_password()).await;
    let mut toml = format!(
        "mode = \"register\"\nkey = \"CID\"\n[source]\nconnection = \"warehouse\"\nurl = \"{}\"\n",
        warehouse.url("T")
    );
    for (column, kind) in attributes {
        toml.push_str(&format!(
            "[[attribute]]\ncolumn = \"{column}\"\ntype = \"{kind}\"\n"
        ));
    }
    bench.process("p", &toml).await;
    bench
}

async fn warehouse() -> Warehouse {
    let warehouse = Warehouse::new().await;
    let table = format!("{}.S.T", warehouse.database);
    warehouse
        .execute(&format!("CREATE TABLE {table} ({COLUMNS})"))
        .await;
    warehouse
        .execute(&format!(
            "INSERT INTO {table} SELECT 1, 12.50, 1.5, 'Zoë \"x\"', TRUE, '2024-02-29', '10:00:00.5', \
             '2024-05-07 12:00:00.25', '2024-05-07 12:00:00+00:00', TO_BINARY('4142','HEX'), \
             PARSE_JSON('{{\"a\": [1, 2]}}')"
        ))
        .await;
    warehouse
        .execute(&format!("INSERT INTO {table} (CID) VALUES (2)"))
        .await;
    warehouse
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_values_of_every_type_arrive_as_they_are() {
    let warehouse = warehouse().await;
    let attributes = [
        ("N", "decimal(10,2)"),
        ("F", "double"),
        ("S", "string"),
        ("B", "boolean"),
        ("D", "date"),
        ("T", "string"),
        ("NTZ", "timestamp"),
        ("TZ", "timestamp"),
        ("BIN", "string"),
        ("V", "string"),
    ];
    let bench = bench(&warehouse, &attributes).await;
    let report = bench.run(request("p", None)).await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    assert_eq!(
        bench.customers().await,
        [
            "1|12.50|1.5|Zoë \"x\"|true|2024-02-29|10:00:00.5|2024-05-07T12:00:00.250Z|2024-05-07T12:00:00Z|AB|{\"a\":[1,2]}",
            "2|-|-|-|-|-|-|-|-|-|-",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_values_that_would_lose_something_are_rejected_with_the_row_as_json() {
    let warehouse = warehouse().await;
    let bench = bench(&warehouse, &[("N", "int"), ("F", "bigint"), ("NTZ", "date")]).await;
    let report = bench.run(request("p", None)).await.unwrap();
    assert_eq!(report.run.rows_rejected, Some(1), "{:?}", report.error);
    let reasons = bench
        .rows("SELECT column_name, value FROM reject_reasons ORDER BY 1")
        .await;
    assert_eq!(reasons, ["F|1.5", "N|12.5", "NTZ|2024-05-07 12:00:00.25"]);
    assert_eq!(
        bench.cell("SELECT CAST(raw AS VARCHAR) FROM rejects").await,
        r#"{"CID":1,"N":12.5,"F":1.5,"S":"Zoë \"x\"","B":true,"D":"2024-02-29","T":"10:00:00.5","NTZ":"2024-05-07 12:00:00.25","TZ":"2024-05-07 12:00:00Z","BIN":"AB","V":{"a":[1,2]}}"#
    );
}
