//! Objects become customers, whatever they hold.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use sluice_engine::process::{self, Ingest};
use sluice_engine::source::{Sources, blocking, typed};

use super::support::{Objects, csv};
use crate::support::request;

fn gzip(content: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn parquet(num_rows: usize) -> Vec<u8> {
    let column = |make: &dyn Fn(usize) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((0..num_rows).map(make)))
    };
    let columns = [
        ("cid", column(&|row| format!("P{row}"))),
        ("tier", column(&|_| "Blue".to_owned())),
        ("spend", column(&|row| format!("{row}.50"))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

async fn an_object_is_ingested_once(objects: Objects) {
    objects.put("in/customers.csv", csv(5)).await;
    objects.process("p", "in/customers.csv", "").await;
    let report = objects.run("p", None).await;
    assert!(report.error.is_none(), "{:?}", report.error);
    assert_eq!(report.run.rows_rejected, Some(1));
    let url = objects.url("in/customers.csv");
    assert_eq!(report.run.source_file.as_deref(), Some(url.as_str()));
    assert_eq!(report.run.source_size_bytes, Some(csv(5).len() as u64));
    assert!(report.run.source_etag.is_some());
    let bench = &objects.bench;
    assert_eq!(bench.cell("SELECT count(*) FROM customers").await, "4");
    assert_eq!(bench.cell("SELECT source_file FROM rejects").await, url);

    assert_eq!(objects.run("p", None).await.run.status.word(), "skipped");
    objects.put("in/customers.csv", csv(6)).await;
    let changed = objects.run("p", None).await;
    assert_eq!(changed.run.rows_inserted, Some(1), "{:?}", changed.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_s3_are_ingested_once_and_again_when_they_change() {
    an_object_is_ingested_once(Objects::s3().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_gcs_are_ingested_once_and_again_when_they_change() {
    an_object_is_ingested_once(Objects::gcs().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_every_format_are_read() {
    let objects = Objects::s3().await;
    objects.put("a.csv", csv(3)).await;
    objects.put("a.csv.gz", gzip(&csv(40))).await;
    objects
        .put("a.csv.zst", zstd::encode_all(csv(50).as_bytes(), 3).unwrap())
        .await;
    objects.put("a.parquet", parquet(60)).await;
    let line = "{\"cid\":\"N1\",\"tier\":\"Red\",\"spend\":1.5}\n";
    objects.put("a.ndjson", line).await;
    objects.process("p", "a.csv", "").await;
    for (name, rows) in [
        ("a.csv", 3),
        ("a.csv.gz", 40),
        ("a.csv.zst", 50),
        ("a.parquet", 60),
        ("a.ndjson", 1),
    ] {
        let report = objects.run("p", Some(name)).await;
        assert!(report.error.is_none(), "{name}: {:?}", report.error);
        assert_eq!(report.run.rows_read, Some(rows), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_larger_than_what_is_fetched_at_once_give_every_record_its_place() {
    let objects = Objects::s3().await;
    let text = csv(300_000);
    assert!(text.len() > 10 << 20);
    objects.put("large.csv", &text).await;
    let local = objects.bench.file("large.csv", &text);
    let count = "SELECT count(*), sum(record_no), sum(byte_start), sum(line) FROM source";
    let remote = format!("{count}('{}', 'connection', 'store')", objects.url("large.csv"));
    let expected = objects
        .bench
        .table(&format!("{count}('{}')", local.display()))
        .await;
    assert_eq!(objects.bench.table(&remote).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_previewed_and_ingested_by_a_line_alone() {
    let objects = Objects::s3().await;
    objects.put("Crm Export.csv", csv(100)).await;
    let url = objects.url("Crm Export.csv");
    let sources = Sources::of(&objects.bench.instance);
    let shown = url.clone();
    let preview = blocking(move || {
        let source = sources.open(&typed(Path::new(&shown), Some("store"))?)?;
        sluice_engine::preview::preview(&source, &shown, Some("store"))
    })
    .await
    .unwrap();
    let line = preview.suggestion.ingest_line.unwrap();
    assert!(
        line.contains("--connection store") && line.contains(&url),
        "{line}"
    );

    let ingest = Ingest {
        file: (&url).into(),
        connection: Some("store".to_owned()),
        key: "cid".to_owned(),
        attributes: vec!["tier=string".to_owned()],
        mode: "register".to_owned(),
        name: None,
    };
    let instance = &objects.bench.instance;
    let name = process::ensure(instance, &ingest).await.unwrap();
    let report = objects
        .bench
        .run(request(&name, Some(Path::new(&url))))
        .await
        .unwrap();
    assert_eq!(report.run.rows_inserted, Some(100), "{:?}", report.error);
    // The connection is the process's from now on.
    let again = Ingest {
        connection: None,
        ..ingest
    };
    assert_eq!(process::ensure(instance, &again).await.unwrap(), name);
}
