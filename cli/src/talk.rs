//! What is said and asked on stderr beside errors.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

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

/// Asks before what cannot be undone.
///
/// # Errors
/// The answer is no.
pub fn confirm(question: &str, answer: Answer) -> Result<()> {
    if answer == Answer::Given || !io::stdin().is_terminal() {
        return Ok(());
    }
    write!(io::stderr(), "{question} [y/N] ")?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Error::usage("not confirmed").wrote("nothing").into()),
    }
}
