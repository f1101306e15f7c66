//! An SFTP server.

use std::os::unix::fs::PermissionsExt;

use sluice_engine::doctor::Check;

use super::support::{assert_failed, examined, examined_with, failed, outcome};
use crate::sftp::support::{Remote, csv};

fn connection(remote: &Remote) -> String {
    remote
        .connection(remote.server.port)
        .replace("[connections.files]", "[connections.c]")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_well_passes_every_check() {
    let remote = Remote::new();
    remote.write("in/a.csv", csv(3));
    let bench = remote.bench(remote.server.port, "in/a.csv").await;
    let findings = examined(&bench, Some("files")).await;
    assert_eq!(failed(&findings), [""; 0], "{findings:#?}");
    assert!(
        outcome(&findings, Check::Login)
            .seen()
            .starts_with("logged in as tester, in /")
    );
    // The file of known hosts lies there too.
    assert!(
        outcome(&findings, Check::List)
            .seen()
            .starts_with("1 files and 1 folders in sftp://")
    );
    assert!(outcome(&findings, Check::Read).seen().ends_with("known_hosts"));
    assert_eq!(outcome(&findings, Check::Source).seen(), remote.url("in/a.csv"));
    assert_eq!(outcome(&findings, Check::Clock).word(), "skipped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_key_that_changed_fails_before_anything_is_shown_to_the_server() {
    let remote = Remote::new();
    let config = connection(&remote);
    let other = std::fs::read_to_string(remote.server.folder.join("stranger.pub")).unwrap();
    let line = format!("[{}]:{} {other}", remote.server.host, remote.server.port);
    std::fs::write(remote.path.join("known_hosts"), line).unwrap();
    let findings = examined_with(&config).await;
    assert_failed(&findings, Check::HostKey, "another host key", "ssh-keygen -R");
    assert_eq!(outcome(&findings, Check::Login).seen(), "needs host key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_wrong_fails_at_authentication() {
    let remote = Remote::new();
    let key = format!("key_file = \"{}/user\"", remote.server.folder.display());
    let config = connection(&remote).replace(&key, "password = { command = \"echo hunter2\" }");
    let findings = examined_with(&config).await;
    assert_failed(
        &findings,
        Check::Login,
        "refused the user tester, shown the password",
        "check the user",
    );
    assert_eq!(outcome(&findings, Check::HostKey).word(), "ok");
    assert!(!format!("{:?}", outcome(&findings, Check::Login)).contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_may_not_be_entered_fails_at_the_listing_and_a_file_at_reading() {
    let remote = Remote::new();
    let root = remote.path.display().to_string();
    let folder = remote.path.join("shut");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o000)).unwrap();
    let config = connection(&remote);
    let shut = config.replace(&format!("root = \"{root}\""), &format!("root = \"{root}/shut\""));
    assert_failed(
        &examined_with(&shut).await,
        Check::List,
        "may not be read",
        "let the user read it",
    );
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let secret = remote.write("shut/a.csv", csv(1));
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o000)).unwrap();
    assert_failed(
        &examined_with(&shut).await,
        Check::Read,
        "may not be read",
        "let the user read it",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_another_kind_fails_at_its_key() {
    let remote = Remote::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::Builder::new()
        .spawn(move || listener.incoming().flatten().for_each(drop))
        .unwrap();
    let config = remote
        .connection(port)
        .replace("[connections.files]", "[connections.c]");
    assert_failed(&examined_with(&config).await, Check::HostKey, "connection", "");
}
