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

/// A session that spills within `memory_bytes`, with our functions. Names keep their case: attributes are lower case,
/// source columns are quoted.
///
/// # Errors
/// No folder to spill into.
pub fn new_session(settings: &Settings, memory_bytes: usize) -> Result<SessionContext> {
    let pool = TrackConsumersPool::new(FairSpillPool::new(memory_bytes), CONSUMERS_SHOWN);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
        .build_arc()?;
    let mut config = SessionConfig::new()
        .with_target_partitions(settings.threads)
        .with_information_schema(true);
    config.options_mut().execution.parquet.pushdown_filters = true;
    config.options_mut().execution.time_zone = Some("UTC".to_owned());
    let ctx = SessionContext::new_with_config_rt(config, runtime);
    udf::register(&ctx);
    Ok(ctx)
}

/// A session with the resources and settings of `ctx` and a catalogue of its own.
#[must_use]
pub fn sibling(ctx: &SessionContext) -> SessionContext {
    let sibling = SessionContext::new_with_config_rt(ctx.copied_config(), ctx.runtime_env());
    udf::register(&sibling);
    sibling
}
