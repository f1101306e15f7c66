//! New attributes of a file that has a process already: they are a process of their own, beside it.

use super::lifecycle::{live_state, parse};
use super::state::StateFile;
use crate::error::{Error, Result};
use crate::instance::{Instance, all};
use crate::spec::{self, Locked, Mapping, Process, RawAttribute, attributes_beside};

/// A process that does not exist yet, over the source of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// A name that is free.
    pub name: String,
    /// Names of its attributes.
    pub attributes: Vec<String>,
    /// Its definition.
    pub text: String,
}

/// The text of a process over the source of `name`: mode, key, source, policies and schedule are the same, the
/// attributes are its own.
///
/// # Errors
/// There is no such process, its text has problems, or it has one of the attributes.
pub async fn like(instance: &Instance, name: &str, attributes: Vec<RawAttribute>) -> Result<String> {
    let text = super::text(instance, name).await?;
    let existing = parse(instance, name, &text)?;
    let text = spec::beside(&text, attributes).map_err(|problems| all(&problems))?;
    let asked = spec::parse_process_in("new", &text, instance.config()).map_err(|problems| all(&problems))?;
    let is_there = |name: &str| existing.attributes.iter().any(|other| other.name == name);
    match asked
        .attributes
        .iter()
        .find(|attribute| is_there(&attribute.name))
    {
        Some(twice) => Err(Error::usage(format!(
            "the attribute {} belongs to the process {name}",
            twice.name
        ))
        .hint("name columns that it does not load, or give the attribute another name: COLUMN:NAME=TYPE")),
        None => Ok(text),
    }
}

/// The process for the attributes that `edited` adds to the completed process `name`; none where it changes anything
/// else that is locked, or nothing.
///
/// # Errors
/// There is no such process, or a text has problems.
pub async fn additions(instance: &Instance, name: &str, edited: &str) -> Result<Option<Beside>> {
    let Some(locked) = live_state(instance, name).await?.locked else {
        return Ok(None);
    };
    let attributes = locked.additions(&parse(instance, name, edited)?);
    if attributes.is_empty() {
        return Ok(None);
    }
    let known: Vec<&str> = locked
        .attributes
        .iter()
        .map(|known| known.name.as_str())
        .collect();
    let new = attributes_beside(edited, &known).map_err(|problems| all(&problems))?;
    Ok(Some(Beside {
        name: free_name(instance, name).await,
        attributes,
        text: like(instance, name, new).await?,
    }))
}

/// The command that makes a process for the attributes that `asked` has more than `existing`, if that is all it has.
pub(super) async fn beside_line(instance: &Instance, existing: &Locked, asked: &Process) -> Option<String> {
    let names = existing.additions(asked);
    let flags = asked
        .attributes
        .iter()
        .filter(|attribute| names.contains(&attribute.name));
    let flags: Vec<String> = flags
        .map(|attribute| {
            let mapping = Mapping {
                column: attribute.column.clone(),
                name: attribute.name.clone(),
                ty: attribute.ty,
            };
            format!(
                " --attribute {}",
                crate::discover::shell::quote(&mapping.to_string())
            )
        })
        .collect();
    let (new, name) = (free_name(instance, &asked.name).await, &asked.name);
    let flags = Some(flags.concat()).filter(|flags| !flags.is_empty())?;
    Some(format!(
        "new attributes are a new process over the same file: sluice process new {new} --like {name}{flags}"
    ))
}

/// `NAME_2`, or with the next number that no process ever had.
async fn free_name(instance: &Instance, name: &str) -> String {
    // A name has 64 characters at most.
    let stem: String = name.chars().take(60).collect();
    let mut number = 2_u32;
    loop {
        let name = format!("{stem}_{number}");
        // Where it cannot be told, whoever makes the process is told.
        if !StateFile::of(instance, &name).exists().await.unwrap_or(false) {
            return name;
        }
        number += 1;
    }
}
