//! The merge of one live file.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::SendableRecordBatchStream;
use futures::TryStreamExt;

use super::algo::{Cursor, compare, pair};
use super::changes::ChangeSlice;
use super::facts::{self, FileCounts};
use super::plan::{Apply, MergeJob};
use super::rewrite::rewrite;
use crate::error::Result;
use crate::table::{LiveFile, scan_files};

/// One file and the job it is part of.
#[derive(Debug, Clone)]
pub(super) struct FileMerge {
    /// What all files share.
    pub job: Arc<MergeJob>,
    /// The file.
    pub file: LiveFile,
    /// The session's resources.
    pub task: Arc<TaskContext>,
}

impl FileMerge {
    /// Finds what the changes do to this file and, if the job says so and anything differs, does it.
    pub(super) async fn run(self) -> Result<Vec<RecordBatch>> {
        let changes = self.job.changes.slice(self.file.keys.as_ref())?;
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let (mut rows, counts) = self.differences(&changes).await?;
        let actions = match self.job.apply {
            Apply::Write if counts.rows_updated > 0 => rewrite(&self, &changes).await?,
            Apply::Write | Apply::CountOnly => Vec::new(),
        };
        rows.push(facts::outcome(&counts, &actions)?);
        Ok(rows)
    }

    /// Reads key and mapped columns; says which records met a customer and what would change.
    async fn differences(&self, changes: &ChangeSlice) -> Result<(Vec<RecordBatch>, FileCounts)> {
        let attributes = self.job.attribute_positions()?;
        let mut wanted = vec![self.job.key_position()?];
        wanted.extend(&attributes);
        let nulls = self.job.null_policies();
        let mut counts = FileCounts {
            cells: vec![(0, 0); attributes.len()],
            ..FileCounts::default()
        };
        let mut matched = Vec::new();
        let mut rows = self.scan(Some(&wanted))?;
        let mut cursor = Cursor::default();
        while let Some(batch) = rows.try_next().await? {
            let pairs = pair(batch.column(0).as_string_view(), changes, &mut cursor);
            if pairs.file_rows.is_empty() {
                continue;
            }
            let old: Vec<ArrayRef> = batch.columns().iter().skip(1).cloned().collect();
            let found = compare(&old, changes, &pairs, &nulls)?;
            let updated = found.rows.true_count() as u64;
            counts.rows_updated += updated;
            counts.rows_unchanged += pairs.file_rows.len() as u64 - updated;
            for (total, (changed, cleared)) in counts.cells.iter_mut().zip(found.cells) {
                *total = (total.0 + changed, total.1 + cleared);
            }
            let records = pairs
                .change_rows
                .iter()
                .map(|row| changes.record_no(*row as usize) as i64)
                .collect();
            matched.push(facts::matched(records)?);
        }
        Ok((matched, counts))
    }

    /// The file's live rows, in order; `columns` of the target schema or all.
    pub(super) fn scan(&self, columns: Option<&Vec<usize>>) -> Result<SendableRecordBatchStream> {
        let plan = scan_files(&self.job.session, &self.job.snapshot, [&self.file], columns)?;
        Ok(plan.execute(0, Arc::clone(&self.task))?)
    }
}
