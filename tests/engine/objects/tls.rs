//! Buckets that are reached over TLS, whose certificates an authority of one's own has signed.

use std::path::Path;

use sluice_engine::source::{Sources, blocking, typed};

use super::support::{Objects, csv, gcs_keys_over_tls, s3_keys_over_tls, variable};
use crate::support::Bench;
use crate::support::proxy::Proxy;

async fn are_ingested(objects: Objects) {
    objects.put("a.csv", csv(5)).await;
    objects.process("p", "a.csv", "").await;
    let report = objects.run("p", None).await;
    assert_eq!(
        report.run.rows_accepted,
        Some(4),
        "{}: {:?}",
        objects.place,
        report.error
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_over_tls_are_ingested_where_the_connection_names_the_authority() {
    are_ingested(Objects::s3_over_tls().await).await;
    are_ingested(Objects::gcs_over_tls().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_over_tls_that_nobody_vouches_for_are_refused_at_once_with_the_remedy() {
    for (url, keys, server) in [
        ("s3://b/a.csv", s3_keys_over_tls(), "SLUICE_TEST_S3_TLS"),
        ("gs://b/a.csv", gcs_keys_over_tls(), "SLUICE_TEST_GCS_TLS"),
    ] {
        let server = variable(server);
        let proxy = Proxy::to(server.trim_start_matches("https://"));
        let line = format!("ca_file = \"{}\"\n", variable("SLUICE_TEST_CA"));
        let way = format!("https://localhost:{}", proxy.address.port());
        let keys = keys.replace(&line, "").replace(&server, &way);
        let bench = Bench::with_config(&format!("[connections.c]\n{keys}")).await;
        let sources = Sources::of(&bench.instance);
        let asked = typed(Path::new(url), Some("c")).unwrap();
        let error = blocking(move || sources.open(&asked)).await.unwrap_err();
        assert!(
            error.to_string().contains("certificate is not trusted"),
            "{url}: {error}"
        );
        assert!(error.hints()[0].contains("ca_file"), "{error:?}");
        assert!(error.hints()[0].contains("SSL_CERT_FILE"), "{error:?}");
        assert_eq!(proxy.num_connections(), 1, "{url}: asking again changes nothing");
    }
}
