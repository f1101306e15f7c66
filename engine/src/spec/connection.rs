//! `[connections.NAME]`: how a place elsewhere is reached, and as whom.

use super::location::SourceKind;
use super::secret::{Secret, Value};

mod reading;

pub(super) use reading::{RawConnection, resolve};

/// A place elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// Amazon S3, or what speaks like it.
    S3(S3Connection),
    /// Google Cloud Storage.
    Gcs(GcsConnection),
    /// An SFTP server.
    Sftp(SftpConnection),
    /// A Snowflake account.
    Snowflake(SnowflakeConnection),
}

/// Amazon S3, or what speaks like it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Connection {
    /// Folder that depths are counted from; none: the bucket.
    pub root: Option<String>,
    /// URL of the service; none: Amazon's.
    pub endpoint: Option<String>,
    /// Region of the bucket.
    pub region: Option<String>,
    /// Where the bucket stands in a URL.
    pub addressing: Addressing,
    /// Whether `http://` is spoken.
    pub transport: Transport,
    /// Certificates of authorities that are trusted beside the system's; none: `AWS_CA_BUNDLE`.
    pub ca_file: Option<String>,
    /// As whom.
    pub auth: S3Auth,
}

/// Where a bucket stands in a URL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Addressing {
    /// In the path: `https://HOST/BUCKET/KEY`.
    #[default]
    Path,
    /// In the host: `https://BUCKET.HOST/KEY`.
    Host,
}

/// Whether what is said can be overheard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transport {
    /// TLS only.
    #[default]
    Encrypted,
    /// `http://` too.
    ClearAllowed,
}

/// As whom S3 is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum S3Auth {
    /// Whoever the environment says: variables, the default profile, a web identity, the machine's role.
    Environment,
    /// This profile of `~/.aws`.
    Profile(String),
    /// Whoever has these keys.
    Keys {
        /// The public half.
        access_key_id: Value,
        /// The secret half.
        secret_access_key: Secret,
        /// The token of a session.
        session_token: Option<Secret>,
    },
}

/// Google Cloud Storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcsConnection {
    /// Folder that depths are counted from; none: the bucket.
    pub root: Option<String>,
    /// URL of the service; none: Google's.
    pub endpoint: Option<String>,
    /// Whether `http://` is spoken.
    pub transport: Transport,
    /// Certificates of authorities that are trusted beside the system's.
    pub ca_file: Option<String>,
    /// JSON of a service account; none: whoever the environment says.
    pub service_account_file: Option<String>,
}

/// An SFTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SftpConnection {
    /// Folder that depths are counted from; none: that of login.
    pub root: Option<String>,
    /// Name or address of the server.
    pub host: String,
    /// Its port; none: 22.
    pub port: Option<u16>,
    /// As whom; none: the user of the URL.
    pub user: Option<Value>,
    /// Password.
    pub password: Option<Secret>,
    /// File of a private key.
    pub key_file: Option<String>,
    /// What opens the private key.
    pub passphrase: Option<Secret>,
    /// Whether the keys of an SSH agent are tried; none: if there is neither a password nor a key file.
    pub agent: Option<bool>,
    /// File of the hosts that are trusted; none: `~/.ssh/known_hosts`.
    pub known_hosts: Option<String>,
}

/// A Snowflake account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnowflakeConnection {
    /// Identifier of the account.
    pub account: String,
    /// As whom; none: whoever the token belongs to.
    pub user: Option<Value>,
    /// How that is proved.
    pub auth: SnowflakeAuth,
    /// Role.
    pub role: Option<String>,
    /// Warehouse.
    pub warehouse: Option<String>,
    /// Database.
    pub database: Option<String>,
    /// Schema.
    pub schema: Option<String>,
    /// URL of the service; none: that of the account.
    pub endpoint: Option<String>,
    /// Whether `http://` is spoken.
    pub transport: Transport,
}

/// How a user of Snowflake proves to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnowflakeAuth {
    /// By a password.
    Password(Secret),
    /// By a private key in PEM.
    Key {
        /// The key.
        private_key: Secret,
        /// What opens it.
        passphrase: Option<Secret>,
    },
    /// By a token of OAuth.
    OauthToken(Secret),
}

impl Connection {
    /// Folder that depths are counted from, as written.
    #[must_use]
    pub fn root(&self) -> Option<&str> {
        match self {
            Self::S3(s3) => s3.root.as_deref(),
            Self::Gcs(gcs) => gcs.root.as_deref(),
            Self::Sftp(sftp) => sftp.root.as_deref(),
            Self::Snowflake(_) => None,
        }
    }

    /// The word of `type`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::S3(_) => "s3",
            Self::Gcs(_) => "gcs",
            Self::Sftp(_) => "sftp",
            Self::Snowflake(_) => "snowflake",
        }
    }

    /// Whether sources of `kind` are reached through it.
    #[must_use]
    pub fn serves(&self, kind: SourceKind) -> bool {
        match self {
            Self::S3(_) => kind == SourceKind::S3,
            Self::Gcs(_) => kind == SourceKind::Gcs,
            Self::Sftp(_) => kind == SourceKind::Sftp,
            Self::Snowflake(_) => !kind.is_file(),
        }
    }
}
