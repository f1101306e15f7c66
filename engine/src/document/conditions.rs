//! Whether a store heeds the conditions that commits and leases rest on.
//!
//! ```text
//!   two create the same object at once       one is there, the other is refused: else two runs commit one version
//!   one replaces what it saw long ago        refused
//!   two replace what they both saw           one replaces it, the other is refused: else two runs hold one lease
//! ```

use std::sync::Arc;

use object_store::path::Path;
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::swap::{Document, Seen, Swapped};
use crate::error::{Error, Result};
use crate::source::objects::faults::{Asked, worded};

/// How often two race: a store without conditions may refuse one by chance.
const RACES: usize = 3;
/// What to do with a store that takes what it must refuse.
pub const REMEDY: &str = "keep no instance here: use a store that knows If-None-Match and If-Match, as S3 and Google Cloud Storage \
                          do; a proxy or gateway in between may drop them";

/// What a store makes of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Heed {
    /// It heeds it; what it did.
    Heeded(&'static str),
    /// It does not; how that showed.
    Ignored(&'static str),
}

/// Whether `store` heeds both conditions, tried on objects whose names begin with `name` and that nobody else knows. They
/// are removed.
///
/// # Errors
/// It does not; it cannot be written.
pub async fn demand(store: &Arc<dyn ObjectStore>, name: &str) -> Result<()> {
    let document = Document::in_store(Arc::clone(store), Path::from(name));
    let replaced = replace(&document).await;
    let removed = document.remove().await;
    for heed in [replaced?, create(store, name).await?] {
        if let Heed::Ignored(showed) = heed {
            let why =
                "the store does not heed the conditions of a put, so that writers would overwrite each other";
            return Err(Error::usage(why).because(showed).hint(REMEDY).wrote("nothing"));
        }
    }
    removed
}

/// Has two create an object at once whose name begins with `name` and that nobody else knows; several times.
///
/// # Errors
/// The store cannot be written.
pub async fn create(store: &Arc<dyn ObjectStore>, name: &str) -> Result<Heed> {
    let mut decided = 0;
    for race in 0..RACES {
        let path = Path::from(format!("{name}-{race}"));
        let put = async || {
            let options = PutOptions::from(PutMode::Create);
            store
                .put_opts(&path, PutPayload::from_static(b"1"), options)
                .await
        };
        let (first, second) = futures::join!(put(), put());
        let is_there = store.head(&path).await.is_ok();
        // What went wrong before counts more.
        let _ = store.delete(&path).await;
        match [taken(first.map(drop)), taken(second.map(drop))] {
            [
                Err(StoreError::NotImplemented { .. } | StoreError::NotSupported { .. }),
                _,
            ] => {
                return Ok(Heed::Ignored("it knows no conditional create"));
            }
            [Err(error), _] | [_, Err(error)] => return Err(worded(error, Asked::Write)),
            [Ok(true), Ok(true)] => {
                return Ok(Heed::Ignored(
                    "two created the same object, and both were told that it is theirs",
                ));
            }
            [Ok(false), Ok(false)] if !is_there => {
                return Ok(Heed::Ignored("both were refused, and nothing is there"));
            }
            // The answer to the first was lost, and the client asked again: that decides nothing.
            [Ok(false), Ok(false)] => {}
            [Ok(true), Ok(false)] | [Ok(false), Ok(true)] => decided += 1,
        }
    }
    Ok(match decided {
        0 => Heed::Ignored("two created the same object, and neither was told that it is theirs"),
        _ => Heed::Heeded("of two at once one was refused"),
    })
}

/// Whether a put was taken; one that was refused is no failure.
fn taken(put: object_store::Result<()>) -> object_store::Result<bool> {
    match put {
        Ok(()) => Ok(true),
        Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Has one replace `document`, which nobody else knows, on what it saw long ago, and two at once on what both saw. It is
/// left there.
///
/// # Errors
/// The store failed.
pub async fn replace(document: &Document) -> Result<Heed> {
    let refused = Ok(Heed::Ignored("a write on what is there was refused"));
    let Swapped::Done(first) = document.swap(&Seen::Nothing, b"1".to_vec()).await? else {
        return refused;
    };
    let Swapped::Done(second) = document.swap(&first, b"2".to_vec()).await? else {
        return refused;
    };
    if let Swapped::Done(_) = document.swap(&first, b"stale".to_vec()).await? {
        return Ok(Heed::Ignored(
            "a write on an ETag that is not there any more was taken",
        ));
    }
    let (a, b) = futures::join!(
        document.swap(&second, b"a".to_vec()),
        document.swap(&second, b"b".to_vec())
    );
    let is_done = |swapped: Swapped| matches!(swapped, Swapped::Done(_));
    Ok(match (is_done(a?), is_done(b?)) {
        (true, true) => Heed::Ignored("two replaced the same version, and both were taken"),
        (false, false) => Heed::Ignored("two replaced the same version, and neither was taken"),
        _ => Heed::Heeded("a stale write was refused, and of two at once one"),
    })
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;
    use crate::document::testing::{Flaw, Flawed};

    async fn both(store: Arc<dyn ObjectStore>) -> [Heed; 2] {
        let document = Document::in_store(Arc::clone(&store), Path::from("document"));
        [
            create(&store, "object").await.unwrap(),
            replace(&document).await.unwrap(),
        ]
    }

    fn are_heeded(heeds: [Heed; 2]) -> bool {
        heeds.iter().all(|heed| matches!(heed, Heed::Heeded(_)))
    }

    #[tokio::test]
    async fn a_store_that_heeds_conditions_passes_and_nothing_stays_there() {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        assert!(are_heeded(both(Arc::clone(&store)).await));
        assert!(store.head(&Path::from("object-0")).await.is_err());
    }

    #[tokio::test]
    async fn a_folder_of_this_machine_passes() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn ObjectStore> =
            Arc::new(object_store::local::LocalFileSystem::new_with_prefix(folder.path()).unwrap());
        let document = Document::in_folder(folder.path(), "document");
        assert!(are_heeded([
            create(&store, "object").await.unwrap(),
            replace(&document).await.unwrap()
        ]));
    }

    #[tokio::test]
    async fn a_store_that_takes_what_it_must_refuse_is_found_out() {
        let heeds = both(Arc::new(Flawed::new(Flaw::Heedless))).await;
        let [Heed::Ignored(create), Heed::Ignored(replace)] = heeds else {
            panic!("{heeds:?}")
        };
        assert!(create.contains("both were told that it is theirs"), "{create}");
        assert!(replace.contains("not there any more was taken"), "{replace}");
    }

    #[tokio::test]
    async fn a_store_whose_every_answer_is_lost_shows_no_conditional_create() {
        let store: Arc<dyn ObjectStore> = Arc::new(Flawed::new(Flaw::LosesAnswers));
        let heed = create(&store, "object").await.unwrap();
        assert!(
            matches!(heed, Heed::Ignored(showed) if showed.contains("neither was told")),
            "{heed:?}"
        );
    }
}
