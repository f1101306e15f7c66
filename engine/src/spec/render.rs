//! A process as text: what `sluice ingest` and `sluice process new` write.

use super::command_line::Mapping;
use super::names::default_attribute_name;
use super::policy::{Mode, NullPolicy, OnDuplicate, RawBudget, RejectBudget, Strictness};
use super::policy::{NoneAccepted, Policy};
use super::problem::Problem;
use super::process::{RawAttribute, RawPolicy, RawProcess, RawSource};

/// A process to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewProcess {
    /// What becomes of unknown customers.
    pub mode: Mode,
    /// The source's column that holds the CID.
    pub key: String,
    /// A path as written, or a URL.
    pub url: String,
    /// NAME of a `[connections.NAME]`.
    pub connection: Option<String>,
    /// What the source's columns become.
    pub attributes: Vec<Mapping>,
    /// Policies; those that are the defaults are not written.
    pub policy: Policy,
}

impl NewProcess {
    /// A process that keeps nothing yet, with the default policies.
    pub fn new(mode: Mode, key: impl Into<String>, url: impl Into<String>) -> Self {
        let (attributes, policy) = (Vec::new(), Policy::default());
        Self {
            mode,
            key: key.into(),
            url: url.into(),
            connection: None,
            attributes,
            policy,
        }
    }
}

/// The TOML text of a process; what is as by default is left out.
///
/// # Errors
/// A problem of the encoder, which no text or number is known to cause.
pub fn render_process(process: &NewProcess) -> Result<String, Problem> {
    render_raw(&RawProcess {
        mode: Some(process.mode),
        key: Some(process.key.clone()),
        source: Some(RawSource {
            url: Some(process.url.clone()),
            connection: process.connection.clone(),
            ..RawSource::default()
        }),
        attribute: process.attributes.iter().map(raw_attribute).collect(),
        policy: raw_policy(process.policy),
        ..RawProcess::default()
    })
}

/// The TOML text of a process with any keys.
///
/// # Errors
/// A number beyond TOML's 64 signed bits.
pub fn render_raw(process: &RawProcess) -> Result<String, Problem> {
    toml::to_string(process)
        .map_err(|error| Problem::new("process", error.to_string(), "write a smaller number"))
}

fn raw_attribute(mapping: &Mapping) -> RawAttribute {
    let named = mapping.name != default_attribute_name(&mapping.column);
    RawAttribute {
        column: Some(mapping.column.clone()),
        name: named.then(|| mapping.name.clone()),
        ty: Some(mapping.ty.to_string()),
        ..RawAttribute::default()
    }
}

/// The keys that differ from the defaults; none: no table.
fn raw_policy(policy: Policy) -> Option<RawPolicy> {
    let strict = policy.strict == Strictness::Strict;
    let budget = match policy.max_rejects {
        RejectBudget::Unlimited => None,
        _ if strict => None,
        RejectBudget::Rows(rows) => Some(RawBudget::Rows(rows)),
        percent @ RejectBudget::Percent(_) => Some(RawBudget::Text(percent.to_string())),
    };
    let raw = RawPolicy {
        on_duplicate: Some(policy.on_duplicate).filter(|choice| *choice != OnDuplicate::default()),
        null: Some(policy.null).filter(|choice| *choice != NullPolicy::default()),
        max_rejects: budget,
        strict: strict.then_some(true),
        allow_none: (policy.allow_none == NoneAccepted::Completes).then_some(true),
    };
    (raw != RawPolicy::default()).then_some(raw)
}
