//! What is visible, and what is said of what is not there.

use std::path::Path;

use sluice_engine::Error;
use sluice_engine::instance::Instance;
use sluice_engine::source::{Listing, Sources, blocking, typed};

use super::support::{Objects, csv, s3_keys, variable};

async fn list(objects: &Objects, place: &str, connection: Option<&str>) -> Listing {
    let sources = Sources::of(&objects.bench.instance);
    let (place, connection) = (place.to_owned(), connection.map(str::to_owned));
    blocking(move || sources.list(&place, connection.as_deref()))
        .await
        .unwrap()
}

async fn open(instance: &Instance, url: &str, connection: &str) -> Error {
    let sources = Sources::of(instance);
    let asked = typed(Path::new(url), Some(connection)).unwrap();
    blocking(move || sources.open(&asked)).await.unwrap_err()
}

async fn two_folders_are_visible(objects: Objects) {
    for name in [
        "x.csv",
        "a/y.csv.gz",
        "a/b/z.parquet",
        "a/b/c/1.csv",
        "a/b/c/d/2.csv",
    ] {
        objects.put(name, csv(1)).await;
    }
    let listing = list(&objects, "store", None).await;
    let urls: Vec<&str> = listing.files.iter().map(|file| file.url.as_str()).collect();
    let expected = ["a/b/z.parquet", "a/y.csv.gz", "x.csv"].map(|name| objects.url(name));
    assert_eq!(urls, expected);
    assert_eq!((listing.deeper_files, listing.are_more_deeper), (2, false));
    let below = list(&objects, &objects.url("a/b/"), Some("store")).await;
    assert_eq!((below.files.len(), below.deeper_files), (1, 2));

    let instance = &objects.bench.instance;
    let error = open(instance, &objects.url("a/b/c/1.csv"), "store").await;
    assert!(error.to_string().contains("3 nested folders"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_s3_are_visible_two_folders_deep() {
    two_folders_are_visible(Objects::s3().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_gcs_are_visible_two_folders_deep() {
    two_folders_are_visible(Objects::gcs().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_are_not_there_buckets_and_wrong_keys_are_told_apart() {
    let objects = Objects::s3().await;
    let root = objects.bench.instance.base();
    let bucket = variable("SLUICE_TEST_S3_BUCKET");
    let wrong = s3_keys().replace("SLUICE_TEST_S3_SECRET", "SLUICE_TEST_S3_KEY");
    let unknown = s3_keys().replace(&variable("SLUICE_TEST_S3_KEY"), "nobody");
    let dead = s3_keys().replace(&variable("SLUICE_TEST_S3"), "http://127.0.0.1:9");
    let config = format!(
        "format = 1\n[connections.good]\n{}[connections.wrong]\n{wrong}[connections.unknown]\n{unknown}\
         [connections.dead]\n{dead}",
        s3_keys()
    );
    std::fs::write(root.join("sluice.toml"), config).unwrap();
    let instance = Instance::open(root).await.unwrap();
    let file = format!("s3://{bucket}/gone.csv");
    for (url, connection, words) in [
        (file.as_str(), "good", "source file does not exist"),
        ("s3://no-such-bucket-here/a.csv", "good", "bucket does not exist"),
        (file.as_str(), "wrong", "denies access"),
        (file.as_str(), "unknown", "denies access"),
        (file.as_str(), "dead", "cannot be reached"),
    ] {
        let error = open(&instance, url, connection).await;
        assert!(error.to_string().contains(words), "{url} {connection}: {error}");
        assert!(!error.hints().is_empty(), "{error:?}");
        let secret = variable("SLUICE_TEST_S3_SECRET");
        assert!(!format!("{error:?}").contains(&secret), "{error:?}");
    }
}
