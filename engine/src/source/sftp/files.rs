//! The files of a server, whatever happens to the connection.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, stream};
use russh_sftp::protocol::{FileAttributes, FileType};
use tokio::sync::Mutex;

use super::super::file::Version;
use super::super::store::{Arrival, Children, Entry, Store};
use super::client::{Client, greet, version_of};
use super::fault::Fault;
use super::login::Login;
use crate::error::{Error, Result};

/// Attempts in a row that bring nothing, of a server that we were connected to before.
const MAX_ATTEMPTS: u32 = 6;
/// The same of one that never answered: more likely it is not there.
const MAX_FIRST_ATTEMPTS: u32 = 3;
/// The folder of login, for a server.
const HOME: &str = ".";
/// Links that are followed at the same time.
const LINKS_AT_ONCE: usize = 16;

/// The files of an SFTP server. Nothing is asked of it until something is wanted; one connection serves all.
#[derive(Debug)]
pub struct SftpFiles {
    login: Login,
    kept: Mutex<Option<Arc<Client>>>,
    /// Whether we were ever let in.
    was_connected: AtomicBool,
}

impl SftpFiles {
    /// Those of the server that `login` names.
    #[must_use]
    pub fn new(login: Login) -> Self {
        Self {
            login,
            kept: Mutex::new(None),
            was_connected: AtomicBool::new(false),
        }
    }

    /// Connects, logs in, and gives the full path of the folder of login.
    ///
    /// # Errors
    /// The server cannot be reached, is not trusted, or does not let us in.
    pub async fn home(&self) -> Result<String> {
        self.insist(|client| async move { client.full_path(HOME).await })
            .await
    }

    /// Connects once, and looks at the server's key.
    ///
    /// # Errors
    /// The server cannot be reached, or is not trusted.
    pub async fn meet(&self) -> Result<()> {
        let met = tokio::time::timeout(self.login.patience.connect, greet(&self.login)).await;
        met.map_err(|_| Error::runtime("the server did not answer").hint("check that it is an SSH server"))?
            .map(drop)
            .map_err(Error::from)
    }

    /// Asks until there is an answer, or no hope for one.
    async fn insist<T, F>(&self, ask: impl Fn(Arc<Client>) -> F) -> Result<T>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let mut attempts = Attempts::default();
        loop {
            match self.ask_once(&ask).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => self.recover(fault, &mut attempts).await?,
            }
        }
    }

    async fn ask_once<T, F>(&self, ask: &impl Fn(Arc<Client>) -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let client = self.client().await?;
        let answer = ask(Arc::clone(&client)).await;
        if matches!(answer, Err(Fault::Lost(_))) {
            self.forget(&client).await;
        }
        answer
    }

    /// Appends the bytes `range` of a file to `out`; what came before a failure stays there.
    async fn read_once(
        &self,
        path: &str,
        version: &Version,
        range: Range<u64>,
        out: &mut BytesMut,
    ) -> Result<(), Fault> {
        let client = self.client().await?;
        let read = client.read(path, version, range, out).await;
        if matches!(read, Err(Fault::Lost(_))) {
            self.forget(&client).await;
        }
        read
    }

    /// Waits before another attempt.
    ///
    /// # Errors
    /// The fault itself, if another attempt would be one too many.
    async fn recover(&self, fault: Fault, attempts: &mut Attempts) -> Result<()> {
        let lost = match fault {
            Fault::Final(error) | Fault::Denied(error) => return Err(error.in_file(self.login.shown())),
            Fault::Lost(error) => error,
        };
        attempts.failed += 1;
        let most = match self.was_connected.load(Ordering::Relaxed) {
            true => MAX_ATTEMPTS,
            false => MAX_FIRST_ATTEMPTS,
        };
        if attempts.failed >= most {
            let tried = format!("tried {most} times");
            return Err(lost.in_file(self.login.shown()).hint(tried));
        }
        tokio::time::sleep(self.login.patience.before_retry * 2_u32.pow(attempts.failed - 1)).await;
        Ok(())
    }

    /// The connection that is kept, or a new one.
    async fn client(&self) -> Result<Arc<Client>, Fault> {
        // Whoever waits here waits for the connection that will be his too.
        let mut kept = self.kept.lock().await;
        if let Some(client) = kept.as_ref().filter(|client| client.is_alive()) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(Client::connect(&self.login).await?);
        self.was_connected.store(true, Ordering::Relaxed);
        *kept = Some(Arc::clone(&client));
        Ok(client)
    }

    /// Makes the next one who asks connect anew.
    async fn forget(&self, lost: &Arc<Client>) {
        let mut kept = self.kept.lock().await;
        if kept.as_ref().is_some_and(|client| Arc::ptr_eq(client, lost)) {
            *kept = None;
        }
    }

    /// What is at a path that a folder names; nothing if a link leads nowhere, or to what is neither file nor folder.
    async fn child(&self, path: String) -> Result<Option<Child>> {
        let full_path = &full(&path);
        let found = self
            .insist(|client| async move {
                match client.attributes(full_path).await {
                    Ok(attributes) => Ok(Some(attributes)),
                    Err(Fault::Final(_) | Fault::Denied(_)) => Ok(None),
                    Err(lost) => Err(lost),
                }
            })
            .await?;
        Ok(found.and_then(|attributes| Child::of(path, &attributes)))
    }
}

/// Attempts in a row that brought nothing.
#[derive(Debug, Default)]
struct Attempts {
    failed: u32,
}

/// What a folder holds.
enum Child {
    File(Entry),
    Folder(String),
}

impl Child {
    /// Nothing if it is neither.
    fn of(path: String, attributes: &FileAttributes) -> Option<Self> {
        match attributes.file_type() {
            FileType::Dir => Some(Self::Folder(path)),
            FileType::File => Some(Self::File(Entry {
                path,
                version: version_of(attributes),
            })),
            _ => None,
        }
    }
}

impl Extend<Child> for Children {
    fn extend<I: IntoIterator<Item = Child>>(&mut self, children: I) {
        for child in children {
            match child {
                Child::File(entry) => self.files.push(entry),
                Child::Folder(path) => self.folders.push(path),
            }
        }
    }
}

#[async_trait]
impl Store for SftpFiles {
    async fn children(&self, folder: &str) -> Result<Children> {
        let folder = &full(folder);
        let found = self
            .insist(|client| async move {
                let path = match folder.as_str() {
                    HOME => client.full_path(HOME).await?,
                    path => path.to_owned(),
                };
                match client.folder(&path).await {
                    Ok(entries) => Ok(Some((path, entries))),
                    Err(Fault::Denied(_)) => Ok(None),
                    Err(fault) => Err(fault),
                }
            })
            .await?;
        let Some((path, entries)) = found else {
            return Ok(Children::denied());
        };
        let parent = path.trim_matches('/');
        let mut children = Children::default();
        let mut links = Vec::new();
        for (name, attributes) in entries {
            let path = if parent.is_empty() {
                name
            } else {
                format!("{parent}/{name}")
            };
            match attributes.file_type() {
                FileType::Symlink => links.push(path),
                _ => children.extend(Child::of(path, &attributes)),
            }
        }
        let followed = stream::iter(links.into_iter().map(|path| self.child(path)));
        let mut followed = followed.buffered(LINKS_AT_ONCE);
        while let Some(child) = followed.try_next().await? {
            children.extend(child);
        }
        Ok(children)
    }

    async fn inspect(&self, path: &str) -> Result<Version> {
        let path = &full(path);
        let attributes = self
            .insist(|client| async move { client.attributes(path).await })
            .await?;
        if attributes.file_type() == FileType::Dir {
            return Err(Error::runtime("the source is a folder; name one file")
                .hint(format!("list what is in it: sluice discover {}", self.url(path))));
        }
        Ok(version_of(&attributes))
    }

    async fn read(&self, path: &str, version: &Version, range: Range<u64>) -> Result<Bytes> {
        let path = full(path);
        let mut bytes = BytesMut::with_capacity((range.end - range.start) as usize);
        let mut attempts = Attempts::default();
        loop {
            let had_bytes = bytes.len();
            let rest = range.start + had_bytes as u64..range.end;
            let fault = match self.read_once(&path, version, rest, &mut bytes).await {
                Ok(()) => return Ok(bytes.freeze()),
                Err(fault) => fault,
            };
            if bytes.len() > had_bytes {
                attempts = Attempts::default();
            }
            self.recover(fault, &mut attempts).await?;
        }
    }

    fn arrival(&self) -> Arrival {
        Arrival::Growing
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{}", self.login.shown(), path.trim_start_matches('/'))
    }
}

/// A path of the store as the server knows it; no path at all is the folder of login.
fn full(path: &str) -> String {
    match path.trim_start_matches('/') {
        "" => HOME.to_owned(),
        path => format!("/{path}"),
    }
}
