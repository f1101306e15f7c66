//! Objects that are replaced by conditional put.

use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion,
};
use uuid::Uuid;

use super::swap::{Seen, Swapped};
use crate::error::Result;
use crate::source::objects::faults::{Asked, is_no_bucket, worded};

/// An object says in its metadata who put it there, so that a program can tell its own content from an equal one.
const WRITE_ID: &str = "sluice-write";

/// An object as it was found.
pub(super) struct Found {
    pub content: Bytes,
    pub version: UpdateVersion,
    write_id: Option<String>,
}

/// Its content, if it is there.
///
/// # Errors
/// The store failed.
pub(super) async fn get(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<Option<Found>> {
    let read = async {
        let found = store.get(path).await?;
        let write_id = found.attributes.get(&Attribute::Metadata(WRITE_ID.into()));
        Ok(Found {
            write_id: write_id.map(|id| id.to_string()),
            version: UpdateVersion {
                e_tag: found.meta.e_tag.clone(),
                version: found.meta.version.clone(),
            },
            content: found.bytes().await?,
        })
    };
    match read.await {
        Ok(found) => Ok(Some(found)),
        Err(error @ object_store::Error::NotFound { .. }) if !is_no_bucket(&error) => Ok(None),
        Err(error) => Err(worded(error, Asked::Write)),
    }
}

/// Puts it there if it still is as it was `seen`.
///
/// # Errors
/// The store failed, and the object is not there.
pub(super) async fn put(
    store: &Arc<dyn ObjectStore>,
    path: &Path,
    seen: &Seen,
    content: Bytes,
) -> Result<Swapped> {
    let mode = match seen {
        Seen::Version(version) => PutMode::Update(version.clone()),
        Seen::Nothing | Seen::Content(_) => PutMode::Create,
    };
    let write_id = Uuid::new_v4().to_string();
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::Metadata(WRITE_ID.into()), write_id.clone().into());
    let options = PutOptions {
        mode,
        attributes,
        ..PutOptions::default()
    };
    let error = match store.put_opts(path, PutPayload::from(content), options).await {
        Ok(put) => return Ok(Swapped::Done(Seen::Version(put.into()))),
        Err(error) => error,
    };
    // Where the answer was lost on its way, the object may be there all the same; a client that asked again is then
    // refused for what it wrote itself.
    match get(store, path).await {
        Ok(Some(found)) if found.write_id.as_ref() == Some(&write_id) => {
            Ok(Swapped::Done(Seen::Version(found.version)))
        }
        _ if is_overtaken(&error) => Ok(Swapped::Overtaken),
        _ => Err(worded(error, Asked::Write)),
    }
}

fn is_overtaken(error: &object_store::Error) -> bool {
    use object_store::Error as Store;
    match error {
        Store::AlreadyExists { .. } | Store::Precondition { .. } => true,
        Store::NotFound { .. } => !is_no_bucket(error),
        _ => false,
    }
}

/// Removes it; one that is gone already is no failure.
///
/// # Errors
/// The store failed.
pub(super) async fn remove(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<()> {
    match store.delete(path).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(worded(error, Asked::Write)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::testing::{Flaw, Flawed};

    #[tokio::test]
    async fn what_was_put_and_whose_answer_was_lost_is_known_for_our_own() {
        let store: Arc<dyn ObjectStore> = Arc::new(Flawed::new(Flaw::LosesAnswers));
        let path = Path::from("p.state.json");
        let content = || Bytes::from_static(b"1");
        let Swapped::Done(seen) = put(&store, &path, &Seen::Nothing, content()).await.unwrap() else {
            panic!("it is there")
        };
        // Another program's is not, be it as equal.
        let late = put(&store, &path, &Seen::Nothing, content()).await.unwrap();
        assert!(matches!(late, Swapped::Overtaken), "{late:?}");
        let next = put(&store, &path, &seen, Bytes::from_static(b"2")).await.unwrap();
        assert!(matches!(next, Swapped::Done(_)), "{next:?}");
    }
}
