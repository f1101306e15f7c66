//! Whether a store heeds the conditions that commits and leases rest on.
//!
//! ```text
//!   two create the same object at once       one is there, the other is refused: else two runs commit one version
//!   two replace what they both saw           one replaces it, the other is refused: else two runs hold one lease
//!   one replaces what it saw long ago        refused
//! ```

use std::sync::Arc;

use object_store::path::Path;
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::finding::Outcome;
use crate::document::{Document, Seen, Swapped};
use crate::error::Result;
use crate::source::objects::faults::{Asked, worded};

/// How often two race: a store without conditions may refuse one by chance.
const RACES: usize = 3;
/// What to do with a store that takes what it must refuse.
const REMEDY: &str = "keep no instance here: use a store that knows If-None-Match and If-Match, as S3 and Google Cloud Storage \
                      do; a proxy or gateway in between may drop them";

/// Has two create an object at once, whose name begins with `name`.
pub(super) async fn create(store: &Arc<dyn ObjectStore>, name: &str) -> Outcome {
    for race in 0..RACES {
        let path = Path::from(format!("{name}-{race}"));
        let put = async || {
            let options = PutOptions::from(PutMode::Create);
            store
                .put_opts(&path, PutPayload::from_static(b"1"), options)
                .await
        };
        let (first, second) = futures::join!(put(), put());
        // Nobody but us knows the name.
        let _ = store.delete(&path).await;
        if let Some(outcome) = judged([first.map(drop), second.map(drop)]) {
            return outcome;
        }
    }
    Outcome::good(format!("of two at once one was refused, {RACES} times"))
}

/// What is wrong, if anything is.
fn judged(puts: [object_store::Result<()>; 2]) -> Option<Outcome> {
    let mut winners = 0;
    for put in puts {
        match put {
            Ok(()) => winners += 1,
            Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => {}
            Err(StoreError::NotImplemented { .. } | StoreError::NotSupported { .. }) => {
                return Some(Outcome::failed("the store knows no conditional create", REMEDY));
            }
            Err(error) => return Some(Outcome::from(worded(error, Asked::Read))),
        }
    }
    match winners {
        1 => None,
        0 => Some(Outcome::failed("both were refused, and nothing is there", REMEDY)),
        _ => Some(Outcome::failed(
            "two created the same object, and both were told that it is theirs",
            REMEDY,
        )),
    }
}

/// Has one replace `document`, which nobody else knows, on what it saw long ago, and two at once on what both saw.
///
/// # Errors
/// The store failed.
pub(super) async fn replace(document: &Document) -> Result<Outcome> {
    let refused = || Ok(Outcome::failed("a write on what is there was refused", REMEDY));
    let Swapped::Done(first) = document.swap(&Seen::Nothing, b"1".to_vec()).await? else {
        return refused();
    };
    let Swapped::Done(second) = document.swap(&first, b"2".to_vec()).await? else {
        return refused();
    };
    if let Swapped::Done(_) = document.swap(&first, b"stale".to_vec()).await? {
        return Ok(Outcome::failed(
            "a write on an ETag that is not there any more was taken",
            REMEDY,
        ));
    }
    let (a, b) = futures::join!(
        document.swap(&second, b"a".to_vec()),
        document.swap(&second, b"b".to_vec())
    );
    let winners = [a?, b?]
        .iter()
        .filter(|swapped| matches!(swapped, Swapped::Done(_)))
        .count();
    Ok(match winners {
        1 => Outcome::good("a stale write was refused, and of two at once one"),
        _ => Outcome::failed(
            format!("{winners} of two who replaced the same version were taken"),
            REMEDY,
        ),
    })
}

#[cfg(test)]
mod tests;
