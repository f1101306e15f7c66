//! `sluice diff`.

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::session::Listing;

/// Shows the customers and cells in which two versions of customers differ
///
/// A line for each cell: the customer, whether it was inserted, updated or removed on the way from FROM to TO, the
/// attribute, its value before and after. FROM may be the later version. An attribute that one of the versions does not
/// have reads as empty there. The table shows the first 20 lines, other outputs all; in SQL it is diff(FROM, TO).
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The version to start from
    from: u64,
    /// The version to arrive at
    to: u64,
}

/// Shows them.
///
/// # Errors
/// A version that is not there, or was vacuumed.
pub async fn run(context: &Context, args: &DiffArgs) -> Result<()> {
    let DiffArgs { from, to } = args;
    let listing = Listing {
        brief: "*",
        full: "*",
        from: format!("FROM diff({from}, {to})"),
        order: "ORDER BY customer_id, attribute",
    };
    context.session().await?.list(&listing).await
}
