//! A store of S3 or of Google with one object, that breaks when told to.
//!
//! ```text
//!   request ─▶ takes the next fault; without one it is answered as a store that works does
//! ```

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tempfile::NamedTempFile;

/// The object `a.csv` of any bucket.
pub const CONTENT: &[u8] = b"cid,tier,spend\nC1,Gold,1\nC2,Blue,2\nC3,Red,3\n";
/// Its version.
pub const ETAG: &str = "\"one\"";

/// The listing of its folder.
const LISTING: &[u8] = b"<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a.csv</Key>\
    <LastModified>2026-11-26T12:00:00.000Z</LastModified><ETag>\"one\"</ETag><Size>44</Size></Contents>\
    </ListBucketResult>";
/// An account that needs no token.
const ACCOUNT: &str = r#"{"private_key":"","private_key_id":"","client_email":"","disable_oauth":true}"#;

/// Whose client asks: both speak the same language here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    S3,
    Gcs,
}

impl Service {
    pub const BOTH: [Self; 2] = [Self::S3, Self::Gcs];

    /// The object's URL.
    pub fn url(self) -> &'static str {
        match self {
            Self::S3 => "s3://b/a.csv",
            Self::Gcs => "gs://b/a.csv",
        }
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is answered as it should be.
    None,
    /// It is answered with this status and body; what stands behind a line end in the status are headers.
    Answer(String, &'static str),
    /// It is answered with so many bytes, as if that were all.
    Short(usize),
    /// The answer breaks off after so many bytes of its body.
    CutAfter(usize),
    /// The connection is reset after so many bytes of the answer's body.
    ResetAfter(usize),
    /// The answer stops after so many bytes of its body, and the connection stays open.
    SilentAfter(usize),
    /// The connection is closed without an answer.
    Closed,
    /// The connection is reset.
    Reset,
    /// It is answered, and the object is another one from now on.
    Replaced,
}

impl Fault {
    pub fn answer(status: &str, body: &'static str) -> Self {
        Self::Answer(status.to_owned(), body)
    }
}

/// A store that listens until the program ends.
#[derive(Clone)]
pub struct Broken {
    pub address: SocketAddr,
    faults: Arc<Mutex<VecDeque<Fault>>>,
    etag: Arc<Mutex<&'static str>>,
    account: Arc<NamedTempFile>,
    /// Whether the last fault stays.
    stays: bool,
    /// When each request came.
    asked: Arc<Mutex<Vec<Instant>>>,
}

impl Broken {
    /// Each request takes the next fault.
    pub fn with(faults: &[Fault]) -> Self {
        Self::start(faults, false)
    }

    /// The same, and the last one stays.
    pub fn with_lasting(faults: &[Fault]) -> Self {
        Self::start(faults, true)
    }

    fn start(faults: &[Fault], stays: bool) -> Self {
        let mut account = NamedTempFile::new().unwrap();
        account.write_all(ACCOUNT.as_bytes()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let broken = Self {
            address: listener.local_addr().unwrap(),
            faults: Arc::new(Mutex::new(faults.iter().cloned().collect())),
            etag: Arc::new(Mutex::new(ETAG)),
            account: Arc::new(account),
            stays,
            asked: Arc::default(),
        };
        let serving = broken.clone();
        let accept = move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                let serve = move || serving.serve(stream);
                std::thread::Builder::new().spawn(serve).unwrap();
            }
        };
        std::thread::Builder::new().spawn(accept).unwrap();
        broken
    }

    /// `[connections.NAME]` that leads to it.
    pub fn connection(&self, service: Service, name: &str) -> String {
        let keys = match service {
            Service::S3 => "type = \"s3\"\naccess_key_id = \"AK\"\n\
                            secret_access_key = { command = \"echo hunter2\" }\n"
                .to_owned(),
            Service::Gcs => format!(
                "type = \"gcs\"\nservice_account_file = \"{}\"\n",
                self.account.path().display()
            ),
        };
        format!(
            "[connections.{name}]\n{keys}endpoint = \"http://{}\"\nallow_http = true\n",
            self.address
        )
    }

    /// Whether every fault was taken.
    pub fn is_whole(&self) -> bool {
        self.faults.lock().unwrap().is_empty()
    }

    /// When each request came.
    pub fn asked(&self) -> Vec<Instant> {
        self.asked.lock().unwrap().clone()
    }

    fn next(&self) -> Fault {
        self.asked.lock().unwrap().push(Instant::now());
        let mut faults = self.faults.lock().unwrap();
        let next = match self.stays && faults.len() == 1 {
            true => faults.front().cloned(),
            false => faults.pop_front(),
        };
        next.unwrap_or(Fault::None)
    }

    fn serve(&self, mut stream: TcpStream) {
        let fault = self.next();
        // A connection that is closed on bytes that nobody took is reset.
        let end: &[u8] = match fault {
            Fault::Reset => b"\r\n",
            Fault::ResetAfter(_) => b"\r\n\r",
            _ => b"\r\n\r\n",
        };
        let (mut request, mut byte) = (Vec::new(), [0]);
        while !request.ends_with(end) && matches!(stream.read(&mut byte), Ok(1)) {
            request.push(byte[0]);
        }
        let request = String::from_utf8(request).unwrap().to_lowercase();
        let (mut head, mut body) = self.answer(&request);
        match &fault {
            Fault::Closed | Fault::Reset => return,
            Fault::Answer(status, text) => {
                (head, body) = (
                    format!("{status}\r\ncontent-length: {}", text.len()),
                    text.as_bytes(),
                );
            }
            Fault::Short(bytes) => {
                let whole = format!("content-length: {}", body.len());
                body = &body[..*bytes];
                head = head.replace(&whole, &format!("content-length: {bytes}"));
            }
            Fault::CutAfter(bytes) | Fault::ResetAfter(bytes) | Fault::SilentAfter(bytes) => {
                body = &body[..*bytes.min(&body.len())]
            }
            Fault::Replaced => *self.etag.lock().unwrap() = "\"two\"",
            Fault::None => {}
        }
        if request.starts_with("head") {
            body = &[];
        }
        let _ = write!(stream, "HTTP/1.1 {head}\r\nconnection: close\r\n\r\n");
        let _ = stream.write_all(body);
        if matches!(fault, Fault::SilentAfter(_)) {
            // Until the client has had enough.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    }

    /// What a store that works answers.
    fn answer(&self, request: &str) -> (String, &'static [u8]) {
        let value = |name: &str| {
            let line = request.lines().find_map(|line| line.strip_prefix(name));
            line.map(|line| line.trim_start_matches(": ").to_owned())
        };
        if request
            .lines()
            .next()
            .is_some_and(|line| line.contains("list-type=2"))
        {
            return (format!("200 OK\r\ncontent-length: {}", LISTING.len()), LISTING);
        }
        let etag = *self.etag.lock().unwrap();
        if value("if-match").is_some_and(|wanted| wanted != etag) {
            return ("412 Precondition Failed\r\ncontent-length: 0".to_owned(), &[]);
        }
        let facts = format!("etag: {etag}\r\nlast-modified: Thu, 26 Nov 2026 12:00:00 GMT");
        let range = value("range").and_then(|range| {
            let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
            Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok()?))
        });
        let Some((from, to)) = range else {
            let head = format!("200 OK\r\n{facts}\r\ncontent-length: {}", CONTENT.len());
            return (head, CONTENT);
        };
        let body = &CONTENT[from..=to];
        let range = format!("content-range: bytes {from}-{to}/{}", CONTENT.len());
        let length = format!("content-length: {}", body.len());
        (
            format!("206 Partial Content\r\n{facts}\r\n{range}\r\n{length}"),
            body,
        )
    }
}
