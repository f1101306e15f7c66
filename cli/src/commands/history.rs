//! `sluice history`.

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::session::Listing;

/// Lists the versions of customers, the last first: what made each, and what it changed
///
/// A version is made by a run, a rollback, an optimize, the adoption of a base, or the creation of the table. The table
/// shows the last 20 and the columns that matter most; other outputs have all of both, also the query
/// SELECT * FROM history(). A run that was rolled back names the rollback that did it.
#[derive(Debug, Args)]
pub struct HistoryArgs {}

/// Lists them.
///
/// # Errors
/// The query's.
pub async fn run(context: &Context, _: &HistoryArgs) -> Result<()> {
    let listing = Listing {
        brief: "version, kind, \
                CASE WHEN run_no IS NULL THEN run_id ELSE concat(process, '/', CAST(run_no AS VARCHAR)) END AS run, \
                at, rows_inserted, rows_updated, rows_removed, rows_unchanged, cells_changed, rows_rejected, undone_by",
        full: "*",
        from: "FROM history()".to_owned(),
        order: "ORDER BY version DESC",
    };
    context.session().await?.list(&listing).await
}
