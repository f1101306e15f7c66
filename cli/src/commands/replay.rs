//! `sluice replay`.

use clap::Args;
use sluice_engine::run::{
    Effect, Extent, Guards, Overtaken, Repeat, Replay, RunRequest, Trigger, rejects_of,
};

use super::run;
use crate::context::Context;
use crate::error::Result;

/// Judges the open rejects of a run again, and merges those that pass now
///
/// Their bytes are read as the process reads files now, and judged by its rules of now. Records that pass are merged as
/// a run of its own, and are no longer open; the others stay open where they are. A record is held back if another run
/// of the process may have written its customer since. Of several records of one customer all count that are replayed
/// together: choose one with --where.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A run id, a unique ending of one, PROCESS for its last run, or PROCESS/NUMBER
    run: String,
    /// Only rejects of which this is true: an SQL expression over the columns of reject_states
    #[arg(long = "where", value_name = "SQL")]
    filter: Option<String>,
    /// Judge, count what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Write records that are held back otherwise, over what another run may have written since
    #[arg(long)]
    force: bool,
    /// Answer yes to every question: merge even if a guard of the process would stop the run
    #[arg(long, short)]
    yes: bool,
}

/// Replays.
///
/// # Errors
/// There is no such run, it merged nothing, the expression is wrong, and those of a run.
pub async fn run(context: &Context, args: ReplayArgs) -> Result<()> {
    let instance = context.instance().await?;
    let (process, run_id) = rejects_of(&instance, Some(&args.run)).await?;
    let request = RunRequest {
        process,
        file: None,
        effect: if args.dry_run {
            Effect::Explain
        } else {
            Effect::Merge
        },
        extent: Extent::Whole,
        repeat: Repeat::SkipMerged,
        max_rejects: None,
        trigger: Trigger::Replay,
        guards: if args.yes {
            Guards::Overruled
        } else {
            Guards::Heeded
        },
        replay: Some(Replay {
            run_id,
            filter: args.filter,
            overtaken: if args.force {
                Overtaken::Written
            } else {
                Overtaken::HeldBack
            },
        }),
    };
    run::make(context, &instance, request).await
}
