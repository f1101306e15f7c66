//! From draft to deleted.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::additions::beside_line;
use super::completing::completed_already;
use super::ownership::{check_ownership, names};
use super::slots::slot_after;
use super::state::{ProcessState, ProcessStatus, StateFile};
use crate::error::{Error, Result};
use crate::instance::{Instance, all};
use crate::plan::{BATCH_OWNER, catalogue, layout, printed_sql, read_options};
use crate::report::{Event, record_event};
use crate::spec::{self, Locked, Process};

/// A process as tables show it.
#[derive(Debug, Clone, Serialize)]
pub struct ProcessView {
    /// Name.
    pub process: String,
    /// Status, a live run counted.
    pub status: String,
    /// `register` or `update`.
    pub mode: Option<String>,
    /// Source as written.
    pub source: Option<String>,
    /// Key column.
    pub key: Option<String>,
    /// Schedule in words.
    pub schedule: Option<String>,
    /// When it is due.
    pub next_run_at: Option<DateTime<Utc>>,
    /// Attribute names.
    pub attributes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was completed.
    pub completed_at: Option<DateTime<Utc>>,
    /// Its last run.
    pub last_run_id: Option<String>,
    /// How that ended.
    pub last_status: Option<String>,
    /// When that ended.
    pub last_ended_at: Option<DateTime<Utc>>,
    /// Hash of the definition.
    pub definition_hash: Option<String>,
}

/// One rule as `sluice rules` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct RuleLine {
    /// Stable id.
    pub id: String,
    /// The source's column.
    pub column: Option<String>,
    /// `reject` or `warn`.
    pub severity: String,
    /// A query that returns the `record_no` of offenders.
    pub sql: String,
}

/// Makes a draft.
///
/// # Errors
/// The name is none or was used before.
pub async fn create(instance: &Instance, name: &str, text: &str) -> Result<()> {
    spec::check_process_name(name).map_err(|problem| all(&[problem]))?;
    if name == BATCH_OWNER {
        return Err(
            Error::usage(format!("the name {name:?} stands for an adopted customer base"))
                .hint("choose another name"),
        );
    }
    let state = StateFile::of(instance, name);
    let guard = state.lock()?;
    if state.exists() {
        return Err(Error::usage(format!(
            "the process name {name:?} is taken; a name is never used twice"
        ))
        .hint("choose another name, or change the process with: sluice process edit"));
    }
    std::fs::write(definition_path(instance, name), text)?;
    guard.replace(&ProcessState::draft())?;
    drop(guard);
    record_event(instance, Event::lifecycle("created", name)).await
}

/// Replaces the definition. A completed process keeps what completing locked.
///
/// # Errors
/// The new text has problems, or changes what is locked.
pub async fn edit(instance: &Instance, name: &str, text: &str) -> Result<()> {
    let state = live_state(instance, name)?;
    let edited = match &state.locked {
        Some(locked) => {
            let edited = parse(instance, name, text)?;
            check_locked(instance, locked, &edited)?;
            Some(edited)
        }
        None => None,
    };
    std::fs::write(definition_path(instance, name), text)?;
    if let Some(edited) = edited {
        reschedule(instance, &edited)?;
    }
    record_event(instance, Event::lifecycle("edited", name)).await
}

/// A schedule that was edited is due by its new slots from now on; one that was taken out, never again.
fn reschedule(instance: &Instance, process: &Process) -> Result<()> {
    StateFile::of(instance, &process.name).update(|state| {
        let next = next_run(process, Utc::now());
        // A slot that is due stays so.
        let is_due = state.next_run_at.is_some_and(|due| due <= Utc::now());
        if next.is_none() || !is_due {
            state.next_run_at = next;
        }
        state.status = match (state.status, &process.schedule, state.last_run.is_some()) {
            (ProcessStatus::Ready | ProcessStatus::Completed, Some(_), _) => ProcessStatus::Scheduled,
            (ProcessStatus::Scheduled, None, true) => ProcessStatus::Completed,
            (ProcessStatus::Scheduled, None, false) => ProcessStatus::Ready,
            (status, _, _) => status,
        };
        Ok(())
    })
}

/// When the process is due after `instant`; a one-time process never is.
pub(crate) fn next_run(process: &Process, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let schedule = process.schedule.as_ref()?;
    Some(slot_after(schedule, instant))
}

/// The definition as the user wrote it.
///
/// # Errors
/// There is no such process.
pub fn text(instance: &Instance, name: &str) -> Result<String> {
    live_state(instance, name)?;
    Ok(std::fs::read_to_string(definition_path(instance, name))?)
}

/// Reads the definition; reports all its problems at once.
///
/// # Errors
/// Problems, or a completed process whose locked fields were edited.
pub fn check(instance: &Instance, name: &str) -> Result<Process> {
    let state = live_state(instance, name)?;
    let process = parse(instance, name, &text(instance, name)?)?;
    if let Some(locked) = &state.locked {
        check_locked(instance, locked, &process)?;
    }
    layout(&process)?;
    read_options(&process.source, &instance.config().limits)?;
    Ok(process)
}

/// Completes a draft: locks mode, source, key and attributes, and reserves the attributes' names.
///
/// # Errors
/// The definition has problems, or an attribute is taken.
pub async fn complete(instance: &Instance, name: &str) -> Result<()> {
    let process = check(instance, name)?;
    let snapshot = instance.customers()?.snapshot(None).await?;
    // One at a time in the instance: two drafts must not reserve one name.
    let reservation = StateFile::of(instance, "_attributes").lock()?;
    check_ownership(instance, &process, &snapshot)?;
    StateFile::of(instance, name).update(|state| {
        if state.status != ProcessStatus::Draft {
            return Err(completed_already(name));
        }
        state.status = if process.schedule.is_some() {
            ProcessStatus::Scheduled
        } else {
            ProcessStatus::Ready
        };
        state.completed_at = Some(Utc::now());
        state.next_run_at = next_run(&process, Utc::now());
        state.locked = Some(Locked::of(&process));
        state.definition_hash = Some(process.hash.clone());
        Ok(())
    })?;
    drop(reservation);
    record_event(instance, Event::lifecycle("completed", name)).await
}

/// Stops a process from running.
///
/// # Errors
/// A draft, or a process that is paused.
pub async fn pause(instance: &Instance, name: &str) -> Result<()> {
    StateFile::of(instance, name).update(|state| match state.status {
        ProcessStatus::Draft | ProcessStatus::Paused | ProcessStatus::Deleted => {
            Err(cannot("pause", name, state.status))
        }
        _ => {
            state.status = ProcessStatus::Paused;
            Ok(())
        }
    })?;
    record_event(instance, Event::lifecycle("paused", name)).await
}

/// Lets a paused process run again.
///
/// # Errors
/// A process that is not paused.
pub async fn resume(instance: &Instance, name: &str) -> Result<()> {
    let process = check(instance, name)?;
    StateFile::of(instance, name).update(|state| match state.status {
        ProcessStatus::Paused => {
            state.status = match (&process.schedule, &state.last_run) {
                (Some(_), _) => ProcessStatus::Scheduled,
                (None, None) => ProcessStatus::Ready,
                (None, Some(last)) if matches!(last.status.as_str(), "failed" | "interrupted") => {
                    ProcessStatus::Failed
                }
                (None, Some(_)) => ProcessStatus::Completed,
            };
            // What fell due meanwhile was not wanted.
            state.next_run_at = next_run(&process, Utc::now());
            Ok(())
        }
        other => Err(cannot("resume", name, other)),
    })?;
    record_event(instance, Event::lifecycle("resumed", name)).await
}

/// What became of the attributes of a process that was deleted. Its runs, rejects and events stay always.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deleted {
    /// They stay in `customers`, with what was merged.
    Kept(Vec<String>),
    /// It never merged: their names are free.
    Freed(Vec<String>),
}

/// Deletes a process; its attributes and history stay, its name is never used again.
///
/// # Errors
/// A run of it is under way.
pub async fn delete(instance: &Instance, name: &str) -> Result<Deleted> {
    let deleted = StateFile::of(instance, name).update(|state| {
        if state.lease.as_ref().is_some_and(|lease| !lease.is_dead()) {
            return Err(Error::conflict(format!("a run of {name} is under way"))
                .hint("delete it when the run has ended"));
        }
        if state.status == ProcessStatus::Deleted {
            return Err(cannot("delete", name, state.status));
        }
        state.status = ProcessStatus::Deleted;
        let locked = state.locked.iter().flat_map(|locked| &locked.attributes);
        let attributes = locked.map(|attribute| attribute.name.clone()).collect();
        Ok(match state.merged.is_empty() {
            true => Deleted::Freed(attributes),
            false => Deleted::Kept(attributes),
        })
    })?;
    std::fs::remove_file(definition_path(instance, name))?;
    record_event(instance, Event::lifecycle("deleted", name)).await?;
    Ok(deleted)
}

/// The definition with every default filled in.
///
/// # Errors
/// Problems of the definition.
pub fn effective(instance: &Instance, name: &str) -> Result<Value> {
    let process = check(instance, name)?;
    let attributes: Vec<Value> = process
        .attributes
        .iter()
        .map(|a| {
            json!({
                "column": a.column, "name": a.name, "type": a.ty.to_string(), "label": a.label, "display": a.display,
                "format": a.formats, "time_zone": a.time_zone.name(), "null": a.null, "null_tokens": a.null_tokens,
                "default_dates": a.default_dates.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "on_too_long": a.on_too_long, "on_unsupported": a.on_unsupported, "on_scale": a.on_scale,
            })
        })
        .collect();
    let rules: Vec<Value> = rules(instance, name)?
        .into_iter()
        .map(serde_json::to_value)
        .collect::<Result<_, _>>()?;
    Ok(json!({
        "process": process.name, "mode": process.mode, "key": process.key, "source": process.source.location(),
        "pattern": process.source.recurring_pattern(),
        "policy": {
            "on_duplicate": process.policy.on_duplicate, "null": process.policy.null,
            "max_rejects": format!("{:?}", process.policy.max_rejects), "strict": format!("{:?}", process.policy.strict),
            "allow_none": format!("{:?}", process.policy.allow_none),
        },
        "schedule": process.schedule.as_ref().map(schedule_words), "attribute": attributes, "rules": rules,
        "definition_hash": process.hash,
    }))
}

/// The JSON Schema of a process file.
#[must_use]
pub fn schema() -> Value {
    spec::json_schema()
}

/// Every rule of a process, as queries that can be pasted.
///
/// # Errors
/// Problems of the definition.
pub fn rules(instance: &Instance, name: &str) -> Result<Vec<RuleLine>> {
    let rules = catalogue(&check(instance, name)?);
    let line = |rule: &crate::validate::Rule| RuleLine {
        id: rule.id.clone(),
        column: rule.column.clone(),
        severity: rule.severity.word().to_owned(),
        sql: printed_sql(rule, &rules),
    };
    Ok(rules.iter().map(line).collect())
}

/// All processes but the deleted ones, by name.
///
/// # Errors
/// A state file that cannot be read.
pub fn list(instance: &Instance) -> Result<Vec<ProcessView>> {
    let mut views = Vec::new();
    for name in names(instance)? {
        let state = StateFile::of(instance, &name).read()?;
        if state.status != ProcessStatus::Deleted {
            views.push(view(instance, name, state));
        }
    }
    Ok(views)
}

fn view(instance: &Instance, name: String, state: ProcessState) -> ProcessView {
    // A draft may have problems; it is listed all the same.
    let process = text(instance, &name)
        .ok()
        .and_then(|text| parse(instance, &name, &text).ok());
    let status = state.shown_status().word().to_owned();
    let next_run_at = state.slot();
    let attributes = process
        .iter()
        .flat_map(|p| &p.attributes)
        .map(|a| a.name.clone())
        .collect();
    let (last_run_id, last_status, last_ended_at) = match state.last_run {
        Some(last) => (Some(last.run_id), Some(last.status), Some(last.ended_at)),
        None => (None, None, None),
    };
    ProcessView {
        process: name,
        status,
        mode: process.as_ref().map(|p| p.mode.to_string()),
        source: process.as_ref().map(|p| p.source.location().to_owned()),
        key: process.as_ref().map(|p| p.key.clone()),
        schedule: process
            .as_ref()
            .and_then(|p| p.schedule.as_ref())
            .map(schedule_words),
        next_run_at,
        attributes,
        created_at: state.created_at,
        completed_at: state.completed_at,
        last_run_id,
        last_status,
        last_ended_at,
        definition_hash: process.map(|p| p.hash).or(state.definition_hash),
    }
}

pub(super) fn schedule_words(schedule: &spec::Schedule) -> String {
    format!(
        "every {}h from {} {}",
        schedule.every.hours(),
        schedule.start,
        schedule.time_zone.name()
    )
}

pub(super) fn parse(instance: &Instance, name: &str, text: &str) -> Result<Process> {
    let file = definition_path(instance, name).display().to_string();
    let process = spec::parse_process_in(name, text, instance.config())
        .map_err(|problems| all(&problems).in_file(&file))?;
    if process.schedule.is_some() && !process.source.may_recur() {
        return Err(Error::usage("schedule: a local file is ingested one time only")
            .in_file(file)
            .hint("take [schedule] out, and run the process again on each new file")
            .hint("or name the folder that new files come to, in/, or their pattern, in/Customers_%.csv"));
    }
    Ok(process)
}

fn check_locked(instance: &Instance, locked: &Locked, edited: &Process) -> Result<()> {
    let differences = locked.differences(edited);
    if differences.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = differences
        .iter()
        .map(|d| format!("{}: was {}, is {}", d.field, d.was, d.is))
        .collect();
    Err(Error::usage(format!(
        "completing locked these fields of {}:\n  {}",
        edited.name,
        lines.join("\n  ")
    ))
    .hint("put them back, or make a new process for new attributes")
    .hints_of(beside_line(instance, locked, edited)))
}

pub(super) fn live_state(instance: &Instance, name: &str) -> Result<ProcessState> {
    let state = StateFile::of(instance, name).read()?;
    if state.status == ProcessStatus::Deleted {
        return Err(Error::usage(format!(
            "the process {name} was deleted; its name is not used again"
        )));
    }
    Ok(state)
}

fn cannot(what: &str, name: &str, status: ProcessStatus) -> Error {
    Error::usage(format!("cannot {what} {name}: it is {}", status.word()))
}

fn definition_path(instance: &Instance, name: &str) -> std::path::PathBuf {
    instance.processes().join(format!("{name}.toml"))
}
