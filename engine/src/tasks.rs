//! Work on many things at once.

use datafusion::common::runtime::SpawnedTask;
use futures::{StreamExt, TryStreamExt, stream};

use crate::error::Result;

/// Does `work` on every item, `at_once` of them at a time and on all cores, and hands what came of it to `each`, in no
/// order. Dropping the future stops the work.
///
/// # Errors
/// The first of `work` or of `each`.
pub async fn for_each_spawned<T, R, F>(
    items: impl IntoIterator<Item = T>,
    at_once: usize,
    work: impl Fn(T) -> F,
    mut each: impl FnMut(R) -> Result<()>,
) -> Result<()>
where
    R: Send + 'static,
    F: Future<Output = Result<R>> + Send + 'static,
{
    let tasks = items.into_iter().map(|item| SpawnedTask::spawn(work(item)));
    let mut results = stream::iter(tasks)
        .map(|task| async move { task.join().await? })
        .buffer_unordered(at_once.max(1));
    while let Some(found) = results.try_next().await? {
        each(found)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::error::Error;

    #[tokio::test(flavor = "multi_thread")]
    async fn every_item_is_worked_on_and_no_more_than_so_many_at_once() {
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut found = Vec::new();
        let work = |item: u64| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(item * 2)
            }
        };
        let each = |double| {
            found.push(double);
            Ok(())
        };
        for_each_spawned(0..20, 3, work, each).await.unwrap();
        found.sort_unstable();
        assert_eq!(found, (0..20).map(|item| item * 2).collect::<Vec<u64>>());
        assert!((2..=3).contains(&most.load(Ordering::SeqCst)), "{most:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_first_error_ends_it() {
        let work = |item: u64| async move {
            match item {
                3 => Err(Error::runtime("three")),
                _ => Ok(item),
            }
        };
        let ended = for_each_spawned(0..20, 2, work, |_| Ok(())).await;
        assert!(ended.unwrap_err().to_string().contains("three"));
    }
}
