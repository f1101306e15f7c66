//! One row of `runs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::json::LineDelimitedWriter;
use chrono::{DateTime, Utc};
use datafusion::prelude::{SessionContext, col, lit};
use serde::{Deserialize, Serialize};

use super::append_rows;
use crate::error::Result;
use crate::instance::Instance;
use crate::split::RuleCount;
use crate::table::{SnapshotTable, schemas};

/// How a run stands or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Under way.
    Running,
    /// Merged, nothing rejected.
    Completed,
    /// Merged, some records rejected.
    CompletedWithRejects,
    /// Nothing merged.
    Failed,
    /// The source was merged before, or there was none.
    Skipped,
    /// Stopped before the merge was committed.
    Interrupted,
}

impl RunStatus {
    /// The word in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::CompletedWithRejects => "completed_with_rejects",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What is known of a run; the columns of `runs` (contract, section 5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the contract's table of runs says what each column means"
)]
pub struct RunRecord {
    pub run_id: String,
    pub parent_run_id: Option<String>,
    pub process: String,
    pub run_no: i64,
    pub trigger: String,
    pub mode: String,
    pub definition_hash: String,
    pub status: RunStatus,
    pub error: Option<String>,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub source_file: Option<String>,
    pub source_size_bytes: Option<u64>,
    pub source_modified_at: Option<DateTime<Utc>>,
    pub source_etag: Option<String>,
    pub source_format: Option<String>,
    pub rows_read: Option<u64>,
    pub rows_accepted: Option<u64>,
    pub rows_rejected: Option<u64>,
    pub rows_warned: Option<u64>,
    pub rows_inserted: Option<u64>,
    pub rows_updated: Option<u64>,
    pub rows_unchanged: Option<u64>,
    pub cells_changed: Option<u64>,
    pub cells_cleared: Option<u64>,
    pub rule_counts: Vec<RuleCount>,
    pub version_before: Option<u64>,
    pub version_after: Option<u64>,
    pub duration_ms: Option<u64>,
    pub phase_ms: BTreeMap<String, u64>,
    pub peak_rss_bytes: Option<u64>,
    pub engine_version: String,
}

impl RunRecord {
    /// A run that has just begun.
    #[must_use]
    pub fn started(run_id: String, process: &str, run_no: i64, trigger: &str) -> Self {
        Self {
            run_id,
            parent_run_id: None,
            process: process.to_owned(),
            run_no,
            trigger: trigger.to_owned(),
            mode: String::new(),
            definition_hash: String::new(),
            status: RunStatus::Running,
            error: None,
            started_at: Utc::now(),
            ended_at: None,
            source_file: None,
            source_size_bytes: None,
            source_modified_at: None,
            source_etag: None,
            source_format: None,
            rows_read: None,
            rows_accepted: None,
            rows_rejected: None,
            rows_warned: None,
            rows_inserted: None,
            rows_updated: None,
            rows_unchanged: None,
            cells_changed: None,
            cells_cleared: None,
            rule_counts: Vec::new(),
            version_before: None,
            version_after: None,
            duration_ms: None,
            phase_ms: BTreeMap::new(),
            peak_rss_bytes: None,
            engine_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Closes the record with how it ended.
    pub fn end(&mut self, status: RunStatus) {
        let now = Utc::now();
        self.status = status;
        self.ended_at = Some(now);
        self.duration_ms = u64::try_from((now - self.started_at).num_milliseconds()).ok();
        self.peak_rss_bytes = peak_rss_bytes();
    }

    /// Whether the run's change set is in `customers`.
    #[must_use]
    pub fn is_merged(&self) -> bool {
        matches!(
            self.status,
            RunStatus::Completed | RunStatus::CompletedWithRejects
        )
    }
}

/// Most memory this program ever held.
fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim()
        .trim_end_matches("kB")
        .trim()
        .parse::<u64>()
        .ok()
        .map(|kib| kib << 10)
}

/// The row of a run that has ended.
///
/// # Errors
/// The table cannot be read.
pub async fn read_run(instance: &Instance, run_id: &str) -> Result<Option<RunRecord>> {
    let snapshot = instance.runs()?.snapshot(None).await?;
    let table = SessionContext::new().read_table(Arc::new(SnapshotTable::new(Arc::new(snapshot))))?;
    let rows = table.filter(col("run_id").eq(lit(run_id)))?.collect().await?;
    let Some(row) = rows.iter().find(|batch| batch.num_rows() > 0) else {
        return Ok(None);
    };
    let mut line = LineDelimitedWriter::new(Vec::new());
    line.write(&row.slice(0, 1))?;
    line.finish()?;
    Ok(Some(serde_json::from_slice(line.get_ref())?))
}

/// Writes a run's row.
///
/// # Errors
/// The store failed.
pub async fn append_run(instance: &Instance, record: &RunRecord) -> Result<()> {
    append_rows(
        &instance.runs()?,
        schemas::runs(),
        std::slice::from_ref(record),
        &record.run_id,
    )
    .await?;
    Ok(())
}
