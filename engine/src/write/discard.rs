//! Taking back files that no version names.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::error::Result;

/// Files deleted at once.
const AT_ONCE: usize = 16;

/// Deletes files of a table; one that is gone already is no failure.
///
/// # Errors
/// The store failed; some of the files may be gone.
pub async fn discard<'a>(
    store: &Arc<dyn ObjectStore>,
    files: impl IntoIterator<Item = &'a str>,
) -> Result<()> {
    use futures::{StreamExt, TryStreamExt, stream};
    let paths: Vec<Path> = files.into_iter().map(Path::from).collect();
    stream::iter(paths)
        .map(|path| async move {
            match store.delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}
