//! DataFusion sessions with a memory pool of their own.

use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::error::Result;
use crate::settings::Settings;
use crate::validate::udf;

/// Memory consumers named in an error of the pool.
const CONSUMERS_SHOWN: NonZeroUsize = match NonZeroUsize::new(5) {
    Some(shown) => shown,
    None => NonZeroUsize::MIN,
};

/// Sorted runs that a merge reads at a time. It takes memory for as many as it may, and leaves none to the sort of the
/// next partition and to whoever merges what both give.
const RUNS_AT_ONCE: usize = 8;
/// Batches of a run for which a merge takes memory.
const BATCHES_OF_A_RUN: usize = 2;
/// Parts of a thread's memory of which a merge gets one: both sides of a join are sorted at the same time, and merged
/// after that.
const MERGES_AT_ONCE: usize = 4;
/// A wide row.
const ROW_BYTES: usize = 1024;
/// Smaller batches cost more than the rows in them.
const LEAST_BATCH_ROWS: usize = 512;

/// A session that spills within `memory_bytes`, with our functions. Names keep their case: attributes are lower case,
/// source columns are quoted.
///
/// # Errors
/// No folder to spill into.
pub fn new_session(settings: &Settings, memory_bytes: usize) -> Result<SessionContext> {
    let merge_bytes = memory_bytes / settings.threads.max(1) / MERGES_AT_ONCE;
    let pool = TrackConsumersPool::new(FairSpillPool::new(memory_bytes), CONSUMERS_SHOWN);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
        .with_max_spill_merge_fan_in(RUNS_AT_ONCE)
        // The disk says itself when it is full.
        .with_max_temp_directory_size(u64::MAX)
        .build_arc()?;
    let usual = SessionConfig::new();
    let batch_rows = batch_rows(merge_bytes, usual.batch_size());
    let mut config = usual
        .with_batch_size(batch_rows)
        .with_target_partitions(settings.threads)
        .with_information_schema(true);
    config.options_mut().execution.parquet.pushdown_filters = true;
    // What a sort keeps for its merge before it has spilled leaves room for rows.
    let execution = &mut config.options_mut().execution;
    execution.sort_spill_reservation_bytes = execution.sort_spill_reservation_bytes.min(merge_bytes / 2);
    config.options_mut().execution.time_zone = Some("UTC".to_owned());
    let ctx = SessionContext::new_with_config_rt(config, runtime);
    udf::register(&ctx);
    Ok(ctx)
}

/// Rows of a batch: few enough that a merge of `merge_bytes` can read its runs, and no more than usual.
fn batch_rows(merge_bytes: usize, usual_rows: usize) -> usize {
    let rows = merge_bytes / (RUNS_AT_ONCE * BATCHES_OF_A_RUN * ROW_BYTES);
    rows.clamp(LEAST_BATCH_ROWS.min(usual_rows), usual_rows)
}

/// A session with the resources and settings of `ctx` and a catalogue of its own.
#[must_use]
pub fn sibling(ctx: &SessionContext) -> SessionContext {
    let sibling = SessionContext::new_with_config_rt(ctx.copied_config(), ctx.runtime_env());
    udf::register(&sibling);
    sibling
}

#[cfg(test)]
mod tests {
    use arrow::array::RecordBatch;
    use futures::TryStreamExt;

    use super::*;

    #[test]
    fn batches_are_smaller_where_there_is_little_memory_to_merge_them_in() {
        assert_eq!(batch_rows(150 << 20, 8192), 8192);
        assert_eq!(batch_rows(32 << 20, 8192), 2048);
        assert_eq!(batch_rows(1 << 20, 8192), 512);
    }

    async fn sorted_rows(memory_bytes: usize, query: &str) -> usize {
        let settings = Settings {
            memory_bytes,
            threads: 2,
        };
        let ctx = new_session(&settings, settings.memory_bytes).unwrap();
        let rows = ctx.sql(query).await.unwrap().execute_stream().await.unwrap();
        let batches: Vec<RecordBatch> = rows.try_collect().await.unwrap();
        batches.iter().map(RecordBatch::num_rows).sum()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_sort_of_several_times_the_memory_in_two_partitions_comes_to_its_end() {
        let narrow =
            "SELECT repeat(md5(CAST(value AS VARCHAR)), 10) AS t FROM generate_series(1, 400000) ORDER BY t";
        assert_eq!(sorted_rows(24 << 20, narrow).await, 400_000);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_sort_of_wide_rows_by_two_columns_takes_what_it_has_in_memory_to_disk() {
        let column = |i: u64| {
            format!(
                "lpad(CAST(value * {} % 100003 AS VARCHAR), 32, 'x') AS t{i}",
                7_919 + i
            )
        };
        let columns: Vec<String> = (0..15).map(column).collect();
        let wide = format!(
            "SELECT {} FROM generate_series(1, 100000) ORDER BY t3, t7",
            columns.join(", ")
        );
        assert_eq!(sorted_rows(48 << 20, &wide).await, 100_000);
    }
}
