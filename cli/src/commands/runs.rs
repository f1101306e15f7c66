//! `sluice runs`.

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::session::Listing;
use crate::shell::sql_literal;

/// Lists runs, the last first
///
/// The table shows the last 20 and the columns that matter most; other outputs have all of both.
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// The runs of this process [default: of all]
    process: Option<String>,
}

/// Lists them.
///
/// # Errors
/// The query's.
pub async fn run(context: &Context, args: &RunsArgs) -> Result<()> {
    let of_process = args
        .process
        .as_ref()
        .map(|name| format!(" WHERE process = {}", sql_literal(name)));
    let listing = Listing {
        brief: "concat(process, '/', CAST(run_no AS VARCHAR)) AS run, status, trigger, started_at, duration_ms, \
                rows_read, rows_accepted, rows_rejected, rows_inserted, rows_updated, rows_unchanged, \
                left(error, 80) AS error",
        full: "*",
        from: format!("FROM runs{}", of_process.unwrap_or_default()),
        order: "ORDER BY run_id DESC",
    };
    context.session().await?.list(&listing).await
}
