//! `sluice bench`: the whole job at a size of one's choice, with every answer checked.
//!
//! ```text
//!   generate ─▶ load, load again ─┐                                       each step a process of its own, as users
//!   generate ─▶ adopt a base ─▶ merge 1 %, again ─▶ 10 % ─▶ 100 %         have it; its answer is checked, then its
//!               ─▶ validate only ─▶ look up ─▶ rejects ─▶ optimize        time counts
//! ```
//!
//! [`steps`] is the order; `program` runs one step, `checks` (pure) judges its answer, `outcome` (pure) makes medians
//! of rounds and compares them with those of another run, `machine` says where it was.

mod checks;
mod machine;
mod outcome;
mod program;
mod steps;

use std::path::{Path, PathBuf};

use clap::Args;
use datafusion::common::runtime::SpawnedTask;
use sluice_engine::Error;

use self::outcome::{Outcome, Settings};
use self::steps::Bench;
use super::generate::per_million;
use crate::context::{Context, absolute};
use crate::error::Result;
use crate::printer::Object;

/// Measures load, merge, validation, lookups and queries on generated data, and checks every answer
///
/// Each step is run as you would run it, in a process of its own; its time counts only if its answer is right. Medians
/// of several rounds are printed. The numbers of two machines or two versions are set side by side with --compare.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Customers of the base
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    customers: u64,
    /// Attributes of the base; ten more are loaded
    #[arg(long, value_name = "N", default_value_t = 30)]
    attributes: usize,
    /// Share of the loaded records that some rule rejects
    #[arg(long, value_name = "PERCENT", default_value = "0.1%", value_parser = per_million)]
    bad: u32,
    /// Rounds, each on a base of its own
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// What an earlier bench printed with --output json
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Folder for files and instances, made and removed; some 2 KB a customer are needed
    #[arg(long, value_name = "FOLDER", default_value = "sluice-bench")]
    folder: PathBuf,
    /// Leave the folder as it is at the end
    #[arg(long)]
    keep: bool,
}

/// Runs it.
///
/// # Errors
/// The folder is there already, a step fails, or an answer is wrong.
pub async fn run(context: &Context, args: BenchArgs) -> Result<()> {
    let printed = Object::of(context.settings.output)?;
    let other = args.compare.as_deref().map(read).transpose()?;
    let settings = Settings {
        customers: args.customers,
        attributes: args.attributes,
        bad_per_million: args.bad,
        rounds: args.rounds,
    };
    if let Some(other) = &other {
        other.comparable(&settings)?;
    }
    let folder = absolute(&args.folder)?;
    if folder.exists() {
        return Err(Error::usage("the folder of the bench is there already")
            .in_file(folder.display().to_string())
            .hint("remove it, or name another one with --folder")
            .wrote("nothing")
            .into());
    }
    let (context, place) = (context.clone(), folder.clone());
    let measured = SpawnedTask::spawn_blocking(move || Bench::new(&context, &place, settings)?.run());
    let measured = measured.await.map_err(Error::from)?;
    if !args.keep {
        std::fs::remove_dir_all(&folder)?;
    }
    let outcome = measured?;
    printed.print(&outcome, || outcome.words(other.as_ref()))
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
