//! `sluice status`.

use clap::Args;

use crate::context::Context;
use crate::error::Result;

/// Shows every process with its last run, its rejects, why it failed, and when it runs next
#[derive(Debug, Args)]
pub struct StatusArgs {}

const STATUS: &str = "\
    SELECT p.process, p.status, r.run_no AS last_run, p.last_status, p.last_ended_at, \
           r.rows_read, r.rows_rejected, p.next_run_at, left(r.error, 60) AS last_error \
    FROM processes p LEFT JOIN runs r ON r.run_id = p.last_run_id \
    ORDER BY p.process";

/// Shows it.
///
/// # Errors
/// The query's.
pub async fn run(context: &Context, _: &StatusArgs) -> Result<()> {
    let printed = context.session().await?.print(STATUS).await?;
    if printed.rows == 0 {
        let program = context.program();
        context.say(format!(
            "no process yet; make one with: {program} process new NAME --file FILE"
        ));
    }
    Ok(())
}
