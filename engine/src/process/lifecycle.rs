//! From draft to deleted.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::{StreamExt, stream};
use serde::Serialize;
use serde_json::{Value, json};

use super::additions::beside_line;
use super::completing::completed_already;
use super::lease_file::{HeldLease, LeaseFile, Taking};
use super::ownership::{READ_AT_ONCE, check_ownership, states};
use super::slots::slot_after;
use super::state::{Creation, ProcessState, ProcessStatus, StateFile};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::instance::{Instance, all};
use crate::plan::{BATCH_OWNER, catalogue, layout, printed_sql, read_options};
use crate::report::{Event, record_event};
use crate::spec::{self, Locked, Process};
use crate::table::Snapshot;

/// Who completes a process, and how long another one waits for it.
const RESERVATION_FILE: &str = "_attributes.lease.json";
const RESERVATION_PATIENCE: Duration = Duration::from_secs(30);

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
    // The state first: whoever makes it has the name, and the text is in it.
    let (state, draft) = (StateFile::of(instance, name), ProcessState::draft(text));
    if state.create(&draft).await? == Creation::NameTaken {
        return Err(Error::usage(format!(
            "the process name {name:?} is taken; a name is never used twice"
        ))
        .hint("choose another name, or change the process with: sluice process edit"));
    }
    let write = |_: Option<&[u8]>| Ok((text.as_bytes().to_vec(), ()));
    definition(instance, name).update(write).await?;
    record_event(instance, Event::lifecycle("created", name)).await
}

/// Replaces the definition. A completed process keeps what completing locked.
///
/// # Errors
/// The new text has problems, or changes what is locked.
pub async fn edit(instance: &Instance, name: &str, text: &str) -> Result<()> {
    replace(instance, name, None, text).await
}

/// As [`edit`], for who saw the definition as `before`.
///
/// # Errors
/// As [`edit`]; another program changed the definition meanwhile.
pub async fn edit_seen(instance: &Instance, name: &str, before: &str, text: &str) -> Result<()> {
    replace(instance, name, Some(before), text).await
}

async fn replace(instance: &Instance, name: &str, before: Option<&str>, text: &str) -> Result<()> {
    let state = live_state(instance, name).await?;
    let edited = match &state.locked {
        Some(locked) => {
            let edited = parse(instance, name, text)?;
            check_locked(instance, locked, &edited).await?;
            Some(edited)
        }
        None => None,
    };
    let made_of = state.made_of.as_deref();
    let replaced = |found: Option<&[u8]>| match (before, found.or(made_of.map(str::as_bytes))) {
        (Some(before), Some(found)) if before.as_bytes() != found => Err(Error::conflict(format!(
            "the process {name} was changed by another program meanwhile"
        ))
        .hint(format!("see its text with: sluice process show {name}"))
        .wrote("nothing")),
        _ => Ok((text.as_bytes().to_vec(), ())),
    };
    definition(instance, name).update(replaced).await?;
    if let Some(edited) = edited {
        reschedule(instance, &edited).await?;
    }
    record_event(instance, Event::lifecycle("edited", name)).await
}

/// A schedule that was edited is due by its new slots from now on; one that was taken out, never again.
async fn reschedule(instance: &Instance, process: &Process) -> Result<()> {
    let file = StateFile::of(instance, &process.name);
    let changed = file.update(|state| {
        state.reschedule(process.schedule.as_ref(), Utc::now());
        Ok(())
    });
    changed.await
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
pub async fn text(instance: &Instance, name: &str) -> Result<String> {
    let state = live_state(instance, name).await?;
    text_of(instance, name, state.made_of).await
}

/// The definition, or the text that the process was made of.
async fn text_of(instance: &Instance, name: &str, made_of: Option<String>) -> Result<String> {
    let file = definition(instance, name);
    let Some(content) = file.read().await?.0 else {
        let gone = || {
            Error::runtime("the definition of the process is gone")
                .in_file(file.shown())
                .hint(format!(
                    "write it anew with: sluice process edit {name} --from FILE"
                ))
        };
        return made_of.ok_or_else(gone);
    };
    String::from_utf8(content.to_vec()).map_err(|error| {
        Error::usage("the definition is no text")
            .because(error)
            .in_file(file.shown())
    })
}

/// Reads the definition; reports all its problems at once.
///
/// # Errors
/// Problems, or a completed process whose locked fields were edited.
pub async fn check(instance: &Instance, name: &str) -> Result<Process> {
    let mut state = live_state(instance, name).await?;
    let text = text_of(instance, name, state.made_of.take()).await?;
    let process = parse(instance, name, &text)?;
    if let Some(locked) = &state.locked {
        check_locked(instance, locked, &process).await?;
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
    let process = check(instance, name).await?;
    let snapshot = instance.customers()?.snapshot(None).await?;
    // One at a time in the instance: two drafts must not reserve one name.
    let reservation = reserve(instance).await?;
    let reserved = reserve_attributes(instance, &process, &snapshot).await;
    reservation.release().await;
    reserved?;
    record_event(instance, Event::lifecycle("completed", name)).await
}

/// The right to reserve names of attributes.
async fn reserve(instance: &Instance) -> Result<HeldLease> {
    let file = LeaseFile::new(
        instance.process_document(RESERVATION_FILE),
        instance.config().limits.lease,
    );
    match file.take_within("complete", RESERVATION_PATIENCE).await? {
        Taking::Taken(lease) => Ok(lease),
        Taking::Refused(other) => Err(Error::conflict(format!(
            "another process is being completed (process id {} on {})",
            other.holder.pid, other.holder.host
        ))
        .hint("try again in a moment")
        .wrote("nothing")),
    }
}

async fn reserve_attributes(instance: &Instance, process: &Process, snapshot: &Snapshot) -> Result<()> {
    check_ownership(instance, process, snapshot).await?;
    let name = &process.name;
    let file = StateFile::of(instance, name);
    let completed = file.update(|state| {
        if state.status != ProcessStatus::Draft {
            return Err(completed_already(name));
        }
        state.status = if process.schedule.is_some() {
            ProcessStatus::Scheduled
        } else {
            ProcessStatus::Ready
        };
        state.completed_at = Some(Utc::now());
        state.made_of = None;
        state.next_run_at = next_run(process, Utc::now());
        state.locked = Some(Locked::of(process));
        state.definition_hash = Some(process.hash.clone());
        Ok(())
    });
    completed.await
}

/// Stops a process from running.
///
/// # Errors
/// A draft, or a process that is paused.
pub async fn pause(instance: &Instance, name: &str) -> Result<()> {
    let paused = StateFile::of(instance, name);
    let paused = paused.update(|state| match state.status {
        ProcessStatus::Draft | ProcessStatus::Paused | ProcessStatus::Deleted => {
            Err(cannot("pause", name, state.status))
        }
        _ => {
            state.status = ProcessStatus::Paused;
            Ok(())
        }
    });
    paused.await?;
    record_event(instance, Event::lifecycle("paused", name)).await
}

/// Lets a paused process run again.
///
/// # Errors
/// A process that is not paused.
pub async fn resume(instance: &Instance, name: &str) -> Result<()> {
    let process = check(instance, name).await?;
    let resumed = StateFile::of(instance, name);
    let resumed = resumed.update(|state| match state.status {
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
    });
    resumed.await?;
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
    let deleted = StateFile::of(instance, name);
    let deleted = deleted.update(|state| {
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
    });
    let deleted = deleted.await?;
    definition(instance, name).remove().await?;
    record_event(instance, Event::lifecycle("deleted", name)).await?;
    Ok(deleted)
}

/// The definition with every default filled in.
///
/// # Errors
/// Problems of the definition.
pub async fn effective(instance: &Instance, name: &str) -> Result<Value> {
    let process = check(instance, name).await?;
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
    let rules: Vec<Value> = rules(instance, name)
        .await?
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
        "guard": process.guard, "retention": {
            "reject_payload": process.retention.payload, "reject_rows": process.retention.rows,
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
pub async fn rules(instance: &Instance, name: &str) -> Result<Vec<RuleLine>> {
    let rules = catalogue(&check(instance, name).await?);
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
pub async fn list(instance: &Instance) -> Result<Vec<ProcessView>> {
    let states = states(instance).await?.into_iter();
    let live = states.filter(|(_, state)| state.status != ProcessStatus::Deleted);
    let views = live.map(|(name, state)| view(instance, name, state));
    Ok(stream::iter(views).buffered(READ_AT_ONCE).collect().await)
}

async fn view(instance: &Instance, name: String, mut state: ProcessState) -> ProcessView {
    // A draft may have problems; it is listed all the same.
    let process = text_of(instance, &name, state.made_of.take())
        .await
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
    let file = definition(instance, name).shown();
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

async fn check_locked(instance: &Instance, locked: &Locked, edited: &Process) -> Result<()> {
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
    .hints_of(beside_line(instance, locked, edited).await))
}

pub(super) async fn live_state(instance: &Instance, name: &str) -> Result<ProcessState> {
    let state = StateFile::of(instance, name).read().await?;
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

/// The file that the user wrote.
fn definition(instance: &Instance, name: &str) -> Document {
    instance.process_document(&format!("{name}.toml"))
}
