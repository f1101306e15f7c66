//! A store that breaks in every way: each fault ends in the bytes, or in one message with a remedy.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use sluice_engine::source::objects::{ObjectFiles, Patience};
use sluice_engine::source::{Store, Version, wait};
use sluice_engine::spec::parse_instance;
use sluice_engine::{Error, Result};

use super::broken::{Broken, CONTENT, ETAG, Fault};

/// A store's files, through a client that waits so long for an answer.
fn files(broken: &Broken, answer: Duration) -> Arc<ObjectFiles> {
    let config = parse_instance(&format!("format = 1\n{}", broken.connection("c"))).unwrap();
    let connection = Some(&config.connections["c"]);
    let patience = Patience {
        answer,
        ..Patience::default()
    };
    Arc::new(ObjectFiles::connect_with("s3://b/a.csv", connection, Path::new("/"), &patience).unwrap())
}

fn read(broken: &Broken, etag: &str) -> Result<Vec<u8>> {
    read_within(broken, etag, Duration::from_secs(60))
}

fn read_within(broken: &Broken, etag: &str, answer: Duration) -> Result<Vec<u8>> {
    let version = Version {
        size_bytes: CONTENT.len() as u64,
        modified_ns: 0,
        etag: Some(etag.to_owned()),
    };
    let files = files(broken, answer);
    let bytes = wait(async move { files.read("a.csv", &version, 0..version.size_bytes).await })?;
    Ok(bytes.to_vec())
}

fn refused(faults: &[Fault]) -> Error {
    let error = read(&Broken::with_lasting(faults), ETAG).unwrap_err();
    assert!(!error.hints().is_empty(), "{error:?}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    error
}

#[test]
fn faults_that_pass_end_in_the_bytes_of_objects() {
    let busy = Fault::answer("503 Service Unavailable", "");
    let too_many = Fault::answer("429 Too Many Requests", "");
    let failed = Fault::answer("500 Internal Server Error", "<Code>InternalError</Code>");
    for faults in [
        vec![],
        vec![busy, too_many],
        vec![Fault::Closed],
        vec![Fault::Reset, Fault::Reset],
        vec![Fault::CutAfter(10), Fault::CutAfter(7)],
        vec![Fault::CutAfter(0), Fault::Closed],
        vec![failed],
    ] {
        let broken = Broken::with(&faults);
        assert_eq!(read(&broken, ETAG).unwrap(), CONTENT, "{faults:?}");
        assert!(broken.is_whole(), "{faults:?}");
    }
}

#[test]
fn faults_of_silence_end_in_the_bytes_of_objects_that_are_asked_for_again() {
    for faults in [
        vec![Fault::SilentAfter(0)],
        vec![Fault::SilentAfter(9), Fault::SilentAfter(9)],
    ] {
        let broken = Broken::with(&faults);
        let bytes = read_within(&broken, ETAG, Duration::from_millis(300)).unwrap();
        assert_eq!(bytes, CONTENT, "{faults:?}");
        assert!(broken.is_whole(), "{faults:?}");
    }
}

#[test]
fn faults_that_name_a_time_have_objects_asked_for_again_when_it_is_over() {
    // Written in whole seconds: at least two of them are left.
    let moment = || (Utc::now() + Duration::from_secs(3)).format("%a, %d %b %Y %H:%M:%S GMT");
    let asks: [&dyn Fn() -> String; 3] = [
        &|| "503 Service Unavailable\r\nretry-after: 2".to_owned(),
        &|| "429 Too Many Requests\r\nretry-after: 2".to_owned(),
        &|| format!("503 Slow Down\r\nretry-after: {}", moment()),
    ];
    for ask in asks {
        let status = ask();
        let broken = Broken::with(&[Fault::answer(&status, "")]);
        let begun = Instant::now();
        assert_eq!(read(&broken, ETAG).unwrap(), CONTENT, "{status}");
        let took = begun.elapsed();
        let range = Duration::from_millis(1900)..Duration::from_secs(6);
        assert!(range.contains(&took), "{status}: {took:?}");
    }
}

#[test]
fn faults_that_name_a_time_too_far_away_end_at_once_in_words_about_objects() {
    let begun = Instant::now();
    let error = refused(&[Fault::answer("503 Service Unavailable\r\nretry-after: 3600", "")]);
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(
        error.to_string().contains("for longer than a run waits"),
        "{error}"
    );
    assert!(error.to_string().contains("3600 s"), "{error}");
}

#[test]
fn faults_that_stay_end_in_words_about_objects() {
    for (status, body, words) in [
        (
            "400 Bad Request",
            "<Error><Code>ExpiredToken</Code></Error>",
            "credentials have expired",
        ),
        (
            "403 Forbidden",
            "<Error><Code>AccessDenied</Code></Error>",
            "denies access",
        ),
        (
            "403 Forbidden",
            "<Error><Code>SignatureDoesNotMatch</Code></Error>",
            "secret key",
        ),
        (
            "404 Not Found",
            "<Error><Code>NoSuchKey</Code></Error>",
            "does not exist",
        ),
        (
            "404 Not Found",
            "<Error><Code>NoSuchBucket</Code></Error>",
            "bucket does not exist",
        ),
        ("301 Moved Permanently", "", "another region"),
    ] {
        let error = refused(&[Fault::answer(status, body)]);
        assert!(error.to_string().contains(words), "{status}: {error}");
    }
}

#[test]
fn faults_outlive_the_patience_with_objects_in_the_end() {
    let busy = refused(&[Fault::answer(
        "503 Slow Down",
        "<Error><Code>SlowDown</Code></Error>",
    )]);
    assert!(busy.to_string().contains("slow down"), "{busy}");
    let cut = refused(&[Fault::CutAfter(0)]);
    assert_eq!(cut.class(), sluice_engine::Class::Runtime, "{cut}");
}

#[test]
fn faults_are_not_taken_for_another_version_of_objects() {
    let error = read(&Broken::with(&[]), "\"two\"").unwrap_err();
    assert_eq!(error.code(), Some("source_changed"), "{error}");
}
