//! What the user wrote, typed.
//!
//! Every document has two types: one as typed, whose keys are all optional (`Raw...`, see `process`), and one as
//! resolved, with every default filled in and nothing left to check. The way from one to the other collects all
//! problems instead of stopping at the first:
//!
//! ```text
//!  NAME.toml ──read──▶ RawProcess ──resolve──▶ Process        sluice.toml ──read, resolve──▶ InstanceConfig
//!        ▲                  │  │                  │
//!        └────render────────┘  └─schema           └─locked: what `complete` freezes, and what an edit changed
//! ```
//!
//! Start with [`Process`] and [`parse_process_in`]; a problem is a [`Problem`] with its place and its remedy.
//! `read` is how serde is made to complain about everything at once. Command lines give attributes as [`Mapping`].

mod attribute;
mod command_line;
mod connection;
mod encoding;
mod guard;
mod hash;
mod instance;
mod location;
mod locked;
mod maintenance;
mod merging;
mod names;
mod notify;
mod policy;
mod problem;
mod process;
mod read;
mod render;
mod resolve;
mod retention;
mod rewrite;
mod rule;
mod schedule;
mod schema;
mod secret;
mod size;
mod smtp;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod types;

pub use attribute::{Attribute, DEFAULT_DATES};
pub use command_line::{Mapping, parse_mapping};
pub use connection::{
    Addressing, Connection, GcsConnection, S3Auth, S3Connection, SftpConnection, SnowflakeAuth,
    SnowflakeConnection, Transport,
};
pub use encoding::{Compression, Dictionary, Encoding};
pub use guard::{Guard, Share};
pub use hash::definition_hash;
pub use instance::{Defaults, INSTANCE_FORMAT, InstanceConfig, Limits, parse_instance};
pub use location::{
    SourceKind, check_depth, default_pattern, folders_below, kind_of, kind_of_folder, names_several, path_of,
    place_of, stem_and_extension,
};
pub use locked::{Difference, Locked, LockedAttribute, locked_differences};
pub use maintenance::{AutoMaintenance, Maintenance};
pub use merging::{DeletionVectors, MergeStrategy};
pub use names::{RESERVED_NAMES, check_attribute_name, check_process_name, default_attribute_name};
pub use notify::{Notify, NotifyExamples, NotifyOn, NotifyScope, NotifyTarget};
pub use policy::{
    Mode, NoneAccepted, NullPolicy, OnDuplicate, OnScale, OnTooLong, OnUnsupported, Policy, RawBudget,
    RejectBudget, Strictness,
};
pub use problem::Problem;
pub use process::{
    Process, RawAttribute, RawGuard, RawPolicy, RawProcess, RawRetention, RawRule, RawRules, RawSchedule,
    RawSource,
};
pub use render::{NewProcess, render_process, render_raw};
pub use resolve::{parse_process, parse_process_in};
pub use retention::{RejectRetention, Retention};
pub use rewrite::{attributes_beside, beside, with_type};
pub use rule::{BUILTIN_RULE_IDS, BuiltinSeverities, RuleKind, Severity, UserRule};
pub use schedule::{Every, Schedule};
pub use schema::{connection_schema, json_schema};
pub use secret::{Secret, SecretText, Value};
pub use size::parse_bytes;
pub use smtp::{Smtp, SmtpTls};
pub use source::{CsvOptions, Format, Header, Newline, Source, Trim, parse_source};
pub use types::{AttributeType, MAX_DECIMAL_PRECISION, MAX_NVARCHAR_UNITS, MAX_VARCHAR_CHARS};
