//! A staged change set as a SQL table.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as DfResult;
use datafusion::datasource::TableType;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream};
use futures::StreamExt;

use super::BatchStore;
use crate::error::Result;

/// What a scan makes of a staged batch, given the columns it was asked for.
pub type Derive = Arc<dyn Fn(&RecordBatch, &[usize]) -> Result<RecordBatch> + Send + Sync>;

/// Reads a [`BatchStore`], in as many partitions as the session wants.
pub struct StageTable {
    store: Arc<BatchStore>,
    schema: SchemaRef,
    derive: Derive,
}

impl std::fmt::Debug for StageTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StageTable")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

impl StageTable {
    /// The staged columns as they are.
    #[must_use]
    pub fn new(store: Arc<BatchStore>) -> Self {
        let schema = Arc::clone(store.schema());
        Self {
            store,
            schema,
            derive: Arc::new(|batch, columns| Ok(batch.project(columns)?)),
        }
    }

    /// A table of `schema` whose columns `derive` makes from a staged batch when they are asked for.
    #[must_use]
    pub fn derived(store: Arc<BatchStore>, schema: SchemaRef, derive: Derive) -> Self {
        Self {
            store,
            schema,
            derive,
        }
    }
}

#[async_trait]
impl TableProvider for StageTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let columns = projection
            .cloned()
            .unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let schema = Arc::new(self.schema.project(&columns)?);
        let partitions = state
            .config()
            .target_partitions()
            .clamp(1, self.store.len().max(1));
        let streams = (0..partitions)
            .map(|partition| -> Arc<dyn PartitionStream> {
                Arc::new(StagePartition {
                    store: Arc::clone(&self.store),
                    schema: Arc::clone(&schema),
                    derive: Arc::clone(&self.derive),
                    columns: columns.clone(),
                    partition,
                    partitions,
                })
            })
            .collect();
        Ok(Arc::new(StreamingTableExec::try_new(
            schema,
            streams,
            None,
            [],
            false,
            limit,
        )?))
    }
}

/// Every `partitions`-th batch.
struct StagePartition {
    store: Arc<BatchStore>,
    schema: SchemaRef,
    derive: Derive,
    columns: Vec<usize>,
    partition: usize,
    partitions: usize,
}

impl std::fmt::Debug for StagePartition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StagePartition {} of {}", self.partition, self.partitions)
    }
}

impl PartitionStream for StagePartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _ctx: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (store, derive, columns) = (
            Arc::clone(&self.store),
            Arc::clone(&self.derive),
            self.columns.clone(),
        );
        let numbers = (self.partition..store.len()).step_by(self.partitions);
        let batches = futures::stream::iter(numbers).map(move |number| {
            let batch = store.read(number)?;
            Ok(derive(&batch, &columns)?)
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}
