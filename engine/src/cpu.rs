//! CPU-bound work off the async workers.

use futures::channel::oneshot;

use crate::error::{Error, Result};

/// Runs `work` on a rayon thread and waits for it without blocking. Dropping the future before the work has begun
/// stops it from beginning.
///
/// # Errors
/// What `work` returns, or that it ended without an answer.
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (answer, result) = oneshot::channel();
    rayon::spawn(move || {
        if !answer.is_canceled() {
            // The other side may be gone by now; then nobody wants the answer.
            let _ = answer.send(work());
        }
    });
    result
        .await
        .map_err(|_| Error::runtime("a task of the engine ended without an answer"))?
}
