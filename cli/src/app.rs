//! From a parsed command line to an exit code.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::Notify;

use sluice_engine::spec::Defaults;

use crate::args::Cli;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::render::megabytes;
use crate::settings::Settings;
use crate::{error, logging, signals};

/// How long a task that cannot be cancelled, a prompt that waits for a key for one, may hold up the end.
const SHUTDOWN_PATIENCE: Duration = Duration::from_millis(200);

/// What a run takes whatever it may use: the program, its threads, blocks that are decoded, row groups that are written. A
/// load of ten attributes on two threads was never seen to take less than 270 MB, of a budget of 100 or of 300.
const LEAST_MEMORY_BYTES: usize = 400_000_000;

/// Runs the command and reports its failure.
pub fn run(cli: Cli) -> ExitCode {
    let log_format = cli.globals.log_format;
    match outcome(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            error::report(&failure, log_format);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Prints what clap has to say, which can be the help that was asked for.
pub fn refuse(refusal: &clap::Error) -> ExitCode {
    // Nobody is left to tell when the terminal is gone.
    let _ = refusal.print();
    ExitCode::from(u8::try_from(refusal.exit_code()).unwrap_or(2))
}

fn outcome(cli: Cli) -> Result<()> {
    let settings = Settings::resolve(cli.globals);
    logging::start(settings.log_format)?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(settings.engine(&Defaults::default()).threads.max(1))
        .enable_all()
        .build()
        .map_err(|e| Failure::from(sluice_engine::Error::runtime("the runtime did not start").because(e)))?;
    let stop = Arc::new(Notify::new());
    let context = Context::new(settings, Arc::clone(&stop));
    if let Some(bytes) = context
        .settings
        .memory_bytes
        .filter(|bytes| *bytes < LEAST_MEMORY_BYTES)
    {
        let [given, least] = [bytes, LEAST_MEMORY_BYTES].map(|bytes| megabytes(bytes as u64));
        context.say(format!(
            "--memory: a run takes some {least} in any case; with {given} it goes to disk early, and takes more than {given}"
        ));
    }
    let on_signal = cli.command.on_signal();
    let work = cli.command.run(&context);
    let outcome = runtime.block_on(signals::governed(work, on_signal, &stop));
    runtime.shutdown_timeout(SHUTDOWN_PATIENCE);
    outcome
}
