//! `events`: lifecycle changes, deliveries, what became of rejects.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::append_rows;
use crate::error::Result;
use crate::ids;
use crate::instance::Instance;
use crate::table::schemas;

/// One row of `events`.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// When.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: String,
    /// To which process.
    pub process: Option<String>,
    /// In which run.
    pub run_id: Option<String>,
    /// To which record.
    pub record_no: Option<i64>,
    /// Who did it.
    pub actor: Option<String>,
    /// More, as JSON.
    pub detail: Option<String>,
}

impl Event {
    /// A step in the life of a process.
    #[must_use]
    pub fn lifecycle(kind: &str, process: &str) -> Self {
        let actor = std::env::var("USER").ok();
        Self {
            at: Utc::now(),
            kind: kind.to_owned(),
            process: Some(process.to_owned()),
            run_id: None,
            record_no: None,
            actor,
            detail: None,
        }
    }
}

/// Appends one event.
///
/// # Errors
/// The store failed.
pub async fn record_event(instance: &Instance, event: Event) -> Result<()> {
    append_rows(
        &instance.events()?,
        schemas::events(),
        &[event],
        &ids::new_run_id(),
    )
    .await?;
    Ok(())
}
