//! What is said and asked on stderr beside errors.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use datafusion::common::runtime::SpawnedTask;
use sluice_engine::Error;

use crate::error::Result;

/// Whether anything but data and errors is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// Everything.
    On,
    /// Nothing: `--quiet`.
    Off,
}

impl Talk {
    /// Says one line.
    pub fn say(self, line: impl Display) {
        if self == Self::On {
            // A closed stderr is no reason to fail.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }
}

/// Whether a question has its answer already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The user is asked, if there is a terminal to answer on.
    Asked,
    /// `--yes`.
    Given,
}

/// Whether somebody is there to answer.
pub fn is_asked() -> bool {
    io::stdin().is_terminal()
}

/// Asks before what cannot be undone.
///
/// # Errors
/// The answer is no.
pub async fn confirm(question: impl Into<String>, answer: Answer) -> Result<()> {
    if answer == Answer::Given || !is_asked() {
        return Ok(());
    }
    match yes(question, "y/N").await? {
        Some(true) => Ok(()),
        Some(false) | None => Err(Error::usage("not confirmed").wrote("nothing").into()),
    }
}

/// Asks whether something is to be done, as most would have it; where nobody can answer it is not.
///
/// # Errors
/// The terminal fails.
pub async fn offer(question: impl Into<String>) -> Result<bool> {
    if !is_asked() {
        return Ok(false);
    }
    Ok(yes(question, "Y/n").await?.unwrap_or(true))
}

/// Asks on a thread of its own, so that Ctrl-C is heard. `None`: nothing was typed.
async fn yes(question: impl Into<String>, choice: &'static str) -> Result<Option<bool>> {
    let question = question.into();
    let asking = SpawnedTask::spawn_blocking(move || {
        write!(io::stderr(), "{question} [{choice}] ")?;
        let mut line = String::new();
        let is_end = io::stdin().read_line(&mut line)? == 0;
        Ok(match line.trim().to_ascii_lowercase().as_str() {
            "" if !is_end => None,
            answer => Some(matches!(answer, "y" | "yes")),
        })
    });
    asking.join().await.map_err(Error::from)?
}
