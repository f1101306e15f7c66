//! The contract's tables, views and functions, and that SQL only reads.

use arrow::datatypes::{DataType, TimeUnit};
use sluice_engine::process::Lease;

use crate::support::{Bench, LEASE_TERM, definition};

/// `name:type` of every column, strings and binaries without regard to their layout.
async fn columns(bench: &Bench, relation: &str) -> Vec<String> {
    let batches = bench.query(&format!("SELECT * FROM {relation} LIMIT 1")).await;
    let batches = batches.unwrap_or_else(|e| panic!("{relation}: {e}"));
    let schema = batches
        .first()
        .unwrap_or_else(|| panic!("{relation} is empty"))
        .schema();
    schema
        .fields()
        .iter()
        .map(|field| format!("{}:{}", field.name(), word(field.data_type())))
        .collect()
}

fn word(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if &**zone == "UTC" => "timestamp".to_owned(),
        DataType::List(item) => format!("list({})", word(item.data_type())),
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|f| format!("{} {}", f.name(), word(f.data_type())))
                .collect();
            format!("struct({})", fields.join(","))
        }
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        other => other.to_string(),
    }
}

/// An instance with one merged run of each kind of record.
async fn bench() -> Bench {
    let bench = Bench::new().await;
    let toml = definition("register", &["Tier=string", "Spend=decimal(18,2)"], "").replacen(
        "type = \"string\"",
        "type = \"string\"\nlabel = \"Loyalty tier\"\ndisplay = \"upper\"",
        1,
    );
    bench.process("p", &toml.replace("none.csv", "../in.csv")).await;
    let file = bench.file(
        "in.csv",
        "cid,Tier,Spend,Note\nC1,Gold,1,a\nC2,Silver,x,b\nC3\n,Gold,2,\nC4,Bronze,4,d\n",
    );
    bench.run_on("p", &file).await.unwrap();
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_and_reasons_have_the_columns_of_the_contract() {
    let bench = bench().await;
    assert_eq!(
        columns(&bench, "rejects").await.join(" "),
        "run_id:text process:text source_file:text record_no:Int64 line:Int64 byte_start:Int64 byte_len:Int64 \
         customer_id:text rules:list(text) \
         reasons:list(struct(rule text,column_name text,value text,message text)) raw:binary rejected_at:timestamp"
    );
    assert_eq!(
        columns(&bench, "reject_reasons").await.join(" "),
        "run_id:text process:text source_file:text record_no:Int64 line:Int64 customer_id:text rule:text \
         column_name:text value:text message:text rejected_at:timestamp"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_have_the_columns_of_the_contract() {
    let bench = bench().await;
    let columns = columns(&bench, "runs").await.join(" ");
    assert_eq!(
        columns,
        "run_id:text parent_run_id:text process:text run_no:Int64 trigger:text mode:text definition_hash:text \
         status:text error:text started_at:timestamp ended_at:timestamp source_file:text source_size_bytes:Int64 \
         source_modified_at:timestamp source_etag:text source_format:text rows_read:Int64 rows_accepted:Int64 \
         rows_rejected:Int64 rows_warned:Int64 rows_inserted:Int64 rows_updated:Int64 rows_unchanged:Int64 \
         cells_changed:Int64 cells_cleared:Int64 rule_counts:list(struct(rule text,severity text,records Int64)) \
         version_before:Int64 version_after:Int64 duration_ms:Int64 \
         phase_ms:struct(load Int64,duplicates Int64,sort Int64,judge Int64,merge Int64,commit Int64) \
         peak_rss_bytes:Int64 engine_version:text"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_attributes_and_events_have_the_columns_of_the_contract() {
    let bench = bench().await;
    assert_eq!(
        columns(&bench, "processes").await.join(" "),
        "process:text status:text mode:text source:text key:text schedule:text next_run_at:timestamp \
         attributes:list(text) created_at:timestamp completed_at:timestamp last_run_id:text last_status:text \
         last_ended_at:timestamp definition_hash:text"
    );
    assert_eq!(
        columns(&bench, "attributes").await.join(" "),
        "attribute:text type:text label:text display:text role:text process:text source_column:text since_version:Int64"
    );
    assert_eq!(
        columns(&bench, "events").await.join(" "),
        "at:timestamp kind:text process:text run_id:text record_no:Int64 actor:text detail:text"
    );
    assert_eq!(
        columns(&bench, "customers").await.join(" "),
        "customer_id:text tier:text spend:decimal(18,2)"
    );
    assert_eq!(
        bench.rows("SELECT * FROM attributes ORDER BY 1 DESC").await,
        [
            "tier|string|Loyalty tier|upper|-|p|Tier|1",
            "spend|decimal(18,2)|-|-|-|p|Spend|1"
        ]
    );
    let process =
        "SELECT process, status, mode, source, key, schedule, next_run_at, attributes FROM processes";
    assert_eq!(
        bench.rows(process).await,
        ["p|completed|register|../in.csv|cid|-|-|[tier, spend]"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_without_a_run_answers_with_no_rows() {
    let bench = Bench::new().await;
    for relation in [
        "customers",
        "rejects",
        "reject_reasons",
        "runs",
        "processes",
        "attributes",
        "events",
    ] {
        assert!(
            bench
                .rows(&format!("SELECT * FROM {relation} ORDER BY 1"))
                .await
                .is_empty(),
            "{relation}"
        );
        assert_eq!(bench.cell(&format!("SELECT count(*) FROM {relation}")).await, "0");
        assert!(
            bench
                .rows(&format!("SELECT * FROM {relation} WHERE 1 = 1 LIMIT 3"))
                .await
                .is_empty()
        );
    }
    let joined = "SELECT r.run_id FROM runs r JOIN reject_reasons x ON r.run_id = x.run_id GROUP BY 1";
    assert!(bench.rows(joined).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_of_a_run_balance_and_say_where_its_source_was() {
    let bench = bench().await;
    let row = "SELECT rows_read, rows_accepted, rows_rejected, rows_inserted, rows_updated, rows_unchanged, \
               version_before, version_after, source_size_bytes, source_etag, trigger, mode, run_no FROM runs";
    assert_eq!(bench.rows(row).await, ["5|2|3|2|0|0|0|1|72|-|manual|register|1"]);
    let kinds = "SELECT length(definition_hash), length(run_id), duration_ms >= 0, peak_rss_bytes > 0, \
                 phase_ms['load'] >= 0, ended_at >= started_at, source_modified_at <= started_at FROM runs";
    assert_eq!(bench.rows(kinds).await, ["64|36|true|true|true|true|true"]);
    let format = bench.cell("SELECT source_format FROM runs").await;
    let format: serde_json::Value = serde_json::from_str(&format).unwrap();
    for key in ["format", "encoding", "header"] {
        assert!(format.get(key).is_some(), "{key}: {format}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_at_reads_an_older_version_with_the_columns_of_its_time() {
    let bench = bench().await;
    bench
        .process("q", &definition("update", &["City=string"], ""))
        .await;
    bench
        .run_on("q", &bench.file("q.csv", "cid,City\nC1,Porto\n"))
        .await
        .unwrap();
    assert_eq!(
        bench.rows("SELECT * FROM customers_at(2) ORDER BY 1").await,
        bench.customers().await
    );
    assert_eq!(
        bench.rows("SELECT * FROM customers_at(1) ORDER BY 1").await,
        ["C1|Gold|1.00", "C4|Bronze|4.00"]
    );
    assert!(
        bench
            .rows("SELECT * FROM customers_at(0) ORDER BY 1")
            .await
            .is_empty()
    );
    for wrong in [
        "customers_at(9)",
        "customers_at('x')",
        "customers_at()",
        "customers_at(-1)",
    ] {
        let error = bench.query(&format!("SELECT * FROM {wrong}")).await.unwrap_err();
        assert_eq!(error.class().exit_code(), 2, "{wrong}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn source_reads_any_file_as_text_with_where_each_record_stood() {
    let bench = Bench::new().await;
    let file = bench.file("any.csv", "id;Full Name\n007;Ana\n8;B\n9\n");
    let source = format!("source('{}', 'delimiter', ';')", file.display());
    let rows = format!(
        "SELECT id, \"Full Name\", record_no, line, byte_start, byte_len, malformed IS NULL FROM {source} ORDER BY record_no"
    );
    assert_eq!(
        bench.rows(&rows).await,
        ["007|Ana|1|2|13|7|true", "8|B|2|3|21|3|true", "-|-|3|4|25|1|false"]
    );
    for wrong in [
        "source('nowhere.csv')".to_owned(),
        format!("source('{}', 'delimeter', ';')", file.display()),
        "source()".to_owned(),
    ] {
        bench.query(&format!("SELECT * FROM {wrong}")).await.unwrap_err();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn incoming_and_records_are_what_rules_see() {
    let bench = bench().await;
    let types = columns(&bench, "incoming('p')").await.join(" ");
    assert_eq!(
        types,
        "record_no:Int64 line:Int64 byte_start:Int64 byte_len:Int64 customer_id:text tier:text spend:decimal(18,2) \
         invalid_encoding:list(text) raw:struct(cid text,Tier text,Spend text,Note text)"
    );
    let incoming =
        "SELECT record_no, customer_id, spend, raw['Spend'], raw['Note'] FROM incoming('p') ORDER BY 1";
    assert_eq!(
        bench.rows(incoming).await,
        ["1|C1|1.00|1|a", "2|C2|-|x|b", "4|-|2.00|2|", "5|C4|4.00|4|d"]
    );
    let records = "SELECT record_no, malformed IS NULL, customer_id FROM records('p') ORDER BY 1";
    assert_eq!(
        bench.rows(records).await,
        ["1|true|C1", "2|true|C2", "3|false|-", "4|true|-", "5|true|C4"]
    );
    let other = bench.file("other.csv", "Spend,cid,Tier\n9,C9,Gold\n");
    let named = format!(
        "SELECT customer_id, spend FROM incoming('p', '{}')",
        other.display()
    );
    assert_eq!(bench.rows(&named).await, ["C9|9.00"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printed_rule_can_be_pasted_and_finds_what_the_run_found() {
    let bench = bench().await;
    for rule in sluice_engine::process::rules(&bench.instance, "p").await.unwrap() {
        let sql = rule
            .sql
            .replace("FROM incoming", "FROM incoming('p')")
            .replace("FROM records", "FROM records('p')");
        let found = bench
            .rows(&format!("SELECT record_no FROM ({sql}) ORDER BY 1"))
            .await;
        let column = rule.column.map_or("column_name IS NULL".to_owned(), |c| {
            format!("column_name = '{c}'")
        });
        let kept = format!(
            "SELECT record_no FROM reject_reasons WHERE rule = '{}' AND {column} ORDER BY 1",
            rule.id
        );
        assert_eq!(found, bench.rows(&kept).await, "{}: {sql}", rule.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_reads_and_copies_out_and_does_nothing_else() {
    let bench = bench().await;
    let before = bench.customers().await;
    for statement in [
        "INSERT INTO customers VALUES ('C9', 'x', 1)",
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/tmp/x.csv'",
        "DROP TABLE customers",
        "DROP VIEW runs",
        "SET datafusion.execution.batch_size = 1",
        "UPDATE customers SET tier = 'x'",
        "DELETE FROM customers",
        "TRUNCATE TABLE customers",
        "EXPLAIN ANALYZE INSERT INTO customers VALUES ('C9', 'x', 1)",
        "PREPARE p AS SELECT 1",
        "BEGIN",
        "SELECT 1; DROP TABLE customers",
    ] {
        let error = bench.query(statement).await.unwrap_err();
        assert_eq!(error.class().exit_code(), 2, "{statement}: {error}");
    }
    assert_eq!(bench.customers().await, before);
    for name in ["out.csv", "out.parquet", "out.json"] {
        let out = bench.folder.path().join(name);
        bench
            .query(&format!("COPY (SELECT * FROM customers) TO '{}'", out.display()))
            .await
            .unwrap();
        assert!(out.metadata().unwrap().len() > 0, "{name}");
    }
    assert!(!bench.rows("SHOW TABLES").await.is_empty());
    assert!(!bench.rows("DESCRIBE customers").await.is_empty());
    assert!(!bench.rows("EXPLAIN SELECT * FROM customers").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_under_way_stands_in_runs_and_a_dead_one_does_not() {
    let bench = bench().await;
    let lease = Lease::new(
        "01900000-0000-7000-8000-000000000000".to_owned(),
        2,
        "schedule".to_owned(),
        LEASE_TERM,
    );
    let set = async |lease: Lease| {
        let update = |state: &mut sluice_engine::process::ProcessState| {
            state.lease = Some(lease.clone());
            Ok(())
        };
        bench.state("p").update(update).await.unwrap();
    };
    set(lease.clone()).await;
    let running = "SELECT process, run_no, status, trigger, rows_read, started_at IS NOT NULL FROM runs WHERE status = 'running'";
    assert_eq!(bench.rows(running).await, ["p|2|running|schedule|-|true"]);
    let mut dead = lease;
    dead.holder.started_ticks = Some(1);
    set(dead).await;
    assert!(bench.rows(running).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phase_of_a_run_is_selected_like_any_column() {
    let bench = bench().await;
    for others in ["", "run_no, ", "length(run_id), ", "status, started_at, "] {
        let phases =
            format!("SELECT {others}phase_ms['load'] FROM runs WHERE phase_ms['load'] >= 0 ORDER BY run_id");
        assert_eq!(bench.rows(&phases).await.len(), 1, "{phases}");
    }
}
