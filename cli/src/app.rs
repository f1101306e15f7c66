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
use crate::settings::Settings;
use crate::{error, logging, signals};

/// How long a task that cannot be cancelled, a prompt that waits for a key for one, may hold up the end.
const SHUTDOWN_PATIENCE: Duration = Duration::from_millis(200);

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
    context
        .settings
        .remarks()
        .into_iter()
        .for_each(|remark| context.say(remark));
    let on_signal = cli.command.on_signal();
    let work = cli.command.run(&context);
    let outcome = runtime.block_on(signals::governed(work, on_signal, &stop));
    runtime.shutdown_timeout(SHUTDOWN_PATIENCE);
    outcome
}
