//! Writing the files of one group anew.
//!
//! ```text
//!   lane: [a..c] [d..e] [g..h] ─┐
//!                               ├─ merge by key ─▶ in order, each key once? ─▶ files of even size
//!   lane: [b..f] ───────────────┘                       │ no
//!                                                       └─▶ all rows, sorted (spills) ─▶ files
//! ```
//!
//! Files of ours are sorted, so a group is merged in the memory of a batch a lane. What a foreign writer left may not
//! be: that shows in the first rows, and then the group is sorted.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::SortOptions;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::prelude::SessionContext;
use deltalake_core::kernel::Add;
use futures::TryStreamExt;

use super::lanes::lanes;
use super::plan::Layout;
use crate::error::{Error, Result};
use crate::table::schemas::CUSTOMER_ID;
use crate::table::{KeysInOrder, LiveFile, Order, Snapshot, scan_files};
use crate::write::{RollingWriter, WriterOptions, discard};

/// Lanes that are merged at once; where there are more, the rows are sorted instead, which holds less of each file.
const MAX_LANES: usize = 16;

/// One group to be written anew.
pub(super) struct Fold<'a> {
    /// The version that the files are of.
    pub snapshot: &'a Snapshot,
    /// The session that reads, merges and sorts.
    pub ctx: &'a SessionContext,
    /// How rows lie.
    pub layout: Layout,
    /// The files, in the order of their rows.
    pub files: Vec<LiveFile>,
    /// What the new files are named after.
    pub id: String,
    /// Files wanted.
    pub output_files: u64,
}

/// What one way through the rows came to.
enum Written {
    Files(Vec<Add>),
    OutOfOrder,
}

impl Fold<'_> {
    /// Writes the group's rows to new files. They are in no version until somebody commits them.
    ///
    /// # Errors
    /// The store failed, a customer stands in two of the files, or rows were lost on the way.
    pub async fn run(&self) -> Result<Vec<Add>> {
        let written = match self.layout {
            Layout::Appended => self.write(scan_all(self, &self.files)?).await?,
            Layout::Clustered => match self.write(self.merged()?).await? {
                Written::OutOfOrder => self.write(self.sorted()?).await?,
                in_order => in_order,
            },
        };
        match written {
            Written::Files(adds) => Ok(adds.into_iter().map(unchanged).collect()),
            Written::OutOfOrder => Err(Error::runtime("a sort did not sort").in_file(&self.id)),
        }
    }

    fn merged(&self) -> Result<Arc<dyn ExecutionPlan>> {
        let ranges: Vec<_> = self.files.iter().map(|file| file.keys.as_ref()).collect();
        let lanes = lanes(&ranges);
        if lanes.len() > MAX_LANES {
            return self.sorted();
        }
        let lane = |lane: Vec<usize>| scan_all(self, lane.into_iter().filter_map(|at| self.files.get(at)));
        let inputs = lanes.into_iter().map(lane).collect::<Result<Vec<_>>>()?;
        let union = UnionExec::try_new(inputs)?;
        Ok(Arc::new(SortPreservingMergeExec::new(self.by_key()?, union)))
    }

    fn sorted(&self) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = scan_all(self, &self.files)?;
        Ok(Arc::new(SortExec::new(self.by_key()?, rows)))
    }

    fn by_key(&self) -> Result<LexOrdering> {
        let key = Arc::new(Column::new_with_schema(CUSTOMER_ID, &self.snapshot.schema)?);
        let options = SortOptions {
            descending: false,
            nulls_first: false,
        };
        LexOrdering::new([PhysicalSortExpr::new(key, options)])
            .ok_or_else(|| Error::runtime("customers are sorted by nothing"))
    }

    async fn write(&self, rows: Arc<dyn ExecutionPlan>) -> Result<Written> {
        let store = self.snapshot.log.object_store(None);
        let mut writer = self.writer();
        let written = self.copy(rows, &mut writer).await;
        let adds = writer.finish().await;
        match (written, adds) {
            (Ok(Some(num_rows)), Ok(adds)) => self.balanced(num_rows).map(|()| Written::Files(adds)),
            (Ok(None), Ok(adds)) => {
                discard(&store, adds.iter().map(|add| add.path.as_str())).await?;
                Ok(Written::OutOfOrder)
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    fn writer(&self) -> RollingWriter {
        let options = match self.layout {
            Layout::Clustered => WriterOptions::clustered(CUSTOMER_ID, self.snapshot.encoding),
            Layout::Appended => WriterOptions::appended(self.snapshot.encoding),
        };
        let schema = Arc::clone(&self.snapshot.schema);
        let writer = RollingWriter::new(self.snapshot.log.object_store(None), &self.id, schema, options);
        match self.live_rows() {
            Some(rows) if self.output_files > 0 => {
                writer.with_file_rows(rows.div_ceil(self.output_files) as usize)
            }
            _ => writer,
        }
    }

    /// Writes all rows and counts them; `None` where their keys do not ascend.
    async fn copy(&self, rows: Arc<dyn ExecutionPlan>, writer: &mut RollingWriter) -> Result<Option<u64>> {
        let key = match self.layout {
            Layout::Clustered => Some(self.snapshot.schema.index_of(CUSTOMER_ID)?),
            Layout::Appended => None,
        };
        let mut rows = rows.execute(0, self.ctx.task_ctx())?;
        let (mut seen, mut num_rows) = (KeysInOrder::default(), 0);
        while let Some(batch) = rows.try_next().await? {
            if let Some(key) = key {
                match seen.check(batch.column(key).as_string_view()) {
                    Order::Ascends => {}
                    Order::Descends => return Ok(None),
                    Order::Repeats(key) => return Err(corrupt(&key)),
                }
            }
            num_rows += batch.num_rows() as u64;
            writer.write(&batch).await?;
        }
        Ok(Some(num_rows))
    }

    fn live_rows(&self) -> Option<u64> {
        self.files.iter().map(LiveFile::live_rows).sum()
    }

    fn balanced(&self, num_rows: u64) -> Result<()> {
        match self.live_rows() {
            Some(expected) if expected != num_rows => Err(Error::runtime(format!(
                "the books do not balance: the files hold {expected} rows, {num_rows} were read"
            ))
            .wrote("nothing was changed")),
            _ => Ok(()),
        }
    }
}

/// The rows of files one after the other.
fn scan_all<'f>(
    fold: &Fold<'_>,
    files: impl IntoIterator<Item = &'f LiveFile>,
) -> Result<Arc<dyn ExecutionPlan>> {
    scan_files(&fold.ctx.state(), fold.snapshot, files, None)
}

/// The same file, as one whose rows were in the table before.
fn unchanged(add: Add) -> Add {
    Add {
        data_change: false,
        ..add
    }
}

fn corrupt(key: &str) -> Error {
    Error::runtime(format!(
        "customer {key:?} stands in two live files of customers; the table is corrupt"
    ))
    .hint("find all of them with: SELECT customer_id, count(*) FROM customers GROUP BY 1 HAVING count(*) > 1")
    .wrote("nothing was changed")
}
