//! Runs on a store that breaks: each ends in all customers, or in one message and none.

use sluice_engine::Error;
use sluice_engine::run::Report;

use super::broken::{Broken, Fault, Service};
use super::support::{Objects, csv, gcs_keys, gcs_keys_of_a_stranger, s3_keys, variable};
use crate::support::proxy::Proxy;
use crate::support::{Bench, failure, request};

/// An instance with a process that reads the object of `broken`; `more` are tables of its own.
async fn bench(broken: &Broken, service: Service, more: &str) -> Bench {
    let bench = Bench::with_config(&broken.connection(service, "c")).await;
    let toml = format!(
        "mode = \"register\"\nkey = \"cid\"\n[source]\nurl = \"{}\"\nconnection = \"c\"\n\
         [[attribute]]\ncolumn = \"tier\"\ntype = \"string\"\n{more}",
        service.url()
    );
    bench.process("p", &toml).await;
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
        Fault::ResetAfter(10),
    ];
    for service in Service::BOTH {
        let broken = Broken::with(&faults);
        let bench = bench(&broken, service, "").await;
        let report = bench.run(request("p", None)).await.unwrap();
        assert!(report.error.is_none(), "{service:?}: {:?}", report.error);
        assert!(broken.is_whole(), "{service:?}");
        assert_eq!(bench.customers().await, ["C1|Gold", "C2|Blue", "C3|Red"]);
    }
}

/// The run fails with these words, and nothing is merged.
async fn assert_one_message(service: Service, faults: &[Fault], words: &str) {
    let broken = Broken::with_lasting(&[faults, &[Fault::None]].concat());
    let bench = bench(&broken, service, "").await;
    let report = bench.run(request("p", None)).await;
    let error = assert_nothing_merged(&bench, &report).await;
    assert!(error.to_string().contains(words), "{service:?}: {words}: {error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_end_in_one_message_and_no_customer_when_faults_of_objects_stay() {
    let answer = |status: &str, body: &'static str| [Fault::None, Fault::answer(status, body)];
    for service in Service::BOTH {
        for (status, body, words) in [
            ("403 Forbidden", "<Code>AccessDenied</Code>", "denies access"),
            (
                "404 Not Found",
                "<Code>NoSuchKey</Code>",
                "the source file does not exist",
            ),
            (
                "404 Not Found",
                "<Code>NoSuchBucket</Code>",
                "the bucket does not exist",
            ),
            ("503 Busy\r\nretry-after: 900", "", "for longer than a run waits"),
        ] {
            assert_one_message(service, &answer(status, body), words).await;
        }
        let short = [Fault::None, Fault::Short(20)];
        assert_one_message(service, &short, "20 bytes came where 44 were asked for").await;
        // Found, then replaced before it is read, and after it was read.
        assert_one_message(service, &[Fault::Replaced], "source_changed").await;
        assert_one_message(service, &[Fault::None, Fault::Replaced], "source_changed").await;
    }
    let expired = answer("400 Bad Request", "<Code>ExpiredToken</Code>");
    assert_one_message(Service::S3, &expired, "the credentials have expired").await;
    let invalid = answer("401 Unauthorized", "<Code>AuthenticationRequired</Code>");
    assert_one_message(Service::Gcs, &invalid, "does not accept the credentials").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_a_pattern_take_whole_what_replaced_a_listed_object_or_say_that_it_changed() {
    let schedule = "[schedule]\nevery = \"24h\"\nstart = \"2026-01-01T03:00\"\n";
    for service in Service::BOTH {
        // Between the listing and the look at what was chosen: it is what is there by then.
        let broken = Broken::with(&[Fault::Replaced]);
        let replaced = bench(&broken, service, schedule).await;
        let report = replaced.run(request("p", None)).await.unwrap();
        assert!(report.error.is_none(), "{service:?}: {:?}", report.error);
        assert_eq!(report.run.source_etag.as_deref(), Some("\"two\""));
        assert_eq!(replaced.customers().await.len(), 3);
        // After that look.
        let broken = Broken::with(&[Fault::None, Fault::Replaced]);
        let replaced = bench(&broken, service, schedule).await;
        let report = replaced.run(request("p", None)).await;
        let error = assert_nothing_merged(&replaced, &report).await;
        assert_eq!(error.code(), Some("source_changed"), "{service:?}: {error}");
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

/// A run whose object, on the server at `server`, is replaced in the middle; `keys` has a place for the way there.
async fn replaced_while_it_is_read(objects: Objects, server: &str, keys: impl Fn(&str) -> String) {
    objects.put("a.csv", csv(300_000)).await;
    let proxy = Proxy::to(server.trim_start_matches("http://"));
    proxy.hold_after(1 << 20);
    objects.process("p", "a.csv", "").await;
    let mut bench = objects.bench;
    bench.configure(&format!(
        "[connections.store]\n{}root = \"{}/{}\"\n",
        keys(&format!("http://{}", proxy.address)),
        objects.place,
        objects.folder
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
    proxy.release();
    let (bench, report) = run.await.unwrap();
    let error = assert_nothing_merged(&bench, &report).await;
    assert_eq!(error.code(), Some("source_changed"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_merge_nothing_of_objects_that_are_replaced_while_they_are_read() {
    let server = variable("SLUICE_TEST_S3");
    let keys = |way: &str| s3_keys().replace(&server, way);
    replaced_while_it_is_read(Objects::s3().await, &server, keys).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_merge_nothing_of_objects_of_google_that_are_replaced_while_they_are_read() {
    let server = variable("SLUICE_TEST_GCS");
    let keys = |way: &str| format!("{}endpoint = \"{way}\"\n", gcs_keys());
    replaced_while_it_is_read(Objects::gcs().await, &server, keys).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_merge_nothing_of_objects_that_google_shows_only_to_another_account() {
    let objects = Objects::gcs().await;
    objects.put("a.csv", csv(3)).await;
    objects.process("p", "a.csv", "").await;
    let mut bench = objects.bench;
    let keys = gcs_keys_of_a_stranger(bench.folder.path());
    bench.configure(&format!("[connections.store]\n{keys}"));
    let report = bench.run(request("p", None)).await;
    let error = assert_nothing_merged(&bench, &report).await;
    assert!(
        error.to_string().contains("does not accept the credentials"),
        "{error}"
    );
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
