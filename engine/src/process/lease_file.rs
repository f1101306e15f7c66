//! A lease in a file of its own: the right to do something in an instance alone.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use datafusion::common::runtime::SpawnedTask;
use tokio::sync::Mutex;

use super::lease::{Lease, renewal_pause};
use crate::document::{Document, Seen, Swapped};
use crate::error::Result;
use crate::ids;

/// Time between two looks at a lease that somebody has.
const LOOK: Duration = Duration::from_millis(50);

/// A file that says who has a right.
#[derive(Debug, Clone)]
pub struct LeaseFile {
    document: Document,
    term: Duration,
}

/// The right, until it is given back. It is renewed while it lasts, and lapses when its holder has died: on the same
/// host at once, else when its term is over.
#[derive(Debug)]
pub struct HeldLease {
    held: Arc<Mutex<Held>>,
    _renewal: SpawnedTask<()>,
}

#[derive(Debug)]
struct Held {
    file: LeaseFile,
    /// None once it is given back.
    lease: Option<Lease>,
    seen: Seen,
}

/// What became of an attempt to take a lease.
#[derive(Debug)]
#[must_use]
pub enum Taking {
    /// It is ours.
    Taken(HeldLease),
    /// Somebody else has this one.
    Refused(Lease),
}

impl LeaseFile {
    /// The lease in `document`, of which a new one lasts for `term`.
    #[must_use]
    pub fn new(document: Document, term: Duration) -> Self {
        Self { document, term }
    }

    /// Takes it for `work`, a word, unless somebody else has it.
    ///
    /// # Errors
    /// The instance cannot be written.
    pub async fn try_take(&self, work: &str) -> Result<Taking> {
        let lease = Lease::new(ids::new_run_id(), 0, work.to_owned(), self.term);
        loop {
            let (content, seen) = self.document.read().await?;
            // What is no lease is none: a program that died while it wrote leaves the old content or the new one.
            let found: Option<Lease> = content
                .and_then(|text| serde_json::from_slice(&text).ok())
                .flatten();
            if let Some(other) = found.filter(|other| !other.is_dead()) {
                return Ok(Taking::Refused(other));
            }
            let content = serde_json::to_vec_pretty(&Some(&lease))?;
            if let Swapped::Done(seen) = self.document.swap(&seen, content).await? {
                let held = Arc::new(Mutex::new(Held {
                    file: self.clone(),
                    lease: Some(lease),
                    seen,
                }));
                return Ok(Taking::Taken(HeldLease {
                    _renewal: renewal(Arc::clone(&held), renewal_pause(self.term)),
                    held,
                }));
            }
        }
    }

    /// As [`try_take`](Self::try_take), but waits a while for whoever has it.
    ///
    /// # Errors
    /// The instance cannot be written.
    pub async fn take_within(&self, work: &str, patience: Duration) -> Result<Taking> {
        let until = tokio::time::Instant::now() + patience;
        loop {
            match self.try_take(work).await? {
                Taking::Refused(_) if tokio::time::Instant::now() < until => tokio::time::sleep(LOOK).await,
                decided => return Ok(decided),
            }
        }
    }
}

impl HeldLease {
    /// Makes sure that the lease is still ours, and renews it. Overtaken: it lapsed, and somebody else has taken it.
    ///
    /// # Errors
    /// The instance cannot be written.
    pub async fn confirm(&self) -> Result<Swapped> {
        self.held.lock().await.renew().await
    }

    /// Gives the lease back.
    pub async fn release(self) {
        self.held.lock().await.give_back().await;
    }
}

/// Work that is dropped midway gives the lease back too, a little later.
impl Drop for HeldLease {
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
        lease.renew(self.file.term, Utc::now());
        self.replace(Some(lease)).await
    }

    /// One that cannot be given back lapses.
    async fn give_back(&mut self) {
        if self.lease.take().is_some() {
            let _ = self.replace(None).await;
        }
    }

    async fn replace(&mut self, lease: Option<Lease>) -> Result<Swapped> {
        let content = serde_json::to_vec_pretty(&lease)?;
        let swapped = self.file.document.swap(&self.seen, content).await?;
        if let Swapped::Done(seen) = &swapped {
            (self.seen, self.lease) = (seen.clone(), lease);
        }
        Ok(swapped)
    }
}

/// Renews the lease until dropped.
fn renewal(held: Arc<Mutex<Held>>, pause: Duration) -> SpawnedTask<()> {
    SpawnedTask::spawn(async move {
        loop {
            tokio::time::sleep(pause).await;
            // One that fails is tried again; several may fail before the lease lapses.
            let _ = held.lock().await.renew().await;
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use object_store::memory::InMemory;
    use object_store::path::Path;

    use super::*;

    const NAME: &str = "some.lease.json";

    fn files(folder: &std::path::Path) -> [LeaseFile; 2] {
        [
            Document::in_store(Arc::new(InMemory::new()), Path::from(NAME)),
            Document::in_folder(folder, NAME),
        ]
        .map(|document| LeaseFile::new(document, Duration::from_secs(600)))
    }

    async fn taken(file: &LeaseFile) -> Option<HeldLease> {
        match file.try_take("optimize").await.unwrap() {
            Taking::Taken(lease) => Some(lease),
            Taking::Refused(_) => None,
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_many_at_once_one_takes_it_in_any_store() {
        let folder = tempfile::tempdir().unwrap();
        for file in files(folder.path()) {
            for _ in 0..3 {
                let attempts = (0..8).map(|_| taken(&file));
                let attempts = futures::future::join_all(attempts).await;
                let mut leases: Vec<_> = attempts.into_iter().flatten().collect();
                assert_eq!(leases.len(), 1, "{file:?}");
                leases.pop().unwrap().release().await;
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_lease_that_lapsed_is_taken_and_its_holder_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for file in files(folder.path()) {
            let slow = taken(&file).await.unwrap();
            assert!(matches!(slow.confirm().await.unwrap(), Swapped::Done(_)));
            {
                let mut held = slow.held.lock().await;
                let mut lapsed = held.lease.clone().unwrap();
                lapsed.expires_at = chrono::Utc::now() - chrono::Duration::seconds(1);
                let replaced = held.replace(Some(lapsed)).await.unwrap();
                assert!(matches!(replaced, Swapped::Done(_)));
            }
            let next = taken(&file).await.unwrap();
            assert!(matches!(slow.confirm().await.unwrap(), Swapped::Overtaken));
            // Given back by who has it no more, it stays with who has it.
            slow.release().await;
            assert!(taken(&file).await.is_none());
            next.release().await;
            assert!(taken(&file).await.is_some());
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_lease_outlasts_its_term_while_it_is_held() {
        let folder = tempfile::tempdir().unwrap();
        for LeaseFile { document, .. } in files(folder.path()) {
            let file = LeaseFile::new(document, Duration::from_secs(20));
            let held = taken(&file).await.unwrap();
            let lapse = async || {
                let (content, _) = file.document.read().await.unwrap();
                let lease: Lease = serde_json::from_slice(&content.unwrap()).unwrap();
                lease.expires_at
            };
            let (begun, first) = (Instant::now(), lapse().await);
            while lapse().await == first {
                assert!(
                    begun.elapsed() < Duration::from_secs(120),
                    "nobody renews {file:?}"
                );
                tokio::time::sleep(LOOK).await;
            }
            assert!(taken(&file).await.is_none(), "{file:?}");
            held.release().await;
        }
    }

    #[tokio::test]
    async fn what_is_no_lease_is_none() {
        let folder = tempfile::tempdir().unwrap();
        for file in files(folder.path()) {
            let (_, nothing) = file.document.read().await.unwrap();
            let damaged = file.document.swap(&nothing, b"{".to_vec()).await.unwrap();
            assert!(matches!(damaged, Swapped::Done(_)));
            assert!(taken(&file).await.is_some());
        }
    }
}
