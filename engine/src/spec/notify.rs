//! `[[notify]]`: who is told what.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::names::is_slug;
use super::problem::{Findings, Problem};
use super::secret::{RawSecret, Secret};

/// What somebody can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyOn {
    /// A run failed or was interrupted.
    Failed,
    /// A run rejected rows.
    Rejects,
    /// A run completed.
    Succeeded,
    /// A recurring process found no file.
    NoFile,
}

impl NotifyOn {
    /// The word in messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Rejects => "rejects",
            Self::Succeeded => "succeeded",
            Self::NoFile => "no_file",
        }
    }
}

/// What of a rejected record a message shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyExamples {
    /// Where it stands and what it broke.
    #[default]
    Places,
    /// What the file had there, too: personal data leave the instance.
    Values,
}

/// How somebody is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotifyTarget {
    /// By mail to this address.
    Mail(String),
    /// By a POST to this URL.
    Web(String),
    /// By this command.
    Command(String),
}

impl fmt::Display for NotifyTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mail(address) => write!(f, "mailto:{address}"),
            Self::Web(url) => f.write_str(url),
            Self::Command(command) => write!(f, "command:{command}"),
        }
    }
}

/// Which processes are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotifyScope {
    /// All of them.
    Every,
    /// The one of this name.
    Process(String),
}

impl NotifyScope {
    /// Whether the process is meant.
    pub fn includes(&self, process: &str) -> bool {
        match self {
            Self::Every => true,
            Self::Process(name) => name == process,
        }
    }
}

/// Who is told what.
#[derive(Debug, Clone, PartialEq)]
pub struct Notify {
    /// Of what.
    pub on: Vec<NotifyOn>,
    /// How.
    pub to: NotifyTarget,
    /// Of which processes.
    pub process: NotifyScope,
    /// Rejects are told of above this share of the records, in percent.
    pub above_percent: f64,
    /// What of rejected records is shown.
    pub examples: NotifyExamples,
    /// Signs a POST.
    pub secret: Option<Secret>,
}

/// A `[[notify]]` as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawNotify {
    on: Vec<NotifyOn>,
    to: Option<String>,
    process: Option<String>,
    above: Option<String>,
    examples: NotifyExamples,
    secret: Option<RawSecret>,
}

pub(super) fn resolve(raw: Vec<RawNotify>, findings: &mut Findings) -> Vec<Notify> {
    let entries = raw.into_iter().enumerate();
    entries
        .filter_map(|(index, entry)| resolve_one(entry, &format!("notify[{index}]"), findings))
        .collect()
}

fn resolve_one(raw: RawNotify, at: &str, findings: &mut Findings) -> Option<Notify> {
    if raw.on.is_empty() {
        findings.missing(
            &format!("{at}.on"),
            "write what to tell of, as on = [\"failed\", \"no_file\"]",
        );
    }
    let process = match raw.process.as_deref() {
        None | Some("*") => Some(NotifyScope::Every),
        Some(name) if is_slug(name) => Some(NotifyScope::Process(name.to_owned())),
        Some(name) => {
            let what = format!("`{name}` cannot name a process");
            findings.add(
                format!("{at}.process"),
                what,
                "write the name of a process, or \"*\" for all",
            );
            None
        }
    };
    let place = format!("{at}.to");
    let to = match raw.to {
        Some(to) => findings.take(&place, target(&to)),
        None => {
            findings.missing(&place, TARGETS);
            None
        }
    };
    let above_percent = match raw.above {
        Some(share) => findings.take(&format!("{at}.above"), percent(&share)),
        None => Some(0.0),
    };
    let secret = match raw.secret {
        Some(secret) => findings.take(&format!("{at}.secret"), secret.resolve()).map(Some),
        None => Some(None),
    };
    Some(Notify {
        on: raw.on,
        to: to?,
        process: process?,
        above_percent: above_percent?,
        examples: raw.examples,
        secret: secret?,
    })
}

fn percent(text: &str) -> Result<f64, Problem> {
    let share = text
        .strip_suffix('%')
        .and_then(|share| share.trim().parse::<f64>().ok());
    share
        .filter(|share| (0.0..=100.0).contains(share))
        .ok_or_else(|| {
            Problem::new(
                "above",
                format!("`{text}` is no share"),
                "write a share of the records, as \"1%\"",
            )
        })
}

const TARGETS: &str = "write mailto:ADDRESS, https://URL or command:COMMAND";

fn target(text: &str) -> Result<NotifyTarget, Problem> {
    let no_target = || Problem::new("to", format!("`{text}` is nobody to tell"), TARGETS);
    let (scheme, rest) = text.split_once(':').ok_or_else(no_target)?;
    let rest = rest.trim();
    match scheme {
        "mailto"
            if rest
                .split_once('@')
                .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()) =>
        {
            Ok(NotifyTarget::Mail(rest.to_owned()))
        }
        "https" if rest.len() > "//".len() && rest.starts_with("//") => {
            Ok(NotifyTarget::Web(text.to_owned()))
        }
        "http" if is_loopback(rest) => Ok(NotifyTarget::Web(text.to_owned())),
        "http" => Err(Problem::new(
            "to",
            "http:// would send the report in the clear",
            "write https://",
        )),
        "command" if !rest.is_empty() => Ok(NotifyTarget::Command(rest.to_owned())),
        _ => Err(no_target()),
    }
}

/// Whether the part of a URL behind `http:` stays on this machine.
fn is_loopback(rest: &str) -> bool {
    let authority = rest
        .strip_prefix("//")
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    // An `@` would make the part before it a user name and the host another one.
    !authority.contains('@') && ["localhost", "127.0.0.1", "[::1]"].contains(&host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_web_and_commands_are_told_apart() {
        assert_eq!(
            target("mailto:ops@example.com"),
            Ok(NotifyTarget::Mail("ops@example.com".into()))
        );
        assert_eq!(
            target("https://example.com/hook"),
            Ok(NotifyTarget::Web("https://example.com/hook".into()))
        );
        assert_eq!(
            target("http://127.0.0.1:8080/x"),
            Ok(NotifyTarget::Web("http://127.0.0.1:8080/x".into()))
        );
        assert_eq!(
            target("command:logger -t sluice"),
            Ok(NotifyTarget::Command("logger -t sluice".into()))
        );
    }

    #[test]
    fn what_reaches_nobody_or_everybody_is_refused() {
        for text in [
            "",
            "ops@example.com",
            "mailto:ops",
            "mailto:@x",
            "https://",
            "http://example.com",
            "http://localhost:1@example.com",
            "command:",
            "ftp:x",
        ] {
            assert!(target(text).is_err(), "{text}");
        }
    }
}
