//! One maintenance of an instance at a time: a lease, kept in the instance.

use std::time::Duration;

use crate::document::Swapped;
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::process::{HeldLease, Lease, LeaseFile, Taking};

/// The lease's file, in the instance.
const LEASE_FILE: &str = "maintenance.lease.json";

/// The right to lay out or delete files of an instance, or to go back to older ones. What optimize or a rollback has
/// written and not committed is named by no version and by no lease of a run; this is what keeps a vacuum from it.
#[derive(Debug)]
pub struct MaintenanceLock {
    lease: HeldLease,
}

impl MaintenanceLock {
    /// Takes the lease for `work`, a word; `None` while somebody else has it.
    ///
    /// # Errors
    /// The instance cannot be written.
    pub async fn try_take(instance: &Instance, work: &str) -> Result<Option<Self>> {
        match file(instance).try_take(work).await? {
            Taking::Taken(lease) => Ok(Some(Self { lease })),
            Taking::Refused(_) => Ok(None),
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
        match file(instance).take_within(work, patience).await? {
            Taking::Taken(lease) => Ok(Self { lease }),
            Taking::Refused(other) => Err(refused(&other)),
        }
    }

    /// Makes sure that the lease is still ours, and renews it.
    ///
    /// # Errors
    /// It lapsed, and somebody else has taken it.
    pub async fn confirm(&self) -> Result<()> {
        match self.lease.confirm().await? {
            Swapped::Done(_) => Ok(()),
            Swapped::Overtaken => Err(
                Error::conflict("the lease of this maintenance lapsed and was taken")
                    .hint("run it again when the other one has ended"),
            ),
        }
    }

    /// Gives the lease back.
    pub async fn release(self) {
        self.lease.release().await;
    }
}

fn file(instance: &Instance) -> LeaseFile {
    LeaseFile::new(
        instance.root().document(LEASE_FILE),
        instance.config().limits.lease,
    )
}

fn refused(other: &Lease) -> Error {
    let Lease { trigger, holder, .. } = other;
    let who = format!("{trigger} (process id {} on {})", holder.pid, holder.host);
    Error::conflict(format!("other maintenance of this instance is under way: {who}"))
        .hint("wait until it has ended and try again")
        .wrote("nothing")
}
