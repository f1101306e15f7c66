//! Who owns an attribute: the first completed process that names it, or the batch that was adopted.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef};
use futures::{StreamExt, TryStreamExt, stream};

use super::state::{ProcessState, ProcessStatus, SUFFIX, StateFile};
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::plan::{BATCH_OWNER, column_type, owner_of};
use crate::spec::{AttributeType, Process};
use crate::table::Snapshot;

/// State files read at once.
pub(super) const READ_AT_ONCE: usize = 16;

/// Who reserved an attribute, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The process.
    pub process: String,
    /// Type of the attribute.
    pub ty: String,
}

/// The attributes that completed processes reserve, merged or not; a deleted process keeps what it merged.
///
/// # Errors
/// A state file that cannot be read.
pub async fn reserved_attributes(instance: &Instance) -> Result<BTreeMap<String, Reservation>> {
    let mut reserved = BTreeMap::new();
    for (name, state) in states(instance).await? {
        if state.status == ProcessStatus::Deleted && state.merged.is_empty() {
            continue;
        }
        for attribute in state.locked.into_iter().flat_map(|locked| locked.attributes) {
            let reservation = Reservation {
                process: name.clone(),
                ty: attribute.ty,
            };
            reserved.insert(attribute.name, reservation);
        }
    }
    Ok(reserved)
}

/// `customers` as queries and rules see it: an attribute that is reserved and not there yet reads as NULL.
///
/// # Errors
/// A state file that cannot be read.
pub async fn with_reserved(instance: &Instance, snapshot: &Snapshot) -> Result<Snapshot> {
    let reserved = reserved_attributes(instance).await?.into_iter();
    let fields: Vec<FieldRef> = reserved
        .filter_map(|(name, reservation)| {
            let ty = reservation.ty.parse().ok()?;
            Some(Arc::new(Field::new(name, column_type(ty), true)))
        })
        .collect();
    Ok(snapshot.with_fields(&fields))
}

/// The names of all processes that ever were, sorted.
///
/// # Errors
/// The folder cannot be read.
pub async fn names(instance: &Instance) -> Result<Vec<String>> {
    let files = instance.process_files().await?;
    let mut names: Vec<String> = files
        .iter()
        .filter_map(|file| file.strip_suffix(SUFFIX).map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}

/// The states of all processes that ever were, by name.
///
/// # Errors
/// A state file cannot be read.
pub async fn states(instance: &Instance) -> Result<Vec<(String, ProcessState)>> {
    let reads = names(instance).await?.into_iter().map(|name| async move {
        let state = StateFile::of(instance, &name).read().await?;
        Ok((name, state))
    });
    stream::iter(reads).buffered(READ_AT_ONCE).try_collect().await
}

/// Checks the attributes of `process` against everybody else's.
///
/// # Errors
/// A name that is taken, a limit that is passed, a second e-mail attribute.
pub async fn check_ownership(instance: &Instance, process: &Process, snapshot: &Snapshot) -> Result<()> {
    let mut reserved = reserved_attributes(instance).await?;
    reserved.retain(|_, reservation| reservation.process != process.name);
    for attribute in &process.attributes {
        // Delta tells columns apart without their case; adopted ones may have capitals.
        let there = snapshot
            .schema
            .fields()
            .iter()
            .find(|field| field.name().eq_ignore_ascii_case(&attribute.name));
        let owner =
            there.map(|field| owner_of(snapshot, field.name()).unwrap_or_else(|| BATCH_OWNER.to_owned()));
        let other = owner.filter(|owner| *owner != process.name);
        if let Some(other) = other.or_else(|| Some(reserved.get(&attribute.name)?.process.clone())) {
            return Err(taken(&attribute.name, &other));
        }
        if attribute.ty == AttributeType::Email {
            check_email(process, &attribute.name, snapshot, &reserved)?;
        }
    }
    let others = reserved.len();
    let limit = instance.config().limits.attributes_per_instance;
    if others + process.attributes.len() > limit {
        let message = format!(
            "{others} attributes are taken and {} are asked for; the instance's limit is {limit}",
            process.attributes.len()
        );
        return Err(Error::usage(message).hint(
            "raise attributes_per_instance in [limits] of sluice.toml, or delete processes that never merged",
        ));
    }
    Ok(())
}

fn taken(name: &str, owner: &str) -> Error {
    let who = if owner == BATCH_OWNER {
        "the adopted customer base".to_owned()
    } else {
        format!("the process {owner}")
    };
    Error::usage(format!("the attribute {name} belongs to {who}")).hint("give the attribute another name")
}

/// One e-mail attribute an instance, in the table or reserved.
fn check_email(
    process: &Process,
    name: &str,
    snapshot: &Snapshot,
    reserved: &BTreeMap<String, Reservation>,
) -> Result<()> {
    match emails(snapshot, reserved).find(|other| *other != name) {
        Some(other) => Err(
            Error::usage(format!("the instance has its e-mail attribute already: {other}"))
                .hint(format!("map {name} of {} as a string", process.name)),
        ),
        None => Ok(()),
    }
}

/// The instance's e-mail attribute, in the table or reserved.
///
/// # Errors
/// A state file that cannot be read.
pub async fn email_attribute(instance: &Instance, snapshot: &Snapshot) -> Result<Option<String>> {
    let reserved = reserved_attributes(instance).await?;
    Ok(emails(snapshot, &reserved).next().map(str::to_owned))
}

fn emails<'a>(
    snapshot: &'a Snapshot,
    reserved: &'a BTreeMap<String, Reservation>,
) -> impl Iterator<Item = &'a str> {
    let fields = snapshot.schema.fields().iter();
    let in_table = fields.filter(|field| {
        field
            .metadata()
            .get("sluice.role")
            .is_some_and(|role| role == "email")
    });
    let email = AttributeType::Email.to_string();
    let to_come = reserved
        .iter()
        .filter(move |(_, reservation)| reservation.ty == email);
    in_table
        .map(|field| field.name().as_str())
        .chain(to_come.map(|(name, _)| name.as_str()))
}
