//! Files on an SFTP server.
//!
//! ```text
//!   [connections.NAME] ─▶ Login ─▶ SftpFiles ─▶ Client (SSH, logged in, kept) ─▶ ranges of files, folders
//!                                     ▲             │ connection lost
//!                                     └─────────────┘ again, from the byte where it stood
//! ```
//!
//! Start with [`SftpFiles`], a [`Store`](super::Store). `login` reads a connection, `host_key` decides whom to trust,
//! `auth` proves who we are, `client` is one connection, `fault` says whether another try may do.

mod auth;
mod client;
mod fault;
mod files;
mod host_key;
mod login;

pub use files::SftpFiles;
pub use host_key::{KnownHosts, NewHosts};
pub use login::{Login, Patience, Proof};
