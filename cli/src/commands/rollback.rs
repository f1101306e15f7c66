//! `sluice rollback`.

use std::sync::Arc;

use clap::Args;
use sluice_engine::history::rollback::{LaterWrites, Rollback, RollbackReport, RollbackRequest, Target};
use sluice_engine::instance::Instance;
use sluice_engine::{Error, sql};
use tokio::sync::Notify;

use crate::context::Context;
use crate::error::Result;
use crate::printer::Object;
use crate::render;
use crate::talk::{Answer, confirm};

/// Undoes a run, or every run after a version
///
/// The cells that the run changed get the values they had before it, and the customers it registered leave, unless a
/// later run touched them. Where a later run wrote the same cells, nothing is done and the runs are named. A VERSION
/// takes customers back to what it was then: all later runs are undone. Attributes that came later stay and are empty.
///
/// A rollback is a new version; no older one is lost, and a rollback can be rolled back by its own id, which
/// sluice history lists. A file whose run was undone can be merged again.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// A run id, a unique ending of one, PROCESS for its last run, PROCESS/NUMBER; or the number of a version
    #[arg(value_name = "RUN|VERSION")]
    target: String,
    /// Set the run's cells back even where later runs wrote them
    #[arg(long)]
    force: bool,
    /// Count what would change and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Answer yes to every question
    #[arg(long, short)]
    yes: bool,
}

/// Rolls back.
///
/// # Errors
/// There is no such run or version, it changed nothing, later runs wrote the same cells, or the answer is no.
pub async fn run(context: &Context, args: RollbackArgs) -> Result<()> {
    let object = Object::of(context.settings.output)?;
    let instance = context.instance().await?;
    let stop = context.watch().stop;
    let request = RollbackRequest {
        target: target(&instance, &args.target).await?,
        later: match args.force {
            true => LaterWrites::Overwrite,
            false => LaterWrites::Refuse,
        },
    };
    let settings = context.settings.engine(&instance.config().defaults);
    let planned = stoppable(&stop, async {
        Ok(Rollback::plan(&instance, &settings, request).await?)
    })
    .await?;
    if args.dry_run {
        return print(object, planned.report());
    }
    let answer = if args.yes { Answer::Given } else { Answer::Asked };
    if answer == Answer::Asked {
        context.say(render::rollback_counts(planned.report()));
    }
    stoppable(&stop, confirm("roll back?", answer)).await?;
    print(object, &planned.commit(&stop).await?)
}

/// Digits are a version; everything else names a run or a rollback.
async fn target(instance: &Instance, text: &str) -> Result<Target> {
    if text.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(version) = text.parse()
    {
        return Ok(Target::Version(version));
    }
    Ok(Target::Run(sql::resolve_commit(instance, text).await?))
}

async fn stoppable<T>(stop: &Arc<Notify>, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        result = work => result,
        () = stop.notified() => Err(Error::interrupted().wrote("nothing was rolled back").into()),
    }
}

fn print(object: Object, report: &RollbackReport) -> Result<()> {
    object.print(report, || render::rollback(report))
}
