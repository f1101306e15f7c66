//! `sluice serve`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use sluice_engine::serve::{ServeOptions, Served, serve};

use crate::context::Context;
use crate::error::Result;
use crate::render;

/// Runs every process when it is due, until it is stopped
///
/// Several servers may look after one instance: a process runs once at a time. SIGTERM and Ctrl-C stop the runs under
/// way before they commit, or let a commit end; a run that was cut off is made again by the next server. Slots that
/// were missed are caught up once.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Runs at once; they share the memory
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    parallel: u16,
    /// Answer /healthz and /metrics here, as 127.0.0.1:9464
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Seconds between two looks at the instance, which other programs change too
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    look_every: u64,
    /// Seconds that runs have to end when the server is stopped
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    patience: u64,
}

/// Serves.
///
/// # Errors
/// There is no instance, or the address is taken.
pub async fn run(context: &Context, args: &ServeArgs) -> Result<()> {
    let instance = context.instance().await?;
    let settings = context.settings.engine(&instance.config().defaults);
    let options = ServeOptions {
        parallel_runs: args.parallel.into(),
        look_every: Duration::from_secs(args.look_every),
        patience: Duration::from_secs(args.patience),
        listen: args.listen,
    };
    let stop = context.watch().stop;
    context.say(format!("serving {}", instance.shown()));
    serve(instance, settings, options, &stop, |told| say(context, &told)).await?;
    context.say("stopped");
    Ok(())
}

fn say(context: &Context, told: &Served<'_>) {
    context.say(match told {
        Served::Listening(address) => format!("http://{address}/healthz and /metrics"),
        Served::Started { process } => format!("{process}: run starts"),
        Served::Ended(report) => render::run_line(report),
        Served::Reconfigured { waiting: [] } => "sluice.toml was changed and is in use".to_owned(),
        Served::Reconfigured { waiting } => format!(
            "sluice.toml was changed and is in use; these keys wait for a restart: {}",
            waiting.join(", ")
        ),
        Served::Misconfigured { reason } => {
            format!("sluice.toml cannot be used, the last good one is: {reason}")
        }
        Served::Refused { process, reason } => format!("{process}: no run: {reason}"),
    });
}
