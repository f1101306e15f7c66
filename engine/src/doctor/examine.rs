//! The whole examination.

use futures::future::join_all;

use super::finding::{Check, Finding, Outcome};
use super::instance::InstanceProbe;
use super::objects::ObjectProbe;
use super::plan::{OF_INSTANCE, Probe, Step, follow, of_connection};
use super::protocol::TableProbe;
use super::sftp::SftpProbe;
use super::snowflake::SnowflakeProbe;
use crate::error::Result;
use crate::instance::Instance;
use crate::process;
use crate::settings::Settings;
use crate::source::{Sources, blocking};
use crate::spec::{Connection, Process};

/// The step of a table.
const OF_TABLE: [Step; 1] = [Step {
    check: Check::Protocol,
    needs: &[],
}];
/// The step of a process.
const OF_PROCESS: [Step; 1] = [Step {
    check: Check::Source,
    needs: &[],
}];

/// Tests the connection `name` and the processes that use it; without a name the instance and all of them.
///
/// # Errors
/// There is no connection of that name, or the processes cannot be read.
pub async fn examine(instance: &Instance, settings: &Settings, name: Option<&str>) -> Result<Vec<Finding>> {
    let sources = Sources::of(instance);
    if let Some(name) = name {
        sources.known(name)?;
    }
    let processes = processes(instance).await?;
    let mut findings = Vec::new();
    if name.is_none() {
        findings.extend(of_instance(instance, settings, processes.len()).await);
    }
    let connections = &instance.config().connections;
    let chosen = connections
        .iter()
        .filter(|(known, _)| name.is_none_or(|name| name == *known));
    let examined = chosen.map(|(name, connection)| {
        let place = place_of(name, connection, &processes);
        of_place(instance, &sources, name, connection, place)
    });
    findings.extend(join_all(examined).await.into_iter().flatten());
    for (process, definition) in &processes {
        let used = definition
            .as_ref()
            .ok()
            .and_then(|process| process.source.connection.as_deref());
        if name.is_none() || used == name {
            let mut probe = SourceProbe {
                sources: &sources,
                definition,
                broken: used.filter(|used| is_broken(used, &findings)),
            };
            findings.extend(follow(&format!("process {process}"), &OF_PROCESS, &mut probe).await);
        }
    }
    Ok(findings)
}

/// All processes that are complete, and what they say.
async fn processes(instance: &Instance) -> Result<Vec<(String, Result<Process>)>> {
    let mut found = Vec::new();
    for view in process::list(instance).await? {
        if !matches!(view.status.as_str(), "draft" | "deleted") {
            let definition = process::check(instance, &view.process).await;
            found.push((view.process, definition));
        }
    }
    Ok(found)
}

async fn of_instance(instance: &Instance, settings: &Settings, num_processes: usize) -> Vec<Finding> {
    let mut probe = InstanceProbe {
        instance,
        settings,
        num_processes,
    };
    let mut findings = follow("instance", OF_INSTANCE, &mut probe).await;
    for (name, log) in [
        ("customers", instance.customers()),
        ("rejects", instance.rejects()),
        ("runs", instance.runs()),
        ("events", instance.events()),
    ] {
        findings.extend(follow(&format!("table {name}"), &OF_TABLE, &mut TableProbe { log }).await);
    }
    findings
}

async fn of_place(
    instance: &Instance,
    sources: &Sources,
    name: &str,
    connection: &Connection,
    place: Option<String>,
) -> Vec<Finding> {
    let subject = subject(name);
    let steps = of_connection(connection);
    match connection {
        Connection::S3(_) | Connection::Gcs(_) => {
            follow(&subject, steps, &mut ObjectProbe::new(sources, connection, place)).await
        }
        Connection::Sftp(sftp) => {
            let mut probe = SftpProbe::new(sources, name, sftp, instance.new_hosts());
            follow(&subject, steps, &mut probe).await
        }
        Connection::Snowflake(snowflake) => {
            follow(&subject, steps, &mut SnowflakeProbe::new(sources, snowflake)).await
        }
    }
}

fn subject(connection: &str) -> String {
    format!("connection {connection}")
}

/// The URL of a folder that is reached through a connection: its root, else that of a process's source.
fn place_of(name: &str, connection: &Connection, processes: &[(String, Result<Process>)]) -> Option<String> {
    if let Some(root) = connection.root().filter(|root| root.contains("://")) {
        return Some(root.to_owned());
    }
    let sources = processes
        .iter()
        .filter_map(|(_, process)| Some(&process.as_ref().ok()?.source));
    let mut used = sources.filter(|source| source.connection.as_deref() == Some(name));
    let (folder, _) = used.find_map(|source| source.location().rsplit_once('/'))?;
    Some(folder.to_owned())
}

fn is_broken(connection: &str, findings: &[Finding]) -> bool {
    let subject = subject(connection);
    findings
        .iter()
        .any(|finding| finding.subject == subject && finding.is_failure())
}

/// The source of a process.
struct SourceProbe<'a> {
    sources: &'a Sources,
    definition: &'a Result<Process>,
    /// Its connection, if that failed.
    broken: Option<&'a str>,
}

impl Probe for SourceProbe<'_> {
    async fn probe(&mut self, _: Check) -> Outcome {
        let process = match (self.definition, self.broken) {
            (Err(error), _) => {
                let remedy =
                    "mend it with: sluice process edit, and see what is wrong with: sluice process check";
                return Outcome::failed(error.to_string(), remedy);
            }
            (_, Some(broken)) => return Outcome::skipped(format!("needs the connection {broken}")),
            (Ok(process), None) => process.clone(),
        };
        let sources = self.sources.clone();
        match blocking(move || sources.of_process(&process)).await {
            Ok(Some(source)) => Outcome::good(source.url),
            Ok(None) => Outcome::skipped("no file of its pattern is there"),
            Err(error) => Outcome::from(error),
        }
    }
}
