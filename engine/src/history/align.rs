//! Rows of two versions brought together by customer.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::JoinType;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::functions::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, ident};
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::prelude::{DataFrame, SessionContext, col};
use futures::{StreamExt, TryStreamExt, stream};

use super::cells::{THERE_AFTER, THERE_BEFORE};
use super::difference::{Difference, Side};
use crate::error::Result;
use crate::table::Snapshot;
use crate::table::schemas::CUSTOMER_ID;

/// A session with the resources of `session` whose joins sort and spill: a hash join would hold one side in memory.
#[must_use]
pub fn comparing(session: &dyn Session) -> SessionContext {
    let mut config = session.config().clone();
    let partitions = config.target_partitions().max(2);
    config.options_mut().optimizer.prefer_hash_join = false;
    let config = config.with_target_partitions(partitions);
    SessionContext::new_with_config_rt(config, Arc::clone(session.runtime_env()))
}

/// The rows of `difference`, a line for each customer on either side: the layout of [`Aligned`](super::cells::Aligned).
/// `columns` are attributes of `base`.
///
/// # Errors
/// None but what DataFusion refuses.
pub fn align(
    ctx: &SessionContext,
    base: &Snapshot,
    difference: &Difference,
    columns: &[String],
) -> Result<DataFrame> {
    let before = side(ctx, base, &difference.before, columns, "b")?;
    let after = side(ctx, base, &difference.after, columns, "a")?;
    let joined = before.join(after, JoinType::Full, &["b_id"], &["a_id"], None)?;
    let mut wanted = vec![
        coalesce(vec![col("b_id"), col("a_id")]).alias(CUSTOMER_ID),
        col("b_id").is_not_null().alias(THERE_BEFORE),
        col("a_id").is_not_null().alias(THERE_AFTER),
    ];
    for prefix in ["b", "a"] {
        wanted.extend((0..columns.len()).map(|i| col(format!("{prefix}{i}"))));
    }
    Ok(joined.select(wanted)?)
}

fn side(
    ctx: &SessionContext,
    base: &Snapshot,
    side: &Side,
    columns: &[String],
    prefix: &str,
) -> Result<DataFrame> {
    let mut wanted: Vec<Expr> = vec![ident(CUSTOMER_ID).alias(format!("{prefix}_id"))];
    let attributes = columns.iter().enumerate();
    wanted.extend(attributes.map(|(i, name)| ident(name.as_str()).alias(format!("{prefix}{i}"))));
    Ok(ctx.read_table(Arc::new(side.table(base)))?.select(wanted)?)
}

/// What a table makes of a batch.
pub type Derive = Arc<dyn Fn(&RecordBatch) -> Result<RecordBatch> + Send + Sync>;

/// A table whose rows `derive` makes from those of `frame`, batch by batch, when it is scanned.
///
/// # Errors
/// None but what DataFusion refuses.
pub fn derived_table(frame: DataFrame, schema: SchemaRef, derive: Derive) -> Result<Arc<dyn TableProvider>> {
    let rows = DerivedRows {
        frame,
        schema: Arc::clone(&schema),
        derive,
    };
    Ok(Arc::new(StreamingTable::try_new(schema, vec![Arc::new(rows)])?))
}

struct DerivedRows {
    frame: DataFrame,
    schema: SchemaRef,
    derive: Derive,
}

impl std::fmt::Debug for DerivedRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DerivedRows")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

impl PartitionStream for DerivedRows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _task: Arc<TaskContext>) -> SendableRecordBatchStream {
        let derive = Arc::clone(&self.derive);
        let rows = stream::once(self.frame.clone().execute_stream())
            .try_flatten()
            .map(move |batch| derive(&batch?).map_err(DataFusionError::from));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}
