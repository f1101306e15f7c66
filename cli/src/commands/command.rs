//! All commands, and the way to them.

use clap::Subcommand;

use super::{
    bench, completions, customer, demo, diff, discover, doctor, generate, history, ingest, init, optimize,
    preview, process, rejects, replay, rollback, rules, run, runs, serve, sql, status, vacuum,
};
use crate::context::Context;
use crate::error::Result;
use crate::signals::OnSignal;

/// What to do. A variant has no help of its own: that is the doc comment of its arguments.
#[derive(Debug, Subcommand)]
pub enum Command {
    Init(init::InitArgs),
    Discover(discover::DiscoverArgs),
    Preview(preview::PreviewArgs),
    Ingest(ingest::IngestArgs),
    Process(process::ProcessArgs),
    Rules(rules::RulesArgs),
    Run(run::RunArgs),
    Serve(serve::ServeArgs),
    Runs(runs::RunsArgs),
    Status(status::StatusArgs),
    Rejects(rejects::RejectsArgs),
    Replay(replay::ReplayArgs),
    Sql(sql::SqlArgs),
    Customer(customer::CustomerArgs),
    History(history::HistoryArgs),
    Diff(diff::DiffArgs),
    Rollback(rollback::RollbackArgs),
    Optimize(optimize::OptimizeArgs),
    Vacuum(vacuum::VacuumArgs),
    Doctor(doctor::DoctorArgs),
    Demo(demo::DemoArgs),
    Generate(generate::GenerateArgs),
    Bench(bench::BenchArgs),
    Completions(completions::CompletionsArgs),
}

impl Command {
    /// What a signal does to it.
    pub fn on_signal(&self) -> OnSignal {
        match self {
            Self::Run(_)
            | Self::Serve(_)
            | Self::Ingest(_)
            | Self::Demo(_)
            | Self::Replay(_)
            | Self::Rollback(_)
            | Self::Optimize(_) => OnSignal::WindDown,
            Self::Sql(args) if args.is_prompt() => OnSignal::OwnInterrupt,
            Self::Process(args) if args.owns_terminal() => OnSignal::OwnInterrupt,
            _ => OnSignal::Drop,
        }
    }

    /// Runs one command.
    ///
    /// # Errors
    /// The command's.
    pub async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Init(args) => init::run(context, args).await,
            Self::Discover(args) => discover::run(context, args).await,
            Self::Preview(args) => preview::run(context, args).await,
            Self::Ingest(args) => ingest::run(context, args).await,
            Self::Process(args) => process::run(context, args).await,
            Self::Rules(args) => rules::run(context, &args).await,
            Self::Run(args) => run::run(context, args).await,
            Self::Serve(args) => serve::run(context, &args).await,
            Self::Runs(args) => runs::run(context, &args).await,
            Self::Status(args) => status::run(context, &args).await,
            Self::Rejects(args) => rejects::run(context, &args).await,
            Self::Replay(args) => replay::run(context, args).await,
            Self::Sql(args) => sql::run(context, &args).await,
            Self::Customer(args) => customer::run(context, &args).await,
            Self::History(args) => history::run(context, &args).await,
            Self::Diff(args) => diff::run(context, &args).await,
            Self::Rollback(args) => rollback::run(context, args).await,
            Self::Optimize(args) => optimize::run(context, &args).await,
            Self::Vacuum(args) => vacuum::run(context, &args).await,
            Self::Doctor(args) => doctor::run(context, &args).await,
            Self::Demo(args) => demo::run(context, args).await,
            Self::Generate(args) => generate::run(context, args).await,
            Self::Bench(args) => bench::run(context, args).await,
            Self::Completions(args) => completions::run(&args),
        }
    }
}
