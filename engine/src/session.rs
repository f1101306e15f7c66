//! DataFusion sessions with a memory pool of their own.

mod pool;

use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::execution::memory_pool::TrackConsumersPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};

use self::pool::SharedPool;
use crate::error::Result;
use crate::settings::Settings;
use crate::validate::udf;

/// Memory consumers named in an error of the pool.
const CONSUMERS_SHOWN: NonZeroUsize = match NonZeroUsize::new(5) {
    Some(shown) => shown,
    None => NonZeroUsize::MIN,
};

/// Runs that a merge can read at a time, of rows of [`ROW_BYTES`].
const RUNS_AT_ONCE: usize = 4;
/// Batches of a run for which a merge takes memory.
const BATCHES_OF_A_RUN: usize = 2;
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
    let pool = SharedPool::new(memory_bytes, settings.threads);
    let merge_bytes = pool.merge_bytes();
    let pool = TrackConsumersPool::new(pool, CONSUMERS_SHOWN);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
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

/// Rows of a batch: few enough that a merge of `merge_bytes` can read some runs at a time, and no more than usual.
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
    use super::*;

    #[test]
    fn batches_are_smaller_where_there_is_little_memory_to_merge_them_in() {
        assert_eq!(batch_rows(75 << 20, 8192), 8192);
        assert_eq!(batch_rows(16 << 20, 8192), 2048);
        assert_eq!(batch_rows(1 << 20, 8192), 512);
    }
}
