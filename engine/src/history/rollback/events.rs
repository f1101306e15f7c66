//! What a rollback did to runs, as rows of `events`.

use chrono::Utc;
use serde_json::json;

use crate::error::Result;
use crate::history::standing::Undone;
use crate::history::timeline::Timeline;
use crate::instance::Instance;
use crate::report::{Event, append_rows};
use crate::table::schemas;

/// Notes every run and rollback that counts no more (`rolled_back`), or that counts again because the rollback that
/// had undone it was undone (`reapplied`).
///
/// # Errors
/// The store failed.
pub(super) async fn record(
    instance: &Instance,
    timeline: &Timeline,
    rollback: &str,
    undoes: &[String],
    version: u64,
) -> Result<()> {
    let before = timeline.undone();
    let mut after = before.clone();
    after.rolled_back(rollback, undoes.iter().map(String::as_str));
    let events: Vec<Event> = timeline
        .commits()
        .iter()
        .filter_map(|commit| {
            let run_id = commit.run_id()?;
            let kind = kind(&before, &after, run_id)?;
            let detail = json!({ "by": rollback, "version": version }).to_string();
            Some(Event {
                at: Utc::now(),
                kind: kind.to_owned(),
                process: commit.process().map(str::to_owned),
                run_id: Some(run_id.to_owned()),
                record_no: None,
                actor: std::env::var("USER").ok(),
                detail: Some(detail),
            })
        })
        .collect();
    if !events.is_empty() {
        append_rows(&instance.events()?, schemas::events(), &events, rollback).await?;
    }
    Ok(())
}

fn kind(before: &Undone, after: &Undone, run_id: &str) -> Option<&'static str> {
    match (before.by(run_id).is_some(), after.by(run_id).is_some()) {
        (false, true) => Some("rolled_back"),
        (true, false) => Some("reapplied"),
        _ => None,
    }
}
