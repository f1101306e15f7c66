//! From a process as typed to a process as run: every default filled in, every problem found at once.

use std::collections::BTreeMap;

use super::attribute::{self, Attribute, Surroundings, effective_name};
use super::connection::Connection;
use super::guard;
use super::hash::definition_hash;
use super::instance::{Defaults, InstanceConfig, Limits};
use super::location::{SourceKind, check_depth};
use super::names::check_process_name;
use super::policy::{self, OnDuplicate, Policy};
use super::problem::{Findings, Problem};
use super::process::{Process, RawAttribute, RawProcess, RawSource};
use super::read::Document;
use super::retention;
use super::rule;
use super::schedule;
use super::source::{self, Source};

/// Reads a process file where only limits and reserved names are known: no defaults, no connections.
///
/// # Errors
/// Every problem of the file, in the order of its parts.
pub fn parse_process(
    name: &str,
    text: &str,
    limits: &Limits,
    reserved: &[String],
) -> Result<Process, Vec<Problem>> {
    let defaults = Defaults::default();
    parse(
        name,
        text,
        &Context {
            limits,
            reserved,
            defaults: &defaults,
            connections: None,
        },
    )
}

/// Reads a process file of an instance: `[defaults]` fill in, the connection must exist, its root counts.
///
/// # Errors
/// Every problem of the file, in the order of its parts.
pub fn parse_process_in(name: &str, text: &str, instance: &InstanceConfig) -> Result<Process, Vec<Problem>> {
    let context = Context {
        limits: &instance.limits,
        reserved: &instance.reserved_attributes,
        defaults: &instance.defaults,
        connections: Some(&instance.connections),
    };
    parse(name, text, &context)
}

/// What a process is judged against.
struct Context<'a> {
    limits: &'a Limits,
    reserved: &'a [String],
    defaults: &'a Defaults,
    /// The instance's connections, where they are known.
    connections: Option<&'a BTreeMap<String, Connection>>,
}

fn parse(name: &str, text: &str, context: &Context<'_>) -> Result<Process, Vec<Problem>> {
    let mut findings = Findings::default();
    findings.take("process name", check_process_name(name));
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(problem) => {
            findings.problems.push(problem);
            return Err(findings.problems);
        }
    };
    let raw: RawProcess = document.read(&mut findings);
    let process = resolve(raw, context, &mut findings);
    document.locate(&mut findings.problems);
    match process {
        Some(process) if findings.problems.is_empty() => Ok(Process {
            name: name.to_owned(),
            hash: definition_hash(text),
            ..process
        }),
        _ => Err(findings.problems),
    }
}

/// Every part is judged, also when another one is lost.
fn resolve(raw: RawProcess, context: &Context<'_>, findings: &mut Findings) -> Option<Process> {
    if raw.mode.is_none() {
        findings.missing("mode", "write mode = \"register\" or mode = \"update\"");
    }
    let key = check_key(raw.key, findings);
    let source = resolve_source(raw.source, context, findings);
    let policy = policy::resolve(
        &raw.policy.unwrap_or_default(),
        context.defaults,
        "policy",
        findings,
    );
    check_order(source.as_ref(), policy, findings);
    let attributes = resolve_attributes(&raw.attribute, source.as_ref(), policy, context, findings);
    check_attributes(&raw.attribute, key.as_deref(), context.limits, findings);
    let schedule = raw
        .schedule
        .and_then(|raw| schedule::resolve(&raw, context.defaults, findings));
    let rules = rule::resolve(&raw.rule, findings);
    let guard = guard::resolve(&raw.guard.unwrap_or_default(), findings);
    let retention = retention::resolve(&raw.retention.unwrap_or_default(), findings);
    Some(Process {
        name: String::new(),
        mode: raw.mode?,
        key: key?,
        source: source?,
        attributes,
        policy,
        guard,
        retention,
        schedule,
        severities: raw.rules.unwrap_or_default().into(),
        rules,
        hash: String::new(),
    })
}

fn check_key(key: Option<String>, findings: &mut Findings) -> Option<String> {
    match key {
        None => findings.missing("key", "name the source's column that holds the customer id"),
        Some(key) if key.is_empty() => findings.add("key", "an empty column", "name the source's column"),
        Some(key) => return Some(key),
    }
    None
}

fn resolve_source(raw: Option<RawSource>, context: &Context<'_>, findings: &mut Findings) -> Option<Source> {
    let Some(raw) = raw else {
        findings.missing("source", "add a table [source] with a url");
        return None;
    };
    let source = source::resolve(raw, context.defaults, "source.", findings)?;
    check_connection(&source, context, findings);
    check_folders(&source, context, findings);
    Some(source)
}

fn check_connection(source: &Source, context: &Context<'_>, findings: &mut Findings) {
    let (Some(name), Some(known)) = (&source.connection, context.connections) else {
        return;
    };
    let Some(connection) = known.get(name) else {
        let what = format!("sluice.toml has no [connections.{name}]");
        let names: Vec<&str> = known.keys().map(String::as_str).collect();
        let remedy = match names.is_empty() {
            true => "add it there".to_owned(),
            false => format!("add it there, or use one of {}", names.join(", ")),
        };
        findings.add("source.connection", what, remedy);
        return;
    };
    if !connection.serves(source.kind()) {
        let what = format!("[connections.{name}] is of type {}", connection.word());
        findings.add("source.connection", what, "use one whose type fits the url");
    }
}

/// Folders are counted from the connection's root. The login folder of SFTP is known to the server alone.
fn check_folders(source: &Source, context: &Context<'_>, findings: &mut Findings) {
    let Some(url) = source.url.as_deref() else { return };
    let connection = source.connection.as_ref();
    let known = connection
        .zip(context.connections)
        .and_then(|(name, known)| known.get(name));
    let root = known.and_then(Connection::root);
    let root_is_known = match source.kind() {
        SourceKind::S3 | SourceKind::Gcs => connection.is_none() || known.is_some(),
        SourceKind::Sftp => root.is_some(),
        _ => false,
    };
    if root_is_known {
        findings.take("source.url", check_depth(url, root, context.limits.folder_depth));
    }
}

/// "First" and "last" mean nothing among rows that come in any order.
fn check_order(source: Option<&Source>, policy: Policy, findings: &mut Findings) {
    let Some(source) = source else { return };
    let unordered = !source.kind().is_file() && source.order_by.is_none();
    if unordered && policy.on_duplicate != OnDuplicate::RejectAll && !findings.was_refused("source.order_by")
    {
        let what = "missing: Snowflake returns rows in no order, so none is the first or last";
        findings.add(
            "source.order_by",
            what,
            "add order_by, or on_duplicate = \"reject_all\"",
        );
    }
}

fn resolve_attributes(
    raw: &[RawAttribute],
    source: Option<&Source>,
    policy: Policy,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Vec<Attribute> {
    let around = Surroundings {
        reserved: context.reserved,
        null: policy.null,
        null_tokens: source.map_or(&[], |source| source.dialect.null_tokens.as_slice()),
        time_zone: context.defaults.time_zone,
    };
    let entries = raw.iter().enumerate();
    entries
        .filter_map(|(index, raw)| attribute::resolve(raw, &format!("attribute[{index}]"), &around, findings))
        .collect()
}

/// What holds among the attributes: their number, their names, the key, the one email.
fn check_attributes(raw: &[RawAttribute], key: Option<&str>, limits: &Limits, findings: &mut Findings) {
    let most = limits.attributes_per_process;
    if raw.is_empty() {
        findings.missing("attribute", "add a table [[attribute]] for each column to keep");
    } else if raw.len() > most {
        let what = format!("{} attributes, the limit is {most}", raw.len());
        findings.add(format!("attribute[{most}]"), what, "move some to another process");
    }
    for (index, attribute) in raw.iter().enumerate() {
        let at = format!("attribute[{index}]");
        let earlier = raw.get(..index).unwrap_or_default();
        check_against_key(attribute, key, &at, findings);
        check_unique(attribute, earlier, &at, findings);
    }
}

fn check_against_key(attribute: &RawAttribute, key: Option<&str>, at: &str, findings: &mut Findings) {
    if key.is_none() {
        return;
    }
    if attribute.column.as_deref() == key {
        let what = "the key column, which is kept as customer_id already";
        findings.add(
            format!("{at}.column"),
            what,
            "remove this attribute, or choose another key",
        );
    } else if effective_name(attribute).as_deref() == key {
        let what = "the name of the key column, whose values these are not";
        findings.add(format!("{at}.name"), what, "choose another name");
    }
}

fn check_unique(attribute: &RawAttribute, earlier: &[RawAttribute], at: &str, findings: &mut Findings) {
    let name = effective_name(attribute).filter(|name| !name.is_empty());
    if let Some(name) = name
        && earlier
            .iter()
            .any(|other| effective_name(other).as_ref() == Some(&name))
    {
        findings.add(
            format!("{at}.name"),
            format!("`{name}` is the name of two attributes"),
            "choose another name",
        );
    }
    if is_email(attribute) && earlier.iter().any(is_email) {
        let what = "a second email; a customer has one address";
        findings.add(
            format!("{at}.type"),
            what,
            "use type = \"string\" for the other one",
        );
    }
}

fn is_email(attribute: &RawAttribute) -> bool {
    attribute
        .ty
        .as_deref()
        .is_some_and(|ty| ty.parse() == Ok(super::types::AttributeType::Email))
}
