//! What a step found.

use std::time::Duration;

use crate::error::Error;

/// What is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// What `sluice.toml` says.
    Config,
    /// That the instance can be written.
    Write,
    /// That of two who create an object one is refused.
    Create,
    /// That an object is not replaced by who saw an older one.
    Replace,
    /// Room for what does not fit into memory.
    Space,
    /// What a table demands of who reads and writes it.
    Protocol,
    /// That secrets are where the connection says.
    Secrets,
    /// The address of a name.
    Name,
    /// That somebody listens.
    Connection,
    /// That what is said is encrypted, and by whom we think.
    Encryption,
    /// That an SSH server is the one we know.
    HostKey,
    /// Whether both clocks agree.
    Clock,
    /// Whether we are let in.
    Login,
    /// Whether we see what is there.
    List,
    /// Whether we may read it.
    Read,
    /// Whether a process finds its source.
    Source,
}

impl Check {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Write => "write",
            Self::Create => "conditional create",
            Self::Replace => "conditional replace",
            Self::Space => "spill space",
            Self::Protocol => "delta protocol",
            Self::Secrets => "secrets",
            Self::Name => "name resolution",
            Self::Connection => "connection",
            Self::Encryption => "tls",
            Self::HostKey => "host key",
            Self::Clock => "clock",
            Self::Login => "authentication",
            Self::List => "list",
            Self::Read => "read",
            Self::Source => "source",
        }
    }
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Good {
        /// What was seen.
        seen: String,
    },
    /// Not as it should.
    Failed {
        /// What was seen.
        seen: String,
        /// What to do about it.
        remedy: String,
    },
    /// It was not made.
    Skipped {
        /// Why.
        why: String,
    },
}

impl Outcome {
    pub(super) fn good(seen: impl Into<String>) -> Self {
        Self::Good { seen: seen.into() }
    }

    pub(super) fn failed(seen: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Failed {
            seen: seen.into(),
            remedy: remedy.into(),
        }
    }

    pub(super) fn skipped(why: impl Into<String>) -> Self {
        Self::Skipped { why: why.into() }
    }

    /// The word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Good { .. } => "ok",
            Self::Failed { .. } => "failed",
            Self::Skipped { .. } => "skipped",
        }
    }

    /// What was seen, or why nothing was.
    #[must_use]
    pub fn seen(&self) -> &str {
        match self {
            Self::Good { seen } | Self::Failed { seen, .. } => seen,
            Self::Skipped { why } => why,
        }
    }

    /// What to do about a failure.
    #[must_use]
    pub fn remedy(&self) -> Option<&str> {
        match self {
            Self::Failed { remedy, .. } => Some(remedy),
            Self::Good { .. } | Self::Skipped { .. } => None,
        }
    }
}

/// What the error says, and its advice.
impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        let remedy = match error.hints() {
            [] => "run it again; if it stays so, look into the log of the service".to_owned(),
            hints => hints.join("; "),
        };
        Self::failed(error.to_string(), remedy)
    }
}

/// One step, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at: `instance`, `table customers`, `connection crm`, `process p`.
    pub subject: String,
    /// What was tested of it.
    pub check: Check,
    /// How that ended.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

impl Finding {
    /// Whether it is a failure.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self.outcome, Outcome::Failed { .. })
    }
}
