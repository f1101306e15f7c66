//! A recurring process takes the last modified file of its pattern.

use super::support::{Objects, csv};

const SCHEDULE: &str = "[schedule]\nevery = \"24h\"\nstart = \"2026-01-01T03:00\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_a_pattern_are_taken_newest_first_and_keep_their_name() {
    let objects = Objects::s3().await;
    objects.put("Customers.csv", csv(2)).await;
    objects.put("Other_1.csv", csv(9)).await;
    objects.process("p", "Customers.csv", SCHEDULE).await;
    let first = objects.run("p", None).await;
    assert_eq!(first.run.rows_read, Some(2), "{:?}", first.error);

    objects.put("Customers_2.csv", csv(4)).await;
    objects.put("Customers_3.csv", "").await;
    let second = objects.run("p", None).await;
    assert_eq!(second.run.source_file, Some(objects.url("Customers_2.csv")));
    assert_eq!(second.run.rows_read, Some(4), "{:?}", second.error);
    assert_eq!(objects.run("p", None).await.run.status.word(), "skipped");

    let named = objects.run("p", Some("Other_1.csv")).await;
    assert_eq!(named.run.rows_read, Some(9), "{:?}", named.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_are_not_there_yet_have_a_recurring_process_skip() {
    let objects = Objects::s3().await;
    objects.put("later/Customers.csv", "").await;
    objects.process("p", "later/Customers.csv", SCHEDULE).await;
    let report = objects.run("p", None).await;
    assert_eq!(report.run.status.word(), "skipped", "{:?}", report.error);
    assert_eq!(report.run.source_file, None);
    assert!(
        report.warnings[0].contains("Customers_%.csv"),
        "{:?}",
        report.warnings
    );
    assert_eq!(objects.bench.cell("SELECT status FROM runs").await, "skipped");
}
