//! `sluice`: the command line of the engine. Data goes to stdout, talk and progress to stderr.
//!
//! ```text
//!   args ──resolve──▶ Settings ──▶ Context ──▶ commands/ONE ──▶ printer | render ──▶ stdout
//!   (typed)           (resolved)                    └─ Failure ──▶ error ──▶ stderr, exit code
//! ```
//!
//! A command is one file of [`commands`]; its doc comment is its help. [`app`] starts one and turns its failure into the
//! exit code; [`signals`] says what Ctrl-C means to it.

use std::process::ExitCode;

use clap::Parser;

mod app;
mod args;
mod commands;
mod context;
mod error;
mod guide;
mod logging;
mod memory;
mod printer;
mod progress;
mod render;
mod repl;
mod session;
mod settings;
mod shell;
mod signals;
mod talk;

fn main() -> ExitCode {
    memory::configure();
    match args::Cli::try_parse() {
        Ok(cli) => app::run(cli),
        Err(refusal) => app::refuse(&refusal),
    }
}
