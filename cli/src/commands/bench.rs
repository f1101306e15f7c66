//! `sluice bench`: the whole job at a size of one's choice, with every answer checked.
//!
//! ```text
//!   generate ─▶ load, load again ─┐                                       each step a process of its own, as users
//!   generate ─▶ adopt a base ─▶ merge 1 %, again ─▶ 10 % ─▶ 100 %         have it; its answer is checked, then its
//!               ─▶ validate only ─▶ look up ─▶ rejects ─▶ optimize        time counts
//! ```
//!
//! From what was measured, [`model`] (pure) says what another size would cost, and `forecast` prints it.
//!
//! [`steps`] is the order; `program` runs one step and `peak` watches its memory, `checks` (pure) judges its answer,
//! `outcome` (pure) makes medians of rounds and compares them with those of another run, `machine` says where it was.

mod checks;
mod forecast;
mod machine;
mod model;
mod outcome;
mod peak;
mod program;
mod steps;

use std::path::{Path, PathBuf};

use clap::Args;
use datafusion::common::runtime::SpawnedTask;
use sluice_engine::Error;
use sluice_engine::spec::Defaults;

use self::model::{Job, Missing, Rates};
use self::outcome::{Outcome, Settings};
use self::steps::{Bench, Files, MERGED_SHARES, Part, Scope};
use super::generate::per_million;
use crate::context::{Context, absolute};
use crate::error::Result;
use crate::printer::Object;

/// Measures load, merge, validation, lookups and queries on generated data, and checks every answer
///
/// Each step is run as you would run it, in a process of its own; its time counts only if its answer is right. Medians
/// of several rounds are printed. The numbers of two machines or two versions are set side by side with --compare. What
/// more customers than it is convenient to try would cost on this machine is said by --simulate.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Customers of the base
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    customers: u64,
    /// Attributes of the base; ten more are loaded [default: 30, of --from as many as there]
    #[arg(long, value_name = "N")]
    attributes: Option<usize>,
    /// Share of the loaded records that some rule rejects
    #[arg(long, value_name = "PERCENT", default_value = "0.1%", value_parser = per_million)]
    bad: u32,
    /// Rounds, each on a base of its own
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// What is measured; --simulate starts from a bench of all
    #[arg(long, value_name = "PART", value_enum, value_delimiter = ',', default_values_t = [Part::Load, Part::Merge])]
    only: Vec<Part>,
    /// Change sets that are merged, in percent of the customers; --simulate starts from a bench of these
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', default_values_t = MERGED_SHARES,
        value_parser = clap::value_parser!(u64).range(1..=100))]
    shares: Vec<u64>,
    /// What an earlier bench printed with --output json; with --simulate, one of that size
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Say what so many customers would cost, term by term, from the bench of --from, or else from one that runs now
    #[arg(long, value_name = "CUSTOMERS", value_parser = clap::value_parser!(u64).range(1_000..))]
    simulate: Option<u64>,
    /// What an earlier bench printed with --output json; nothing is run
    #[arg(long, value_name = "FILE", requires = "simulate")]
    from: Option<PathBuf>,
    /// Rows of a change set whose cost is said too
    #[arg(long, value_name = "N", requires = "simulate", value_parser = clap::value_parser!(u64).range(1..))]
    change_rows: Vec<u64>,
    /// Folder for files and instances, made and removed; some 2 KB a customer are needed
    #[arg(long, value_name = "FOLDER", default_value = "sluice-bench")]
    folder: PathBuf,
    /// Leave the folder as it is at the end
    #[arg(long)]
    keep: bool,
}

/// Attributes of a base.
const ATTRIBUTES: usize = 30;

/// Runs it.
///
/// # Errors
/// The folder is there already, a step fails, or an answer is wrong; an earlier bench is none, or of other data.
pub async fn run(context: &Context, args: BenchArgs) -> Result<()> {
    let printed = Object::of(context.settings.output)?;
    let other = args.compare.as_deref().map(read).transpose()?;
    if let Some(customers) = args.simulate {
        return simulate(context, &args, customers, printed, other).await;
    }
    let settings = args.settings();
    if let Some(other) = &other {
        other.comparable(&settings)?;
    }
    let outcome = measure(context, &args, settings).await?;
    printed.print(&outcome, || outcome.words(other.as_ref()))
}

impl BenchArgs {
    fn settings(&self) -> Settings {
        Settings {
            customers: self.customers,
            attributes: self.attributes.unwrap_or(ATTRIBUTES),
            bad_per_million: self.bad,
            rounds: self.rounds,
        }
    }

    fn scope(&self) -> Scope {
        Scope {
            parts: self.only.clone(),
            shares: self.shares.clone(),
            files: if self.keep { Files::Kept } else { Files::Removed },
        }
    }
}

/// What `customers` would cost.
async fn simulate(
    context: &Context,
    args: &BenchArgs,
    customers: u64,
    printed: Object,
    measured: Option<Outcome>,
) -> Result<()> {
    let outcome = match &args.from {
        Some(file) => read(file)?,
        None => measure(context, args, args.settings()).await?,
    };
    let attributes = args.attributes.unwrap_or(outcome.settings.attributes);
    if let Some(measured) = &measured {
        measured.comparable(&Settings {
            customers,
            attributes,
            ..outcome.settings
        })?;
    }
    let job = Job {
        customers,
        attributes,
        change_rows: args.change_rows.clone(),
        budget_bytes: context.settings.engine(&Defaults::default()).memory_bytes as u64,
    };
    let rates = Rates::of(&outcome).map_err(lacking)?;
    let forecast = rates.forecast(&job).map_err(lacking)?;
    printed.print(&forecast, || forecast.words(measured.as_ref()))
}

fn lacking(Missing(what): Missing) -> Error {
    Error::usage(format!("the bench to start from lacks {what}"))
        .hint("run it again with this program: sluice bench --output json > bench.json")
        .wrote("nothing")
}

/// Runs all steps in a folder that goes when they are done.
async fn measure(context: &Context, args: &BenchArgs, settings: Settings) -> Result<Outcome> {
    let folder = absolute(&args.folder)?;
    if folder.exists() {
        return Err(Error::usage("the folder of the bench is there already")
            .in_file(folder.display().to_string())
            .hint("remove it, or name another one with --folder")
            .wrote("nothing")
            .into());
    }
    let (context, place, scope) = (context.clone(), folder.clone(), args.scope());
    let measured = SpawnedTask::spawn_blocking(move || Bench::new(&context, &place, settings, scope)?.run());
    let measured = measured.await.map_err(Error::from)?;
    if !args.keep {
        std::fs::remove_dir_all(&folder)?;
    }
    measured
}

/// The outcome of an earlier bench.
fn read(file: &Path) -> Result<Outcome> {
    let wrong = |e: &dyn std::fmt::Display| {
        Error::usage("this is not what a bench printed")
            .because(e.to_string())
            .in_file(file.display().to_string())
            .hint("keep one with: sluice bench --output json > bench.json")
            .wrote("nothing")
    };
    let text = std::fs::read_to_string(file).map_err(|e| wrong(&e))?;
    Ok(serde_json::from_str(&text).map_err(|e| wrong(&e))?)
}
