//! What the program prints: help, reports, errors.

use crate::support::Home;

/// A file with one record of several kinds.
const DIRTY: &str = "cid,Loyalty Tier,Spend,Joined\nC1,Gold,10.50,2024-01-01\nC2,Silver,abc,1900-01-01\n\
                     ,Gold,1,2024-01-01\nC3,Bronze\nC4,Gold,1,2024-05-05\nC4,Gold,2,2024-05-05\nC5,,,\n";
const INGEST: [&str; 10] = [
    "ingest",
    "customers.csv",
    "--key",
    "cid",
    "--attribute",
    "Loyalty Tier=string",
    "--attribute",
    "Spend=decimal(18,2)",
    "--attribute",
    "Joined=date",
];

fn ingested() -> Home {
    let home = Home::with_instance();
    home.write("customers.csv", DIRTY);
    home.sluice(&INGEST).succeeded();
    home
}

#[test]
fn help_lists_every_command() {
    insta::assert_snapshot!(Home::empty().sluice(&["--help"]).shown());
}

#[test]
fn the_help_of_the_commands_of_the_main_job() {
    let home = Home::empty();
    for command in [
        "init", "discover", "ingest", "run", "process", "rejects", "sql", "history", "diff", "rollback",
        "customer", "optimize", "vacuum",
    ] {
        insta::assert_snapshot!(
            format!("help_{command}"),
            home.sluice(&[command, "--help"]).shown()
        );
    }
}

#[test]
fn discover_lists_two_folders_deep_and_says_how_many_files_lie_deeper() {
    let home = Home::empty();
    std::fs::create_dir_all(home.path("in/a/b/c")).unwrap();
    for name in ["in/x.csv", "in/a/b/y.ndjson.gz", "in/a/b/c/z.parquet"] {
        home.write(name, "id\n1\n");
    }
    let listed = home.sluice(&["discover", "in", "--output", "csv"]).succeeded();
    let lines: Vec<String> = listed.stdout().lines().map(str::to_owned).collect();
    assert_eq!(lines[0], "url,size_bytes,modified_at,format");
    assert!(
        lines[1].contains("in/a/b/y.ndjson.gz,5,") && lines[1].ends_with(",ndjson"),
        "{lines:?}"
    );
    assert!(
        lines[2].contains("in/x.csv,5,") && lines[2].ends_with(",csv"),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 3);
    assert!(
        listed.stderr().contains("1 files lie more than 2 folders deep"),
        "{}",
        listed.stderr()
    );
    let gone = home.sluice(&["discover", "gone"]);
    assert_eq!(gone.output.status.code(), Some(1));
}

#[test]
fn a_preview_shows_what_is_in_a_file_and_what_to_type() {
    let home = Home::empty();
    home.write("customers.csv", DIRTY);
    insta::assert_snapshot!(home.sluice(&["preview", "customers.csv"]).shown());
    home.write("german.csv", "Kundennummer;Ort\n7;\"K\u{f6}ln; Deutz\"\n8;Ulm\n");
    insta::assert_snapshot!(home.sluice(&["preview", "german.csv"]).shown());
}

#[test]
fn the_report_of_an_ingest_balances() {
    let home = Home::with_instance();
    home.write("customers.csv", DIRTY);
    insta::assert_snapshot!(home.sluice(&INGEST).shown());
}

#[test]
fn a_dry_run_says_what_would_change_and_changes_nothing() {
    let home = ingested();
    home.write(
        "next.csv",
        "cid,Loyalty Tier,Spend,Joined\nC1,,10.50,2024-01-02\nC9,Gold,1,\n",
    );
    let before = home.sql("SELECT * FROM customers ORDER BY 1");
    insta::assert_snapshot!(
        home.sluice(&["run", "customers", "--file", "next.csv", "--dry-run", "--explain"])
            .shown()
    );
    assert_eq!(home.sql("SELECT * FROM customers ORDER BY 1"), before);
    assert_eq!(home.sql("SELECT count(*) AS n FROM runs"), "n\n1\n");
}

#[test]
fn rejects_are_shown_by_record_and_by_rule() {
    let home = ingested();
    insta::assert_snapshot!("rejects", home.sluice(&["rejects"]).shown());
    insta::assert_snapshot!("rejects_by_rule", home.sluice(&["rejects", "--by-rule"]).shown());
}

#[test]
fn exported_rejects_are_the_bytes_as_they_came() {
    let home = ingested();
    home.sluice(&["rejects", "--export", "bad.csv", "--plain"])
        .succeeded();
    let exported = std::fs::read_to_string(home.path("bad.csv")).unwrap();
    let expected = "cid,Loyalty Tier,Spend,Joined\nC2,Silver,abc,1900-01-01\n,Gold,1,2024-01-01\nC3,Bronze\n\
                    C4,Gold,1,2024-05-05\nC4,Gold,2,2024-05-05\n";
    assert_eq!(exported, expected);
}

#[test]
fn rules_are_printed_as_queries() {
    insta::assert_snapshot!(ingested().sluice(&["rules", "customers"]).shown());
}

#[test]
fn a_strict_run_fails_with_exit_code_3_and_keeps_the_rejects() {
    let home = Home::with_instance();
    home.write("customers.csv", DIRTY);
    let mut strict = INGEST.to_vec();
    strict.push("--strict");
    insta::assert_snapshot!(home.sluice(&strict).shown());
    assert_eq!(home.sql("SELECT count(*) AS n FROM customers"), "n\n0\n");
    assert_eq!(home.sql("SELECT count(*) AS n FROM rejects"), "n\n5\n");
}

#[test]
fn a_file_that_was_merged_is_skipped() {
    let home = ingested();
    insta::assert_snapshot!(home.sluice(&INGEST).shown());
}

#[test]
fn errors_name_the_place_and_the_remedy() {
    let home = ingested();
    home.write("empty.csv", "");
    home.write(
        "semicolon.csv",
        "cid;Loyalty Tier;Spend;Joined\nC1;Gold;1;2024-01-01\n",
    );
    home.write("short.csv", "cid,Loyalty Tier,Spend\nC1,Gold,1\n");
    for (name, args) in [
        ("file_empty", vec!["run", "customers", "--file", "empty.csv"]),
        (
            "delimiter_suspect",
            vec!["run", "customers", "--file", "semicolon.csv"],
        ),
        ("column_missing", vec!["run", "customers", "--file", "short.csv"]),
        ("not_found", vec!["run", "customers", "--file", "nowhere.csv"]),
        ("no_attributes", vec!["ingest", "short.csv", "--key", "cid"]),
        (
            "absent_column",
            vec!["ingest", "short.csv", "--key", "cid", "--attribute", "Nope=int"],
        ),
        (
            "bad_type",
            vec![
                "ingest",
                "short.csv",
                "--key",
                "cid",
                "--attribute",
                "Spend=money",
            ],
        ),
        ("no_process", vec!["run", "nobody"]),
        ("sql_write", vec!["sql", "DELETE FROM customers"]),
        ("sql_wrong", vec!["sql", "SELECT nothing FROM customers"]),
    ] {
        insta::assert_snapshot!(format!("error_{name}"), home.sluice(&args).shown());
    }
    insta::assert_snapshot!("error_no_instance", Home::empty().sluice(&["status"]).shown());
}

#[test]
fn a_customer_is_shown_with_the_owner_of_each_attribute() {
    let home = ingested();
    insta::assert_snapshot!("customer", home.sluice(&["customer", "C1"]).shown());
    insta::assert_snapshot!("customer_unknown", home.sluice(&["customer", "C404"]).shown());
}

/// Two runs: the second changes C1 and registers C9.
fn ingested_twice() -> Home {
    let home = ingested();
    home.write(
        "next.csv",
        "cid,Loyalty Tier,Spend,Joined\nC1,,10.50,2024-01-02\nC9,Gold,1,\nC1x,Gold,1,never\n",
    );
    home.sluice(&["run", "customers", "--file", "next.csv"])
        .succeeded();
    home
}

#[test]
fn versions_are_listed_and_compared() {
    let home = ingested_twice();
    insta::assert_snapshot!("history", home.sluice(&["history", "--output", "csv"]).shown());
    insta::assert_snapshot!("diff", home.sluice(&["diff", "1", "2"]).shown());
    insta::assert_snapshot!("diff_absent", home.sluice(&["diff", "1", "7"]).shown());
}

#[test]
fn a_rollback_counts_first_and_says_what_it_did() {
    let home = ingested_twice();
    let before = home.sql("SELECT * FROM customers_at(1) ORDER BY 1");
    let dry = home.sluice(&["rollback", "customers", "--dry-run"]);
    insta::assert_snapshot!("rollback_dry_run", dry.shown());
    insta::assert_snapshot!(
        "rollback",
        home.sluice(&["rollback", "customers/2", "--yes"]).shown()
    );
    assert_eq!(home.sql("SELECT * FROM customers ORDER BY 1"), before);
    insta::assert_snapshot!(
        "rollback_twice",
        home.sluice(&["rollback", "customers/2"]).shown()
    );
    let story = home.sluice(&["customer", "C1", "--history", "--output", "csv"]);
    insta::assert_snapshot!("customer_history", story.shown());
}

#[test]
fn a_rollback_over_later_writes_is_refused_and_tells_the_remedy() {
    let home = ingested_twice();
    let refused = home.sluice(&["rollback", "customers/1", "--yes"]);
    assert_eq!(refused.code(), Some(2));
    insta::assert_snapshot!("rollback_refused", refused.shown());
    let back = home
        .sluice(&["rollback", "0", "--yes", "--output", "json"])
        .succeeded();
    let report: serde_json::Value = serde_json::from_str(&back.stdout()).unwrap();
    assert_eq!(report["rows_removed"], 3);
    assert_eq!(report["undoes"].as_array().unwrap().len(), 2);
    assert_eq!(home.sql("SELECT count(*) AS n FROM customers"), "n\n0\n");
}

#[test]
fn output_is_a_table_or_whatever_was_asked_for() {
    let home = ingested();
    let query = "SELECT record_no, rules, reasons, raw FROM rejects ORDER BY 1 LIMIT 2";
    for format in ["table", "csv", "json", "ndjson"] {
        insta::assert_snapshot!(
            format!("output_{format}"),
            home.sluice(&["sql", "--output", format, query]).shown()
        );
    }
    let report: serde_json::Value = {
        home.write(
            "next.csv",
            "cid,Loyalty Tier,Spend,Joined\nC1,,10.50,2024-01-02\n",
        );
        let done = home
            .sluice(&["run", "customers", "--file", "next.csv", "--output", "json"])
            .succeeded();
        serde_json::from_str(&done.stdout()).unwrap()
    };
    assert_eq!(report["rows_read"], 1);
    assert_eq!(report["dry_run"], false);
    assert_eq!(report["attributes"][0]["attribute"], "loyalty_tier");
    assert_eq!(report["attributes"][0]["cells_cleared"], 1);
}

/// Two files of customers, two of rejects, two of runs.
fn ran_twice() -> Home {
    let home = ingested();
    home.write(
        "next.csv",
        "cid,Loyalty Tier,Spend,Joined\nC7,Gold,1,2024-01-02\nC8,Gold,x,\n",
    );
    home.sluice(&["run", "customers", "--file", "next.csv"])
        .succeeded();
    home
}

#[test]
fn optimize_says_what_it_would_do_and_did() {
    let home = ran_twice();
    let before = home.sql("SELECT * FROM customers ORDER BY 1");
    insta::assert_snapshot!(
        "optimize_dry_run",
        home.sluice(&["optimize", "--dry-run"]).shown()
    );
    insta::assert_snapshot!("optimize", home.sluice(&["optimize"]).shown());
    insta::assert_snapshot!("optimize_again", home.sluice(&["optimize", "customers"]).shown());
    assert_eq!(home.sql("SELECT * FROM customers ORDER BY 1"), before);
}

#[test]
fn vacuum_says_what_it_deleted_and_refuses_what_is_dangerous() {
    let home = ran_twice();
    home.sluice(&["optimize"]).succeeded();
    insta::assert_snapshot!(
        "vacuum_short",
        home.sluice(&["vacuum", "--retention", "1h"]).shown()
    );
    insta::assert_snapshot!(
        "vacuum_nonsense",
        home.sluice(&["vacuum", "--retention", "soon"]).shown()
    );
    insta::assert_snapshot!("vacuum", home.sluice(&["vacuum"]).shown());
    // Those of the last hour stay even then.
    let forced = home
        .sluice(&["vacuum", "--retention", "0h", "--force", "--output", "json"])
        .succeeded();
    let report: serde_json::Value = serde_json::from_str(&forced.stdout()).unwrap();
    assert_eq!(
        (&report["retention"], &report["dry_run"]),
        (&"0h".into(), &false.into())
    );
    assert_eq!(report["tables"][0]["table"], "customers");
    assert_eq!(report["tables"][0]["files"], serde_json::json!([]));
    assert_eq!(
        report["tables"][0]["oldest_version"],
        report["tables"][0]["latest_version"]
    );
}

#[test]
fn a_run_that_looked_after_the_tables_says_so_on_one_line_a_table() {
    let home = ingested();
    home.write("sluice.toml", "format = 1\n[maintenance]\nsmall_files = 2\n");
    home.write(
        "next.csv",
        "cid,Loyalty Tier,Spend,Joined\nC7,Gold,1,2024-01-02\n",
    );
    let done = home
        .sluice(&["run", "customers", "--file", "next.csv"])
        .succeeded();
    let lines: Vec<String> = done.stderr().lines().map(str::to_owned).collect();
    let said = |table: &str| {
        lines
            .iter()
            .filter(|line| line.starts_with(&format!("maintenance: {table}: ")))
            .count()
    };
    assert_eq!(
        (said("customers"), said("runs"), said("rejects")),
        (1, 1, 0),
        "{lines:?}"
    );
    assert_eq!(home.sql("SELECT count(*) AS n FROM customers"), "n\n3\n");
    home.write(
        "sluice.toml",
        "format = 1\n[maintenance]\nauto = \"off\"\nsmall_files = 2\n",
    );
    home.write(
        "last.csv",
        "cid,Loyalty Tier,Spend,Joined\nC9,Gold,1,2024-01-02\n",
    );
    let done = home
        .sluice(&["run", "customers", "--file", "last.csv"])
        .succeeded();
    assert!(!done.stderr().contains("maintenance"), "{}", done.stderr());
}
