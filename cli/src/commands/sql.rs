//! `sluice sql`.

use std::io::{IsTerminal, stdin};

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::repl::{self, Split};

/// Runs queries on the instance, or opens a prompt
///
/// Tables: customers, rejects, runs, events. Views: reject_reasons, processes, attributes. Functions: source('FILE'),
/// incoming('PROCESS'), records('PROCESS'), customers_at(VERSION), changes('RUN_ID'), diff(VERSION, VERSION), history().
/// Nothing is changed; COPY ... TO writes a file. Without a query, and with no terminal on stdin, it runs the statements
/// of stdin.
#[derive(Debug, Args)]
pub struct SqlArgs {
    /// One query or several, with ; between them
    query: Option<String>,
}

impl SqlArgs {
    /// Whether it opens a prompt.
    pub fn is_prompt(&self) -> bool {
        self.query.is_none() && stdin().is_terminal()
    }
}

/// Runs the queries or the prompt.
///
/// # Errors
/// That of the first query that fails.
pub async fn run(context: &Context, args: &SqlArgs) -> Result<()> {
    let Some(text) = &args.query else {
        return match args.is_prompt() {
            true => repl::prompt(context).await,
            false => repl::script(context).await,
        };
    };
    let session = context.session().await?;
    let Split { statements, rest } = repl::split(text);
    // An empty text is left to the engine, which says what is wrong with it.
    let last = Some(rest).filter(|rest| !rest.is_empty() || statements.is_empty());
    for statement in statements.into_iter().chain(last) {
        session.print(statement).await?;
    }
    Ok(())
}
