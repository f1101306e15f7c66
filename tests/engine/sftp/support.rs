//! A folder on the server, and ways to it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sluice_engine::source::sftp::{KnownHosts, Login, NewHosts, Patience, Proof};
use sluice_engine::spec::SecretText;

use crate::support::Bench;
use crate::support::proxy::Proxy;
use crate::support::services::{SftpServer, service};

/// A folder on the server that goes with the test.
pub struct Remote {
    pub server: SftpServer,
    /// The folder, as this machine sees it.
    pub path: PathBuf,
}

impl Remote {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = SftpServer::find();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = server.home.join(format!("{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self { server, path }
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The URL of a file, on this port.
    pub fn url_at(&self, port: u16, name: &str) -> String {
        format!(
            "sftp://{}:{port}{}",
            self.server.host,
            self.path.join(name).display()
        )
    }

    pub fn url(&self, name: &str) -> String {
        self.url_at(self.server.port, name)
    }

    /// `[connections.files]` on this port, logging in with a key.
    pub fn connection(&self, port: u16) -> String {
        let folder = self.server.folder.display();
        let known_hosts = self.path.join("known_hosts");
        std::fs::write(&known_hosts, self.server.known_hosts(port)).unwrap();
        format!(
            "[connections.files]\ntype = \"sftp\"\nhost = \"{}\"\nport = {port}\nuser = \"{}\"\n\
             key_file = \"{folder}/user\"\nknown_hosts = \"{}\"\nroot = \"{}\"\n",
            self.server.host,
            service("sftp", "SLUICE_TEST_SFTP_USER"),
            known_hosts.display(),
            self.path.display(),
        )
    }

    /// An instance with that connection, and a process `p` that reads `name`.
    pub async fn bench(&self, port: u16, name: &str) -> Bench {
        let bench = Bench::with_config(&self.connection(port)).await;
        let toml = format!(
            "mode = \"register\"\nkey = \"cid\"\n[source]\nurl = \"{}\"\nconnection = \"files\"\n\
             [[attribute]]\ncolumn = \"tier\"\ntype = \"string\"\n\
             [[attribute]]\ncolumn = \"spend\"\ntype = \"decimal(18,2)\"\n",
            self.url_at(port, name)
        );
        bench.process("p", &toml).await;
        bench
    }

    pub fn proxy(&self) -> Proxy {
        Proxy::to(&self.server.address())
    }

    /// The user with these proofs, on this port.
    pub fn login(&self, port: u16, proofs: Vec<Proof>) -> Login {
        let known_hosts = self.path.join(format!("known_hosts_{port}"));
        std::fs::write(&known_hosts, self.server.known_hosts(port)).unwrap();
        Login {
            host: self.server.host.clone(),
            port,
            user: service("sftp", "SLUICE_TEST_SFTP_USER"),
            proofs,
            known_hosts: KnownHosts {
                path: known_hosts,
                new_hosts: NewHosts::Refused,
            },
            patience: Patience {
                connect: Duration::from_secs(20),
                silence: Duration::from_secs(15),
                before_retry: Duration::from_millis(50),
            },
        }
    }

    /// A private key of the server's folder.
    pub fn key(&self, name: &str, passphrase: Option<&str>) -> Proof {
        Proof::KeyFile {
            path: self.server.folder.join(name),
            passphrase: passphrase.map(SecretText::new),
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// So many customers as CSV; number 2 has a bad spend.
pub fn csv(num_rows: usize) -> String {
    let mut text = String::from("cid,tier,spend\n");
    for number in 0..num_rows {
        let spend = if number == 2 {
            "lots".to_owned()
        } else {
            format!("{number}.25")
        };
        text.push_str(&format!(
            "C{number:07},Gold of some length to fill the line,{spend}\n"
        ));
    }
    text
}
