//! What a run changed: the customers that its commit wrote, compared with the version before.
//!
//! ```text
//!   files of version - 1 that the commit removed ─┐
//!                                                 ├─ left join by customer_id ─▶ customer_id, change, attributes
//!   files of version that the commit added ───────┘
//! ```
//!
//! Files that are in both versions hold no change, so the cost is that of the merge and not of the table.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::prelude::SessionContext;

use super::runs::resolve_run;
use crate::error::Result;
use crate::instance::Instance;
use crate::plan::{owner_of, quoted, text_literal};
use crate::table::schemas::CUSTOMER_ID;
use crate::table::{Snapshot, SnapshotTable, TableLog};

/// The customers that `run` inserted or updated, with the names of the attributes whose values changed. A run that
/// merged nothing changed nothing.
///
/// # Errors
/// No such run, or its versions are no longer in the log.
pub(super) async fn run_changes(instance: &Instance, run: &str) -> Result<Arc<dyn TableProvider>> {
    let run_id = resolve_run(instance, Some(run)).await?;
    let log = instance.customers()?;
    let (before, after, process) = match commit_of(&log, &run_id).await? {
        Some((version, process)) => (
            log.snapshot(version.checked_sub(1)).await?,
            log.snapshot(Some(version)).await?,
            Some(process),
        ),
        None => {
            let latest = log.snapshot(None).await?;
            (latest.clone(), latest, None)
        }
    };
    let written = |column: &str| process.is_some() && owner_of(&after, column) == process;
    let columns = after.schema.fields().iter().map(|field| field.name().as_str());
    let sql = changes_sql(columns.filter(|column| written(column)));
    let ctx = SessionContext::new();
    let removed = only(&before, &after).with_fields(after.schema.fields());
    ctx.register_table("removed", Arc::new(SnapshotTable::new(Arc::new(removed))))?;
    ctx.register_table(
        "added",
        Arc::new(SnapshotTable::new(Arc::new(only(&after, &before)))),
    )?;
    Ok(ctx.sql(&sql).await?.into_view())
}

/// The version that `run_id` committed, and its process.
async fn commit_of(log: &TableLog, run_id: &str) -> Result<Option<(u64, String)>> {
    let latest = log.snapshot(None).await?.version;
    let commits = log.commits(None).await?;
    // Newest first, one a version.
    let found = (0..=latest).rev().zip(commits).find_map(|(version, commit)| {
        let says = |key: &str| commit.info.get(key).and_then(|value| value.as_str());
        (says("run_id") == Some(run_id)).then(|| (version, says("process").unwrap_or_default().to_owned()))
    });
    Ok(found)
}

/// `this` with the files that `other` does not have.
fn only(this: &Snapshot, other: &Snapshot) -> Snapshot {
    let others: HashSet<_> = other.files.iter().map(|file| file.identity()).collect();
    let files = this
        .files
        .iter()
        .filter(|file| !others.contains(&file.identity()))
        .cloned()
        .collect();
    Snapshot {
        files,
        ..this.clone()
    }
}

fn changes_sql<'a>(attributes: impl Iterator<Item = &'a str>) -> String {
    let none = "arrow_cast(make_array(), 'List(Utf8)')";
    let (mut names, mut differs) = (vec![none.to_owned()], vec![format!("b.{CUSTOMER_ID} IS NULL")]);
    for attribute in attributes {
        let column = quoted(attribute);
        let differ = format!("(a.{column} IS DISTINCT FROM b.{column})");
        names.push(format!(
            "CASE WHEN {differ} THEN make_array({}) ELSE {none} END",
            text_literal(attribute)
        ));
        differs.push(differ);
    }
    format!(
        "SELECT a.{CUSTOMER_ID}, CASE WHEN b.{CUSTOMER_ID} IS NULL THEN 'inserted' ELSE 'updated' END AS change, \
         array_concat({}) AS attributes FROM added a LEFT JOIN removed b ON a.{CUSTOMER_ID} = b.{CUSTOMER_ID} WHERE {}",
        names.join(", "),
        differs.join(" OR ")
    )
}
