//! A query that does not fit its memory is begun again in a way that goes to disk.

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::DataFrame;
use futures::{StreamExt, TryStreamExt, stream};

/// Runs `plan`. A hash join holds one side in memory; if there is no room for it, which shows before the first row, joins
/// sort both sides and spill.
///
/// # Errors
/// Those of the query; no way of it fits.
pub(super) async fn execute(state: SessionState, plan: LogicalPlan) -> Result<SendableRecordBatchStream> {
    match begun(state.clone(), plan.clone()).await {
        Err(error) if is_exhausted(&error) => begun(spilling(state), plan).await,
        outcome => outcome,
    }
}

/// The rows of `plan`, the first of them there already.
async fn begun(state: SessionState, plan: LogicalPlan) -> Result<SendableRecordBatchStream> {
    let mut rows = DataFrame::new(state, plan).execute_stream().await?;
    let schema = rows.schema();
    let first = rows.try_next().await?;
    let all = stream::iter(first.map(Ok)).chain(rows);
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, all)))
}

fn is_exhausted(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::ResourcesExhausted(_))
}

/// The same session, whose joins sort. In one partition they would hash all the same.
fn spilling(state: SessionState) -> SessionState {
    let mut config = state.config().clone();
    config.options_mut().optimizer.prefer_hash_join = false;
    let partitions = config.target_partitions().max(2);
    SessionStateBuilder::new_from_existing(state)
        .with_config(config.with_target_partitions(partitions))
        .build()
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, RecordBatch};
    use arrow::datatypes::Int64Type;
    use datafusion::prelude::SessionContext;

    use super::*;
    use crate::error::{Class, Error};
    use crate::session::new_session;
    use crate::settings::Settings;
    use crate::sql::query;

    const SIDE: &str = "(SELECT value, repeat('x', 100) || value AS t FROM generate_series(1, 300000))";

    fn session(memory_bytes: usize) -> SessionContext {
        let settings = Settings {
            memory_bytes,
            threads: 2,
        };
        new_session(&settings, memory_bytes).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_join_of_more_than_fits_the_memory_goes_to_disk() {
        let ctx = session(36 << 20);
        let join = format!("SELECT count(*) AS n FROM {SIDE} a JOIN {SIDE} b ON a.t = b.t");
        let hashed = ctx.sql(&join).await.unwrap().collect().await.unwrap_err();
        assert!(is_exhausted(&hashed), "{hashed}");
        let rows: Vec<RecordBatch> = query(&ctx, &join).await.unwrap().try_collect().await.unwrap();
        assert_eq!(rows[0].column(0).as_primitive::<Int64Type>().value(0), 300_000);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_fits_in_no_way_says_so_and_what_to_do() {
        let ctx = session(16 << 20);
        let all = format!("SELECT cardinality(array_agg(t)) FROM {SIDE}");
        let Err(error) = query(&ctx, &all).await else {
            panic!("an array of 30 MB in 16")
        };
        assert_eq!(error.class(), Class::Runtime);
        let told = error.to_string();
        assert!(told.contains("more memory than it may use"), "{told}");
        assert!(error.hints()[0].contains("--memory"), "{error:?}");
    }

    #[test]
    fn an_error_of_the_data_is_no_lack_of_memory() {
        let error = DataFusionError::from(Error::runtime("a damaged file"));
        assert!(!is_exhausted(&error));
    }
}
