//! Where a server is, as whom it is spoken to, and how long it may keep silent.

use std::path::{Path, PathBuf};
use std::time::Duration;

use url::{Host, Url};

use super::super::secret::{find_secret, find_value};
use super::host_key::{KnownHosts, NewHosts};
use crate::error::{Error, Result};
use crate::spec::{SecretText, SftpConnection};

/// The port of SSH.
const PORT: u16 = 22;
/// Private keys that are tried where nothing says how to log in, in the folder `~/.ssh`.
const USUAL_KEYS: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// A server, and as whom it is spoken to.
#[derive(Debug, Clone)]
pub struct Login {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The user.
    pub user: String,
    /// What proves it, in the order in which it is tried.
    pub proofs: Vec<Proof>,
    /// The hosts that are trusted.
    pub known_hosts: KnownHosts,
    /// How long the server may keep silent.
    pub patience: Patience,
}

/// What proves to a server who we are.
#[derive(Debug, Clone)]
pub enum Proof {
    /// The keys of the agent that listens here.
    Agent(PathBuf),
    /// A private key.
    KeyFile {
        /// Its file.
        path: PathBuf,
        /// What opens it.
        passphrase: Option<SecretText>,
    },
    /// A password, also where the server asks for it as a question.
    Password(SecretText),
}

/// How long a server may keep silent.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until it has let us in.
    pub connect: Duration,
    /// Before it is asked whether it is still there; after the third question the connection counts as lost.
    pub silence: Duration,
    /// Before a lost connection is tried again; doubled each time.
    pub before_retry: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            silence: Duration::from_secs(15),
            before_retry: Duration::from_millis(500),
        }
    }
}

impl Login {
    /// The server of `url`, reached as its connection says; relative paths start at `base`. May wait for secrets.
    ///
    /// # Errors
    /// The URL is not that of the connection; nobody says who we are; a secret is not where it should be.
    pub fn of(
        url: &str,
        connection: Option<&SftpConnection>,
        base: &Path,
        new_hosts: NewHosts,
    ) -> Result<Self> {
        let (host, port, user) = place(url)?;
        if let Some(connection) = connection {
            check_host(&host, port, connection)?;
        }
        let own = connection.and_then(|connection| connection.user.as_ref());
        let user = match own.map(|user| find_value(user, base)).transpose()? {
            Some(own) => Some(own.reveal().to_owned()),
            None => user.or_else(|| std::env::var("USER").ok()),
        };
        let proofs = connection
            .map(|connection| written_proofs(connection, base))
            .transpose()?;
        let known_hosts = connection.and_then(|connection| connection.known_hosts.as_ref());
        Ok(Self {
            host,
            port: port
                .or(connection.and_then(|connection| connection.port))
                .unwrap_or(PORT),
            user: user.ok_or_else(|| nobody(url))?,
            proofs: proofs
                .filter(|proofs| !proofs.is_empty())
                .unwrap_or_else(usual_proofs),
            known_hosts: KnownHosts {
                path: match known_hosts {
                    Some(path) => at(base, path),
                    None => at(base, "~/.ssh/known_hosts"),
                },
                new_hosts,
            },
            patience: Patience::default(),
        })
    }

    /// The server as URLs and errors name it.
    pub(super) fn shown(&self) -> String {
        match self.port {
            PORT => format!("sftp://{}", self.host),
            port => format!("sftp://{}:{port}", self.host),
        }
    }
}

/// Host, port and user of a URL.
fn place(url: &str) -> Result<(String, Option<u16>, Option<String>)> {
    let refused = |reason: String| {
        Error::usage(format!("the URL names no SFTP server: {reason}"))
            .in_file(url)
            .hint("write sftp://[USER@]HOST[:PORT]/PATH/FILE")
    };
    let parsed = Url::parse(url).map_err(|error| refused(error.to_string()))?;
    let host = match parsed.host() {
        Some(Host::Domain(name)) if !name.is_empty() => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        _ => return Err(refused("it has no host".to_owned())),
    };
    let user = Some(parsed.username()).filter(|user| !user.is_empty());
    Ok((host, parsed.port(), user.map(str::to_owned)))
}

/// A secret is shown to nobody but the host that it is for.
fn check_host(host: &str, port: Option<u16>, connection: &SftpConnection) -> Result<()> {
    let is_port = port.is_none_or(|port| port == connection.port.unwrap_or(PORT));
    if host.eq_ignore_ascii_case(&connection.host) && is_port {
        return Ok(());
    }
    let (of, its) = (host, &connection.host);
    Err(
        Error::usage(format!("the URL is of the host {of}, the connection of {its}"))
            .hint("name another connection, or none"),
    )
}

fn nobody(url: &str) -> Error {
    Error::usage("nobody says which user to be")
        .in_file(url)
        .hint("write user into the connection, or USER@ into the URL")
}

/// What the connection says, in the order in which it is tried.
fn written_proofs(connection: &SftpConnection, base: &Path) -> Result<Vec<Proof>> {
    let mut proofs = Vec::new();
    if let Some(path) = &connection.key_file {
        let passphrase = connection
            .passphrase
            .as_ref()
            .map(|secret| find_secret(secret, base));
        proofs.push(Proof::KeyFile {
            path: at(base, path),
            passphrase: passphrase.transpose()?,
        });
    }
    if connection.agent == Some(true) {
        proofs.push(agent().ok_or_else(|| {
            Error::usage("no agent is there: SSH_AUTH_SOCK is not set")
                .hint("start ssh-agent, or remove agent = true")
        })?);
    }
    if let Some(password) = &connection.password {
        proofs.push(Proof::Password(find_secret(password, base)?));
    }
    if proofs.is_empty() && connection.agent != Some(false) {
        proofs.extend(agent());
    }
    Ok(proofs)
}

/// What is tried where nothing is said: what `ssh` tries.
fn usual_proofs() -> Vec<Proof> {
    let folder = at(Path::new(""), "~/.ssh");
    let keys = USUAL_KEYS
        .iter()
        .map(|name| folder.join(name))
        .filter(|path| path.exists());
    let keys = keys.map(|path| Proof::KeyFile {
        path,
        passphrase: None,
    });
    agent().into_iter().chain(keys).collect()
}

fn agent() -> Option<Proof> {
    std::env::var_os("SSH_AUTH_SOCK").map(|socket| Proof::Agent(socket.into()))
}

/// A path as written: `~/` is the home folder, a relative one starts at `base`.
fn at(base: &Path, path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(below_home), Some(home)) => home.join(below_home),
        _ => base.join(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Secret, Value};

    fn connection() -> SftpConnection {
        SftpConnection {
            root: None,
            host: "files.example".to_owned(),
            port: Some(2222),
            user: None,
            password: None,
            key_file: None,
            passphrase: None,
            agent: Some(false),
            known_hosts: None,
        }
    }

    fn login(url: &str, connection: &SftpConnection) -> Result<Login> {
        Login::of(url, Some(connection), Path::new("/instance"), NewHosts::Refused)
    }

    #[test]
    fn a_url_says_host_port_and_user_and_a_connection_overrules_the_user() {
        let found = login("sftp://ann@FILES.example/in/a.csv", &connection()).unwrap();
        assert_eq!(
            (found.port, found.user.as_str(), found.shown().as_str()),
            (2222, "ann", "sftp://FILES.example:2222")
        );
        let own = SftpConnection {
            user: Some(Value::Plain("crm".to_owned())),
            ..connection()
        };
        assert_eq!(login("sftp://ann@files.example/a.csv", &own).unwrap().user, "crm");
        assert_eq!(
            place("sftp://[::1]:23/a").unwrap(),
            ("::1".to_owned(), Some(23), None)
        );
    }

    #[test]
    fn secrets_are_not_shown_to_another_host_than_theirs() {
        for url in [
            "sftp://ann@other.example/a.csv",
            "sftp://ann@files.example:23/a.csv",
        ] {
            let refused = login(url, &connection()).unwrap_err();
            assert!(
                refused.to_string().contains("the connection of files.example"),
                "{refused}"
            );
        }
    }

    #[test]
    fn proofs_are_tried_in_order_and_paths_start_at_the_instance() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), "pw\n").unwrap();
        let secret = || Some(Secret::File(folder.path().join("secret").display().to_string()));
        let both = SftpConnection {
            key_file: Some("keys/id".to_owned()),
            passphrase: secret(),
            password: secret(),
            known_hosts: Some("hosts".to_owned()),
            ..connection()
        };
        let found = login("sftp://ann@files.example/a.csv", &both).unwrap();
        assert_eq!(found.known_hosts.path, Path::new("/instance/hosts"));
        assert!(matches!(
            found.proofs.as_slice(),
            [Proof::KeyFile { path, passphrase: Some(_) }, Proof::Password(_)] if path == Path::new("/instance/keys/id")
        ));
    }
}
