//! Polars, delta-rs, DuckDB and Sail read the rows that `sluice sql` reads.

use std::path::Path;
use std::process::Command;

use crate::support::Home;

/// What a reader makes of `customers`, as canonical text.
fn read(home: &Home, reader: &str) -> String {
    let python = std::env::var("SLUICE_PYTHON")
        .unwrap_or_else(|_| panic!("the readers are not set up: run the tests with tests/run"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/readers/read_customers.py");
    let output = Command::new(python)
        .arg(script)
        .arg(home.path("customers"))
        .arg(reader)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{reader}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// What `sluice sql` makes of it, in the same form.
fn ours(home: &Home) -> String {
    home.sql(
        "SELECT customer_id, coalesce(tier, '\\N') AS tier, coalesce(CAST(spend AS VARCHAR), '\\N') AS spend, \
         coalesce(CAST(orders AS VARCHAR), '\\N') AS orders, coalesce(CAST(joined AS VARCHAR), '\\N') AS joined, \
         coalesce(CAST(to_unixtime(seen) * 1000000 + date_part('microsecond', seen) % 1000000 AS VARCHAR), '\\N') AS seen, \
         coalesce(CAST(opted_in AS VARCHAR), '\\N') AS opted_in FROM customers ORDER BY customer_id",
    )
}

const ATTRIBUTES: [&str; 12] = [
    "--attribute",
    "tier=string",
    "--attribute",
    "spend=decimal(18,2)",
    "--attribute",
    "orders=bigint",
    "--attribute",
    "joined=date",
    "--attribute",
    "seen=timestamp",
    "--attribute",
    "opted_in=boolean",
];

#[test]
fn other_readers_of_delta_tables_read_what_sql_reads_after_every_kind_of_ingest() {
    let home = Home::with_instance();
    let header = "cid,tier,spend,orders,joined,seen,opted_in\n";
    let first: String = (0..5000)
        .map(|i| format!("C{i:05},Gold,{i}.25,{i},2024-02-29,2024-03-01 10:00:00.000001,yes\n"))
        .collect();
    home.write("first.csv", format!("{header}{first}"));
    let mut ingest = vec!["ingest", "first.csv", "--key", "cid", "--name", "p"];
    ingest.extend(ATTRIBUTES);
    home.sluice(&ingest).succeeded();
    check(&home, 5000);

    // Updates, clears, unchanged rows and new customers in one file, with a reject.
    let second: String = (4000..6000)
        .map(|i| format!("C{i:05},,{i}.25,-{i},,2024-03-01 10:00:00.000001,no\n"))
        .collect();
    home.write("second.csv", format!("{header}{second},no key,1,1,,,\n"));
    home.sluice(&["run", "p", "--file", "second.csv"]).succeeded();
    check(&home, 6000);

    // A second process: columns that come later, customers that it does not send.
    home.write("other.csv", "cid,city\nC00001,\"Łódź, PL\"\nC05999,\n");
    home.sluice(&[
        "ingest",
        "other.csv",
        "--key",
        "cid",
        "--attribute",
        "city=string",
        "--mode",
        "update",
    ])
    .succeeded();
    let read_by_all = check_same(&home);
    assert!(read_by_all.contains("\"Łódź, PL\""));
}

#[test]
fn other_readers_read_what_sql_reads_whichever_way_files_were_merged_and_encoded() {
    let header = "cid,tier,spend,orders,joined,seen,opted_in\n";
    let home = Home::with_instance();
    let first: String = (0..5000)
        .map(|i| format!("C{i:05},Gold,{i}.25,{i},2024-02-29,2024-03-01 10:00:00.000001,yes\n"))
        .collect();
    home.write("first.csv", format!("{header}{first}"));
    let mut ingest = vec!["ingest", "first.csv", "--key", "cid", "--name", "p"];
    ingest.extend(ATTRIBUTES);
    home.sluice(&ingest).succeeded();
    // Turns: a splice keeps a deletion vector, a vector marks rows of a spliced file, a rewrite folds both.
    let turns = [
        ("deletion_vector", "zstd(1)"),
        ("splice", "lz4"),
        ("deletion_vector", "none"),
        ("rewrite", "snappy"),
        ("deletion_vector", "zstd(9)"),
        ("splice", "zstd(3)"),
        ("auto", "lz4"),
    ];
    for (turn, (way, compression)) in turns.into_iter().enumerate() {
        let write = format!(
            "compression = \"{compression}\"\nrow_group_rows = 2000\npage_rows = 1024\ndictionary = \"{}\"\n",
            ["on", "off"][turn % 2]
        );
        home.write(
            "sluice.toml",
            format!("format = 1\n[defaults]\nmerge = \"{way}\"\n[write]\n{write}"),
        );
        let rows: String = (turn..5010 + turn)
            .step_by(7 + turn)
            .map(|i| format!("C{i:05},Turn {turn},{i}.50,,2024-02-29,,no\n"))
            .collect();
        home.write("turn.csv", format!("{header}{rows}"));
        home.sluice(&["run", "p", "--file", "turn.csv"]).succeeded();
        let text = check_same(&home);
        assert_eq!(text, ours(&home), "{way}, {compression}");
        assert!(text.contains(&format!("Turn {turn}")), "{way}");
    }
    let vectors = std::fs::read_dir(home.path("customers")).unwrap();
    let is_vector = |entry: &std::fs::DirEntry| {
        entry
            .file_name()
            .to_string_lossy()
            .starts_with("deletion_vector_")
    };
    assert!(vectors.flatten().any(|entry| is_vector(&entry)));
}

fn check(home: &Home, customers: usize) {
    let text = check_same(home);
    assert_eq!(text, ours(home));
    assert_eq!(text.lines().count(), customers + 1);
}

fn check_same(home: &Home) -> String {
    let polars = read(home, "polars");
    assert_eq!(read(home, "deltalake"), polars);
    assert_eq!(read(home, "duckdb"), polars);
    assert_eq!(read(home, "sail"), polars);
    polars
}
