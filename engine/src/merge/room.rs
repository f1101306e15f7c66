//! Memory for the changes of files that are merged at the same time.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::{Error, Result};

/// Bytes of a permit.
const PERMIT_BYTES: usize = 1 << 20;

/// So much memory, given out to who asks and given back when it drops what it got. Whoever merges a file holds all its
/// changes: a narrow file of 64 MB has a million customers, and as many changes may meet it.
#[derive(Debug)]
pub struct Room {
    permits: Semaphore,
    all: u32,
}

impl Room {
    /// Room for `bytes`.
    #[must_use]
    pub fn of(bytes: usize) -> Self {
        let all = permits(bytes).max(1);
        Self {
            permits: Semaphore::new(all as usize),
            all,
        }
    }

    /// Waits until there is room for `bytes`, or, if they are more than all of it, until nobody else has any.
    ///
    /// # Errors
    /// None that is known.
    pub(super) async fn take(&self, bytes: usize) -> Result<SemaphorePermit<'_>> {
        let wanted = permits(bytes).min(self.all);
        let taken = self.permits.acquire_many(wanted).await;
        taken.map_err(|error| Error::runtime("the room for changes was closed").because(error))
    }
}

fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    const MIB: usize = 1 << 20;

    #[tokio::test]
    async fn who_finds_no_room_waits_until_somebody_leaves() {
        let room = Room::of(10 * MIB);
        let (first, second) = (
            room.take(6 * MIB).await.unwrap(),
            room.take(4 * MIB).await.unwrap(),
        );
        assert!(room.take(1).now_or_never().is_none());
        drop(second);
        let third = room.take(3 * MIB + 1).now_or_never();
        assert!(third.is_some());
        drop(first);
    }

    #[tokio::test]
    async fn who_needs_more_than_all_room_is_alone_in_it() {
        let room = Room::of(10 * MIB);
        let small = room.take(MIB).await.unwrap();
        assert!(room.take(99 * MIB).now_or_never().is_none());
        drop(small);
        let large = room.take(99 * MIB).await.unwrap();
        assert!(room.take(MIB).now_or_never().is_none());
        assert!(
            room.take(0).now_or_never().is_some(),
            "who needs none never waits"
        );
        drop(large);
    }
}
