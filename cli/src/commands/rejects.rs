//! `sluice rejects`.

use std::path::PathBuf;

use clap::Args;
use sluice_engine::sql::resolve_run;

use crate::context::Context;
use crate::error::Result;
use crate::session::{Listing, Session};
use crate::shell::sql_literal;

mod export;
mod header;

/// Shows what a run rejected, and why
///
/// RUN is a run id, a unique ending of one, PROCESS for its last run, or PROCESS/NUMBER. The table shows the first 20
/// records and the first reason of each; other outputs have all columns of all records. Every reason is in the view
/// reject_reasons.
#[derive(Debug, Args)]
pub struct RejectsArgs {
    /// The run [default: the last one]
    pub run: Option<String>,
    /// Count the records of each rule and column, with an example
    #[arg(long)]
    pub by_rule: bool,
    /// Write the rejected records to a file as the source had them, header first, and their reasons to FILE.reasons.csv
    #[arg(long, value_name = "FILE", conflicts_with = "by_rule")]
    pub export: Option<PathBuf>,
    /// Replace the files of an earlier export
    #[arg(long, short, requires = "export")]
    pub yes: bool,
}

/// Shows or exports them.
///
/// # Errors
/// There is no such run; a file is there already.
pub async fn run(context: &Context, args: &RejectsArgs) -> Result<()> {
    let run_id = resolve_run(&context.instance().await?, args.run.as_deref()).await?;
    let session = context.session().await?;
    let of_run = format!("WHERE run_id = {}", sql_literal(&run_id));
    if let Some(file) = &args.export {
        let replace = if args.yes {
            export::Existing::Replaced
        } else {
            export::Existing::Kept
        };
        return export::export(context, &session, &of_run, file, replace).await;
    }
    if session.count(&format!("FROM rejects {of_run}")).await? == 0 {
        context.say(format!("run {run_id} rejected nothing"));
    }
    if args.by_rule {
        by_rule(&session, &of_run).await
    } else {
        list(&session, &of_run).await
    }
}

async fn by_rule(session: &Session, of_run: &str) -> Result<()> {
    let query = format!(
        "SELECT rule, column_name, count(DISTINCT record_no) AS records, min(left(value, 60)) AS example, \
                min(line) AS first_line \
         FROM reject_reasons {of_run} GROUP BY rule, column_name ORDER BY records DESC, rule, column_name"
    );
    session.print(&query).await?;
    Ok(())
}

async fn list(session: &Session, of_run: &str) -> Result<()> {
    let listing = Listing {
        brief: "record_no, line, customer_id, array_to_string(rules, ', ') AS rules, \
                reasons[1]['column_name'] AS column_name, left(reasons[1]['value'], 40) AS value, \
                reasons[1]['message'] AS message",
        full: "*",
        from: format!("FROM rejects {of_run}"),
        order: "ORDER BY record_no",
    };
    session.list(&listing).await
}
