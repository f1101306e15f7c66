//! Our own reader of a [`Snapshot`]: a `DataSourceExec` over its files.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, DFSchema, Result as DfResult, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use deltalake_core::logstore::LogStore;
use parquet::arrow::arrow_reader::RowSelection;
use sha2::{Digest, Sha256};

use super::pruning::files_that_may_hold;
use super::{LiveFile, Snapshot, deletion};
use crate::error::Result;

/// Rows that are read of a file instead of its live ones, by path.
pub type ChosenRows = HashMap<String, RowSelection>;

/// A snapshot as a SQL table.
#[derive(Debug)]
pub struct SnapshotTable {
    snapshot: Arc<Snapshot>,
    chosen: ChosenRows,
}

impl SnapshotTable {
    /// Reads `snapshot`.
    #[must_use]
    pub fn new(snapshot: Arc<Snapshot>) -> Self {
        Self::of_rows(snapshot, ChosenRows::new())
    }

    /// Reads of the files that `chosen` names only those rows, live or not.
    #[must_use]
    pub fn of_rows(snapshot: Arc<Snapshot>, chosen: ChosenRows) -> Self {
        Self { snapshot, chosen }
    }
}

#[async_trait]
impl TableProvider for SnapshotTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.snapshot.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DfResult<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let predicate = conjunction(filters.to_vec())
            .map(|filter| {
                let schema = DFSchema::try_from(Arc::clone(&self.snapshot.schema))?;
                state.create_physical_expr(filter, &schema)
            })
            .transpose()?;
        // A limit below a filter that the scan applies only in part would lose rows.
        let limit = if filters.is_empty() { limit } else { None };
        let partitions = state.config().target_partitions();
        let files = match &predicate {
            Some(predicate) => files_that_may_hold(&self.snapshot.files, predicate, &self.snapshot.schema)?,
            None => self.snapshot.files.iter().collect(),
        };
        let plan = Scan {
            snapshot: &self.snapshot,
            chosen: &self.chosen,
            projection,
            predicate,
            limit,
            partitions,
        }
        .plan(state, files.into_iter())?;
        Ok(plan)
    }
}

/// A scan of a few files of `snapshot`, in one partition, in file order, row order kept.
///
/// # Errors
/// A deletion vector that cannot be read.
pub fn scan_files<'a>(
    state: &dyn Session,
    snapshot: &Snapshot,
    files: impl IntoIterator<Item = &'a LiveFile>,
    projection: Option<&Vec<usize>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let scan = Scan {
        snapshot,
        chosen: &ChosenRows::new(),
        projection,
        predicate: None,
        limit: None,
        partitions: 1,
    };
    scan.plan(state, files.into_iter())
}

/// What a scan reads.
struct Scan<'a> {
    snapshot: &'a Snapshot,
    chosen: &'a ChosenRows,
    projection: Option<&'a Vec<usize>>,
    predicate: Option<Arc<dyn PhysicalExpr>>,
    limit: Option<usize>,
    partitions: usize,
}

impl Scan<'_> {
    fn plan<'f>(
        self,
        state: &dyn Session,
        files: impl Iterator<Item = &'f LiveFile>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let log = self.snapshot.log.as_ref();
        let store_url = store_url(log)?;
        state
            .runtime_env()
            .register_object_store(store_url.as_ref(), log.object_store(None));
        let table_schema = TableSchema::from(Arc::clone(&self.snapshot.schema));
        let mut source = ParquetSource::new(table_schema).with_enable_page_index(true);
        if let Some(predicate) = self.predicate {
            source = source.with_predicate(predicate).with_pushdown_filters(true);
        }
        let mut total = Precision::Exact(0);
        let mut groups = vec![Vec::new(); self.partitions.max(1)];
        let width = groups.len();
        for (i, file) in files.enumerate() {
            let chosen = self.chosen.get(&file.add.path);
            let rows = read_rows(file, chosen);
            total = total.add(&rows);
            groups[i % width].push(partitioned(log, file, chosen, &self.snapshot.schema)?);
        }
        let groups: Vec<FileGroup> = groups
            .into_iter()
            .filter(|g| !g.is_empty())
            .map(FileGroup::new)
            .collect();
        if groups.is_empty() {
            // A source without files has no partition, and an operator above may ask for one.
            let schema = match self.projection {
                Some(columns) => Arc::new(self.snapshot.schema.project(columns)?),
                None => Arc::clone(&self.snapshot.schema),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let statistics = Statistics {
            num_rows: total,
            ..Statistics::new_unknown(&self.snapshot.schema)
        };
        let config = FileScanConfigBuilder::new(store_url, Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(self.projection.cloned())?
            .with_limit(self.limit)
            .with_statistics(statistics)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

fn partitioned(
    log: &dyn LogStore,
    file: &LiveFile,
    chosen: Option<&RowSelection>,
    schema: &SchemaRef,
) -> Result<PartitionedFile> {
    let mut part = PartitionedFile::new(file.add.path.clone(), file.add.size.unsigned_abs())
        .with_statistics(Arc::new(statistics(file, read_rows(file, chosen), schema)));
    if let Some(rows) = chosen {
        part = part.with_extension(ParquetRowSelection::new(rows.clone()));
    } else if let Some(vector) = &file.add.deletion_vector {
        let rows = match file.num_rows {
            Some(rows) => rows,
            None => {
                return Err(
                    crate::error::Error::runtime("a file with a deletion vector has no row count")
                        .in_file(&file.add.path),
                );
            }
        };
        part = part.with_extension(ParquetRowSelection::new(deletion::selection(log, vector, rows)?));
    }
    Ok(part)
}

/// Row count and key range. Everything else stays unknown: under a deletion vector it would be wrong, and COUNT, MIN
/// and MAX are answered from statistics without a scan.
fn statistics(file: &LiveFile, num_rows: Precision<usize>, schema: &SchemaRef) -> Statistics {
    let mut statistics = Statistics {
        num_rows,
        ..Statistics::new_unknown(schema)
    };
    if let (Some(range), Some(key)) = (&file.keys, statistics.column_statistics.first_mut()) {
        *key = ColumnStatistics {
            min_value: Precision::Inexact(ScalarValue::Utf8View(Some(range.min.clone()))),
            max_value: Precision::Inexact(ScalarValue::Utf8View(Some(range.max.clone()))),
            null_count: Precision::Exact(0),
            ..ColumnStatistics::new_unknown()
        };
    }
    statistics
}

fn read_rows(file: &LiveFile, chosen: Option<&RowSelection>) -> Precision<usize> {
    let rows = match chosen {
        Some(rows) => Some(rows.row_count()),
        None => file.live_rows().map(|rows| rows as usize),
    };
    rows.map_or(Precision::Absent, Precision::Exact)
}

/// A name for the table's store, unique to its location.
fn store_url(log: &dyn LogStore) -> Result<ObjectStoreUrl> {
    let digest = Sha256::digest(log.root_url().as_str());
    let name: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    Ok(ObjectStoreUrl::parse(format!("table://t{name}"))?)
}
