//! Whom the server trusts, and whom we trust.

use sluice_engine::source::sftp::{KnownHosts, Login, NewHosts, Proof, SftpFiles};
use sluice_engine::spec::SecretText;

use super::support::Remote;
use crate::support::services::service;

async fn home(login: Login) -> sluice_engine::Result<String> {
    SftpFiles::new(login).home().await
}

/// What a user reads of an error.
fn told(login: &sluice_engine::Error) -> String {
    format!("{login}\n{}", login.hints().join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_lets_in_by_password_key_locked_key_and_agent() {
    let remote = Remote::new();
    let passphrase = service("sftp", "SLUICE_TEST_SFTP_PASSPHRASE");
    let expected = remote.server.home.display().to_string();
    for proof in [
        Proof::Password(SecretText::new(service("sftp", "SLUICE_TEST_SFTP_PASSWORD"))),
        remote.key("user", None),
        remote.key("user_rsa", None),
        remote.key("user_locked", Some(&passphrase)),
        Proof::Agent(service("sftp", "SLUICE_TEST_SFTP_AGENT").into()),
    ] {
        let shown = format!("{proof:?}");
        let found = home(remote.login(remote.server.port, vec![proof])).await;
        assert_eq!(
            found.unwrap_or_else(|error| panic!("{shown}: {}", told(&error))),
            expected
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_tries_the_next_proof_when_one_does_not_do() {
    let remote = Remote::new();
    let proofs = vec![
        Proof::Agent("/nowhere".into()),
        remote.key("no_such_key", None),
        remote.key("stranger", None),
        Proof::Password(SecretText::new(service("sftp", "SLUICE_TEST_SFTP_PASSWORD"))),
    ];
    home(remote.login(remote.server.port, proofs)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_refuses_wrong_secrets_and_the_error_says_what_was_tried_and_no_secret() {
    let remote = Remote::new();
    for (proof, expected) in [
        (
            Proof::Password(SecretText::new("hunter2")),
            "refused the user tester, shown the password",
        ),
        (remote.key("stranger", None), "/stranger"),
        (remote.key("user_locked", None), "needs a passphrase"),
        (
            remote.key("user_locked", Some("hunter2")),
            "is not opened by the passphrase",
        ),
        (remote.key("no_such_key", None), "cannot be read"),
        (remote.key("known_hosts", None), "is no private key"),
        (
            Proof::Agent("/nowhere".into()),
            "the agent at /nowhere cannot be asked",
        ),
    ] {
        let error = home(remote.login(remote.server.port, vec![proof]))
            .await
            .unwrap_err();
        let told = told(&error);
        assert!(told.contains(expected), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
        assert_eq!(error.class().exit_code(), 1);
    }
    let nobody = Login {
        user: "nobody-here".into(),
        ..remote.login(remote.server.port, vec![remote.key("user", None)])
    };
    assert!(told(&home(nobody).await.unwrap_err()).contains("the server accepts: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_trusts_no_host_that_is_not_known_unless_it_is_asked_to_note_it_down() {
    let remote = Remote::new();
    let path = remote.path.join("new_hosts");
    let login = |new_hosts| Login {
        known_hosts: KnownHosts {
            path: path.clone(),
            new_hosts,
        },
        ..remote.login(remote.server.port, vec![remote.key("user", None)])
    };
    let unknown = told(&home(login(NewHosts::Refused)).await.unwrap_err());
    assert!(
        unknown.contains("is not known: SHA256:") && unknown.contains("--accept-new-host-key"),
        "{unknown}"
    );
    home(login(NewHosts::Accepted)).await.unwrap();
    home(login(NewHosts::Refused)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_refuses_a_host_whose_key_is_another_one_than_known() {
    let remote = Remote::new();
    let other = std::fs::read_to_string(remote.server.folder.join("stranger.pub")).unwrap();
    let path = remote.path.join("wrong_hosts");
    std::fs::write(
        &path,
        format!("[{}]:{} {other}", remote.server.host, remote.server.port),
    )
    .unwrap();
    let mut login = remote.login(remote.server.port, vec![remote.key("user", None)]);
    login.known_hosts = KnownHosts {
        path,
        new_hosts: NewHosts::Accepted,
    };
    let changed = told(&home(login).await.unwrap_err());
    assert!(
        changed.contains("another host key than the one known: SHA256:"),
        "{changed}"
    );
    assert!(changed.contains("ssh-keygen -R '[127.0.0.1]:"), "{changed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_agrees_on_the_kind_of_key_that_is_known() {
    let remote = Remote::new();
    let mut login = remote.login(remote.server.port, vec![remote.key("user", None)]);
    let known = std::fs::read_to_string(&login.known_hosts.path).unwrap();
    let rsa_alone: String = known
        .lines()
        .filter(|line| line.contains("ssh-rsa"))
        .map(|line| format!("{line}\n"))
        .collect();
    login.known_hosts.path = remote.path.join("rsa_hosts");
    std::fs::write(&login.known_hosts.path, rsa_alone).unwrap();
    home(login).await.unwrap();
}
