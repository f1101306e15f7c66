//! One maintenance of an instance at a time.

use std::fs::{File, TryLockError};

use crate::error::{Error, Result};
use crate::instance::Instance;

/// The lock's file, in the instance.
const LOCK_FILE: &str = ".maintenance.lock";

/// The right to lay out or delete files of an instance, until dropped. What optimize has written and not committed is
/// named by no version and by no lease; this is what keeps a vacuum from it.
#[derive(Debug)]
pub struct MaintenanceLock {
    _file: File,
}

impl MaintenanceLock {
    /// Takes the lock; `None` while somebody else has it. A program that dies gives it back.
    ///
    /// # Errors
    /// The instance's folder cannot be written.
    pub fn try_take(instance: &Instance) -> Result<Option<Self>> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(instance.root().join(LOCK_FILE))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Takes the lock, or says who may have it.
    ///
    /// # Errors
    /// Somebody else has it.
    pub fn take(instance: &Instance) -> Result<Self> {
        Self::try_take(instance)?.ok_or_else(|| {
            Error::conflict("another optimize or vacuum of this instance is under way")
                .hint("wait until it has ended and try again")
                .wrote("nothing")
        })
    }
}
