//! `sluice rejects`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use sluice_engine::maintain::{self, Effect};
use sluice_engine::run::{discard_rejects, rejects_of};

use crate::context::Context;
use crate::error::Result;
use crate::printer::Object;
use crate::render::{self, thousands};
use crate::session::{Listing, Session};
use crate::shell::sql_literal;

mod export;
mod header;
mod reasons;

/// Shows what a run rejected, and why
///
/// RUN is a run id, a unique ending of one, PROCESS for its last run, or PROCESS/NUMBER. The table shows the first 20
/// records and the first reason of each; other outputs have all columns of all records. Every reason is in the view
/// reject_reasons, what became of each reject in the view reject_states. The rejects of a replay are those of the run that
/// it replayed.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct RejectsArgs {
    /// The run [default: the last one]
    pub run: Option<String>,
    /// Count the records of each rule and column, with an example
    #[arg(long)]
    pub by_rule: bool,
    /// Write the open rejects to a file in the form of the source, their reasons as further columns, to mend and run again
    #[arg(long, value_name = "FILE", conflicts_with = "by_rule")]
    pub export: Option<PathBuf>,
    /// In an export, leave the records as they came and write their reasons to FILE.reasons.csv
    #[arg(long, requires = "export")]
    pub plain: bool,
    /// Replace the files of an earlier export
    #[arg(long, short, requires = "export")]
    pub yes: bool,
    #[command(subcommand)]
    pub action: Option<Action>,
}

/// What is done to rejects.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Give rejects up: they stay where they are, and are not open any more
    Discard {
        /// The run [default: the last one]
        run: Option<String>,
        /// Only rejects of which this is true: an SQL expression over the columns of reject_states
        #[arg(long = "where", value_name = "SQL")]
        filter: Option<String>,
    },
    /// Remove a customer's rejects, for an erasure request: its records, and records of nobody that name it
    ///
    /// Other records that name the customer lose their values and bytes. Older versions of the table keep all of it until
    /// they are vacuumed. An event says which record of which run left, and not whose it was. To remove the customer
    /// itself too, and at once: sluice customer CID --forget.
    Purge {
        /// The customer id, exactly as the source writes it
        #[arg(long, value_name = "CID")]
        customer: String,
        /// Count what would be removed, and remove nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// Shows or exports them.
///
/// # Errors
/// There is no such run; a file is there already.
pub async fn run(context: &Context, args: &RejectsArgs) -> Result<()> {
    match &args.action {
        Some(Action::Discard { run, filter }) => {
            return discard(context, run.as_deref(), filter.as_deref()).await;
        }
        Some(Action::Purge { customer, dry_run }) => return purge(context, customer, *dry_run).await,
        None => {}
    }
    let (_, run_id) = rejects_of(&context.instance().await?, args.run.as_deref()).await?;
    let session = context.session().await?;
    let of_run = format!("WHERE run_id = {}", sql_literal(&run_id));
    if let Some(file) = &args.export {
        let replace = if args.yes {
            export::Existing::Replaced
        } else {
            export::Existing::Kept
        };
        let reasons = if args.plain {
            export::Reasons::Beside
        } else {
            export::Reasons::Columns
        };
        return export::export(context, &session, &of_run, file, (replace, reasons)).await;
    }
    if session.count(&format!("FROM rejects {of_run}")).await? == 0 {
        context.say(format!("run {run_id} rejected nothing"));
    }
    if args.by_rule {
        by_rule(&session, &of_run).await
    } else {
        list(&session, &of_run).await?;
        say_states(context, &session, &run_id).await
    }
}

/// How many rejects are in which state, once one is not open any more.
async fn say_states(context: &Context, session: &Session, run_id: &str) -> Result<()> {
    let of_run = sql_literal(run_id);
    let query = format!(
        "SELECT state, count(*) FROM reject_states WHERE run_id = {of_run} GROUP BY state \
         UNION ALL SELECT 'purged', count(*) FROM events WHERE kind = 'purged' AND run_id = {of_run} HAVING count(*) > 0 \
         ORDER BY 1"
    );
    let states = session.texts(&query).await?;
    if states
        .iter()
        .all(|row| row.first().is_some_and(|state| state == "open"))
    {
        return Ok(());
    }
    let words = states
        .iter()
        .filter_map(|row| Some(format!("{} {}", row.get(1)?, row.first()?)));
    context.say(words.collect::<Vec<_>>().join(", "));
    Ok(())
}

async fn discard(context: &Context, run: Option<&str>, filter: Option<&str>) -> Result<()> {
    let instance = context.instance().await?;
    let settings = context.settings.engine(&instance.config().defaults);
    let (process, run_id) = rejects_of(&instance, run).await?;
    let rows = discard_rejects(&instance, &settings, (&process, &run_id), filter).await?;
    context.say(format!(
        "{} rejects of run {run_id} are given up",
        thousands(rows)
    ));
    Ok(())
}

async fn purge(context: &Context, customer: &str, dry_run: bool) -> Result<()> {
    let object = Object::of(context.settings.output)?;
    let instance = context.instance().await?;
    let settings = context.settings.engine(&instance.config().defaults);
    let effect = if dry_run { Effect::Plan } else { Effect::Apply };
    let report = maintain::purge(&instance, &settings, customer, effect).await?;
    object.print(&report, || render::purged(&report, context.program()))
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
