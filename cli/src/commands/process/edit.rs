//! `sluice process edit`: the text of a process from a file, from stdin, or from the user's editor.

use std::io::{IsTerminal, Read, stdin};
use std::path::{Path, PathBuf};
use std::process::Command;

use sluice_engine::instance::Instance;
use sluice_engine::{Error, process};

use super::{create, said};
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::talk::offer;

/// Replaces the text. Attributes that it adds to a completed process are offered as a process of their own.
///
/// # Errors
/// The new text has problems, or changes what is locked.
pub async fn run(context: &Context, instance: &Instance, name: &str, from: Option<&Path>) -> Result<()> {
    match from {
        Some(file) => apply(context, instance, name, None, &read(file)?).await,
        None => by_hand(context, instance, name).await,
    }
}

/// Replaces the text, if it still is what was `seen`.
async fn apply(
    context: &Context,
    instance: &Instance,
    name: &str,
    seen: Option<&str>,
    text: &str,
) -> Result<()> {
    let edited = match seen {
        Some(seen) => process::edit_seen(instance, name, seen, text).await,
        None => process::edit(instance, name, text).await,
    };
    match edited {
        Ok(()) => said(context, name, "changed"),
        Err(error) if offer_beside(context, instance, name, text).await? => {
            drop(error);
            said(context, name, "not changed")
        }
        Err(error) => Err(error.into()),
    }
}

async fn by_hand(context: &Context, instance: &Instance, name: &str) -> Result<()> {
    let before = process::text(instance, name).await?;
    let draft = Draft::of(name, &before)?;
    let after = draft.edit()?;
    if after == before {
        draft.discard();
        return said(context, name, "not changed");
    }
    apply(context, instance, name, Some(&before), &after)
        .await
        .map_err(|failure| match failure {
            Failure::Engine(error) => {
                let file = draft.file().display();
                Failure::Engine(error.hint(format!(
                    "what you typed is in {file}; mend it and: sluice process edit {name} --from {file}"
                )))
            }
            other => other,
        })?;
    draft.discard();
    Ok(())
}

/// Offers to make a process of the attributes that `text` adds, if that is why it was refused.
async fn offer_beside(context: &Context, instance: &Instance, name: &str, text: &str) -> Result<bool> {
    // A text with other problems is refused for those.
    let Ok(Some(beside)) = process::additions(instance, name, text).await else {
        return Ok(false);
    };
    let question = format!(
        "{name} is completed, so that it gets no new attributes; make the process {} over the same file for {}?",
        beside.name,
        beside.attributes.join(", ")
    );
    if !offer(question).await? {
        return Ok(false);
    }
    create(context, instance, &beside.name, &beside.text).await?;
    Ok(true)
}

/// Reads a text from a file, `-` being stdin.
///
/// # Errors
/// It cannot be read, or is no UTF-8.
pub fn read(file: &Path) -> Result<String> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    text.map_err(|e| {
        let error = Error::runtime("the text of the process cannot be read").because(e);
        error.in_file(file.display().to_string()).wrote("nothing").into()
    })
}

/// A text in the user's editor. The copy is kept until `discard`, so that nothing typed is lost.
pub struct Draft {
    file: PathBuf,
}

impl Draft {
    /// A copy of `text` to be edited.
    ///
    /// # Errors
    /// There is no terminal, or no folder for the copy.
    pub fn of(process: &str, text: &str) -> Result<Self> {
        if !stdin().is_terminal() {
            return Err(Error::usage("no terminal to edit on")
                .hint(format!(
                    "take the text from a file: sluice process edit {process} --from FILE"
                ))
                .wrote("nothing")
                .into());
        }
        let file = std::env::temp_dir().join(format!("sluice-{}-{}.toml", process, std::process::id()));
        std::fs::write(&file, text)?;
        Ok(Self { file })
    }

    /// Lets the user edit, and returns the text.
    ///
    /// # Errors
    /// The editor could not be started, or failed.
    pub fn edit(&self) -> Result<String> {
        let named = ["VISUAL", "EDITOR"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|editor| !editor.is_empty()));
        let editor = named.unwrap_or_else(|| "vi".to_owned());
        // The variable may hold options, so a shell reads it; the file is an argument and nothing else.
        let status = Command::new("sh")
            .arg("-c")
            .arg(format!("{editor} \"$1\""))
            .arg("sh")
            .arg(&self.file)
            .status()?;
        if !status.success() {
            return Err(Error::runtime(format!("the editor `{editor}` failed"))
                .hint("$VISUAL or $EDITOR names another one")
                .wrote("nothing")
                .into());
        }
        read(&self.file)
    }

    /// Where the copy is.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Removes the copy.
    pub fn discard(self) {
        // What is left is a small file in the folder for such.
        let _ = std::fs::remove_file(self.file);
    }
}
