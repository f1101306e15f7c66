//! `sluice run`.

use std::path::PathBuf;

use chrono::Utc;
use clap::Args;
use sluice_engine::Class;
use sluice_engine::instance::Instance;
use sluice_engine::process::{agenda, names};
use sluice_engine::run::{Effect, Extent, Guards, Repeat, RunRequest, Trigger, settle};
use sluice_engine::spec::RejectBudget;

use super::optimize;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::printer::Object;
use crate::progress::Progress;
use crate::render;

/// Runs a process: merges one file into customers, or nothing of it
///
/// Bad rows are rejected and the rest is merged, unless there are more of them than the budget allows. A file that was
/// merged before is skipped.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The process
    #[arg(required_unless_present = "due")]
    process: Option<String>,
    /// A path or URL instead of the source of the process
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Run every process that is due, one after the other, and end: for cron and the like
    #[arg(long, conflicts_with_all = ["process", "file", "dry_run", "force"])]
    due: bool,
    #[command(flatten)]
    options: RunOptions,
}

/// How a run is made; of `run` and `ingest`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Run options")]
pub struct RunOptions {
    /// Judge every record and write nothing
    #[arg(long)]
    dry_run: bool,
    /// In a dry run, judge the first N records only
    #[arg(long, value_name = "N", requires = "dry_run", value_parser = clap::value_parser!(u64).range(1..))]
    sample: Option<u64>,
    /// In a dry run, also compare with the customers: count what would change
    #[arg(long, requires = "dry_run")]
    explain: bool,
    /// Merge nothing if one row is rejected
    #[arg(long, conflicts_with = "max_rejects")]
    strict: bool,
    /// Merge nothing if more rows, or a larger share of them, are rejected
    #[arg(long, value_name = "N|N%", value_parser = budget)]
    max_rejects: Option<RejectBudget>,
    /// Merge the file even if it was merged before
    #[arg(long)]
    force: bool,
    /// Answer yes to every question: merge even if a guard of the process would stop the run
    #[arg(long, short)]
    yes: bool,
}

fn budget(text: &str) -> Result<RejectBudget, String> {
    text.parse()
        .map_err(|problem: sluice_engine::spec::Problem| format!("{}; {}", problem.what, problem.remedy))
}

impl RunOptions {
    fn request(&self, process: String, file: Option<PathBuf>) -> RunRequest {
        RunRequest {
            process,
            file,
            effect: match (self.dry_run, self.explain) {
                (false, _) => Effect::Merge,
                (true, false) => Effect::DryRun,
                (true, true) => Effect::Explain,
            },
            extent: self.sample.map_or(Extent::Whole, Extent::First),
            repeat: if self.force {
                Repeat::Force
            } else {
                Repeat::SkipMerged
            },
            max_rejects: if self.strict {
                Some(RejectBudget::Rows(0))
            } else {
                self.max_rejects
            },
            trigger: Trigger::Manual,
            replay: None,
            guards: if self.yes {
                Guards::Overruled
            } else {
                Guards::Heeded
            },
        }
    }
}

/// Runs the process.
///
/// # Errors
/// As [`start`].
pub async fn run(context: &Context, args: RunArgs) -> Result<()> {
    let instance = context.instance().await?;
    match args.process {
        Some(process) => start(context, &instance, process, args.file, &args.options).await,
        None => run_due(context, &instance, &args.options).await,
    }
}

/// Runs what is due. All of it is tried; the failures are said, the gravest decides the exit code.
async fn run_due(context: &Context, instance: &Instance, options: &RunOptions) -> Result<()> {
    let mut failures: Vec<Failure> = Vec::new();
    for name in names(instance).await? {
        settle(instance, &name).await?;
    }
    let due = agenda(instance, Utc::now()).await?.due;
    if due.is_empty() {
        context.say("nothing is due");
    }
    for due in due {
        let request = RunRequest {
            trigger: Trigger::Schedule,
            ..options.request(due.process, None)
        };
        match make(context, instance, request).await {
            Err(Failure::Signal(signal, error)) => return Err(Failure::Signal(signal, error)),
            Err(Failure::Engine(error)) if error.class() == Class::Interrupted => {
                return Err(Failure::Engine(error));
            }
            outcome => failures.extend(outcome.err()),
        }
    }
    // Of several processes, the first that occurs of 1, 2, 3, 4 (contract, section 6).
    failures.sort_by_key(Failure::exit_code);
    let mut failures = failures.into_iter();
    let gravest = failures.next();
    for failure in failures {
        if let Failure::Engine(error) = failure {
            context.say(error);
        }
    }
    gravest.map_or(Ok(()), Err)
}

/// Makes a run, shows how far it is, and prints its report.
///
/// # Errors
/// There was no run, or it failed; then its report is printed all the same.
pub(super) async fn start(
    context: &Context,
    instance: &Instance,
    process: String,
    file: Option<PathBuf>,
    options: &RunOptions,
) -> Result<()> {
    make(context, instance, options.request(process, file)).await
}

pub(super) async fn make(context: &Context, instance: &Instance, request: RunRequest) -> Result<()> {
    let object = Object::of(context.settings.output)?;
    let watch = context.watch();
    let progress = Progress::follow(&watch, &context.settings);
    let settings = context.settings.engine(&instance.config().defaults);
    let outcome = sluice_engine::run::run(instance, &settings, request, &watch).await;
    progress.finish();
    let mut report = outcome?;
    let failure = report.error.take();
    let printed = object.print(&report, || render::report(&report, context.program()));
    let is_stopped = failure
        .as_ref()
        .is_some_and(|error| error.class() == Class::Interrupted);
    if !report.dry_run && !is_stopped {
        optimize::after_run(context, instance, &settings).await;
    }
    if !report.dry_run
        && let Err(error) = sluice_engine::notify::flush(instance, &report.run.process).await
    {
        context.say(format!("warning: notifications: {error}"));
    }
    // Why the run failed matters more than who closed stdout.
    failure.map_or(printed, |error| Err(error.into()))
}
