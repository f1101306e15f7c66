//! The texts of an instance beside its tables.

use serde_json::to_value;

use super::needle::Needle;
use super::search::Holds;
use crate::error::Result;
use crate::instance::{CONFIG_FILE, Instance};
use crate::process::{StateFile, names};

/// The files beside the tables that name the customer, relative to the instance, and how.
///
/// # Errors
/// A file cannot be read.
pub(super) async fn search(instance: &Instance, needle: &Needle) -> Result<Vec<(String, Holds)>> {
    let mut found = Vec::new();
    for name in names(instance).await? {
        if undelivered_names(&StateFile::of(instance, &name), needle).await? {
            found.push((format!("processes/{name}.state.json"), Holds::Customer));
        }
    }
    let files = instance.process_files().await?;
    let documents = files
        .iter()
        .map(|file| (format!("processes/{file}"), instance.process_document(file)))
        .chain([(CONFIG_FILE.to_owned(), instance.root().document(CONFIG_FILE))]);
    for (path, document) in documents {
        let (content, _) = document.read().await?;
        let text = content.map(|content| String::from_utf8_lossy(&content).into_owned());
        let is_known = found.iter().any(|(known, _)| *known == path);
        if !is_known && text.is_some_and(|text| needle.is_named_in(&text)) {
            found.push((path, Holds::Mention));
        }
    }
    Ok(found)
}

async fn undelivered_names(state: &StateFile, needle: &Needle) -> Result<bool> {
    let messages = to_value(state.read().await?.undelivered)?;
    Ok(needle.is_named_in(&messages.to_string()))
}

/// Takes the customer out of messages that wait to be delivered.
///
/// # Errors
/// A state file cannot be replaced.
pub(super) async fn scrub(instance: &Instance, needle: &Needle) -> Result<()> {
    for name in names(instance).await? {
        let file = StateFile::of(instance, &name);
        if !undelivered_names(&file, needle).await? {
            continue;
        }
        let scrubbed = file.update(|state| {
            let mut messages = to_value(&state.undelivered)?;
            needle.take_out_of_json(&mut messages);
            state.undelivered = serde_json::from_value(messages)?;
            Ok(())
        });
        scrubbed.await?;
    }
    Ok(())
}
