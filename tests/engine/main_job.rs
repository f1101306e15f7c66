//! A CSV in, valid rows merged, every reject in SQL.

use crate::support::Bench;

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
    println!("{:#?}", report);
    println!("{}", bench.table("SELECT * FROM customers ORDER BY 1").await);
    println!("{}", bench.table("SELECT record_no, line, byte_start, byte_len, customer_id, rules, reasons, arrow_cast(raw,'Utf8') FROM rejects ORDER BY 1").await);
    println!("{}", bench.table("SELECT record_no, rule, column_name, value, message FROM reject_reasons ORDER BY 1").await);
    println!("{}", bench.table("SELECT * FROM attributes").await);
    println!("{}", bench.table("SELECT run_id, status, rows_read, rule_counts, phase_ms FROM runs").await);
    println!("{}", bench.table("SELECT * FROM records('customers')").await);
    println!("{}", bench.table("SELECT * FROM processes").await);
}
