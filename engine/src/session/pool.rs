//! A memory pool in which merges of sorted runs leave room for others.
//!
//! A sort that has spilled merges its runs again, and takes memory for as many of them at a time as it can get. It gets
//! all there is: the sort of the next partition, and whoever merges what both give, get nothing, and the query fails
//! though every one of them could do with less. Here each merge gets a part of its thread's memory at most; it then
//! merges fewer runs at a time, in more rounds.

use std::fmt;

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};

/// How the name begins under which a sort takes memory for its merge.
const MERGE: &str = "ExternalSorterMerge";
/// Parts of a thread's memory of which a merge gets one: both sides of a join are sorted at the same time, and merged
/// after that.
const MERGES_AT_ONCE: usize = 4;

/// Memory in fair shares, of which merges get small ones.
#[derive(Debug)]
pub(super) struct SharedPool {
    shares: FairSpillPool,
    merge_bytes: usize,
}

impl SharedPool {
    /// A pool of `memory_bytes` for `threads`.
    pub fn new(memory_bytes: usize, threads: usize) -> Self {
        Self {
            shares: FairSpillPool::new(memory_bytes),
            merge_bytes: memory_bytes / threads.max(1) / MERGES_AT_ONCE,
        }
    }

    /// Bytes that one merge gets at most.
    pub fn merge_bytes(&self) -> usize {
        self.merge_bytes
    }
}

impl fmt::Display for SharedPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.shares, f)
    }
}

impl MemoryPool for SharedPool {
    fn name(&self) -> &str {
        "shared"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.shares.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.shares.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.shares.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.shares.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let name = reservation.consumer().name();
        if name.starts_with(MERGE) && reservation.size() + additional > self.merge_bytes {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "{name} has {} bytes, wants {additional} more and gets {} in all",
                reservation.size(),
                self.merge_bytes
            )));
        }
        self.shares.try_grow(reservation, additional)
    }

    fn reserved(&self) -> usize {
        self.shares.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.shares.memory_limit()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::RecordBatch;
    use futures::TryStreamExt;

    use super::*;
    use crate::session::new_session;
    use crate::settings::Settings;

    #[test]
    fn a_merge_gets_its_part_and_others_what_there_is() {
        let pool: Arc<dyn MemoryPool> = Arc::new(SharedPool::new(800, 2));
        let merge = MemoryConsumer::new("ExternalSorterMerge[0]").register(&pool);
        let other = MemoryConsumer::new("SortPreservingMergeExec[0]").register(&pool);
        merge.try_grow(100).unwrap();
        assert!(merge.try_grow(1).is_err());
        other.try_grow(700).unwrap();
        assert!(other.try_grow(1).is_err(), "the whole pool is taken");
        merge.shrink(50);
        merge.try_grow(50).unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_sort_of_several_times_the_memory_in_two_partitions_comes_to_its_end() {
        let settings = Settings {
            memory_bytes: 24 << 20,
            threads: 2,
        };
        let ctx = new_session(&settings, settings.memory_bytes).unwrap();
        let sort =
            "SELECT repeat(md5(CAST(value AS VARCHAR)), 10) AS t FROM generate_series(1, 400000) ORDER BY t";
        let rows = ctx.sql(sort).await.unwrap().execute_stream().await.unwrap();
        let batches: Vec<RecordBatch> = rows.try_collect().await.unwrap();
        let found: usize = batches.iter().map(|batch| batch.num_rows()).sum();
        assert_eq!(found, 400_000);
    }
}
