//! What `sluice.toml` resolves to, and what is said of its mistakes.

use crate::spec::*;

#[test]
fn a_format_alone_is_an_instance_with_every_default() {
    let config = parse_instance("format = 1").unwrap();
    assert_eq!(config, InstanceConfig::default());
    assert_eq!(config.limits.attributes_per_process, 10);
    assert_eq!(config.limits.attributes_per_instance, 200);
    assert_eq!(config.limits.folder_depth, 2);
    assert_eq!(config.limits.record_bytes, 16 * 1024 * 1024);
}

#[test]
fn every_table_of_an_instance_arrives_where_it_belongs() {
    let config = parse_instance(
        r#"
format = 1
reserved_attributes = ["churn_score"]
[limits]
folder_depth = 0
record_bytes = "1MiB"
lease_seconds = 90
[defaults]
max_rejects = "2%"
memory = "4GB"
threads = 8
retention = "168h"
deletion_vectors = "off"
merge = "splice"
[maintenance]
auto = "off"
overlap_files = 8
piece = "1GiB"
[connections.crm]
type = "snowflake"
account = "acme"
user = "sluice"
private_key = { file = "key.pem" }
[[notify]]
on = ["failed", "rejects", "succeeded", "no_file"]
to = "mailto:ops@example.com"
[[notify]]
on = ["failed"]
to = "command:logger"
process = "loyalty"
"#,
    )
    .unwrap();
    assert_eq!(config.reserved_attributes, ["churn_score"]);
    assert_eq!(
        (config.limits.folder_depth, config.limits.record_bytes),
        (0, 1 << 20)
    );
    assert_eq!(config.limits.lease.as_secs(), 90);
    assert_eq!(config.defaults.policy.max_rejects, RejectBudget::Percent(2.0));
    assert_eq!(
        (config.defaults.memory_bytes, config.defaults.threads),
        (Some(4_000_000_000), Some(8))
    );
    assert_eq!(config.defaults.retention, Retention::days(7));
    let expected = Maintenance {
        auto: AutoMaintenance::Off,
        overlap_files: 8,
        piece_bytes: 1 << 30,
        ..Maintenance::default()
    };
    assert_eq!(config.maintenance, expected);
    assert_eq!(
        (config.defaults.deletion_vectors, config.defaults.merge),
        (DeletionVectors::Off, MergeStrategy::Splice)
    );
    assert!(
        matches!(&config.connections["crm"], Connection::Snowflake(crm) if crm.account == "acme"),
        "{config:?}"
    );
    let [everybody, one] = config.notify.as_slice() else {
        panic!("two entries")
    };
    assert_eq!(
        everybody.on,
        [
            NotifyOn::Failed,
            NotifyOn::Rejects,
            NotifyOn::Succeeded,
            NotifyOn::NoFile
        ]
    );
    assert_eq!(everybody.to, NotifyTarget::Mail("ops@example.com".into()));
    assert!(everybody.process.includes("anything"));
    assert!(one.process.includes("loyalty") && !one.process.includes("loyalty_2"));
}

#[test]
fn how_files_are_written_is_said_in_a_table_of_its_own() {
    let text = r#"
format = 1
[write]
compression = "zstd(3)"
dictionary = "off"
dictionary_bytes = 4096
row_group_rows = 1_000_000
page_rows = 8192
"#;
    let config = parse_instance(text).unwrap();
    let expected = Encoding {
        compression: Compression::Zstd(3),
        dictionary: Dictionary::Off,
        dictionary_bytes: 4096,
        row_group_rows: 1_000_000,
        page_rows: 8192,
    };
    assert_eq!(config.encoding, expected);
}

#[test]
fn a_newer_format_is_the_only_problem_of_an_instance() {
    let problems = parse_instance("format = 2\nunheard_of = true\n").unwrap_err();
    let [problem] = problems.as_slice() else {
        panic!("{problems:#?}")
    };
    assert_eq!(problem.at, "format (line 1)");
    assert!(
        problem.what.contains("format 2") && problem.remedy.contains("newer Sluice"),
        "{problem}"
    );
}

#[test]
fn every_mistake_of_an_instance_is_reported_at_once() {
    let problems = parse_instance(
        r#"
format = 0
colour = "red"
[limits]
attributes_per_process = 0
record_bytes = "many"
folder_depth = -1
lease_seconds = 4
[defaults]
threads = 0
merge = "quickly"
deletion_vectors = true
time_zone = "Mars/Olympus"
max_rejects = "200%"
retention = "a while"
[maintenance]
auto = "sometimes"
overlap_files = 0
dead_percent = 101
piece = "much"
[write]
compression = "gzip"
dictionary = "maybe"
dictionary_bytes = 0
row_group_rows = 1000
page_rows = 1_000_000
[connections."Not A Name"]
[[notify]]
on = ["failure"]
to = "carrier pigeon"
[[notify]]
process = "A*"
"#,
    )
    .unwrap_err();
    let mut places: Vec<_> = problems
        .iter()
        .map(|p| p.at.split(" (line").next().unwrap())
        .collect();
    places.sort();
    assert_eq!(
        places,
        [
            "colour",
            "connections.Not A Name",
            "defaults.deletion_vectors",
            "defaults.max_rejects",
            "defaults.merge",
            "defaults.retention",
            "defaults.threads",
            "defaults.time_zone",
            "format",
            "limits.attributes_per_process",
            "limits.folder_depth",
            "limits.lease_seconds",
            "limits.record_bytes",
            "maintenance.auto",
            "maintenance.dead_percent",
            "maintenance.overlap_files",
            "maintenance.piece",
            "notify[0].on[0]",
            "notify[0].to",
            "notify[1].on",
            "notify[1].process",
            "notify[1].to",
            "write.compression",
            "write.dictionary",
            "write.dictionary_bytes",
            "write.page_rows",
            "write.row_group_rows",
        ],
        "{problems:#?}"
    );
}

#[test]
fn an_instance_says_its_format() {
    let problems = parse_instance("").unwrap_err();
    assert!(
        problems.len() == 1 && problems[0].remedy.contains("format = 1"),
        "{problems:#?}"
    );
    assert_eq!(
        parse_instance("format = ").unwrap_err()[0].at,
        "line 1, column 10"
    );
}
