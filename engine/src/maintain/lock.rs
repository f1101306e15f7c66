//! One maintenance of an instance at a time: a lease, kept in the instance.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use datafusion::common::runtime::SpawnedTask;
use tokio::sync::Mutex;

use crate::document::{Document, Seen, Swapped};
use crate::error::{Error, Result};
use crate::ids;
use crate::instance::Instance;
use crate::process::Lease;

/// The lease's file, in the instance.
const LEASE_FILE: &str = "maintenance.lease.json";
/// Time between two renewals.
const RENEWAL: Duration = Duration::from_secs(60);
/// Time between two looks at a lease that somebody has.
const LOOK: Duration = Duration::from_millis(50);

/// The right to lay out or delete files of an instance, or to go back to older ones. What optimize or a rollback has
/// written and not committed is named by no version and by no lease of a run; this is what keeps a vacuum from it.
///
/// It is renewed while it lasts, and lapses some minutes after its holder has died, on the same host at once.
#[derive(Debug)]
pub struct MaintenanceLock {
    held: Arc<Mutex<Held>>,
    _renewal: SpawnedTask<()>,
}

#[derive(Debug)]
struct Held {
    document: Document,
    /// None once it is given back.
    lease: Option<Lease>,
    seen: Seen,
}

/// Who has the lease.
enum Attempt {
    Taken(MaintenanceLock),
    Refused(Lease),
}

impl MaintenanceLock {
    /// Takes the lease for `work`, a word; `None` while somebody else has it.
    ///
    /// # Errors
    /// The instance cannot be written.
    pub async fn try_take(instance: &Instance, work: &str) -> Result<Option<Self>> {
        match attempt(document(instance), work).await? {
            Attempt::Taken(lock) => Ok(Some(lock)),
            Attempt::Refused(_) => Ok(None),
        }
    }

    /// Takes the lease, or says who has it.
    ///
    /// # Errors
    /// Somebody else has it.
    pub async fn take(instance: &Instance, work: &str) -> Result<Self> {
        Self::take_within(instance, work, Duration::ZERO).await
    }

    /// As [`take`](Self::take), but waits a while for whoever has it.
    ///
    /// # Errors
    /// Somebody else has it still.
    pub async fn take_within(instance: &Instance, work: &str, patience: Duration) -> Result<Self> {
        let until = tokio::time::Instant::now() + patience;
        loop {
            match attempt(document(instance), work).await? {
                Attempt::Taken(lock) => return Ok(lock),
                Attempt::Refused(_) if tokio::time::Instant::now() < until => tokio::time::sleep(LOOK).await,
                Attempt::Refused(other) => return Err(refused(&other)),
            }
        }
    }

    /// Makes sure that the lease is still ours, and renews it.
    ///
    /// # Errors
    /// It lapsed, and somebody else has taken it.
    pub async fn confirm(&self) -> Result<()> {
        match self.held.lock().await.renew().await? {
            Swapped::Done(_) => Ok(()),
            Swapped::Overtaken => Err(
                Error::conflict("the lease of this maintenance lapsed and was taken")
                    .hint("run it again when the other one has ended"),
            ),
        }
    }

    /// Gives the lease back.
    pub async fn release(self) {
        self.held.lock().await.give_back().await;
    }
}

/// Work that is dropped midway gives the lease back too, a little later.
impl Drop for MaintenanceLock {
    fn drop(&mut self) {
        let held = Arc::clone(&self.held);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { held.lock().await.give_back().await });
        }
    }
}

impl Held {
    async fn renew(&mut self) -> Result<Swapped> {
        let Some(mut lease) = self.lease.clone() else {
            return Ok(Swapped::Overtaken);
        };
        lease.renew(Utc::now());
        self.replace(Some(lease)).await
    }

    /// One that cannot be given back lapses.
    async fn give_back(&mut self) {
        if self.lease.take().is_some() {
            let _ = self.replace(None).await;
        }
    }

    async fn replace(&mut self, lease: Option<Lease>) -> Result<Swapped> {
        let swapped = self
            .document
            .swap(&self.seen, serde_json::to_vec_pretty(&lease)?)
            .await?;
        if let Swapped::Done(seen) = &swapped {
            (self.seen, self.lease) = (seen.clone(), lease);
        }
        Ok(swapped)
    }
}

fn document(instance: &Instance) -> Document {
    Document::in_folder(instance.root(), LEASE_FILE)
}

async fn attempt(document: Document, work: &str) -> Result<Attempt> {
    let lease = Lease::new(ids::new_run_id(), 0, work.to_owned());
    loop {
        let (content, seen) = document.read().await?;
        // What is no lease is none: a program that died while it wrote leaves the old content or the new one.
        let found: Option<Lease> = content
            .and_then(|text| serde_json::from_slice(&text).ok())
            .flatten();
        if let Some(other) = found.filter(|other| !other.is_dead()) {
            return Ok(Attempt::Refused(other));
        }
        let content = serde_json::to_vec_pretty(&Some(&lease))?;
        if let Swapped::Done(seen) = document.swap(&seen, content).await? {
            let held = Arc::new(Mutex::new(Held {
                document,
                lease: Some(lease),
                seen,
            }));
            return Ok(Attempt::Taken(MaintenanceLock {
                _renewal: renewal(Arc::clone(&held)),
                held,
            }));
        }
    }
}

/// Renews the lease until dropped.
fn renewal(held: Arc<Mutex<Held>>) -> SpawnedTask<()> {
    SpawnedTask::spawn(async move {
        loop {
            tokio::time::sleep(RENEWAL).await;
            // One that fails is tried again; ten may fail before the lease lapses.
            let _ = held.lock().await.renew().await;
        }
    })
}

fn refused(other: &Lease) -> Error {
    let Lease { trigger, holder, .. } = other;
    let who = format!("{trigger} (process id {} on {})", holder.pid, holder.host);
    Error::conflict(format!("other maintenance of this instance is under way: {who}"))
        .hint("wait until it has ended and try again")
        .wrote("nothing")
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;
    use object_store::path::Path;

    use super::*;

    fn documents(folder: &std::path::Path) -> [Document; 2] {
        [
            Document::in_store(Arc::new(InMemory::new()), Path::from(LEASE_FILE)),
            Document::in_folder(folder, LEASE_FILE),
        ]
    }

    async fn taken(document: &Document) -> Option<MaintenanceLock> {
        match attempt(document.clone(), "optimize").await.unwrap() {
            Attempt::Taken(lock) => Some(lock),
            Attempt::Refused(_) => None,
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_many_at_once_one_takes_it_in_any_store() {
        let folder = tempfile::tempdir().unwrap();
        for document in documents(folder.path()) {
            for _ in 0..3 {
                let attempts = (0..8).map(|_| taken(&document));
                let mut locks: Vec<_> = futures::future::join_all(attempts)
                    .await
                    .into_iter()
                    .flatten()
                    .collect();
                assert_eq!(locks.len(), 1, "{document:?}");
                locks.pop().unwrap().release().await;
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_lease_that_lapsed_is_taken_and_its_holder_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for document in documents(folder.path()) {
            let slow = taken(&document).await.unwrap();
            slow.confirm().await.unwrap();
            {
                let mut held = slow.held.lock().await;
                let mut lapsed = held.lease.clone().unwrap();
                lapsed.expires_at = chrono::Utc::now() - chrono::Duration::seconds(1);
                assert!(matches!(
                    held.replace(Some(lapsed)).await.unwrap(),
                    Swapped::Done(_)
                ));
            }
            let next = taken(&document).await.unwrap();
            let told = slow.confirm().await.unwrap_err();
            assert!(told.to_string().contains("lapsed"), "{told}");
            // Given back by who has it no more, it stays with who has it.
            slow.release().await;
            assert!(taken(&document).await.is_none());
            next.release().await;
            assert!(taken(&document).await.is_some());
        }
    }

    #[tokio::test]
    async fn what_is_no_lease_is_none() {
        let folder = tempfile::tempdir().unwrap();
        for document in documents(folder.path()) {
            let (_, nothing) = document.read().await.unwrap();
            assert!(matches!(
                document.swap(&nothing, b"{".to_vec()).await.unwrap(),
                Swapped::Done(_)
            ));
            assert!(taken(&document).await.is_some());
        }
    }
}
