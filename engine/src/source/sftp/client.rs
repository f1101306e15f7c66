//! One SSH connection, logged in.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::BytesMut;
use futures::{StreamExt, TryStreamExt, stream};
use russh::cipher;
use russh::client::{self, Handle, Handler};
use russh::keys::PublicKeyOrCertificate;
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::client::rawsession::Limits;
use russh_sftp::client::{Config as SftpConfig, RawSftpSession};
use russh_sftp::extensions::LIMITS;
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, Semaphore};

use super::super::file::{Version, changed};
use super::auth;
use super::fault::{Fault, of_status};
use super::login::Login;
use crate::error::{Error, Result};

/// The cipher with the most bytes a second comes first; what follows is for servers without it.
const CIPHERS: [cipher::Name; 5] = [
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];
/// Bytes that may be on their way to us.
const WINDOW_BYTES: u32 = 16 << 20;
/// Reads in flight: a server answers one after the other, and each answer travels for a while.
const READS_IN_FLIGHT: usize = 64;
/// Bytes of one read, of a server that allows them: what fits into the largest packet.
const READ_BYTES: u64 = 255 << 10;
/// Bytes of one read that every server allows.
const SAFE_READ_BYTES: u64 = 32 << 10;
/// Seconds that an answer may take: it may stand behind all that is in flight on a slow line. Silence is noticed earlier.
const ANSWER_SECONDS: u64 = 600;
/// Questions whether the server is still there that stay without answer before the connection counts as lost.
const QUESTIONS: usize = 2;

/// A connection, logged in.
pub(super) struct Client {
    session: Handle<HostCheck>,
    sftp: RawSftpSession,
    /// Bytes of one read.
    read_bytes: u64,
    reads: Semaphore,
    /// Handles of files that were opened; they end with the connection.
    opened: Mutex<HashMap<String, (Version, String)>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// Decides about the server's key.
#[derive(Debug)]
pub(super) struct HostCheck {
    login: Login,
}

impl Handler for HostCheck {
    type Error = Fault;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Fault> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else {
            // None was asked for.
            return Ok(false);
        };
        let Login { host, port, .. } = &self.login;
        self.login
            .known_hosts
            .check(host, *port, key)
            .map_err(Fault::Final)?;
        Ok(true)
    }
}

impl Client {
    /// Connects and logs in.
    pub(super) async fn connect(login: &Login) -> Result<Self, Fault> {
        let connecting = tokio::time::timeout(login.patience.connect, Self::try_connect(login));
        connecting.await.unwrap_or_else(|_| {
            let seconds = login.patience.connect.as_secs();
            let error = Error::runtime(format!("the server did not answer within {seconds} s"));
            Err(Fault::Lost(error.hint("check host, port and firewalls")))
        })
    }

    async fn try_connect(login: &Login) -> Result<Self, Fault> {
        let mut session = greet(login).await?;
        auth::log_in(&mut session, login).await?;
        let (sftp, read_bytes) = sftp(&session).await?;
        Ok(Self {
            session,
            sftp,
            read_bytes,
            reads: Semaphore::new(READS_IN_FLIGHT),
            opened: Mutex::default(),
        })
    }

    /// Whether it can still be used.
    pub(super) fn is_alive(&self) -> bool {
        !self.session.is_closed()
    }

    /// The full path of `path`, which may start at the folder of login.
    pub(super) async fn full_path(&self, path: &str) -> Result<String, Fault> {
        let names = self.sftp.realpath(path).await;
        let names = names.map_err(|error| of_status(error, "path", path))?;
        let first = names.files.into_iter().next();
        first
            .map(|name| name.filename)
            .ok_or_else(|| Fault::Final(Error::runtime("the server does not know the path").in_file(path)))
    }

    /// What is at `path`; links are followed.
    pub(super) async fn attributes(&self, path: &str) -> Result<FileAttributes, Fault> {
        let found = self.sftp.stat(path).await;
        Ok(found
            .map_err(|error| of_status(error, "source file", path))?
            .attrs)
    }

    /// Names and attributes of what is in a folder; links are not followed.
    pub(super) async fn folder(&self, path: &str) -> Result<Vec<(String, FileAttributes)>, Fault> {
        let failed = |error| of_status(error, "folder", path);
        let handle = self.sftp.opendir(path).await.map_err(failed)?.handle;
        let mut entries = Vec::new();
        loop {
            match self.sftp.readdir(handle.as_str()).await {
                Ok(names) => entries.extend(names.files.into_iter().map(|file| (file.filename, file.attrs))),
                Err(SftpError::Status(status)) if status.status_code == StatusCode::Eof => break,
                Err(error) => return Err(failed(error)),
            }
        }
        self.sftp.close(handle).await.map_err(failed)?;
        entries.retain(|(name, _)| name != "." && name != "..");
        Ok(entries)
    }

    /// Appends the bytes `range` of that version of a file to `out`; what came before a failure stays there.
    pub(super) async fn read(
        &self,
        path: &str,
        version: &Version,
        range: Range<u64>,
        out: &mut BytesMut,
    ) -> Result<(), Fault> {
        let handle = self.handle(path, version).await?;
        let reads = range.clone().step_by(self.read_bytes as usize).map(|start| {
            let end = range.end.min(start + self.read_bytes);
            self.read_piece(&handle, start..end)
        });
        let mut pieces = stream::iter(reads).buffered(READS_IN_FLIGHT);
        while let Some(piece) = pieces.try_next().await.map_err(|fault| fault.in_file(path))? {
            out.extend_from_slice(&piece);
        }
        Ok(())
    }

    /// The bytes `range`: a server may answer a read with fewer than were asked for.
    async fn read_piece(&self, handle: &str, range: Range<u64>) -> Result<Vec<u8>, Fault> {
        // It is never closed.
        let _permit = self.reads.acquire().await;
        let mut piece = Vec::new();
        loop {
            let at = range.start + piece.len() as u64;
            if at >= range.end {
                return Ok(piece);
            }
            let read = self.sftp.read(handle, at, (range.end - at) as u32).await;
            match read.map(|data| data.data) {
                Ok(data) if data.is_empty() => return Err(Fault::Final(changed())),
                Ok(data) if piece.is_empty() => piece = data,
                Ok(data) => piece.extend_from_slice(&data),
                Err(SftpError::Status(status)) if status.status_code == StatusCode::Eof => {
                    return Err(Fault::Final(changed()));
                }
                Err(error) => return Err(of_status(error, "source file", "")),
            }
        }
    }

    /// The handle of a file, which is that version when it is opened.
    async fn handle(&self, path: &str, version: &Version) -> Result<String, Fault> {
        // Whoever waits here waits for the handle that will be his too.
        let mut opened = self.opened.lock().await;
        if let Some((known, handle)) = opened.get(path)
            && known == version
        {
            return Ok(handle.clone());
        }
        let failed = |error| of_status(error, "source file", path);
        let open = self.sftp.open(path, OpenFlags::READ, FileAttributes::empty());
        let handle = open.await.map_err(failed)?.handle;
        let found = self.sftp.fstat(handle.as_str()).await.map_err(failed)?.attrs;
        if version_of(&found).is(version) {
            opened.insert(path.to_owned(), (version.clone(), handle.clone()));
            return Ok(handle);
        }
        self.sftp.close(handle).await.map_err(failed)?;
        Err(Fault::Final(changed().in_file(path)))
    }
}

/// Connects to a server that shows a key that we trust.
pub(super) async fn greet(login: &Login) -> Result<Handle<HostCheck>, Fault> {
    let config = Arc::new(config(login).map_err(Fault::Final)?);
    let address = (login.host.as_str(), login.port);
    let socket = TcpStream::connect(address).await.map_err(unreachable)?;
    socket.set_nodelay(true).map_err(unreachable)?;
    let check = HostCheck { login: login.clone() };
    client::connect_stream(config, socket, check).await
}

/// Size and time of a file: all that servers tell, the time in whole seconds.
pub(super) fn version_of(attributes: &FileAttributes) -> Version {
    Version {
        size_bytes: attributes.size.unwrap_or_default(),
        modified_ns: i128::from(attributes.mtime.unwrap_or_default()) * 1_000_000_000,
        etag: None,
    }
}

/// A channel for files, and the bytes of one read in it.
async fn sftp(session: &Handle<HostCheck>) -> Result<(RawSftpSession, u64), Fault> {
    let channel = session.channel_open_session().await?;
    channel.request_subsystem(true, "sftp").await?;
    let config = SftpConfig {
        request_timeout_secs: ANSWER_SECONDS,
        ..SftpConfig::default()
    };
    let mut sftp = RawSftpSession::new_with_config(channel.into_stream(), config);
    let failed = |error| of_status(error, "SFTP service", "sftp");
    let version = sftp.init().await.map_err(failed)?;
    if version
        .extensions
        .get(LIMITS)
        .is_none_or(|version| version != "1")
    {
        return Ok((sftp, SAFE_READ_BYTES));
    }
    let limits = Limits::from(sftp.limits().await.map_err(failed)?);
    sftp.set_limits(limits);
    let read_bytes = limits.read_len.unwrap_or(SAFE_READ_BYTES).clamp(1, READ_BYTES);
    Ok((sftp, read_bytes))
}

fn config(login: &Login) -> Result<client::Config> {
    let mut config = client::Config {
        window_size: WINDOW_BYTES,
        keepalive_interval: Some(login.patience.silence),
        keepalive_max: QUESTIONS,
        nodelay: true,
        ..client::Config::default()
    };
    config.preferred.cipher = Cow::Borrowed(&CIPHERS);
    config.preferred.key = Cow::Owned(login.known_hosts.preferred(&login.host, login.port)?);
    Ok(config)
}

fn unreachable(error: std::io::Error) -> Fault {
    let error = Error::runtime("the server cannot be reached").because(error);
    Fault::Lost(error.hint("check host, port and firewalls"))
}
