//! Whether a store heeds the conditions that commits rest on.
//!
//! ```text
//!   put if nothing is there   ─▶ there                    else every commit would overwrite another's
//!   put if nothing is there   ─▶ refused
//!   put if it is as it was    ─▶ there, once              else a lease would be held twice
//!   put if it is as it was    ─▶ refused
//! ```

use super::Root;
use crate::document::{Document, Seen, Swapped};
use crate::error::{Error, Result};
use crate::ids;

/// Puts a small object several times and removes it.
///
/// # Errors
/// The store takes what it must refuse, or refuses what it must take; it cannot be written.
pub async fn check(root: &Root) -> Result<()> {
    let document = root.document(&format!("condition-{}.json", ids::new_run_id()));
    let checked = put_and_put_again(&document).await;
    let removed = document.remove().await;
    if !checked? {
        return Err(Error::usage("the store does not heed the conditions of a put, so that writers would overwrite each other")
            .in_file(root.shown())
            .hint("use a store that knows If-None-Match and If-Match, as S3 and Google Cloud Storage do; a proxy between may drop them")
            .wrote("nothing"));
    }
    removed
}

async fn put_and_put_again(document: &Document) -> Result<bool> {
    let Swapped::Done(first) = document.swap(&Seen::Nothing, b"1".to_vec()).await? else {
        return Ok(false);
    };
    if let Swapped::Done(_) = document.swap(&Seen::Nothing, b"2".to_vec()).await? {
        return Ok(false);
    }
    let Swapped::Done(_) = document.swap(&first, b"3".to_vec()).await? else {
        return Ok(false);
    };
    Ok(matches!(
        document.swap(&first, b"4".to_vec()).await?,
        Swapped::Overtaken
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::ObjectStore;
    use object_store::memory::InMemory;

    use super::*;
    use crate::document::testing::{Flaw, Flawed};
    use crate::instance::Instance;

    fn root(store: impl ObjectStore) -> Root {
        Root::in_store(Arc::new(store), "s3://bucket/base").unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_instance_is_made_only_where_conditions_are_heeded() {
        let error = Instance::init(root(Flawed::new(Flaw::Heedless)))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("does not heed"), "{error}");
        assert!(!error.hints().is_empty());
        let good = root(InMemory::new());
        Instance::init(good.clone()).await.unwrap();
        let again = Instance::init(good.clone()).await.unwrap_err();
        assert!(again.to_string().contains("already"), "{again}");
        Instance::open(good.clone()).await.unwrap();
        let names = good.names("").await.unwrap();
        assert_eq!(names, ["sluice.toml"], "the object of the check is gone");
    }
}
