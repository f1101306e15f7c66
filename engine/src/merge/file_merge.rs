//! The merge of one live file: probe, compare, choose, do.
//!
//! ```text
//!   probe ─▶ compare the first row group ─▶ choose ─┬─ splice, rewrite: the others are compared as they are written
//!                                                   └─ else: compare the others, choose again on exact counts
//! ```
//!
//! The first choice is made early so that a row group's columns are decoded once, and held no longer than it takes to
//! write it. It is an estimate only for what costs least; what is counted is exact.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::SendableRecordBatchStream;

use super::carry::{carried_bytes, new_versions};
use super::changes::ChangeSlice;
use super::compare::{DENSE, Decoded, GroupChanges};
use super::cost::{Choice, Costs, Evidence, Reason, Strategy, choose};
use super::facts::{self, FileCounts, FileOutcome, MergedFile};
use super::opened::Opened;
use super::plan::{Apply, MergeJob};
use super::probe::GroupPairs;
use super::rewrite::{differences, rewrite};
use super::sinks::Sinks;
use super::splice::splice;
use crate::error::Result;
use crate::table::schemas::CUSTOMER_ID;
use crate::table::{LiveFile, scan_files};
use crate::write::{FileAction, KeyOrder, key_order};

/// One file and the job it is part of.
#[derive(Debug, Clone)]
pub(super) struct FileMerge {
    /// What all files share.
    pub job: Arc<MergeJob>,
    /// The file.
    pub file: LiveFile,
    /// Live files, this one included, that may hold one of its customers.
    pub overlapping_files: usize,
    /// The session's resources.
    pub task: Arc<TaskContext>,
}

/// What became of a file that may hold a change, and rows of the records that met its customers.
pub(super) struct Merged {
    pub file: MergedFile,
    pub matched: RecordBatch,
}

/// What became of a file.
struct Done {
    choice: Choice,
    counts: FileCounts,
    actions: Vec<FileAction>,
    copied_bytes: u64,
    encoded_bytes: u64,
}

impl Done {
    fn new(choice: Choice, counts: FileCounts) -> Self {
        Self {
            choice,
            counts,
            actions: Vec::new(),
            copied_bytes: 0,
            encoded_bytes: 0,
        }
    }

    fn untouched(reason: Reason, counts: FileCounts) -> Self {
        let choice = Choice {
            strategy: Strategy::Untouched,
            reason,
            costs: Costs::default(),
        };
        Self::new(choice, counts)
    }
}

impl FileMerge {
    /// Finds what the changes do to this file and, if the job says so and anything differs, does it.
    pub(super) async fn run(self, sinks: &mut Sinks) -> Result<Option<Merged>> {
        let (job, keys) = (Arc::clone(&self.job), self.file.keys.as_ref());
        let _room = job.room.take(job.changes.slice_bytes(keys)).await?;
        let changes = job.changes.slice(keys)?;
        if changes.is_empty() {
            return Ok(None);
        }
        let Some(opened) = Opened::open(&self, &changes).await? else {
            return self.foreign(&changes).await.map(Some);
        };
        let found = opened.probe().await?;
        let done = self.merge(&opened, &found, sinks).await?;
        let num_matched = found.iter().map(|group| group.pairs.change_rows.len()).sum();
        let mut matched = Vec::with_capacity(num_matched);
        let rows = found.iter().flat_map(|group| &group.pairs.change_rows);
        matched.extend(rows.map(|row| changes.record_no(*row as usize) as i64));
        self.merged(matched, done, opened.file.read_bytes()).map(Some)
    }

    async fn merge(&self, opened: &Opened, found: &[GroupPairs], sinks: &mut Sinks) -> Result<Done> {
        let num_attributes = opened.mapping.attributes.len();
        let Some((first, others)) = found.split_first() else {
            return Ok(Done::untouched(
                Reason::NothingMatches,
                FileCounts::of(num_attributes),
            ));
        };
        let mut compared = vec![opened.compare(first, self.pilot(first)).await?];
        let early = self.choose(opened, found, &compared);
        let writes_whole = early.filter(|c| matches!(c.strategy, Strategy::Splice | Strategy::Rewrite));
        if let (Some(choice), Apply::Write) = (writes_whole, self.job.apply) {
            return self.carry_out(choice, opened, found, compared, sinks).await;
        }
        compared.iter_mut().for_each(|group| group.old = None);
        for group in others {
            compared.push(opened.compare(group, Decoded::Dropped).await?);
        }
        match self.choose(opened, found, &compared) {
            None => Ok(Done::untouched(
                Reason::NothingDiffers,
                counts(num_attributes, &compared),
            )),
            Some(choice) if self.job.apply == Apply::CountOnly => {
                Ok(Done::new(choice, counts(num_attributes, &compared)))
            }
            Some(choice) => self.carry_out(choice, opened, found, compared, sinks).await,
        }
    }

    /// The columns of the first row group are worth keeping if most of it may change.
    fn pilot(&self, first: &GroupPairs) -> Decoded {
        let may_splice = first.pairs.file_rows.len() * DENSE >= first.num_rows;
        match (self.job.apply, may_splice) {
            (Apply::Write, true) => Decoded::Kept,
            _ => Decoded::Dropped,
        }
    }

    async fn carry_out(
        &self,
        choice: Choice,
        opened: &Opened,
        found: &[GroupPairs],
        compared: Vec<GroupChanges>,
        sinks: &mut Sinks,
    ) -> Result<Done> {
        let num_attributes = opened.mapping.attributes.len();
        Ok(match choice.strategy {
            Strategy::Untouched => Done::new(choice, counts(num_attributes, &compared)),
            Strategy::DeletionVector => {
                self.mark(opened, &compared, sinks).await?;
                Done::new(choice, counts(num_attributes, &compared))
            }
            Strategy::Splice => {
                let spliced = splice(self, opened, found, compared).await?;
                Done {
                    actions: spliced.actions,
                    copied_bytes: spliced.copied_bytes,
                    encoded_bytes: spliced.encoded_bytes,
                    ..Done::new(choice, counts(num_attributes, &spliced.groups))
                }
            }
            Strategy::Rewrite => {
                let rewritten = rewrite(
                    self,
                    &opened.changes,
                    key_order(opened.file.metadata(), CUSTOMER_ID),
                )
                .await?;
                Done {
                    actions: rewritten.actions,
                    encoded_bytes: rewritten.encoded_bytes,
                    ..Done::new(choice, rewritten.counts)
                }
            }
        })
    }

    /// Marks the changed rows and writes their new versions.
    async fn mark(&self, opened: &Opened, compared: &[GroupChanges], sinks: &mut Sinks) -> Result<()> {
        let mut marked = Vec::new();
        for group in compared
            .iter()
            .filter(|group| !group.changed.file_rows.is_empty())
        {
            let Opened {
                file,
                layout,
                mapping,
                key,
                changes,
                ..
            } = opened;
            let rows = new_versions(file, layout, mapping, *key, changes, group).await?;
            sinks.versions.write(&self.file.add.path, &rows).await?;
            let positions = group.changed.file_rows.iter();
            marked.extend(positions.map(|row| group.first_row + u64::from(*row)));
        }
        sinks.vectors.mark(&self.file, &opened.deleted, marked)
    }

    /// Chooses on what is known from the row groups compared so far; `None` when nothing differs in them.
    fn choose(&self, opened: &Opened, found: &[GroupPairs], compared: &[GroupChanges]) -> Option<Choice> {
        let evidence = self.evidence(opened, found, compared)?;
        let MergeJob {
            vectors, preference, ..
        } = *self.job;
        let choice = choose(&evidence, vectors, opened.splicing, preference);
        Some(choice)
    }

    /// What the row groups compared so far say of the whole file.
    fn evidence(&self, opened: &Opened, found: &[GroupPairs], compared: &[GroupChanges]) -> Option<Evidence> {
        let changed_rows: usize = compared.iter().map(|group| group.changed.file_rows.len()).sum();
        if changed_rows == 0 {
            return None;
        }
        let matched = |rows: usize| rows.max(1) as f64;
        let all_rows: usize = found.iter().map(|group| group.pairs.file_rows.len()).sum();
        let seen_rows: u64 = compared.iter().map(|group| group.matched_rows).sum();
        let rows_scale = matched(all_rows) / matched(seen_rows as usize);
        let groups_scale = found.len() as f64 / compared.len() as f64;
        let scaled = |count: u64, scale: f64| (count as f64 * scale) as u64;
        let (mut carried, mut changed_bytes, mut changed_values) = (0, 0, 0);
        for group in compared {
            carried += carried_bytes(
                &opened.layout,
                &opened.mapping,
                opened.key,
                group.group,
                &group.changed,
            );
            for (column, _) in opened
                .mapping
                .attributes
                .iter()
                .zip(&group.cells)
                .filter(|(_, cells)| cells.changed > 0)
            {
                changed_bytes += opened.layout.column_bytes(group.group, *column);
                // A run of NULLs is one value to encode.
                let stored_values = opened.layout.column_values(group.group, *column);
                changed_values += stored_values + group.changed.file_rows.len() as u64;
            }
        }
        Some(Evidence {
            file_bytes: self.file.add.size.unsigned_abs(),
            rows: opened.file.metadata().file_metadata().num_rows().unsigned_abs(),
            dead_rows: opened.deleted.len() as u64,
            columns: opened.layout.columns.schema().fields().len() as u64,
            changed_rows: scaled(changed_rows as u64, rows_scale),
            carried_bytes: scaled(carried, rows_scale),
            changed_bytes: scaled(changed_bytes, groups_scale),
            changed_values: scaled(changed_values, groups_scale),
            overlapping_files: self.overlapping_files,
        })
    }

    async fn foreign(&self, changes: &ChangeSlice) -> Result<Merged> {
        let (matched, counts) = differences(self, changes).await?;
        let done = if counts.rows_updated == 0 {
            let reason = match matched.is_empty() {
                true => Reason::NothingMatches,
                false => Reason::NothingDiffers,
            };
            Done::untouched(reason, counts)
        } else {
            let choice = Choice {
                strategy: Strategy::Rewrite,
                reason: Reason::ForeignLayout,
                costs: Costs::default(),
            };
            let mut done = Done::new(choice, counts);
            if self.job.apply == Apply::Write {
                let rewritten = rewrite(self, changes, KeyOrder::Unknown).await?;
                done.actions = rewritten.actions;
                done.encoded_bytes = rewritten.encoded_bytes;
            }
            done
        };
        self.merged(matched, done, 0)
    }

    fn merged(&self, matched: Vec<i64>, done: Done, read_bytes: u64) -> Result<Merged> {
        // A rewrite reads the file through SQL's scan, which does not say how much of it.
        let scanned_bytes = match (done.choice.strategy, self.job.apply) {
            (Strategy::Rewrite, Apply::Write) => self.file.add.size.unsigned_abs(),
            _ => 0,
        };
        let outcome = FileOutcome {
            path: self.file.add.path.clone(),
            strategy: done.choice.strategy,
            reason: done.choice.reason,
            costs: done.choice.costs,
            read_bytes: read_bytes + scanned_bytes,
            copied_bytes: done.copied_bytes,
            encoded_bytes: done.encoded_bytes,
            counts: done.counts,
        };
        Ok(Merged {
            matched: facts::matched(matched)?,
            file: MergedFile {
                identity: self.file.identity(),
                outcome,
                actions: done.actions,
            },
        })
    }

    /// The file's live rows, in order; `columns` of the target schema or all.
    pub(super) fn scan(&self, columns: Option<&Vec<usize>>) -> Result<SendableRecordBatchStream> {
        let plan = scan_files(&self.job.session, &self.job.snapshot, [&self.file], columns)?;
        Ok(plan.execute(0, Arc::clone(&self.task))?)
    }
}

fn counts(num_attributes: usize, groups: &[GroupChanges]) -> FileCounts {
    let mut counts = FileCounts::of(num_attributes);
    for group in groups {
        counts.add(
            group.matched_rows,
            group.changed.file_rows.len() as u64,
            &group.cells,
        );
    }
    counts
}
