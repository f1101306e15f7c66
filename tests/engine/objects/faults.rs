//! A store that breaks in every way: each fault ends in the bytes, or in one message with a remedy.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use sluice_engine::source::objects::{ObjectFiles, Patience};
use sluice_engine::source::{Store, Version, wait};
use sluice_engine::spec::parse_instance;
use sluice_engine::{Error, Result};

use super::broken::{Broken, CONTENT, ETAG, Fault, Service};

/// A store's files, through a client that waits so long for an answer.
fn files(broken: &Broken, service: Service, answer: Duration) -> Arc<ObjectFiles> {
    let config = parse_instance(&format!("format = 1\n{}", broken.connection(service, "c"))).unwrap();
    let connection = Some(&config.connections["c"]);
    let patience = Patience {
        answer,
        ..Patience::default()
    };
    Arc::new(ObjectFiles::connect_with(service.url(), connection, Path::new("/"), &patience).unwrap())
}

fn read(broken: &Broken, service: Service, etag: &str) -> Result<Vec<u8>> {
    read_within(broken, service, etag, Duration::from_secs(60))
}

fn read_within(broken: &Broken, service: Service, etag: &str, answer: Duration) -> Result<Vec<u8>> {
    let version = Version {
        size_bytes: CONTENT.len() as u64,
        modified_ns: 0,
        etag: Some(etag.to_owned()),
    };
    let files = files(broken, service, answer);
    let bytes = wait(async move { files.read("a.csv", &version, 0..version.size_bytes).await })?;
    Ok(bytes.to_vec())
}

fn refused(service: Service, faults: &[Fault]) -> Error {
    let error = read(&Broken::with_lasting(faults), service, ETAG).unwrap_err();
    assert!(!error.hints().is_empty(), "{service:?}: {error:?}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    error
}

/// Each fault with each service's client.
fn with_both(faults: Vec<Vec<Fault>>) -> impl Iterator<Item = (Service, Vec<Fault>)> {
    let of_service = move |service| faults.clone().into_iter().map(move |faults| (service, faults));
    Service::BOTH.into_iter().flat_map(of_service)
}

#[test]
fn faults_that_pass_end_in_the_bytes_of_objects() {
    let busy = Fault::answer("503 Service Unavailable", "");
    let too_many = Fault::answer("429 Too Many Requests", "");
    let failed = Fault::answer("500 Internal Server Error", "<Code>InternalError</Code>");
    for (service, faults) in with_both(vec![
        vec![],
        vec![busy, too_many],
        vec![Fault::Closed],
        vec![Fault::Reset, Fault::Reset],
        vec![Fault::CutAfter(10), Fault::CutAfter(7)],
        vec![Fault::CutAfter(0), Fault::Closed],
        vec![Fault::ResetAfter(10), Fault::ResetAfter(0)],
        vec![failed],
    ]) {
        let broken = Broken::with(&faults);
        let bytes = read(&broken, service, ETAG);
        assert_eq!(bytes.unwrap(), CONTENT, "{service:?}: {faults:?}");
        assert!(broken.is_whole(), "{service:?}: {faults:?}");
    }
}

#[test]
fn faults_of_silence_end_in_the_bytes_of_objects_that_are_asked_for_again() {
    for (service, faults) in with_both(vec![
        vec![Fault::SilentAfter(0)],
        vec![Fault::SilentAfter(9), Fault::SilentAfter(9)],
    ]) {
        let broken = Broken::with(&faults);
        let bytes = read_within(&broken, service, ETAG, Duration::from_secs(3)).unwrap();
        assert_eq!(bytes, CONTENT, "{service:?}: {faults:?}");
        assert!(broken.is_whole(), "{service:?}: {faults:?}");
    }
}

#[test]
fn faults_that_name_a_time_have_objects_asked_for_again_when_it_is_over() {
    // Written in whole seconds: at least two of them are left.
    let moment = || (Utc::now() + Duration::from_secs(3)).format("%a, %d %b %Y %H:%M:%S GMT");
    let asks: [(Service, &dyn Fn() -> String); 4] = [
        (Service::S3, &|| {
            "503 Service Unavailable\r\nretry-after: 2".to_owned()
        }),
        (Service::S3, &|| {
            "429 Too Many Requests\r\nretry-after: 2".to_owned()
        }),
        (Service::S3, &|| {
            format!("503 Slow Down\r\nretry-after: {}", moment())
        }),
        (Service::Gcs, &|| {
            "503 Service Unavailable\r\nretry-after: 2".to_owned()
        }),
    ];
    for (service, ask) in asks {
        let begun = Instant::now();
        let status = ask();
        let broken = Broken::with(&[Fault::answer(&status, "")]);
        assert_eq!(read(&broken, service, ETAG).unwrap(), CONTENT, "{status}");
        assert!(
            begun.elapsed() > Duration::from_millis(1900),
            "{service:?}: {status}"
        );
        let [first, again] = broken.asked().try_into().unwrap();
        let waited = again - first;
        assert!(
            waited < Duration::from_secs(6),
            "{service:?}: {status}: {waited:?}"
        );
    }
}

#[test]
fn faults_that_name_a_time_too_far_away_end_at_once_in_words_about_objects() {
    for service in Service::BOTH {
        let busy = Fault::answer("503 Service Unavailable\r\nretry-after: 3600", "");
        let broken = Broken::with_lasting(&[busy]);
        let error = read(&broken, service, ETAG).unwrap_err();
        assert!(!error.hints().is_empty(), "{service:?}: {error:?}");
        assert_eq!(broken.asked().len(), 1, "{service:?}");
        assert!(
            error.to_string().contains("for longer than a run waits"),
            "{error}"
        );
        assert!(error.to_string().contains("3600 s"), "{error}");
    }
}

#[test]
fn faults_that_stay_end_in_words_about_objects() {
    use Service::{Gcs, S3};
    for (service, status, body, words) in [
        (S3, "400 Bad Request", "<Code>ExpiredToken</Code>", "have expired"),
        (
            S3,
            "403 Forbidden",
            "<Code>SignatureDoesNotMatch</Code>",
            "secret key",
        ),
        (S3, "403 Forbidden", "<Code>AccessDenied</Code>", "denies access"),
        (S3, "404 Not Found", "<Code>NoSuchKey</Code>", "does not exist"),
        (
            S3,
            "404 Not Found",
            "<Code>NoSuchBucket</Code>",
            "bucket does not exist",
        ),
        (S3, "301 Moved Permanently", "", "another region"),
        // A token that has expired, one that nobody issued.
        (
            Gcs,
            "401 Unauthorized",
            "<Code>AuthenticationRequired</Code>",
            "does not accept",
        ),
        (Gcs, "401 Unauthorized", "Invalid Credentials", "does not accept"),
        (Gcs, "403 Forbidden", "<Code>AccessDenied</Code>", "denies access"),
        (Gcs, "404 Not Found", "<Code>NoSuchKey</Code>", "does not exist"),
        (
            Gcs,
            "404 Not Found",
            "<Code>NoSuchBucket</Code>",
            "bucket does not exist",
        ),
    ] {
        let error = refused(service, &[Fault::answer(status, body)]);
        assert!(
            error.to_string().contains(words),
            "{service:?}: {status}: {error}"
        );
    }
}

#[test]
fn faults_outlive_the_patience_with_objects_in_the_end() {
    let busy = Fault::answer("503 Slow Down", "<Error><Code>SlowDown</Code></Error>");
    let busy = refused(Service::S3, &[busy]);
    assert!(busy.to_string().contains("slow down"), "{busy}");
    for (service, lasting) in [
        (Service::S3, Fault::CutAfter(0)),
        (Service::Gcs, Fault::ResetAfter(0)),
    ] {
        let cut = refused(service, &[lasting]);
        assert_eq!(cut.class(), sluice_engine::Class::Runtime, "{cut}");
    }
}

#[test]
fn faults_are_not_taken_for_another_version_of_objects() {
    for service in Service::BOTH {
        let error = read(&Broken::with(&[]), service, "\"two\"").unwrap_err();
        assert_eq!(error.code(), Some("source_changed"), "{service:?}: {error}");
    }
}
