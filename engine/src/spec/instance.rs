//! `sluice.toml`: what holds for all processes of an instance.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono_tz::Tz;
use serde::Deserialize;

use super::connection::{self, Connection, RawConnection};
use super::encoding::{self, Encoding, RawWrite};
use super::maintenance::{self, Maintenance, RawMaintenance};
use super::merging::{DeletionVectors, MergeStrategy};
use super::names::is_slug;
use super::notify::{self, Notify, RawNotify};
use super::policy::{self, Policy};
use super::problem::{Findings, Problem};
use super::process::RawPolicy;
use super::read::Document;
use super::retention::Retention;
use super::schedule::parse_time_zone;
use super::size::RawBytes;
use super::smtp::{self, RawSmtp, Smtp};
use super::table::{named_tables, table, tables};
use crate::decode::bytes::limits::DEFAULT_MAX_RATIO;

/// The newest layout of an instance that this program knows.
pub const INSTANCE_FORMAT: u32 = 1;

/// What an instance allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Attributes of one process.
    pub attributes_per_process: usize,
    /// Attributes of all processes together.
    pub attributes_per_instance: usize,
    /// Folders between a connection's root and a file.
    pub folder_depth: usize,
    /// Longest record, in bytes.
    pub record_bytes: u64,
    /// Bytes that one byte of a compressed file may become.
    pub max_ratio: u64,
    /// Bytes that a compressed file may become, whatever its size.
    pub max_decompressed_bytes: Option<u64>,
    /// How long a run may be silent before others take it for dead.
    pub lease: Duration,
}

/// The shortest lease, in seconds: a busy machine must be able to renew it.
const MIN_LEASE_SECONDS: u64 = 5;

impl Default for Limits {
    fn default() -> Self {
        Self {
            attributes_per_process: 10,
            attributes_per_instance: 200,
            folder_depth: 2,
            record_bytes: 16 << 20,
            max_ratio: DEFAULT_MAX_RATIO,
            max_decompressed_bytes: None,
            lease: Duration::from_secs(10 * 60),
        }
    }
}

/// What processes and runs take where they say nothing themselves.
#[derive(Debug, Clone, PartialEq)]
pub struct Defaults {
    /// Policies.
    pub policy: Policy,
    /// Zone of timestamps and schedules.
    pub time_zone: Tz,
    /// Texts that stand for an empty cell.
    pub null_tokens: Vec<String>,
    /// Memory a run may use, in bytes; none: what the machine allows.
    pub memory_bytes: Option<u64>,
    /// Threads a run may use; none: what the machine allows.
    pub threads: Option<usize>,
    /// How long versions are kept whole by `vacuum`.
    pub retention: Retention,
    /// Whether deletion vectors are written.
    pub deletion_vectors: DeletionVectors,
    /// How files of `customers` are merged.
    pub merge: MergeStrategy,
}

/// A month of versions to look back on and to return to.
const DEFAULT_RETENTION: Retention = Retention::days(30);

impl Default for Defaults {
    fn default() -> Self {
        let policy = Policy::default();
        Self {
            policy,
            time_zone: Tz::UTC,
            null_tokens: Vec::new(),
            memory_bytes: None,
            threads: None,
            retention: DEFAULT_RETENTION,
            deletion_vectors: DeletionVectors::default(),
            merge: MergeStrategy::default(),
        }
    }
}

/// An instance's `sluice.toml`, complete and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceConfig {
    /// Layout of the instance.
    pub format: u32,
    /// Names that no attribute may have.
    pub reserved_attributes: Vec<String>,
    /// What is allowed.
    pub limits: Limits,
    /// What holds where a process says nothing.
    pub defaults: Defaults,
    /// When tables are laid out anew.
    pub maintenance: Maintenance,
    /// `[write]`: how files of tables are encoded.
    pub encoding: Encoding,
    /// `[connections.NAME]`: places elsewhere.
    pub connections: BTreeMap<String, Connection>,
    /// Who is told what.
    pub notify: Vec<Notify>,
    /// The server that mail is sent by.
    pub smtp: Option<Smtp>,
}

impl Default for InstanceConfig {
    fn default() -> Self {
        Self {
            format: INSTANCE_FORMAT,
            reserved_attributes: Vec::new(),
            limits: Limits::default(),
            defaults: Defaults::default(),
            maintenance: Maintenance::default(),
            encoding: Encoding::default(),
            connections: BTreeMap::new(),
            notify: Vec::new(),
            smtp: None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(
    default,
    deny_unknown_fields,
    expecting = "the tables and keys of sluice.toml"
)]
struct RawInstance {
    format: Option<i64>,
    reserved_attributes: Vec<String>,
    #[serde(deserialize_with = "table")]
    limits: Option<RawLimits>,
    #[serde(deserialize_with = "table")]
    defaults: Option<RawDefaults>,
    #[serde(deserialize_with = "table")]
    maintenance: Option<RawMaintenance>,
    #[serde(deserialize_with = "table")]
    write: Option<RawWrite>,
    #[serde(deserialize_with = "named_tables")]
    connections: BTreeMap<String, RawConnection>,
    #[serde(deserialize_with = "tables")]
    notify: Vec<RawNotify>,
    #[serde(deserialize_with = "table")]
    smtp: Option<RawSmtp>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawLimits {
    attributes_per_process: Option<usize>,
    attributes_per_instance: Option<usize>,
    folder_depth: Option<usize>,
    record_bytes: Option<RawBytes>,
    max_ratio: Option<u64>,
    max_decompressed_bytes: Option<RawBytes>,
    lease_seconds: Option<u64>,
}

// Written out rather than flattened from `RawPolicy`: serde cannot refuse unknown keys across a flatten.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawDefaults {
    on_duplicate: Option<policy::OnDuplicate>,
    null: Option<policy::NullPolicy>,
    max_rejects: Option<policy::RawBudget>,
    strict: Option<bool>,
    allow_none: Option<bool>,
    time_zone: Option<String>,
    null_tokens: Vec<String>,
    memory: Option<RawBytes>,
    threads: Option<usize>,
    retention: Option<String>,
    deletion_vectors: DeletionVectors,
    merge: MergeStrategy,
}

/// Reads an instance's `sluice.toml`.
///
/// # Errors
/// Every problem of the file; of a newer format only that, since its keys cannot be judged.
pub fn parse_instance(text: &str) -> Result<InstanceConfig, Vec<Problem>> {
    let document = Document::parse(text).map_err(|problem| vec![problem])?;
    let mut findings = Findings::default();
    let config = match document.integer("format") {
        Some(newer) if newer > i64::from(INSTANCE_FORMAT) => {
            let what = format!("this instance has format {newer}, this program knows {INSTANCE_FORMAT}");
            findings.add("format", what, "use a newer Sluice");
            None
        }
        _ => Some(resolve(document.read(&mut findings), &mut findings)),
    };
    document.locate(&mut findings.problems);
    match config {
        Some(config) if findings.problems.is_empty() => Ok(config),
        _ => Err(findings.problems),
    }
}

fn resolve(raw: RawInstance, findings: &mut Findings) -> InstanceConfig {
    match raw.format {
        None => findings.missing("format", "write format = 1"),
        Some(format) if format != i64::from(INSTANCE_FORMAT) => {
            findings.add("format", format!("{format} is no format"), "write format = 1");
        }
        Some(_) => {}
    }
    InstanceConfig {
        format: INSTANCE_FORMAT,
        reserved_attributes: raw.reserved_attributes,
        limits: resolve_limits(raw.limits.unwrap_or_default(), findings),
        defaults: resolve_defaults(raw.defaults.unwrap_or_default(), findings),
        maintenance: maintenance::resolve(&raw.maintenance.unwrap_or_default(), findings),
        encoding: encoding::resolve(&raw.write.unwrap_or_default(), findings),
        connections: resolve_connections(raw.connections, findings),
        notify: notify::resolve(raw.notify, findings),
        smtp: raw.smtp.and_then(|raw| smtp::resolve(raw, findings)),
    }
}

fn resolve_connections(
    raw: BTreeMap<String, RawConnection>,
    findings: &mut Findings,
) -> BTreeMap<String, Connection> {
    let mut connections = BTreeMap::new();
    for (name, raw) in raw {
        let at = format!("connections.{name}");
        if !is_slug(&name) {
            let remedy = "write a name of a-z, 0-9, _ and - that starts with a letter or digit";
            findings.add(at, format!("`{name}` cannot name a connection"), remedy);
        } else if let Some(connection) = connection::resolve(raw, &at, findings) {
            connections.insert(name, connection);
        }
    }
    connections
}

fn resolve_limits(raw: RawLimits, findings: &mut Findings) -> Limits {
    let usual = Limits::default();
    let record_bytes = raw
        .record_bytes
        .and_then(|size| findings.take("limits.record_bytes", size.resolve()));
    let max_decompressed_bytes = raw
        .max_decompressed_bytes
        .and_then(|size| findings.take("limits.max_decompressed_bytes", size.resolve()));
    let limits = Limits {
        attributes_per_process: raw.attributes_per_process.unwrap_or(usual.attributes_per_process),
        attributes_per_instance: raw
            .attributes_per_instance
            .unwrap_or(usual.attributes_per_instance),
        folder_depth: raw.folder_depth.unwrap_or(usual.folder_depth),
        record_bytes: record_bytes.unwrap_or(usual.record_bytes),
        max_ratio: raw.max_ratio.unwrap_or(usual.max_ratio),
        max_decompressed_bytes,
        lease: raw.lease_seconds.map_or(usual.lease, Duration::from_secs),
    };
    if limits.lease < Duration::from_secs(MIN_LEASE_SECONDS) {
        findings.add(
            "limits.lease_seconds",
            "a run that is alive could not renew its lease in time",
            format!("write {MIN_LEASE_SECONDS} or more"),
        );
    }
    for (key, limit) in [
        ("attributes_per_process", limits.attributes_per_process),
        ("attributes_per_instance", limits.attributes_per_instance),
    ] {
        if limit == 0 {
            findings.add(format!("limits.{key}"), "0 allows no process", "write 1 or more");
        }
    }
    limits
}

fn resolve_defaults(raw: RawDefaults, findings: &mut Findings) -> Defaults {
    let usual = Defaults::default();
    let policy = RawPolicy {
        on_duplicate: raw.on_duplicate,
        null: raw.null,
        max_rejects: raw.max_rejects,
        strict: raw.strict,
        allow_none: raw.allow_none,
    };
    if raw.threads == Some(0) {
        findings.add(
            "defaults.threads",
            "no thread",
            "write 1 or more, or leave it out",
        );
    }
    let time_zone = raw
        .time_zone
        .map(|text| findings.take("defaults.time_zone", parse_time_zone(&text)));
    let retention = raw
        .retention
        .and_then(|text| findings.take("defaults.retention", text.parse()));
    Defaults {
        retention: retention.unwrap_or(usual.retention),
        policy: policy::resolve(&policy, &usual, "defaults", findings),
        time_zone: time_zone.flatten().unwrap_or(usual.time_zone),
        null_tokens: raw.null_tokens,
        memory_bytes: raw
            .memory
            .and_then(|size| findings.take("defaults.memory", size.resolve())),
        threads: raw.threads,
        deletion_vectors: raw.deletion_vectors,
        merge: raw.merge,
    }
}
