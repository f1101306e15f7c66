//! Runs on a store that breaks: each ends in all customers, or in one message and none.

use sluice_engine::Error;
use sluice_engine::run::Report;

use super::broken::{Broken, Fault};
use super::support::{Objects, csv, s3_keys, variable};
use crate::support::proxy::{Fault as Way, Proxy};
use crate::support::{Bench, failure, request};

/// An instance with a process that reads the object of `broken`.
async fn bench(broken: &Broken) -> Bench {
    let bench = Bench::with_config(&broken.connection("c")).await;
    let toml = "mode = \"register\"\nkey = \"cid\"\n[source]\nurl = \"s3://b/a.csv\"\nconnection = \"c\"\n\
                [[attribute]]\ncolumn = \"tier\"\ntype = \"string\"\n";
    bench.process("p", toml).await;
    bench
}

/// The run failed, nothing is merged, and the message has a remedy and no secret.
async fn assert_nothing_merged<'a>(bench: &Bench, report: &'a sluice_engine::Result<Report>) -> &'a Error {
    let error = failure(report);
    assert!(!error.hints().is_empty(), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    assert_eq!(bench.cell("SELECT count(*) FROM customers").await, "0", "{error}");
    assert_eq!(bench.cell("SELECT count(*) FROM rejects").await, "0", "{error}");
    let runs = bench.rows("SELECT status, error IS NOT NULL FROM runs").await;
    assert_eq!(runs, ["failed|true"], "{error}");
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_outlive_faults_of_objects_that_pass() {
    let busy = Fault::answer("503 Service Unavailable\r\nretry-after: 1", "");
    let faults = [
        Fault::Closed,
        busy,
        Fault::None,
        Fault::Reset,
        Fault::CutAfter(20),
    ];
    let broken = Broken::with(&faults);
    let bench = bench(&broken).await;
    let report = bench.run(request("p", None)).await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    assert!(broken.is_whole());
    assert_eq!(bench.customers().await, ["C1|Gold", "C2|Blue", "C3|Red"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_end_in_one_message_and_no_customer_when_faults_of_objects_stay() {
    let answer = |status: &str, body: &'static str| vec![Fault::None, Fault::answer(status, body)];
    for (faults, words) in [
        (
            answer("400 Bad Request", "<Code>ExpiredToken</Code>"),
            "the credentials have expired",
        ),
        (
            answer("403 Forbidden", "<Code>AccessDenied</Code>"),
            "the store denies access",
        ),
        (
            answer("404 Not Found", "<Code>NoSuchKey</Code>"),
            "the source file does not exist",
        ),
        (
            answer("404 Not Found", "<Code>NoSuchBucket</Code>"),
            "the bucket does not exist",
        ),
        (
            answer("503 Busy\r\nretry-after: 900", ""),
            "for longer than a run waits",
        ),
        (
            vec![Fault::None, Fault::Short(20)],
            "20 bytes came where 44 were asked for",
        ),
        // Found, then replaced before it is read, and after it was read.
        (vec![Fault::Replaced], "source_changed"),
        (vec![Fault::None, Fault::Replaced], "source_changed"),
    ] {
        let broken = Broken::with_lasting(&[faults, vec![Fault::None]].concat());
        let bench = bench(&broken).await;
        let report = bench.run(request("p", None)).await;
        let error = assert_nothing_merged(&bench, &report).await;
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_merge_nothing_of_objects_that_were_cut_off_when_they_were_uploaded() {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(csv(2000).as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    for (name, content) in [
        ("a.csv.gz", &gzip[..gzip.len() / 2]),
        ("a.parquet", b"PAR1 and no more"),
    ] {
        let objects = Objects::s3().await;
        objects.put(name, content).await;
        objects.process("p", name, "").await;
        let report = Ok(objects.run("p", None).await);
        let error = assert_nothing_merged(&objects.bench, &report).await;
        assert_eq!(error.code(), Some("source_corrupt"), "{name}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_merge_nothing_of_objects_that_are_replaced_while_they_are_read() {
    let objects = Objects::s3().await;
    objects.put("a.csv", csv(300_000)).await;
    let server = variable("SLUICE_TEST_S3");
    let proxy = Proxy::to(server.trim_start_matches("http://"));
    for _ in 0..40 {
        proxy.next(Way::Delay(std::time::Duration::from_millis(400)));
    }
    objects.process("p", "a.csv", "").await;
    let keys = s3_keys().replace(&server, &format!("http://{}", proxy.address));
    let mut bench = objects.bench;
    bench.configure(&format!(
        "[connections.store]\n{keys}root = \"{}/{}\"\n",
        objects.place, objects.folder
    ));
    let run = datafusion::common::runtime::SpawnedTask::spawn(async move {
        let report = bench.run(request("p", None)).await;
        (bench, report)
    });
    while proxy.passed_bytes() < 1 << 20 {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let key = object_store::path::Path::from(format!("{}/a.csv", objects.folder));
    let other = object_store::PutPayload::from(csv(299_999));
    object_store::ObjectStoreExt::put(objects.store.as_ref(), &key, other)
        .await
        .unwrap();
    let (bench, report) = run.await.unwrap();
    let error = assert_nothing_merged(&bench, &report).await;
    assert_eq!(error.code(), Some("source_changed"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_merge_nothing_of_objects_that_may_not_be_read_or_are_in_no_bucket() {
    let objects = Objects::s3().await;
    objects.put("a.csv", csv(3)).await;
    objects.process("p", "a.csv", "").await;
    let key = format!("\"{}\"", variable("SLUICE_TEST_S3_KEY"));
    let secret = "SLUICE_TEST_S3_SECRET";
    let mut bench = objects.bench;
    for (keys, words) in [
        (s3_keys().replace(secret, "SLUICE_TEST_S3_KEY"), "denies access"),
        (s3_keys().replace(&key, "\"nobody\""), "denies access"),
        (
            s3_keys().replace(&key, &format!("\"{}\"", variable("SLUICE_TEST_S3_LIST_KEY"))),
            "denies access",
        ),
    ] {
        bench.configure(&format!("[connections.store]\n{keys}"));
        let report = bench.run(request("p", None)).await;
        let error = failure(&report);
        assert!(error.to_string().contains(words), "{words}: {error}");
        assert!(!error.hints().is_empty());
    }
    assert_eq!(bench.cell("SELECT count(*) FROM customers").await, "0");
    let runs = bench
        .cell("SELECT count(*) FROM runs WHERE status = 'failed'")
        .await;
    assert_eq!(runs, "3");
}
