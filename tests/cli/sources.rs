//! Sources elsewhere, as a user meets them: servers that `tests/services/serve.py` starts.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Home, PATIENCE, service};

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
    wish(&format!("hold?table={mark}&seconds=600&skip=1"));
    let started = Instant::now();
    let run = home
        .command()
        .args(["run", "p"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !wish("waiting").contains(&mark) {
        assert!(started.elapsed() < PATIENCE, "the query was never sent");
        std::thread::sleep(Duration::from_millis(50));
    }
    let unwanted = Instant::now();
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
    assert_eq!(home.sql("SELECT status FROM runs"), "status\ninterrupted\n");
    while wish("aborted") == before {
        assert!(unwanted.elapsed() < PATIENCE, "nobody stopped the query");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_doctor_prints_a_row_for_each_step_and_ends_with_1_if_one_failed() {
    let home = Home::with_instance();
    let config = "format = 1\n[connections.crm]\ntype = \"sftp\"\nhost = \"127.0.0.1\"\nport = 1\nuser = \"u\"\n\
                  password = { command = \"echo hunter2\" }\n";
    home.write("sluice.toml", config);
    let done = home.sluice(&["doctor", "crm", "--output", "json"]);
    assert_eq!(done.code(), Some(1));
    let rows: Vec<serde_json::Value> = serde_json::from_str(&done.stdout()).unwrap();
    assert_eq!(rows.len(), 8);
    let failed: Vec<_> = rows.iter().filter(|row| row["result"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{rows:#?}");
    assert_eq!(failed[0]["check"], "connection");
    assert_eq!(failed[0]["subject"], "connection crm");
    assert!(
        failed[0]["remedy"]
            .as_str()
            .unwrap()
            .contains("check host and port")
    );
    assert!(failed[0]["duration_ms"].is_u64());
    assert!(
        done.stderr().contains("error: 1 of 8 checks failed"),
        "{}",
        done.stderr()
    );
    assert!(
        done.stderr()
            .contains("hint: connection crm, connection: check host and port"),
        "{}",
        done.stderr()
    );
    assert!(!(done.stdout() + &done.stderr()).contains("hunter2"));
    let unknown = home.sluice(&["doctor", "erp"]);
    assert_eq!(unknown.code(), Some(2), "{}", unknown.stderr());
    home.write("sluice.toml", "format = 1\n");
    let well = home.sluice(&["doctor", "--memory", "1MB"]).succeeded();
    assert!(
        well.stdout().contains("conditional replace | ok"),
        "{}",
        well.stdout()
    );
}

#[test]
fn a_process_is_not_run_through_a_connection_that_is_not_its_own() {
    let home = Home::with_instance();
    home.write(
        "sluice.toml",
        "format = 1\n[connections.files]\ntype = \"sftp\"\nhost = \"127.0.0.1\"\nport = 1\n",
    );
    home.write("in.csv", "cid,tier\nC1,Gold\n");
    let define = ["--key", "cid", "--attribute", "tier=string", "--name", "p"];
    home.sluice(&[&["ingest", "in.csv"], &define[..]].concat())
        .succeeded();
    let url = "sftp://127.0.0.1:1/in.csv";
    let other = home.sluice(&[&["ingest", url, "--connection", "files"], &define[..]].concat());
    assert_eq!(other.code(), Some(2), "{}", other.stderr());
    assert!(
        other.stderr().contains("has another connection: none"),
        "{}",
        other.stderr()
    );
    assert!(other.stderr().contains("--name NAME"), "{}", other.stderr());
}

/// Puts an object into the bucket that is open to everybody.
fn put(name: &str, content: &[u8]) -> String {
    let bucket = service("s3", "SLUICE_TEST_S3_OPEN_BUCKET");
    let address = service("s3", "SLUICE_TEST_S3");
    let mut stream = TcpStream::connect(address.trim_start_matches("http://")).unwrap();
    let length = content.len();
    write!(
        stream,
        "PUT /{bucket}/{name} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n"
    )
    .unwrap();
    stream.write_all(content).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(" 200 OK"), "{answer}");
    format!("s3://{bucket}/{name}")
}

/// A Parquet file with three customers.
fn parquet(home: &Home) -> Vec<u8> {
    let rows = "SELECT * FROM (VALUES ('C1', 1), ('C2', 2), ('C3', 3)) AS t(cid, tier)";
    home.sluice(&[
        "sql",
        &format!("COPY ({rows}) TO 'made.parquet' STORED AS PARQUET"),
    ])
    .succeeded();
    std::fs::read(home.path("made.parquet")).unwrap()
}

#[test]
fn s3_has_the_first_customers_of_an_instance_as_parquet_or_csv() {
    let home = Home::with_instance();
    let folder = format!("adopt-{}", std::process::id());
    let made = parquet(&home);
    let csv = put(&format!("{folder}/one/base.csv"), b"cid,tier\nC1,1\nC2,2\nC3,3\n");
    let file = put(&format!("{folder}/a/b/c/d/base.parquet"), &made);
    let all = file.replace("/base.parquet", "");
    for (number, source) in [csv, file, all].iter().enumerate() {
        let instance = format!("instance-{number}");
        let output = home
            .command()
            .args(["init", &instance, "--key", "cid", "--from", source])
            .env("AWS_ACCESS_KEY_ID", service("s3", "SLUICE_TEST_S3_KEY"))
            .env("AWS_SECRET_ACCESS_KEY", service("s3", "SLUICE_TEST_S3_SECRET"))
            .env("AWS_ENDPOINT_URL", service("s3", "SLUICE_TEST_S3"))
            .env("AWS_ALLOW_HTTP", "true")
            .env("AWS_REGION", "us-east-1")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{source}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let rows = home.sluice(&[
            "-i",
            &instance,
            "sql",
            "--output",
            "csv",
            "SELECT * FROM customers ORDER BY 1",
        ]);
        assert_eq!(
            rows.succeeded().stdout(),
            "customer_id,tier\nC1,1\nC2,2\nC3,3\n",
            "{source}"
        );
    }
}

/// `init --from` a URL of the SFTP server, as the environment reaches it: nobody has named a connection yet.
fn adopted_from_sftp(home: &Home, url: &str) -> std::process::Output {
    let ssh = home.path(".ssh");
    std::fs::create_dir(&ssh).unwrap();
    let known = service("sftp", "SLUICE_TEST_SFTP_FOLDER") + "/known_hosts";
    std::fs::copy(known, ssh.join("known_hosts")).unwrap();
    let user = service("sftp", "SLUICE_TEST_SFTP_USER");
    home.command()
        .args(["init", "adopted", "--key", "cid", "--from"])
        .arg(url.replace("sftp://", &format!("sftp://{user}@")))
        .env("SSH_AUTH_SOCK", service("sftp", "SLUICE_TEST_SFTP_AGENT"))
        .env("HOME", home.folder.path())
        .output()
        .unwrap()
}

#[test]
fn sftp_has_the_first_customers_of_an_instance_as_parquet() {
    let (home, url) = sftp("base.parquet", "");
    let path = url.rsplit('/').next().unwrap();
    let folder = service("sftp", "SLUICE_TEST_SFTP_HOME");
    std::fs::write(format!("{folder}/{path}"), parquet(&home)).unwrap();
    let output = adopted_from_sftp(&home, &url);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let count = home.sluice(&[
        "-i",
        "adopted",
        "sql",
        "--output",
        "csv",
        "SELECT count(*) AS n FROM customers",
    ]);
    assert_eq!(count.succeeded().stdout(), "n\n3\n");
}

#[test]
fn sftp_has_no_delta_table_to_adopt_and_says_what_to_do_instead() {
    let (home, url) = sftp("other.csv", "");
    let name = format!("{}-table", std::process::id());
    let folder = service("sftp", "SLUICE_TEST_SFTP_HOME");
    std::fs::create_dir_all(format!("{folder}/{name}/_delta_log")).unwrap();
    let (place, _) = url.rsplit_once('/').unwrap();
    let output = adopted_from_sftp(&home, &format!("{place}/{name}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("folder of an SFTP server cannot be adopted"),
        "{said}"
    );
    assert!(said.contains("adopt the copy"), "{said}");
}

#[test]
fn snowflake_is_no_place_to_adopt_customers_from() {
    let home = Home::empty();
    let refused = home.sluice(&["init", "base", "--key", "CID", "--from", "snowflake://A/B/C"]);
    assert_eq!(refused.code(), Some(2));
    assert!(
        refused.stderr().contains("unload it as Parquet"),
        "{}",
        refused.stderr()
    );
}

#[test]
fn sftp_that_is_discovered_says_what_to_type_with_its_connection() {
    let (home, url) = sftp("found.csv", "cid,tier\nC1,Gold\n");
    let listed = home
        .command()
        .args(["discover", "files", "--accept-new-host-key"])
        .env("SSH_AUTH_SOCK", service("sftp", "SLUICE_TEST_SFTP_AGENT"))
        .output()
        .unwrap();
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let name = url.rsplit('/').next().unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains(name));
    let said = String::from_utf8_lossy(&listed.stderr).into_owned();
    let line = said
        .lines()
        .find(|line| line.starts_with("look at one with: sluice preview"))
        .unwrap();
    assert!(line.ends_with(" --connection files"), "{line}");
}
