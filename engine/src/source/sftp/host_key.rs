//! Whether a server is the one it says it is: its key is compared with a file of known hosts, as OpenSSH writes it.
//!
//! ```text
//!  the host's line has this key                 trusted
//!  the host's line has another key              refused, always: somebody may sit in between
//!  no line for the host                         refused, or noted down and trusted if that was asked for
//!  a line `@revoked` with this key              refused, always
//! ```

use std::path::PathBuf;

use russh::Preferred;
use russh::keys::{Algorithm, HashAlg, PublicKey, PublicKeyBase64, known_hosts};

use crate::error::{Error, Result};

/// The hosts that are trusted.
#[derive(Debug, Clone)]
pub struct KnownHosts {
    /// The file of their keys.
    pub path: PathBuf,
    /// What becomes of the others.
    pub new_hosts: NewHosts,
}

/// What becomes of a host that no line names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NewHosts {
    /// It is refused.
    #[default]
    Refused,
    /// Its key is noted down, and trusted from now on.
    Accepted,
}

impl KnownHosts {
    /// Decides about the key that `host` shows.
    ///
    /// # Errors
    /// The key is not trusted, or the file cannot be read or written.
    pub(super) fn check(&self, host: &str, port: u16, key: &PublicKey) -> Result<()> {
        let fingerprint = key.fingerprint(HashAlg::Sha256);
        if self.is_revoked(key)? {
            return Err(
                Error::runtime(format!("the host key {fingerprint} was revoked")).in_file(self.shown())
            );
        }
        let known = self.keys_of(host, port)?;
        if known.contains(key) {
            return Ok(());
        }
        match (known.is_empty(), self.new_hosts) {
            (false, _) => Err(self.changed(host, port, &fingerprint.to_string())),
            (true, NewHosts::Refused) => Err(self.unknown(host, port, &fingerprint.to_string())),
            (true, NewHosts::Accepted) => known_hosts::learn_known_hosts_path(host, port, key, &self.path)
                .map_err(|error| Error::runtime("the host key could not be noted down").because(error))
                .map_err(|error| error.in_file(self.shown())),
        }
    }

    /// The algorithms to agree on, those of the keys that are known first: a server has keys of several kinds.
    pub(super) fn preferred(&self, host: &str, port: u16) -> Result<Vec<Algorithm>> {
        let known = self.keys_of(host, port)?;
        let is_known =
            |algorithm: &Algorithm| known.iter().any(|key| is_same_kind(&key.algorithm(), algorithm));
        let usual = Preferred::DEFAULT.key.into_owned();
        let (mut first, others): (Vec<_>, Vec<_>) = usual.into_iter().partition(is_known);
        first.extend(others);
        Ok(first)
    }

    fn keys_of(&self, host: &str, port: u16) -> Result<Vec<PublicKey>> {
        let found = known_hosts::known_host_keys_path(host, port, &self.path);
        let found = found.map_err(|error| {
            Error::runtime("the file of known hosts is damaged")
                .because(error)
                .in_file(self.shown())
        })?;
        Ok(found.into_iter().map(|(_, key)| key).collect())
    }

    fn is_revoked(&self, key: &PublicKey) -> Result<bool> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => {
                return Err(Error::runtime("the file of known hosts cannot be read")
                    .because(error)
                    .in_file(self.shown()));
            }
        };
        let key = key.public_key_base64();
        let mut revoked = text.lines().filter(|line| line.starts_with("@revoked"));
        Ok(revoked.any(|line| line.split_whitespace().any(|word| word == key)))
    }

    fn changed(&self, host: &str, port: u16, fingerprint: &str) -> Error {
        let message = format!("the server shows another host key than the one known: {fingerprint}");
        Error::runtime(message).in_file(self.shown()).hint(format!(
            "somebody may sit in between; if its owner confirms the new key: ssh-keygen -R {} -f {}, then \
             --accept-new-host-key",
            in_file(host, port),
            self.shown()
        ))
    }

    fn unknown(&self, host: &str, port: u16, fingerprint: &str) -> Error {
        let message = format!(
            "the host key of {} is not known: {fingerprint}",
            in_file(host, port)
        );
        Error::runtime(message).in_file(self.shown()).hint(
            "compare it with what the server's owner says, then --accept-new-host-key notes it down once",
        )
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

/// RSA keys are of one kind, whatever hash they sign.
fn is_same_kind(a: &Algorithm, b: &Algorithm) -> bool {
    a == b || matches!((a, b), (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }))
}

/// The host as its line names it.
fn in_file(host: &str, port: u16) -> String {
    match port {
        22 => host.to_owned(),
        port => format!("'[{host}]:{port}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const B: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G2sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";

    fn hosts(folder: &tempfile::TempDir, text: &str, new_hosts: NewHosts) -> KnownHosts {
        let path = folder.path().join("known_hosts");
        std::fs::write(&path, text).unwrap();
        KnownHosts { path, new_hosts }
    }

    fn key(text: &str) -> PublicKey {
        text.parse().unwrap()
    }

    #[test]
    fn a_key_is_trusted_for_its_host_and_port_alone() {
        let folder = tempfile::tempdir().unwrap();
        let hosts = hosts(&folder, &format!("[h]:2222 {A}\n"), NewHosts::Refused);
        assert!(hosts.check("h", 2222, &key(A)).is_ok());
        let unknown = hosts.check("h", 22, &key(A)).unwrap_err();
        assert!(unknown.to_string().contains("not known: SHA256:"), "{unknown}");
    }

    #[test]
    fn a_changed_key_is_refused_even_if_new_hosts_are_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let hosts = hosts(&folder, &format!("h {A}\n"), NewHosts::Accepted);
        let changed = hosts.check("h", 22, &key(B)).unwrap_err();
        assert!(changed.to_string().contains("another host key"), "{changed}");
        assert!(
            changed
                .hints()
                .iter()
                .any(|hint| hint.contains("ssh-keygen -R h "))
        );
    }

    #[test]
    fn a_new_host_is_noted_down_once_and_known_from_then_on() {
        let folder = tempfile::tempdir().unwrap();
        let accepting = hosts(&folder, "", NewHosts::Accepted);
        accepting.check("h", 2222, &key(A)).unwrap();
        let refusing = KnownHosts {
            new_hosts: NewHosts::Refused,
            ..accepting
        };
        refusing.check("h", 2222, &key(A)).unwrap();
        assert!(refusing.check("h", 2222, &key(B)).is_err());
    }

    #[test]
    fn a_revoked_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let hosts = hosts(&folder, &format!("h {A}\n@revoked * {A}\n"), NewHosts::Accepted);
        assert!(hosts.check("h", 22, &key(A)).is_err());
    }

    #[test]
    fn the_kind_of_key_that_is_known_is_agreed_on_first() {
        let folder = tempfile::tempdir().unwrap();
        let hosts = hosts(&folder, &format!("h {A}\n"), NewHosts::Refused);
        assert_eq!(
            hosts.preferred("h", 22).unwrap().first(),
            Some(&Algorithm::Ed25519)
        );
        assert_eq!(
            hosts.preferred("other", 22).unwrap(),
            Preferred::DEFAULT.key.into_owned()
        );
    }
}
