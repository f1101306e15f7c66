//! Sources elsewhere, as a user meets them: servers that `tests/services/serve.py` starts.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Home, service};

/// What a web server answers.
fn answer(url: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// A home whose connection `files` logs in by the agent, and a URL in the folder of login.
fn sftp(name: &str, content: &str) -> (Home, String) {
    let home = Home::with_instance();
    let address = service("sftp", "SLUICE_TEST_SFTP");
    let (host, port) = address.rsplit_once(':').unwrap();
    home.write(
        "sluice.toml",
        format!(
            "format = 1\n[connections.files]\ntype = \"sftp\"\nhost = \"{host}\"\nport = {port}\nuser = \"{}\"\n\
             agent = true\nknown_hosts = \"hosts\"\n",
            service("sftp", "SLUICE_TEST_SFTP_USER")
        ),
    );
    let file = format!("{}-{name}", std::process::id());
    let folder = service("sftp", "SLUICE_TEST_SFTP_HOME");
    std::fs::write(format!("{folder}/{file}"), content).unwrap();
    (home, format!("sftp://{address}/~/{file}"))
}

#[test]
fn sftp_is_previewed_and_ingested_once_its_host_key_was_accepted() {
    let (home, url) = sftp("in.csv", "cid,tier\nC1,Gold\nC2,Blue\n");
    let agent = service("sftp", "SLUICE_TEST_SFTP_AGENT");
    let sluice = |args: &[&str]| {
        home.command()
            .args(args)
            .env("SSH_AUTH_SOCK", &agent)
            .output()
            .unwrap()
    };
    let stderr = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let preview = ["preview", &url, "--connection", "files"];
    let unknown = sluice(&preview);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(
        stderr(&unknown).contains("is not known: SHA256:"),
        "{}",
        stderr(&unknown)
    );
    assert!(
        stderr(&unknown).contains("--accept-new-host-key"),
        "{}",
        stderr(&unknown)
    );
    let accepted = sluice(&[preview.as_slice(), &["--accept-new-host-key"]].concat());
    assert!(accepted.status.success(), "{}", stderr(&accepted));
    assert!(String::from_utf8_lossy(&accepted.stdout).contains("Gold"));
    let ingest = [
        "ingest",
        &url,
        "--connection",
        "files",
        "--key",
        "cid",
        "--attribute",
        "tier=string",
        "--name",
        "p",
    ];
    let ingested = sluice(&ingest);
    assert!(ingested.status.success(), "{}", stderr(&ingested));
    assert_eq!(
        home.sql("SELECT * FROM customers ORDER BY 1"),
        "customer_id,tier\nC1,Gold\nC2,Blue\n"
    );
}

#[test]
fn snowflake_is_told_to_stop_when_the_user_does() {
    let home = Home::with_instance();
    let url = service("snowflake", "SLUICE_TEST_SNOWFLAKE");
    let mark = format!("MARK_{}", std::process::id());
    home.write(
        "sluice.toml",
        format!(
            "format = 1\n[connections.warehouse]\ntype = \"snowflake\"\naccount = \"acct\"\nuser = \"tester\"\n\
             endpoint = \"{url}\"\nallow_http = true\npassword = {{ env = \"SLUICE_TEST_SNOWFLAKE_PASSWORD\" }}\n"
        ),
    );
    home.write(
        "p.toml",
        format!(
            "mode = \"register\"\nkey = \"CID\"\n[source]\nconnection = \"warehouse\"\n\
             query = \"SELECT 'C1' AS CID, 'x' AS TIER, '{mark}' AS MARK\"\n\
             [[attribute]]\ncolumn = \"TIER\"\ntype = \"string\"\n"
        ),
    );
    home.sluice(&["process", "new", "p", "--from", "p.toml"])
        .succeeded();
    home.sluice(&["process", "complete", "p", "--yes"]).succeeded();
    let wish = |path: &str| answer(&url, &format!("/test/{path}"));
    let before = wish("aborted");
    // The first statement asks for the columns; the second is the query, and the one to wait for.
    wish(&format!("hold?table={mark}&seconds=60&skip=1"));
    let started = Instant::now();
    let run = home
        .command()
        .args(["run", "p"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !wish("waiting").contains(&mark) {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "the query was never sent"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let interrupted = Command::new("kill")
        .args(["-INT", &run.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupted.success());
    let output = run.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(130),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(started.elapsed() < Duration::from_secs(40));
    assert_eq!(home.sql("SELECT status FROM runs"), "status\ninterrupted\n");
    while wish("aborted") == before {
        assert!(
            started.elapsed() < Duration::from_secs(40),
            "nobody stopped the query"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
