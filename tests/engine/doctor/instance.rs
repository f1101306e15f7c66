//! The instance itself.

use sluice_engine::Settings;
use sluice_engine::doctor::{Check, Finding};

use super::support::{assert_failed, examined, failed, outcome};
use crate::support::{Bench, definition};

/// What was found of one table.
fn of_table<'a>(findings: &'a [Finding], table: &str) -> &'a Finding {
    let subject = format!("table {table}");
    findings
        .iter()
        .find(|finding| finding.subject == subject)
        .unwrap()
}

#[tokio::test]
async fn an_instance_that_is_well_passes_every_check_and_nothing_is_left_in_it() {
    let bench = Bench::new().await;
    let files = || {
        let folder = bench.instance.base().to_owned();
        let entries = std::fs::read_dir(folder.join("customers")).unwrap();
        entries.chain(std::fs::read_dir(&folder).unwrap()).count()
    };
    let before = files();
    let findings = examined(&bench, None).await;
    assert!(
        findings.iter().all(|finding| finding.outcome.word() == "ok"),
        "{findings:#?}"
    );
    assert_eq!(findings.len(), 9);
    assert_eq!(files(), before);
    let seen = outcome(&findings, Check::Config).seen();
    assert_eq!(seen, "format 1, 0 connections, 0 processes");
}

#[tokio::test]
async fn an_instance_that_cannot_be_written_fails_that_check_and_those_that_rest_on_it_are_skipped() {
    let bench = Bench::new().await;
    let customers = bench.instance.base().join("customers");
    std::fs::rename(&customers, bench.instance.base().join("gone")).unwrap();
    std::fs::write(&customers, "").unwrap();
    let findings = examined(&bench, None).await;
    assert_eq!(failed(&findings), ["write", "delta protocol"]);
    assert_eq!(outcome(&findings, Check::Create).seen(), "needs write");
    assert!(
        outcome(&findings, Check::Write)
            .remedy()
            .unwrap()
            .contains("let the user")
    );
    assert!(of_table(&findings, "customers").is_failure());
}

#[tokio::test]
async fn a_table_that_another_program_raised_is_named_with_what_it_demands() {
    let bench = Bench::new().await;
    let commit = bench
        .instance
        .base()
        .join("runs/_delta_log/00000000000000000001.json");
    let protocol = r#"{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],
        "writerFeatures":["deletionVectors","rowTracking","domainMetadata"]}}"#;
    std::fs::write(commit, protocol.replace('\n', "")).unwrap();
    let findings = examined(&bench, None).await;
    assert_eq!(failed(&findings), ["delta protocol"]);
    let runs = of_table(&findings, "runs");
    assert!(
        runs.outcome
            .seen()
            .contains("not known here: domainMetadata, rowTracking"),
        "{runs:?}"
    );
    assert!(
        runs.outcome.remedy().unwrap().contains("update sluice"),
        "{runs:?}"
    );
}

#[tokio::test]
async fn less_room_on_disk_than_memory_fails() {
    let mut bench = Bench::new().await;
    bench.settings = Settings {
        memory_bytes: usize::MAX,
        ..bench.settings
    };
    let findings = examined(&bench, None).await;
    assert_failed(&findings, Check::Space, "free in", "TMPDIR");
}

#[tokio::test]
async fn a_process_whose_source_is_gone_is_told() {
    let bench = Bench::new().await;
    bench
        .process("p", &definition("register", &["tier=string"], ""))
        .await;
    let findings = examined(&bench, None).await;
    assert_failed(&findings, Check::Source, "does not exist", "check the path");
    std::fs::write(bench.instance.base().join("none.csv"), "cid,tier\n").unwrap();
    assert_eq!(failed(&examined(&bench, None).await), [""; 0]);
}

#[tokio::test]
async fn a_connection_that_nobody_wrote_down_is_an_error_with_those_that_are() {
    let bench = Bench::with_config("[connections.c]\ntype = \"sftp\"\nhost = \"h\"\n").await;
    let error = sluice_engine::doctor::examine(&bench.instance, &bench.settings, Some("d"))
        .await
        .unwrap_err();
    assert_eq!(error.class().exit_code(), 2);
    assert!(error.hints()[0].contains("use one of c"), "{:?}", error.hints());
}
