//! An object that is replaced while it is read.

use std::path::Path;

use sluice_engine::source::{Sources, blocking, typed};

use super::support::{Objects, csv};

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_are_replaced_after_they_were_found_are_not_read() {
    let objects = Objects::s3().await;
    objects.put("a.csv", csv(200_000)).await;
    let sources = Sources::of(&objects.bench.instance);
    let asked = typed(Path::new(&objects.url("a.csv")), Some("store")).unwrap();
    let found = blocking(move || sources.open(&asked)).await.unwrap();
    let mut parts = found.parts(0).unwrap();
    let (first, parts) = blocking(move || Ok((parts.next_part()?, parts))).await.unwrap();
    assert!(first.is_some());

    objects.put("a.csv", csv(200_001)).await;
    let mut parts = parts;
    let error = blocking(move || {
        while parts.next_part()?.is_some() {}
        Ok(())
    })
    .await
    .unwrap_err();
    assert_eq!(error.code(), Some("source_changed"), "{error}");
    let error = blocking(move || found.check_unchanged()).await.unwrap_err();
    assert_eq!(error.code(), Some("source_changed"), "{error}");
}
