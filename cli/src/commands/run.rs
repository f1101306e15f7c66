//! `sluice run`.

use std::path::PathBuf;

use clap::Args;
use sluice_engine::Class;
use sluice_engine::instance::Instance;
use sluice_engine::run::{Effect, Extent, Repeat, RunRequest};
use sluice_engine::spec::RejectBudget;

use super::optimize;
use crate::context::Context;
use crate::error::Result;
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
    process: String,
    /// A path or URL instead of the source of the process
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
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
    /// Answer yes to every question
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
            trigger: "manual".to_owned(),
        }
    }
}

/// Runs the process.
///
/// # Errors
/// As [`start`].
pub async fn run(context: &Context, args: RunArgs) -> Result<()> {
    let instance = context.instance()?;
    start(context, &instance, args.process, args.file, &args.options).await
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
    let object = Object::of(context.settings.output)?;
    let watch = context.watch();
    let progress = Progress::follow(&watch, &context.settings);
    let request = options.request(process, file);
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
    // Why the run failed matters more than who closed stdout.
    failure.map_or(printed, |error| Err(error.into()))
}
