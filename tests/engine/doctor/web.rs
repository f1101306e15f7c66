//! The way to a server, to servers of the test's own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sluice_engine::doctor::Check;

use super::support::{assert_failed, examined_with, failed, outcome};

fn connection(endpoint: &str) -> String {
    format!(
        "[connections.c]\ntype = \"s3\"\nroot = \"s3://b\"\nendpoint = \"{endpoint}\"\nallow_http = true\n\
         access_key_id = \"AK\"\nsecret_access_key = {{ command = \"echo hunter2\" }}\n"
    )
}

/// A server that treats every connection in this way until the test ends; its address.
fn server(serve: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::Builder::new()
        .spawn(move || listener.incoming().flatten().for_each(serve))
        .unwrap();
    address
}

/// Reads a request and answers it with an empty listing, at this date.
fn answer(mut stream: impl Read + Write, date: &str) {
    let (mut request, mut byte) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        request.push(byte[0]);
    }
    let body = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\ndate: {date}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let _ = stream.flush();
}

/// A certificate that nobody has signed but itself.
fn self_signed() -> Arc<ServerConfig> {
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = (folder.path().join("key.pem"), folder.path().join("cert.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args([
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
        ])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(&certificate).unwrap()],
            PrivateKeyDer::from_pem_file(&key).unwrap(),
        );
    Arc::new(config.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_nobody_knows_fails_at_its_name_and_all_else_is_skipped() {
    let findings = examined_with(&connection("https://no-such-host.invalid")).await;
    assert_failed(
        &findings,
        Check::Name,
        "no-such-host.invalid has no address",
        "check the name",
    );
    assert_eq!(
        outcome(&findings, Check::Connection).seen(),
        "needs name resolution"
    );
    assert_eq!(outcome(&findings, Check::Login).seen(), "needs tls");
    assert_eq!(outcome(&findings, Check::Secrets).word(), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_where_nobody_listens_fails_at_the_connection() {
    let findings = examined_with(&connection("http://127.0.0.1:1")).await;
    assert_failed(&findings, Check::Connection, "127.0.0.1:1", "check host and port");
    assert_eq!(outcome(&findings, Check::Name).seen(), "an address needs none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_vouches_for_fails_at_tls() {
    let config = self_signed();
    let address = server(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        answer(
            StreamOwned::new(connection, stream),
            "Thu, 26 Nov 2026 12:00:00 GMT",
        );
    });
    let findings = examined_with(&connection(&format!("https://{address}"))).await;
    assert_failed(&findings, Check::Encryption, "certificate", "SSL_CERT_FILE");
    assert_eq!(outcome(&findings, Check::Login).seen(), "needs tls");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_speaks_no_tls_fails_at_tls_with_another_remedy() {
    let address = server(|mut stream| {
        // It does not wait for the end of what it does not understand.
        let _ = stream.read(&mut [0]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    });
    let findings = examined_with(&connection(&format!("https://{address}"))).await;
    assert_failed(&findings, Check::Encryption, &address, "speaks no TLS");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_differs_fails_and_the_rest_is_tried_all_the_same() {
    let address = server(|stream| answer(stream, "Wed, 01 Jan 2020 00:00:00 GMT"));
    let findings = examined_with(&connection(&format!("http://{address}"))).await;
    assert_failed(
        &findings,
        Check::Clock,
        "s ahead of the server's; 900 s are tolerated",
        "timedatectl",
    );
    assert_eq!(outcome(&findings, Check::List).seen(), "0 objects in s3://b");
    assert_eq!(outcome(&findings, Check::Read).seen(), "there is no file to read");
    assert!(
        outcome(&findings, Check::Encryption)
            .seen()
            .contains("not encrypted")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_where_it_should_be_fails_and_the_way_there_is_tried_all_the_same() {
    let address = server(|stream| answer(stream, "Wed, 01 Jan 2020 00:00:00 GMT"));
    let toml = connection(&format!("http://{address}"))
        .replace("{ command = \"echo hunter2\" }", "{ env = \"NOT_SET_AT_ALL\" }");
    let findings = examined_with(&toml).await;
    assert_eq!(failed(&findings), ["secrets", "clock"]);
    assert!(
        outcome(&findings, Check::Secrets)
            .remedy()
            .unwrap()
            .contains("set NOT_SET_AT_ALL")
    );
    assert_eq!(outcome(&findings, Check::Login).seen(), "needs secrets");
    assert!(!format!("{findings:?}").contains("hunter2"));
}
