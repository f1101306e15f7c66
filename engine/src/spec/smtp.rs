//! `[smtp]`: the server that mail is sent by.

use serde::Deserialize;

use super::problem::Findings;
use super::secret::{RawSecret, Secret};

/// How the connection to the server is made safe.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTls {
    /// It begins in the clear and goes on encrypted, or not at all.
    #[default]
    Starttls,
    /// It is encrypted from the first byte.
    Tls,
    /// It is not; for a server on this machine.
    None,
}

impl SmtpTls {
    fn default_port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

/// A server that takes mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smtp {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether and how the connection is encrypted.
    pub tls: SmtpTls,
    /// Who sends.
    pub from: String,
    /// Who logs in; nobody if `None`.
    pub user: Option<String>,
    /// With which password.
    pub password: Option<Secret>,
    /// PEM file of a certificate to trust beside the system's; a relative path starts at the instance.
    pub ca_file: Option<String>,
}

/// `[smtp]` as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawSmtp {
    host: Option<String>,
    port: Option<u16>,
    tls: SmtpTls,
    from: Option<String>,
    user: Option<String>,
    password: Option<RawSecret>,
    ca_file: Option<String>,
}

pub(super) fn resolve(raw: RawSmtp, findings: &mut Findings) -> Option<Smtp> {
    if raw.host.is_none() {
        findings.missing("smtp.host", "write the name of the mail server");
    }
    if raw.from.is_none() {
        findings.missing("smtp.from", "write who sends, as \"Sluice <sluice@example.com>\"");
    }
    let password = match raw.password {
        Some(password) => Some(findings.take("smtp.password", password.resolve())?),
        None => None,
    };
    if password.is_some() != raw.user.is_some() {
        findings.missing("smtp.user", "write user and password, or neither");
    }
    Some(Smtp {
        host: raw.host?,
        port: raw.port.unwrap_or(raw.tls.default_port()),
        tls: raw.tls,
        from: raw.from?,
        user: raw.user,
        password,
        ca_file: raw.ca_file,
    })
}
