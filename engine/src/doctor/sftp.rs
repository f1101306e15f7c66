//! The steps of an SFTP server.

use std::sync::Arc;
use std::time::Duration;

use super::finding::{Check, Outcome};
use super::network::Host;
use super::plan::Probe;
use crate::error::Result;
use crate::source::sftp::{Login, NewHosts, Patience, SftpFiles};
use crate::source::{Entry, Sources, Store, ask, blocking};
use crate::spec::SftpConnection;

/// Longest wait until a server has let us in.
const LOGIN_TIME: Duration = Duration::from_secs(15);
/// The port of SSH.
const PORT: u16 = 22;

/// A connection to an SFTP server.
pub(super) struct SftpProbe {
    sources: Sources,
    name: String,
    connection: SftpConnection,
    new_hosts: NewHosts,
    host: Host,
    /// As whom we are there, and what is there.
    files: Option<(String, Arc<SftpFiles>)>,
    /// What serves the root, and a file there.
    found: Option<(Arc<dyn Store>, Entry)>,
}

impl SftpProbe {
    pub(super) fn new(
        sources: &Sources,
        name: &str,
        connection: &SftpConnection,
        new_hosts: NewHosts,
    ) -> Self {
        Self {
            sources: sources.clone(),
            name: name.to_owned(),
            connection: connection.clone(),
            new_hosts,
            host: Host {
                name: connection.host.clone(),
                port: connection.port.unwrap_or(PORT),
            },
            files: None,
            found: None,
        }
    }

    async fn secrets(&mut self) -> Result<Outcome> {
        let Host { name, port } = &self.host;
        let url = format!("sftp://{name}:{port}/");
        let (connection, base, new_hosts) = (
            self.connection.clone(),
            self.sources.base().to_owned(),
            self.new_hosts,
        );
        let mut login = blocking(move || Login::of(&url, Some(&connection), &base, new_hosts)).await?;
        login.patience = Patience {
            connect: LOGIN_TIME,
            ..login.patience
        };
        let proofs = login.proofs.len();
        self.files = Some((login.user.clone(), Arc::new(SftpFiles::new(login))));
        Ok(match proofs {
            0 => Outcome::failed(
                "nothing proves who you are",
                "write password, key_file or agent = true into the connection",
            ),
            _ => Outcome::good("all are where the connection says"),
        })
    }

    async fn host_key(&self) -> Result<Outcome> {
        let Some((_, files)) = self.files.clone() else {
            return Ok(Outcome::skipped("nobody says who you are"));
        };
        ask(async move { files.meet().await }).await?;
        Ok(Outcome::good("the server shows the key that is known"))
    }

    async fn login(&self) -> Result<Outcome> {
        let Some((user, files)) = self.files.clone() else {
            return Ok(Outcome::skipped("nobody says who you are"));
        };
        let home = ask(async move { files.home().await }).await?;
        Ok(Outcome::good(format!("logged in as {user}, in {home}")))
    }

    async fn list(&mut self) -> Result<Outcome> {
        let (sources, name) = (self.sources.clone(), self.name.clone());
        let (store, folder) = blocking(move || sources.root_of(&name)).await?;
        let (asked, of) = (Arc::clone(&store), folder.clone());
        let children = ask(async move { asked.children(&of).await?.open(&asked.url(&of)) }).await?;
        let counted = format!(
            "{} files and {} folders in {}",
            children.files.len(),
            children.folders.len(),
            store.url(&folder)
        );
        let file = children
            .files
            .into_iter()
            .find(|file| file.version.size_bytes > 0);
        self.found = file.map(|file| (store, file));
        Ok(Outcome::good(counted))
    }

    async fn read(&self) -> Result<Outcome> {
        let Some((store, file)) = self.found.clone() else {
            return Ok(Outcome::skipped("there is no file in that folder to read"));
        };
        let seen = format!("the first byte of {}", store.url(&file.path));
        ask(async move { store.read(&file.path, &file.version, 0..1).await }).await?;
        Ok(Outcome::good(seen))
    }
}

impl Probe for SftpProbe {
    async fn probe(&mut self, check: Check) -> Outcome {
        let outcome = match check {
            Check::Secrets => self.secrets().await,
            Check::Name => Ok(self.host.resolve().await),
            Check::Connection => Ok(self.host.connect().await),
            Check::HostKey => self.host_key().await,
            Check::Login => self.login().await,
            Check::List => self.list().await,
            Check::Read => self.read().await,
            _ => Ok(Outcome::skipped("SSH does not tell the time")),
        };
        outcome.unwrap_or_else(Outcome::from)
    }
}
