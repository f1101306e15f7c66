//! The prompt on a terminal.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use datafusion::common::runtime::SpawnedTask;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor};
use sluice_engine::Error;

use super::history;
use super::meta::{HELP, Meta};
use super::names::Names;
use super::statements::{Split, split};
use crate::context::Context;
use crate::error::{self, Failure, Result};
use crate::render::{seconds, thousands};

const FIRST_LINE: &str = "sluice> ";
const NEXT_LINE: &str = "   ...> ";

/// Columns of every table and view.
const NAMES: &str = "SELECT table_name, column_name FROM information_schema.columns \
                     WHERE table_schema <> 'information_schema'";

/// Reads and answers until `\q` or the end of input.
///
/// # Errors
/// There is no instance, or the terminal fails; an error of a statement is printed and forgotten.
pub async fn prompt(context: &Context) -> Result<()> {
    let names = Names::of(context.session().await?.texts(NAMES).await?);
    let mut lines = Lines::open(names)?;
    context.say("SQL on this instance, read only. \\? helps, \\q leaves.");
    let mut pending = String::new();
    loop {
        let prompt = if pending.is_empty() { FIRST_LINE } else { NEXT_LINE };
        let (returned, line) = lines.read(prompt).await?;
        lines = returned;
        match line {
            Ok(line) => pending.push_str(&line),
            Err(ReadlineError::Interrupted) => {
                pending.clear();
                continue;
            }
            Err(ReadlineError::Eof) => return Ok(()),
            Err(other) => return Err(terminal(other).into()),
        }
        pending.push('\n');
        if answer(context, &mut lines, &mut pending).await.is_break() {
            return Ok(());
        }
    }
}

/// Answers what is whole of `pending` and leaves the rest there.
async fn answer(context: &Context, lines: &mut Lines, pending: &mut String) -> ControlFlow<()> {
    if let Some(meta) = Meta::of(pending) {
        lines.remember(pending.trim());
        pending.clear();
        return obey(context, &meta).await;
    }
    let Split { statements, rest } = split(pending);
    for statement in statements {
        lines.remember(&format!("{statement};"));
        run(context, statement).await;
    }
    *pending = match rest {
        "" => String::new(),
        rest => format!("{rest}\n"),
    };
    ControlFlow::Continue(())
}

async fn obey(context: &Context, meta: &Meta) -> ControlFlow<()> {
    match meta {
        Meta::Quit => return ControlFlow::Break(()),
        Meta::Help => context.settings.talk.say(HELP),
        Meta::Unknown(line) => show(
            context,
            &Error::usage(format!("no such command: {line}"))
                .hint("\\? lists them")
                .into(),
        ),
        Meta::Tables | Meta::Columns(_) => {
            if let Some(query) = meta.query() {
                run(context, &query).await;
            }
        }
    }
    ControlFlow::Continue(())
}

/// Runs one statement on the instance as it is now, until Ctrl-C.
async fn run(context: &Context, statement: &str) {
    let begun = Instant::now();
    let query = async { context.session().await?.print(statement).await };
    let outcome = tokio::select! {
        outcome = query => outcome,
        _ = tokio::signal::ctrl_c() => Err(Error::interrupted().into()),
    };
    match outcome {
        Ok(printed) => {
            let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            let word = if printed.rows == 1 { "row" } else { "rows" };
            context.say(format!(
                "{} {word} in {}",
                thousands(printed.rows as u64),
                seconds(milliseconds)
            ));
        }
        Err(failure) => show(context, &failure),
    }
}

fn show(context: &Context, failure: &Failure) {
    error::report(failure, context.settings.log_format);
}

/// The line editor and where it keeps what was typed.
struct Lines {
    editor: Editor<Names, FileHistory>,
    history: Option<PathBuf>,
}

impl Lines {
    fn open(names: Names) -> Result<Self> {
        let mut editor =
            Editor::with_config(Config::builder().auto_add_history(false).build()).map_err(terminal)?;
        editor.set_helper(Some(names));
        let history = history::file();
        if let Some(file) = &history {
            // There is none before the first prompt.
            let _ = editor.load_history(file);
        }
        Ok(Self { editor, history })
    }

    /// Waits for a line where waiting holds up nobody else, a signal for one.
    async fn read(mut self, prompt: &'static str) -> Result<(Self, rustyline::Result<String>)> {
        let task = SpawnedTask::spawn_blocking(move || {
            let line = self.editor.readline(prompt);
            (self, line)
        });
        Ok(task.await.map_err(Error::from)?)
    }

    /// Adds to the history, at once, so that another prompt or a crash takes nothing away.
    fn remember(&mut self, entry: &str) {
        if self.editor.add_history_entry(entry).is_ok_and(|added| added)
            && let Some(file) = &self.history
        {
            // A history that cannot be written is none; the statement runs all the same.
            let _ = self.editor.append_history(file);
        }
    }
}

fn terminal(error: ReadlineError) -> Error {
    Error::runtime("the terminal failed").because(error)
}
