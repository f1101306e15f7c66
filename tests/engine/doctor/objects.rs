//! Buckets on real servers.

use sluice_engine::doctor::Check;

use super::support::{assert_failed, examined, examined_with, failed, outcome};
use crate::objects::support::{Objects, csv, gcs_keys_of_a_stranger, s3_keys, s3_keys_over_tls, variable};

async fn a_bucket_that_is_well_passes(objects: Objects) {
    objects.put("a.csv", csv(3)).await;
    objects.process("p", "a.csv", "").await;
    let findings = examined(&objects.bench, Some("store")).await;
    assert_eq!(failed(&findings), [""; 0], "{findings:#?}");
    assert!(
        outcome(&findings, Check::List)
            .seen()
            .starts_with("1 objects in ")
    );
    assert!(outcome(&findings, Check::Read).seen().ends_with("a.csv"));
    assert_eq!(outcome(&findings, Check::Source).seen(), objects.url("a.csv"));
    assert_eq!(outcome(&findings, Check::Clock).word(), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_s3_that_is_well_passes_every_check() {
    a_bucket_that_is_well_passes(Objects::s3().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_gcs_that_is_well_passes_every_check() {
    a_bucket_that_is_well_passes(Objects::gcs().await).await;
}

async fn a_bucket_whose_authority_is_named_passes(objects: Objects) {
    objects.put("a.csv", csv(3)).await;
    objects.process("p", "a.csv", "").await;
    let findings = examined(&objects.bench, Some("store")).await;
    assert_eq!(failed(&findings), [""; 0], "{findings:#?}");
    let tls = outcome(&findings, Check::Encryption);
    assert_eq!(
        (tls.word(), tls.seen()),
        ("ok", "encrypted, the certificate is trusted")
    );
    assert!(outcome(&findings, Check::Read).seen().ends_with("a.csv"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_s3_over_tls_passes_where_its_authority_is_named() {
    a_bucket_whose_authority_is_named_passes(Objects::s3_over_tls().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_gcs_over_tls_passes_where_its_authority_is_named() {
    a_bucket_whose_authority_is_named_passes(Objects::gcs_over_tls().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_over_tls_whose_authority_nobody_names_fails_at_tls_with_what_to_write() {
    let line = format!("ca_file = \"{}\"\n", variable("SLUICE_TEST_CA"));
    let keys = s3_keys_over_tls().replace(&line, "");
    let findings = examined_with(&format!("[connections.c]\nroot = \"s3://b\"\n{keys}")).await;
    assert_failed(
        &findings,
        Check::Encryption,
        "invalid peer certificate",
        "ca_file",
    );
    let lost = keys + "ca_file = \"lost.pem\"\n";
    let findings = examined_with(&format!("[connections.c]\nroot = \"s3://b\"\n{lost}")).await;
    assert_eq!(failed(&findings), ["secrets", "tls"], "{findings:#?}");
    assert!(outcome(&findings, Check::Secrets).seen().contains("lost.pem"));
}

fn s3(place: &str) -> String {
    format!("[connections.c]\nroot = \"s3://{place}\"\n{}", s3_keys())
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_s3_does_not_believe_fail_at_authentication() {
    let bucket = variable("SLUICE_TEST_S3_BUCKET");
    for (wrong, right, words) in [
        (
            "SLUICE_TEST_S3_KEY",
            "SLUICE_TEST_S3_SECRET",
            "secret key does not belong",
        ),
        (
            "nobody",
            &variable("SLUICE_TEST_S3_KEY"),
            "does not know the access key",
        ),
    ] {
        let findings = examined_with(&s3(&bucket).replace(right, wrong)).await;
        assert_failed(&findings, Check::Login, words, "access_key");
        assert_eq!(outcome(&findings, Check::List).seen(), "needs authentication");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_not_there_fails_at_the_listing() {
    let findings = examined_with(&s3("no-such-bucket-here")).await;
    assert_failed(
        &findings,
        Check::List,
        "the bucket does not exist",
        "check its name",
    );
    assert_eq!(outcome(&findings, Check::Login).word(), "ok");
    assert_eq!(outcome(&findings, Check::Read).seen(), "needs list");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_was_taken_away_fails_where_it_is_needed() {
    let objects = Objects::s3().await;
    objects.put("a.csv", csv(3)).await;
    let place = objects.url("").trim_start_matches("s3://").to_owned();
    let with_key = |variable_of_key: &str| {
        let key = format!("\"{}\"", variable(variable_of_key));
        s3(&place).replace(&format!("\"{}\"", variable("SLUICE_TEST_S3_KEY")), &key)
    };
    let nothing = examined_with(&with_key("SLUICE_TEST_S3_POOR_KEY")).await;
    assert_failed(&nothing, Check::List, "denies access", "listing are allowed");
    let list_alone = examined_with(&with_key("SLUICE_TEST_S3_LIST_KEY")).await;
    assert_failed(
        &list_alone,
        Check::Read,
        "denies access",
        "reading and listing are allowed",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_names_no_bucket_takes_that_of_a_process_or_says_what_to_write() {
    let objects = Objects::s3().await;
    objects.put("a.csv", csv(3)).await;
    let mut bench = objects.bench;
    bench.configure(&format!("[connections.store]\n{}", s3_keys()));
    let findings = examined(&bench, Some("store")).await;
    assert!(
        outcome(&findings, Check::Login).seen().contains("write root"),
        "{findings:#?}"
    );
    let url = format!("{}/{}/a.csv", objects.place, objects.folder);
    let toml = format!(
        "mode = \"register\"\nkey = \"cid\"\n[source]\nurl = \"{url}\"\nconnection = \"store\"\n\
         [[attribute]]\ncolumn = \"tier\"\ntype = \"string\"\n"
    );
    bench.process("p", &toml).await;
    let findings = examined(&bench, Some("store")).await;
    assert!(
        outcome(&findings, Check::Read).seen().ends_with("a.csv"),
        "{findings:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_google_whose_key_is_another_fails_at_authentication() {
    let folder = tempfile::tempdir().unwrap();
    let keys = gcs_keys_of_a_stranger(folder.path());
    let bucket = variable("SLUICE_TEST_GCS_BUCKET");
    let findings = examined_with(&format!("[connections.c]\nroot = \"gs://{bucket}\"\n{keys}")).await;
    assert_failed(
        &findings,
        Check::Login,
        "does not accept the credentials",
        "check them",
    );
}
