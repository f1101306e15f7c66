//! Who owns an attribute: the first completed process that names it, or the batch that was adopted.

use std::collections::BTreeMap;

use super::state::{ProcessStatus, StateFile};
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::plan::{BATCH_OWNER, owner_of};
use crate::spec::{AttributeType, Process};
use crate::table::Snapshot;

/// An attribute name and the process that reserved it.
pub type Owners = BTreeMap<String, String>;

/// The attributes that completed processes reserve, merged or not; a deleted process keeps what it merged.
///
/// # Errors
/// A state file that cannot be read.
pub fn reserved_attributes(instance: &Instance) -> Result<Owners> {
    let mut owners = Owners::new();
    for name in names(instance)? {
        let state = StateFile::of(instance, &name).read()?;
        if state.status == ProcessStatus::Deleted && state.merged.is_empty() {
            continue;
        }
        for attribute in state.locked.into_iter().flat_map(|locked| locked.attributes) {
            owners.insert(attribute.name, name.clone());
        }
    }
    Ok(owners)
}

/// The names of all processes that ever were, sorted.
///
/// # Errors
/// The folder cannot be read.
pub fn names(instance: &Instance) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(instance.processes())? {
        let file = entry?.file_name();
        if let Some(name) = file.to_str().and_then(|file| file.strip_suffix(".state.json")) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Checks the attributes of `process` against everybody else's.
///
/// # Errors
/// A name that is taken, a limit that is passed, a second e-mail attribute.
pub fn check_ownership(instance: &Instance, process: &Process, snapshot: &Snapshot) -> Result<()> {
    let reserved = reserved_attributes(instance)?;
    for attribute in &process.attributes {
        let owner = owner_of(snapshot, &attribute.name).or_else(|| reserved.get(&attribute.name).cloned());
        let there = snapshot.schema.field_with_name(&attribute.name).is_ok();
        match owner {
            Some(owner) if owner != process.name => return Err(taken(&attribute.name, &owner)),
            None if there => return Err(taken(&attribute.name, BATCH_OWNER)),
            _ => {}
        }
        if attribute.ty == AttributeType::Email {
            check_email(process, &attribute.name, snapshot)?;
        }
    }
    let others = reserved.values().filter(|owner| **owner != process.name).count();
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

fn check_email(process: &Process, name: &str, snapshot: &Snapshot) -> Result<()> {
    let other = snapshot.schema.fields().iter().find(|field| {
        field
            .metadata()
            .get("sluice.role")
            .is_some_and(|role| role == "email")
            && field.name() != name
    });
    match other {
        Some(field) => Err(Error::usage(format!(
            "the instance has its e-mail attribute already: {}",
            field.name()
        ))
        .hint(format!("map {name} of {} as a string", process.name))),
        None => Ok(()),
    }
}
