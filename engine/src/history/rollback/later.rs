//! What later runs did to the customers of an undone run.

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;

use super::request::Conflict;
use super::undo::{Undo, without_numbers};
use crate::error::Result;
use crate::history::align::{align, comparing};
use crate::history::cells::{Aligned, Change};
use crate::history::diff::columns_of;
use crate::history::difference::Difference;
use crate::history::files::{CommitFiles, FileWalk};
use crate::history::timeline::Commit;
use crate::history::versions::check_there;
use crate::merge::algo::{Cursor, pair};
use crate::table::{KeyRange, Snapshot, TableLog};
use crate::validate::RecordSet;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Later {
    /// Numbers of customers that a later run changed in anything.
    pub touched: RecordSet,
    /// Numbers of customers of whom a later run wrote the same cells.
    pub conflicted: RecordSet,
    /// The runs that did.
    pub conflicts: Vec<Conflict>,
}

impl Later {
    /// Reads the files that each of `writers` removed and added, as far as they meet the undone customers.
    ///
    /// # Errors
    /// A file was vacuumed, or cannot be read.
    pub async fn find(
        log: &TableLog,
        ctx: &SessionContext,
        base: &Snapshot,
        undo: &Undo,
        (version, writers): &(u64, Vec<Commit>),
    ) -> Result<Self> {
        let mut later = Self::default();
        let (Some(range), Some(last)) = (undo.rows.key_range(), writers.last()) else {
            return Ok(later);
        };
        let mut walk = FileWalk::from(log, *version).await?;
        for next in version + 1..=last.version {
            let files = walk.next().await?;
            if writers.iter().any(|writer| writer.version == next) {
                later.look_at(log, ctx, base, undo, &range, files).await?;
            }
        }
        Ok(later)
    }

    async fn look_at(
        &mut self,
        log: &TableLog,
        ctx: &SessionContext,
        base: &Snapshot,
        undo: &Undo,
        range: &KeyRange,
        files: CommitFiles,
    ) -> Result<()> {
        let CommitFiles {
            commit,
            mut removed,
            mut added,
        } = files;
        for files in [&mut removed, &mut added] {
            files.retain(|file| file.may_hold(&range.min, &range.max));
        }
        check_there(log, commit.version, removed.iter().chain(&added)).await?;
        let difference = Difference::between(base.log.as_ref(), removed, added)?;
        if difference.is_empty() {
            return Ok(());
        }
        let columns = columns_of(&commit, base);
        let shared: Vec<(usize, usize)> = undo
            .columns
            .iter()
            .enumerate()
            .filter_map(|(mine, name)| Some((mine, columns.iter().position(|other| other == name)?)))
            .collect();
        let mut conflict = Conflict {
            run_id: commit.run_id().map(str::to_owned),
            process: commit.process().map(str::to_owned),
            version: Some(commit.version),
            ..Conflict::default()
        };
        let frame = align(&comparing(&ctx.state()), base, &difference, &columns)?;
        let mut batches = frame.execute_stream().await?;
        while let Some(batch) = batches.try_next().await? {
            let differing = Aligned::new(&batch)?.differing()?;
            self.pair(undo, &differing, &shared, &mut conflict)?;
        }
        if conflict.rows > 0 {
            self.conflicts.push(conflict);
        }
        Ok(())
    }

    /// Finds the undone customers among those that a later commit changed.
    fn pair(
        &mut self,
        undo: &Undo,
        differing: &RecordBatch,
        shared: &[(usize, usize)],
        conflict: &mut Conflict,
    ) -> Result<()> {
        let keys = arrow::compute::cast(differing.column(0), &arrow::datatypes::DataType::Utf8View)?;
        let keys = keys.as_string_view();
        let Some((min, max)) = keys.iter().flatten().min().zip(keys.iter().flatten().max()) else {
            return Ok(());
        };
        let range = KeyRange {
            min: min.to_owned(),
            max: max.to_owned(),
        };
        let slice = undo.rows.slice(Some(&range))?;
        let pairs = pair(keys, &slice, &mut Cursor::default());
        let undone = without_numbers(&slice.rows)?;
        let (mine, theirs) = (Aligned::new(&undone)?, Aligned::new(differing)?);
        let cells = shared
            .iter()
            .map(|(a, b)| Ok((mine.changed(*a)?, theirs.changed(*b)?)))
            .collect::<Result<Vec<(BooleanArray, BooleanArray)>>>()?;
        for (their_row, my_row) in pairs.file_rows.iter().zip(&pairs.change_rows) {
            let (their_row, my_row) = (*their_row as usize, *my_row as usize);
            let number = slice.record_no(my_row);
            self.touched.insert(number);
            let is_same = cells.iter().any(|(a, b)| a.value(my_row) && b.value(their_row));
            if is_same && theirs.change(their_row) != Change::Removed {
                self.conflicted.insert(number);
                conflict.count(keys.value(their_row));
            }
        }
        Ok(())
    }
}
