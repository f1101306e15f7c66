//! `[connections.NAME]` as typed, and the way to a [`Connection`].

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Addressing, Connection, GcsConnection, S3Auth, S3Connection, SftpConnection, SnowflakeAuth,
    SnowflakeConnection, Transport,
};
use crate::spec::problem::{Findings, Problem};
use crate::spec::secret::{RawReference, RawSecret, Secret, ValueSchema};

/// What a connection leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    S3,
    Gcs,
    Sftp,
    Snowflake,
}

/// A `[connections.NAME]` as typed: the keys of every type, each of which is checked against the type that is there.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename = "connection")]
#[schemars(extend("required" = ["type"]))]
pub(in crate::spec) struct RawConnection {
    /// What it is: "s3", "gcs", "sftp" or "snowflake".
    r#type: Option<Kind>,
    /// Folder that depths are counted from: a URL such as s3://BUCKET/FOLDER, or a path; the bucket, or the folder of login.
    root: Option<String>,
    /// URL of the service, if it is not that of the cloud itself.
    endpoint: Option<String>,
    /// Whether http:// may be spoken.
    allow_http: Option<bool>,
    /// PEM file of the authorities that vouch for the service, beside the system's; relative to the instance.
    ca_file: Option<String>,
    /// Region of the bucket.
    region: Option<String>,
    /// Whether the bucket stands in the path of a URL; false: in the host.
    path_style: Option<bool>,
    /// The public half of the key: as it is, or where it is found.
    #[schemars(with = "Option<ValueSchema>")]
    access_key_id: Option<RawSecret>,
    /// Where the secret half of the key is found.
    #[schemars(with = "Option<RawReference>")]
    secret_access_key: Option<RawSecret>,
    /// Where the token of a session is found.
    #[schemars(with = "Option<RawReference>")]
    session_token: Option<RawSecret>,
    /// A profile of ~/.aws.
    profile: Option<String>,
    /// JSON file of a service account.
    service_account_file: Option<String>,
    /// Name or address of the server.
    host: Option<String>,
    /// Port of the server; 22.
    port: Option<u16>,
    /// Name of the user: as it is, or where it is found.
    #[schemars(with = "Option<ValueSchema>")]
    user: Option<RawSecret>,
    /// Where the password is found.
    #[schemars(with = "Option<RawReference>")]
    password: Option<RawSecret>,
    /// File of a private key.
    key_file: Option<String>,
    /// Where the passphrase of the private key is found.
    #[schemars(with = "Option<RawReference>")]
    passphrase: Option<RawSecret>,
    /// Whether the keys of an SSH agent are tried.
    agent: Option<bool>,
    /// File of the hosts that are trusted; ~/.ssh/known_hosts.
    known_hosts: Option<String>,
    /// Identifier of the account.
    account: Option<String>,
    /// Where the private key in PEM is found.
    #[schemars(with = "Option<RawReference>")]
    private_key: Option<RawSecret>,
    /// Where the token of OAuth is found.
    #[schemars(with = "Option<RawReference>")]
    oauth_token: Option<RawSecret>,
    /// Role.
    role: Option<String>,
    /// Warehouse.
    warehouse: Option<String>,
    /// Database.
    database: Option<String>,
    /// Schema.
    schema: Option<String>,
}

/// The connection of a `[connections.NAME]` at `at`.
pub(in crate::spec) fn resolve(raw: RawConnection, at: &str, findings: &mut Findings) -> Option<Connection> {
    let Some(kind) = raw.r#type else {
        findings.missing(
            &format!("{at}.type"),
            "write type = \"s3\", \"gcs\", \"sftp\" or \"snowflake\"",
        );
        return None;
    };
    check_keys_apply(&raw, kind, at, findings);
    let mut reader = Reader { at, findings };
    match kind {
        Kind::S3 => reader.s3(raw).map(Connection::S3),
        Kind::Gcs => reader.gcs(raw).map(Connection::Gcs),
        Kind::Sftp => reader.sftp(raw).map(Connection::Sftp),
        Kind::Snowflake => reader.snowflake(raw).map(Connection::Snowflake),
    }
}

/// A key that would silently do nothing is refused.
fn check_keys_apply(raw: &RawConnection, kind: Kind, at: &str, findings: &mut Findings) {
    use Kind::{Gcs, S3, Sftp, Snowflake};
    let keys: [(&str, bool, &[Kind]); 26] = [
        ("root", raw.root.is_some(), &[S3, Gcs, Sftp]),
        ("endpoint", raw.endpoint.is_some(), &[S3, Gcs, Snowflake]),
        ("allow_http", raw.allow_http.is_some(), &[S3, Gcs, Snowflake]),
        ("ca_file", raw.ca_file.is_some(), &[S3, Gcs]),
        ("region", raw.region.is_some(), &[S3]),
        ("path_style", raw.path_style.is_some(), &[S3]),
        ("access_key_id", raw.access_key_id.is_some(), &[S3]),
        ("secret_access_key", raw.secret_access_key.is_some(), &[S3]),
        ("session_token", raw.session_token.is_some(), &[S3]),
        ("profile", raw.profile.is_some(), &[S3]),
        ("service_account_file", raw.service_account_file.is_some(), &[Gcs]),
        ("host", raw.host.is_some(), &[Sftp]),
        ("port", raw.port.is_some(), &[Sftp]),
        ("user", raw.user.is_some(), &[Sftp, Snowflake]),
        ("password", raw.password.is_some(), &[Sftp, Snowflake]),
        ("key_file", raw.key_file.is_some(), &[Sftp]),
        ("passphrase", raw.passphrase.is_some(), &[Sftp, Snowflake]),
        ("agent", raw.agent.is_some(), &[Sftp]),
        ("known_hosts", raw.known_hosts.is_some(), &[Sftp]),
        ("account", raw.account.is_some(), &[Snowflake]),
        ("private_key", raw.private_key.is_some(), &[Snowflake]),
        ("oauth_token", raw.oauth_token.is_some(), &[Snowflake]),
        ("role", raw.role.is_some(), &[Snowflake]),
        ("warehouse", raw.warehouse.is_some(), &[Snowflake]),
        ("database", raw.database.is_some(), &[Snowflake]),
        ("schema", raw.schema.is_some(), &[Snowflake]),
    ];
    for (key, _, _) in keys
        .iter()
        .filter(|(_, written, kinds)| *written && !kinds.contains(&kind))
    {
        findings.add(
            format!("{at}.{key}"),
            format!("means nothing for {}", word(kind)),
            "remove it",
        );
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::S3 => "s3",
        Kind::Gcs => "gcs",
        Kind::Sftp => "sftp",
        Kind::Snowflake => "snowflake",
    }
}

/// Reads the keys of one connection.
struct Reader<'a> {
    at: &'a str,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    fn s3(&mut self, raw: RawConnection) -> Option<S3Connection> {
        let transport = self.transport(raw.allow_http, raw.endpoint.as_deref());
        let id = raw
            .access_key_id
            .and_then(|id| self.take("access_key_id", id.resolve_value()));
        let key = self.secret("secret_access_key", raw.secret_access_key);
        let token = self.secret("session_token", raw.session_token);
        if raw.profile.is_some() && (id.is_some() || key.is_some()) {
            self.add("profile", "both a profile and keys", "keep one of them");
        }
        let auth = match (id, key, raw.profile) {
            (Some(access_key_id), Some(secret_access_key), _) => S3Auth::Keys {
                access_key_id,
                secret_access_key,
                session_token: token,
            },
            (Some(_), None, _) => return self.needs("secret_access_key", "write the other half of the key"),
            (None, Some(_), _) => return self.needs("access_key_id", "write the other half of the key"),
            (None, None, Some(profile)) => S3Auth::Profile(profile),
            (None, None, None) if token.is_some() => {
                return self.needs("access_key_id", "write the keys that the token belongs to");
            }
            (None, None, None) => S3Auth::Environment,
        };
        Some(S3Connection {
            root: raw.root,
            endpoint: raw.endpoint,
            region: raw.region,
            addressing: match raw.path_style {
                Some(false) => Addressing::Host,
                Some(true) | None => Addressing::Path,
            },
            transport,
            ca_file: raw.ca_file,
            auth,
        })
    }

    fn gcs(&mut self, raw: RawConnection) -> Option<GcsConnection> {
        Some(GcsConnection {
            transport: self.transport(raw.allow_http, raw.endpoint.as_deref()),
            root: raw.root,
            endpoint: raw.endpoint,
            ca_file: raw.ca_file,
            service_account_file: raw.service_account_file,
        })
    }

    fn sftp(&mut self, raw: RawConnection) -> Option<SftpConnection> {
        let user = raw.user.and_then(|user| self.take("user", user.resolve_value()));
        let password = self.secret("password", raw.password);
        let passphrase = self.secret("passphrase", raw.passphrase);
        if passphrase.is_some() && raw.key_file.is_none() {
            self.add("passphrase", "opens no key_file", "add key_file, or remove it");
        }
        let Some(host) = raw.host.filter(|host| !host.is_empty()) else {
            return self.needs("host", "write the name of the server");
        };
        Some(SftpConnection {
            root: raw.root,
            host,
            port: raw.port,
            user,
            password,
            key_file: raw.key_file,
            passphrase,
            agent: raw.agent,
            known_hosts: raw.known_hosts,
        })
    }

    fn snowflake(&mut self, raw: RawConnection) -> Option<SnowflakeConnection> {
        let transport = self.transport(raw.allow_http, raw.endpoint.as_deref());
        let user = raw.user.and_then(|user| self.take("user", user.resolve_value()));
        let password = self.secret("password", raw.password);
        let private_key = self.secret("private_key", raw.private_key);
        let passphrase = self.secret("passphrase", raw.passphrase);
        let token = self.secret("oauth_token", raw.oauth_token);
        let auth = match (password, private_key, token) {
            (Some(password), None, None) => SnowflakeAuth::Password(password),
            (None, Some(private_key), None) => SnowflakeAuth::Key {
                private_key,
                passphrase,
            },
            (None, None, Some(token)) => SnowflakeAuth::OauthToken(token),
            (None, None, None) => {
                return self.needs(
                    "private_key",
                    "write one of private_key, oauth_token and password",
                );
            }
            _ => {
                let remedy = "keep one of private_key, oauth_token and password";
                self.add("private_key", "several ways to prove who it is", remedy);
                return None;
            }
        };
        if user.is_none() && !matches!(auth, SnowflakeAuth::OauthToken(_)) {
            return self.needs("user", "write the name of the user");
        }
        let Some(account) = raw.account.filter(|account| !account.is_empty()) else {
            return self.needs("account", "write the identifier of the account");
        };
        Some(SnowflakeConnection {
            account,
            user,
            auth,
            role: raw.role,
            warehouse: raw.warehouse,
            database: raw.database,
            schema: raw.schema,
            endpoint: raw.endpoint,
            transport,
        })
    }

    /// Whether keys may travel unencrypted, as they would to `endpoint`.
    fn transport(&mut self, allow_http: Option<bool>, endpoint: Option<&str>) -> Transport {
        let scheme = endpoint.and_then(|endpoint| endpoint.split_once("://").map(|(scheme, _)| scheme));
        match (endpoint, scheme, allow_http) {
            (Some(_), Some("http"), None | Some(false)) => self.add(
                "endpoint",
                "http:// would send the data in the clear",
                "write https://, or allow_http = true",
            ),
            (None, ..) | (_, Some("http" | "https"), _) => {}
            (Some(_), ..) => self.add("endpoint", "no URL", "write https://HOST[:PORT]"),
        }
        match allow_http {
            Some(true) => Transport::ClearAllowed,
            Some(false) | None => Transport::Encrypted,
        }
    }

    fn secret(&mut self, key: &str, raw: Option<RawSecret>) -> Option<Secret> {
        raw.and_then(|raw| self.take(key, raw.resolve()))
    }

    fn take<T>(&mut self, key: &str, outcome: Result<T, Problem>) -> Option<T> {
        self.findings.take(&format!("{}.{key}", self.at), outcome)
    }

    fn add(&mut self, key: &str, what: &str, remedy: &str) {
        self.findings.add(format!("{}.{key}", self.at), what, remedy);
    }

    /// Records that a key is missing, unless it is there with a problem of its own.
    fn needs<T>(&mut self, key: &str, remedy: &str) -> Option<T> {
        let at = format!("{}.{key}", self.at);
        if self.findings.problems.iter().all(|problem| problem.at != at) {
            self.findings.missing(&at, remedy);
        }
        None
    }
}
