//! What becomes of a run when the connection or the file does not stay as it was.

use std::io::Write;
use std::time::{Duration, Instant};

use datafusion::common::runtime::SpawnedTask;
use sluice_engine::source::Store;
use sluice_engine::source::sftp::SftpFiles;

use super::support::{Remote, csv};
use crate::support::proxy::Fault;
use crate::support::{failure, request};

const ROWS: usize = 200_000;

#[tokio::test(flavor = "multi_thread")]
async fn sftp_goes_on_where_it_stood_when_the_connection_is_cut() {
    let remote = Remote::new();
    let content = csv(ROWS);
    remote.write("big.csv", &content);
    let proxy = remote.proxy();
    let bench = remote.bench(proxy.address.port(), "big.csv").await;
    proxy
        .next(Fault::CutAfter(3 << 20))
        .next(Fault::CutAfter(4 << 20));
    let report = bench.run(request("p", None)).await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    assert_eq!(
        (report.run.rows_read, report.run.rows_rejected),
        (Some(ROWS as u64), Some(1))
    );
    assert_eq!(proxy.num_connections(), 3);
    // What had come is not fetched again, but for what was under way.
    assert!(
        proxy.passed_bytes() < content.len() as u64 * 3,
        "{}",
        proxy.passed_bytes()
    );
    assert_eq!(
        bench
            .cell("SELECT count(DISTINCT customer_id) FROM customers")
            .await,
        (ROWS - 1).to_string()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_gives_up_on_a_server_that_refuses_and_says_how_often_it_tried() {
    let remote = Remote::new();
    let proxy = remote.proxy();
    let bench = remote.bench(proxy.address.port(), "a.csv").await;
    for _ in 0..9 {
        proxy.next(Fault::Refuse);
    }
    let report = bench.run(request("p", None)).await;
    let error = failure(&report);
    assert!(
        error.hints().iter().any(|hint| hint == "tried 3 times"),
        "{error}: {:?}",
        error.hints()
    );
    assert_eq!((error.class().exit_code(), proxy.num_connections()), (1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_tries_once_more_when_the_first_connection_is_refused() {
    let remote = Remote::new();
    remote.write("a.csv", csv(3));
    let proxy = remote.proxy();
    let bench = remote.bench(proxy.address.port(), "a.csv").await;
    proxy.next(Fault::Refuse);
    let report = bench.run(request("p", None)).await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_notices_that_a_server_fell_silent() {
    let remote = Remote::new();
    let content = csv(50_000);
    let path = remote.write("a.csv", &content);
    let proxy = remote.proxy();
    proxy.next(Fault::SilentAfter(500_000));
    let mut login = remote.login(proxy.address.port(), vec![remote.key("user", None)]);
    login.patience.silence = Duration::from_secs(3);
    let files = SftpFiles::new(login);
    let path = path.display().to_string();
    let version = files.inspect(&path).await.unwrap();
    let started = Instant::now();
    let read = files.read(&path, &version, 0..version.size_bytes).await.unwrap();
    assert!(
        read == content.as_bytes(),
        "{} bytes of {}",
        read.len(),
        content.len()
    );
    assert_eq!(proxy.num_connections(), 2);
    assert!(started.elapsed() > Duration::from_secs(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_does_not_go_on_with_another_file_than_it_began_with() {
    let remote = Remote::new();
    let path = remote.write("a.csv", csv(10));
    let files = SftpFiles::new(remote.login(remote.server.port, vec![remote.key("user", None)]));
    let shown = path.display().to_string();
    let version = files.inspect(&shown).await.unwrap();
    std::fs::write(&path, csv(11)).unwrap();
    let error = files
        .read(&shown, &version, 0..version.size_bytes)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("source_changed"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_fails_a_run_whose_file_grows_while_it_is_read() {
    let remote = Remote::new();
    let path = remote.write("big.csv", csv(ROWS));
    let proxy = remote.proxy();
    let bench = remote.bench(proxy.address.port(), "big.csv").await;
    proxy.hold_after(2 << 20);
    let run = SpawnedTask::spawn(async move {
        let report = bench.run(request("p", None)).await;
        (bench, report)
    });
    while proxy.passed_bytes() < 2 << 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut file = std::fs::File::options().append(true).open(&path).unwrap();
    file.write_all(b"C9,Gold,1\n").unwrap();
    proxy.release();
    let (bench, report) = run.await.unwrap();
    assert_eq!(failure(&report).code(), Some("source_changed"), "{report:?}");
    assert_eq!(bench.cell("SELECT count(*) FROM customers").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_merges_nothing_when_it_is_not_let_in_or_does_not_trust_the_server() {
    let remote = Remote::new();
    remote.write("a.csv", csv(3));
    let mut bench = remote.bench(remote.server.port, "a.csv").await;
    let config = remote.connection(remote.server.port);
    let key = format!("key_file = \"{}/user\"", remote.server.folder.display());
    let stranger = std::fs::read_to_string(remote.server.folder.join("stranger.pub")).unwrap();
    let wrong_hosts = remote.path.join("wrong_hosts");
    let line = format!("[{}]:{} {stranger}", remote.server.host, remote.server.port);
    std::fs::write(&wrong_hosts, line).unwrap();
    let hosts = remote.path.join("known_hosts").display().to_string();
    for (config, words) in [
        (
            config.replace(&key, "password = { command = \"echo hunter2\" }"),
            "refused the user tester, shown the password",
        ),
        (
            config.replace(&hosts, &wrong_hosts.display().to_string()),
            "another host key than the one known",
        ),
        (config.replace(&hosts, "/nowhere/hosts"), "is not known: SHA256:"),
    ] {
        bench.configure(&config);
        let report = bench.run(request("p", None)).await;
        let error = failure(&report);
        assert!(error.to_string().contains(words), "{words}: {error}");
        assert!(!error.hints().is_empty(), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    assert_eq!(bench.cell("SELECT count(*) FROM customers").await, "0");
    let failed = bench
        .cell("SELECT count(*) FROM runs WHERE status = 'failed'")
        .await;
    assert_eq!(failed, "3");
}
