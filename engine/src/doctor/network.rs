//! The way to a server: its address, somebody who listens there, and what he says first.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Certificate;
use reqwest::redirect::Policy;
use tokio::net::{TcpStream, lookup_host};
use url::Url;

use super::clock;
use super::finding::{Check, Outcome};
use crate::error::{Error, Result};
use crate::source::objects::Authorities;

/// Longest wait for an address, and for somebody to listen.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// Longest wait for an answer.
const ANSWER_TIME: Duration = Duration::from_secs(15);
/// Addresses of a name that are shown.
const SHOWN_ADDRESSES: usize = 3;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) port: u16,
}

impl Host {
    /// The address of its name.
    pub(super) async fn resolve(&self) -> Outcome {
        if self.name.parse::<IpAddr>().is_ok() {
            return Outcome::skipped("an address needs none");
        }
        let failed = |why: String| {
            Outcome::failed(
                format!("{} has no address: {why}", self.name),
                "check the name in sluice.toml, and what this machine asks for names (/etc/resolv.conf)",
            )
        };
        let found = tokio::time::timeout(CONNECT_TIME, lookup_host((self.name.as_str(), self.port))).await;
        match found {
            Err(_) => failed("no answer".to_owned()),
            Ok(Err(error)) => failed(error.to_string()),
            Ok(Ok(addresses)) => {
                let addresses: Vec<String> = addresses.map(|address| address.ip().to_string()).collect();
                let shown: Vec<&str> = addresses
                    .iter()
                    .take(SHOWN_ADDRESSES)
                    .map(String::as_str)
                    .collect();
                Outcome::good(format!("{} is {}", self.name, shown.join(", ")))
            }
        }
    }

    /// Whether somebody listens.
    pub(super) async fn connect(&self) -> Outcome {
        let Self { name, port } = self;
        let connecting = TcpStream::connect((name.as_str(), *port));
        match tokio::time::timeout(CONNECT_TIME, connecting).await {
            Ok(Ok(stream)) => {
                let peer = stream.peer_addr().map(|address| address.to_string());
                Outcome::good(format!(
                    "connected to {}",
                    peer.unwrap_or_else(|_| format!("{name}:{port}"))
                ))
            }
            Ok(Err(error)) => Outcome::failed(
                format!("{name}:{port}: {error}"),
                "check host and port in sluice.toml, and that the service runs",
            ),
            Err(_) => Outcome::failed(
                format!("{name}:{port} did not answer within {} s", CONNECT_TIME.as_secs()),
                "a firewall may drop what is sent there: ask who runs it, and check host and port",
            ),
        }
    }
}

/// A server that speaks HTTP.
#[derive(Debug, Clone)]
pub(super) struct Web {
    url: Url,
    host: Host,
    /// Who vouches for it beside the system's.
    authorities: Authorities,
    /// The server's clock and ours, when it answered.
    clocks: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Web {
    /// The server that `url` names.
    ///
    /// # Errors
    /// It is no URL with a host.
    pub(super) fn of(url: &str) -> Result<Self> {
        let refused = || {
            Error::usage(format!("the endpoint {url:?} names no server"))
                .hint("write it as https://HOST in sluice.toml")
        };
        let parsed = Url::parse(url).map_err(|error| refused().because(error))?;
        let name = parsed.host_str().ok_or_else(refused)?;
        let host = Host {
            // An address of version 6 stands in brackets.
            name: name.trim_matches(['[', ']']).to_owned(),
            port: parsed.port_or_known_default().ok_or_else(refused)?,
        };
        Ok(Self {
            url: parsed,
            host,
            authorities: Authorities::default(),
            clocks: None,
        })
    }

    /// The same server, for which these vouch too.
    pub(super) fn trusting(self, authorities: Authorities) -> Self {
        Self { authorities, ..self }
    }

    /// One of the steps on the way there.
    pub(super) async fn step(&mut self, check: Check, tolerated: TimeDelta) -> Outcome {
        match (check, self.proxy()) {
            (Check::Name | Check::Connection, Some(variable)) => {
                Outcome::skipped(format!("a proxy goes there: {variable} is set"))
            }
            (Check::Name, None) => self.host.resolve().await,
            (Check::Connection, None) => self.host.connect().await,
            (Check::Clock, _) => self.compare_clocks(tolerated),
            _ => self.greet().await,
        }
    }

    /// The variable that has a proxy go there in our place.
    fn proxy(&self) -> Option<&'static str> {
        let names: &[&'static str] = match self.url.scheme() {
            "https" => &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
            _ => &["http_proxy", "ALL_PROXY", "all_proxy"],
        };
        let is_set = |name: &&&'static str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        names.iter().find(is_set).copied().filter(|_| !self.is_here())
    }

    fn is_here(&self) -> bool {
        let address = self.host.name.parse::<IpAddr>();
        self.host.name == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// Asks for anything at all: any answer will do.
    async fn greet(&mut self) -> Outcome {
        let asked_at = Utc::now();
        let answered = match self.client() {
            Ok(client) => client.get(self.url.clone()).send().await,
            Err(error) => Err(error),
        };
        let answer = match answered {
            Ok(answer) => answer,
            Err(error) => return not_understood(&error.without_url(), &self.host),
        };
        let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
        let midway = asked_at + (Utc::now() - asked_at) / 2;
        self.clocks = date.and_then(clock::parsed).map(|theirs| (theirs, midway));
        match self.url.scheme() {
            "https" => Outcome::good("encrypted, the certificate is trusted"),
            _ => Outcome::skipped(
                "http:// is not encrypted: whoever sits in between reads and changes what is said",
            ),
        }
    }

    fn client(&self) -> reqwest::Result<reqwest::Client> {
        reqwest::Client::builder()
            .connect_timeout(CONNECT_TIME)
            .timeout(ANSWER_TIME)
            .redirect(Policy::none())
            .tls_certs_merge(Certificate::from_pem_bundle(self.authorities.pem())?)
            .build()
    }

    /// Whether both clocks agree.
    fn compare_clocks(&self, tolerated: TimeDelta) -> Outcome {
        match self.clocks {
            Some((theirs, ours)) => clock::compared(ours, theirs, tolerated),
            None => Outcome::skipped("the server does not say what time it is"),
        }
    }
}

/// Why there is no answer.
fn not_understood(error: &reqwest::Error, host: &Host) -> Outcome {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let remedy = if has(&["certificate", "UnknownIssuer"]) {
        "if the authority is your own: SSL_CERT_FILE=AUTHORITY.pem, or for S3 and Google ca_file = \"AUTHORITY.pem\" in \
         the connection; else the endpoint's name is not the one in the certificate, or somebody sits in between"
    } else if has(&["InvalidContentType", "corrupt message", "wrong version number"]) {
        "it speaks no TLS at this port: check the port, or write http:// and allow_http = true if that is meant"
    } else if has(&["timed out", "timeout"]) {
        "it took the connection and said nothing: check that the port is that of the service"
    } else {
        "check that it is the service that was meant, and its log"
    };
    Outcome::failed(format!("{}:{}: {text}", host.name, host.port), remedy)
}
