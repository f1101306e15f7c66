//! The threads that wait for networks.
//!
//! They are a runtime of their own: whoever waits for bytes may be a thread of the main runtime, which must not wait for
//! itself, and transfers go on while all cores decode.

use std::future::Future;
use std::sync::OnceLock;

use datafusion::common::runtime::SpawnedTask;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinSet;

use crate::error::{Error, Result};

/// Threads that move bytes; they never compute for long.
const IO_THREADS: usize = 2;

fn handle() -> Result<&'static Handle> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let start = || {
        // Several clients bring a provider of cryptography each; the first to be installed serves all.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Builder::new_multi_thread()
            .worker_threads(IO_THREADS)
            .thread_name("sluice-io")
            .enable_all()
            .build()
            .ok()
    };
    match RUNTIME.get_or_init(start) {
        Some(runtime) => Ok(runtime.handle()),
        None => Err(Error::runtime("no threads for input could be started")),
    }
}

/// Starts `work` there; it stops when the set is dropped.
pub(super) fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<JoinSet<T>> {
    let mut tasks = JoinSet::new();
    tasks.spawn_on(work, handle()?);
    Ok(tasks)
}

/// Does `work` there and waits for it. For threads that may wait.
///
/// # Errors
/// Those of the work.
pub fn wait<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    let mut tasks = spawn(work)?;
    match futures::executor::block_on(tasks.join_next()) {
        Some(outcome) => outcome?,
        None => Err(Error::runtime("a task of the source ended early")),
    }
}

/// Does `work` there. For tasks, which must not wait.
///
/// # Errors
/// Those of the work.
pub(crate) async fn ask<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    match spawn(work)?.join_next().await {
        Some(outcome) => outcome?,
        None => Err(Error::runtime("a task of the source ended early")),
    }
}

/// Does what may wait on a thread for it. One that is dropped goes on to its end, and is heard by nobody.
///
/// # Errors
/// Those of the work.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    SpawnedTask::spawn_blocking(work).await?
}
