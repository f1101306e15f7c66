//! The conversation on a terminal.

use std::path::PathBuf;

use chrono::NaiveDate;
use datafusion::common::runtime::SpawnedTask;
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Behavior, Config, Editor};
use sluice_engine::Error;
use sluice_engine::discover::{Chosen, raw_attribute};
use sluice_engine::process::{Looked, Wanted};
use sluice_engine::spec::{Process, RawAttribute};

use super::lines::Lines;
use super::mapping;
use crate::error::Result;
use crate::talk::Talk;

/// Lines that are edited on the terminal, whatever stdout is.
struct Terminal {
    editor: Editor<(), MemHistory>,
    talk: Talk,
}

impl Terminal {
    fn open(talk: Talk) -> Result<Self> {
        let config = Config::builder().behavior(Behavior::PreferTerm).build();
        let editor = Editor::with_history(config, MemHistory::new()).map_err(failed)?;
        Ok(Self { editor, talk })
    }
}

impl Lines for Terminal {
    fn say(&mut self, text: &str) {
        self.talk.say(text);
    }

    fn ask(&mut self, prompt: &str, default: &str) -> Result<String> {
        let shown = match default {
            "" => format!("{prompt}: "),
            default => format!("{prompt} [{default}]: "),
        };
        let line = self.editor.readline(&shown).map_err(failed)?;
        match line.trim() {
            "" => Ok(default.to_owned()),
            typed => Ok(typed.to_owned()),
        }
    }
}

fn failed(error: ReadlineError) -> Error {
    match error {
        ReadlineError::Interrupted => Error::interrupted(),
        ReadlineError::Eof => Error::usage("the questions were not answered to the end"),
        other => Error::runtime("the terminal failed").because(other),
    }
    .wrote("nothing")
}

/// Asks which file; none: an example is wanted.
///
/// # Errors
/// There is no answer.
pub async fn file(talk: Talk) -> Result<Option<PathBuf>> {
    on_terminal(talk, |lines| {
        let file = lines.ask("file, by path or URL; nothing: an example to edit", "")?;
        Ok(Some(file).filter(|file| !file.is_empty()).map(PathBuf::from))
    })
    .await
}

/// Goes through a file: the source back, and what was chosen of it.
///
/// # Errors
/// There are no more answers.
pub async fn process(
    talk: Talk,
    looked: Looked,
    wanted: Wanted,
    today: NaiveDate,
) -> Result<(Looked, Chosen)> {
    on_terminal(talk, move |lines| {
        let chosen = mapping::choose(lines, &looked, wanted, today)?;
        Ok((looked, chosen))
    })
    .await
}

/// Goes through the columns that `existing` does not load.
///
/// # Errors
/// There are no more answers.
pub async fn beside(talk: Talk, looked: Looked, existing: Process) -> Result<Vec<RawAttribute>> {
    on_terminal(talk, move |lines| {
        let others = existing
            .attributes
            .iter()
            .map(|attribute| attribute.column.clone());
        let others: Vec<String> = others.collect();
        let attributes = mapping::attributes(lines, &looked, &existing.key, &others)?;
        Ok(attributes.iter().map(raw_attribute).collect())
    })
    .await
}

/// Waits for lines where waiting holds up nobody else.
async fn on_terminal<T: Send + 'static>(
    talk: Talk,
    conversation: impl FnOnce(&mut Terminal) -> Result<T> + Send + 'static,
) -> Result<T> {
    let asking = SpawnedTask::spawn_blocking(move || conversation(&mut Terminal::open(talk)?));
    asking.join().await.map_err(Error::from)?
}
