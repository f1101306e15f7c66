//! A store that breaks in every way: each fault ends in the bytes, or in one message with a remedy.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use sluice_engine::source::objects::ObjectFiles;
use sluice_engine::source::{Store, Version, wait};
use sluice_engine::spec::parse_instance;
use sluice_engine::{Error, Result};

const CONTENT: &[u8] = b"cid,tier,spend\nC1,Gold,1\nC2,Blue,2\nC3,Red,3\n";
const ETAG: &str = "\"one\"";

/// What becomes of a request.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// It is answered with this status and body.
    Answer(&'static str, &'static str),
    /// The answer breaks off after so many bytes of its body.
    CutAfter(usize),
    /// The connection is closed without an answer.
    Closed,
}

/// A store with one object; each request takes the next fault, and the last one stays if it is to.
#[derive(Clone)]
struct Broken {
    faults: Arc<Mutex<VecDeque<Fault>>>,
    stays: bool,
}

impl Broken {
    /// Starts to listen; the files are those of a client with a connection to it.
    fn files(faults: &[Fault], stays: bool) -> Arc<ObjectFiles> {
        let broken = Self {
            faults: Arc::new(Mutex::new(faults.iter().copied().collect())),
            stays,
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::Builder::new()
            .spawn(move || {
                listener
                    .incoming()
                    .flatten()
                    .for_each(|stream| broken.serve(stream))
            })
            .unwrap();
        let config = format!(
            "format = 1\n[connections.c]\ntype = \"s3\"\nendpoint = \"http://{address}\"\nallow_http = true\n\
             access_key_id = \"AK\"\nsecret_access_key = {{ command = \"echo hunter2\" }}\n"
        );
        let config = parse_instance(&config).unwrap();
        let files = ObjectFiles::connect("s3://b/a.csv", Some(&config.connections["c"]), Path::new("/"));
        Arc::new(files.unwrap())
    }

    fn next(&self) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        match self.stays && faults.len() == 1 {
            true => faults.front().copied(),
            false => faults.pop_front(),
        }
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
            request.push(byte[0]);
        }
        let request = String::from_utf8(request).unwrap().to_lowercase();
        let fault = self.next();
        let (head, body) = match fault {
            Some(Fault::Answer(status, body)) => (
                format!("{status}\r\ncontent-length: {}", body.len()),
                body.as_bytes(),
            ),
            Some(Fault::Closed) => return,
            _ => answer(&request),
        };
        let body = match (request.starts_with("head"), fault) {
            (true, _) => &[],
            (false, Some(Fault::CutAfter(bytes))) => &body[..bytes.min(body.len())],
            (false, _) => body,
        };
        let _ = write!(stream, "HTTP/1.1 {head}\r\nconnection: close\r\n\r\n");
        let _ = stream.write_all(body);
    }
}

/// What a store that works answers.
fn answer(request: &str) -> (String, &'static [u8]) {
    let value = |name: &str| {
        let line = request.lines().find_map(|line| line.strip_prefix(name));
        line.map(|line| line.trim_start_matches(": ").to_owned())
    };
    if value("if-match").is_some_and(|wanted| wanted != ETAG) {
        return ("412 Precondition Failed\r\ncontent-length: 0".to_owned(), &[]);
    }
    let facts = format!("etag: {ETAG}\r\nlast-modified: Thu, 26 Nov 2026 12:00:00 GMT");
    let Some((from, to)) = value("range").and_then(|range| {
        let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
        Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok()?))
    }) else {
        return (
            format!("200 OK\r\n{facts}\r\ncontent-length: {}", CONTENT.len()),
            CONTENT,
        );
    };
    let body = &CONTENT[from..=to];
    let range = format!("content-range: bytes {from}-{to}/{}", CONTENT.len());
    let head = format!(
        "206 Partial Content\r\n{facts}\r\n{range}\r\ncontent-length: {}",
        body.len()
    );
    (head, body)
}

fn read(files: &Arc<ObjectFiles>, etag: &str) -> Result<Vec<u8>> {
    let version = Version {
        size_bytes: CONTENT.len() as u64,
        modified_ns: 0,
        etag: Some(etag.to_owned()),
    };
    let files = Arc::clone(files);
    let bytes = wait(async move { files.read("a.csv", &version, 0..version.size_bytes).await })?;
    Ok(bytes.to_vec())
}

fn refused(faults: &[Fault]) -> Error {
    let error = read(&Broken::files(faults, true), ETAG).unwrap_err();
    assert!(!error.hints().is_empty(), "{error:?}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    error
}

#[test]
fn faults_that_pass_end_in_the_bytes_of_objects() {
    const BUSY: Fault = Fault::Answer("503 Service Unavailable\r\nretry-after: 1", "");
    const TOO_MANY: Fault = Fault::Answer("429 Too Many Requests", "");
    for faults in [
        &[][..],
        &[BUSY, TOO_MANY],
        &[Fault::Closed],
        &[Fault::CutAfter(10), Fault::CutAfter(7)],
        &[Fault::CutAfter(0), Fault::Closed],
        &[Fault::Answer(
            "500 Internal Server Error",
            "<Code>InternalError</Code>",
        )],
    ] {
        let files = Broken::files(faults, false);
        assert_eq!(read(&files, ETAG).unwrap(), CONTENT, "{faults:?}");
    }
}

#[test]
fn faults_that_stay_end_in_words_about_objects() {
    for (fault, words) in [
        (
            Fault::Answer("400 Bad Request", "<Error><Code>ExpiredToken</Code></Error>"),
            "credentials have expired",
        ),
        (
            Fault::Answer("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>"),
            "denies access",
        ),
        (
            Fault::Answer(
                "403 Forbidden",
                "<Error><Code>SignatureDoesNotMatch</Code></Error>",
            ),
            "secret key",
        ),
        (
            Fault::Answer("404 Not Found", "<Error><Code>NoSuchKey</Code></Error>"),
            "does not exist",
        ),
        (
            Fault::Answer("404 Not Found", "<Error><Code>NoSuchBucket</Code></Error>"),
            "bucket does not exist",
        ),
        (Fault::Answer("301 Moved Permanently", ""), "another region"),
    ] {
        let error = refused(&[fault]);
        assert!(error.to_string().contains(words), "{fault:?}: {error}");
    }
}

#[test]
fn faults_outlive_the_patience_with_objects_in_the_end() {
    let busy = refused(&[Fault::Answer(
        "503 Slow Down",
        "<Error><Code>SlowDown</Code></Error>",
    )]);
    assert!(busy.to_string().contains("slow down"), "{busy}");
    let cut = refused(&[Fault::CutAfter(0)]);
    assert_eq!(cut.class(), sluice_engine::Class::Runtime, "{cut}");
}

#[test]
fn faults_are_not_taken_for_another_version_of_objects() {
    let files = Broken::files(&[], false);
    let error = read(&files, "\"two\"").unwrap_err();
    assert_eq!(error.code(), Some("source_changed"), "{error}");
}
