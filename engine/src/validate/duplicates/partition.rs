//! The hashes of one batch, sorted by partition.
//!
//! ```text
//!   hash     │ partition │ fingerprint .......... │ not kept │
//!   entry                │ fingerprint .......... │ row      │   64 bits
//!
//!   rows 0 1 2 3 4 of partitions c a b a c   ─▶   entries │ 1 3 │ 2 │ 0 4 │   starts 0 2 3 5
//!                                                            a     b    c
//! ```
//!
//! A row number takes as many bits as the batch needs and leaves the rest to the fingerprint: 51 bits in a batch of 8192
//! rows, never fewer than 32.

use arrow::array::{Array, StringViewArray};

use super::hash::{Fold, INLINE_BYTES, KeyHasher};
use crate::error::{Error, Result};

/// Bits of a hash that choose the partition: at 50 million rows the filter of one fits the second-level cache.
pub(super) const PARTITION_BITS: u32 = 8;

/// Number of partitions.
pub(super) const NUM_PARTITIONS: usize = 1 << PARTITION_BITS;

/// Where each partition starts, and where the last one ends.
type Starts = [u32; NUM_PARTITIONS + 1];

/// What the index keeps of one batch: 8 bytes for each row with a key, and 1 kB.
#[derive(Debug)]
pub struct KeyHashes {
    /// Fingerprint and row, by partition, rows ascending within one.
    entries: Vec<u64>,
    /// Where in `entries` a partition starts.
    starts: Box<Starts>,
    /// Bits of an entry that are the row.
    row_bits: u32,
}

impl KeyHashes {
    /// Hashes the keys of one batch. NULL is no key; the empty string is one.
    ///
    /// # Errors
    /// A batch of more than 4 billion rows.
    pub fn of(keys: &StringViewArray) -> Result<Self> {
        Self::with_hasher(keys, &Fold)
    }

    /// [`of`](Self::of) with another hasher; all batches of one index need the same.
    ///
    /// # Errors
    /// A batch of more than 4 billion rows.
    pub fn with_hasher(keys: &StringViewArray, hasher: &impl KeyHasher) -> Result<Self> {
        let row_bits = row_bits(keys.len())?;
        let views = keys.views();
        let hash = |row: usize| match views.get(row).copied().unwrap_or_default() {
            view if view as u32 <= INLINE_BYTES => hasher.inline(view),
            _ => hasher.bytes(keys.value(row).as_bytes()),
        };
        Ok(match keys.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => Self::sorted(|| 0..views.len(), hash, row_bits),
            Some(nulls) => Self::sorted(|| nulls.valid_indices(), hash, row_bits),
        })
    }

    /// Number of rows that have a key.
    #[must_use]
    pub fn num_rows(&self) -> usize {
        self.entries.len()
    }

    /// Bytes held.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        size_of::<Self>() + size_of::<Starts>() + self.entries.capacity() * size_of::<u64>()
    }

    /// Bits of an entry that are the row.
    pub(super) fn row_bits(&self) -> u32 {
        self.row_bits
    }

    /// The entries of one partition.
    pub(super) fn partition(&self, partition: usize) -> &[u64] {
        let bound = |i: usize| self.starts.get(i).map_or(0, |start| *start as usize);
        self.entries
            .get(bound(partition)..bound(partition + 1))
            .unwrap_or_default()
    }

    /// Counting sort by partition of the rows that have a key.
    fn sorted<I: Iterator<Item = usize>>(
        rows: impl Fn() -> I,
        hash: impl Fn(usize) -> u64,
        row_bits: u32,
    ) -> Self {
        let hashes: Vec<u64> = rows().map(hash).collect();
        let starts = starts(&hashes);
        let mut next = *starts;
        let mut entries = vec![0; hashes.len()];
        let row_mask = low_bits(row_bits);
        for (row, hash) in rows().zip(&hashes) {
            let next = &mut next[partition_of(*hash)];
            if let Some(entry) = entries.get_mut(*next as usize) {
                *entry = (hash << PARTITION_BITS) & !row_mask | row as u64;
            }
            *next += 1;
        }
        Self {
            entries,
            starts,
            row_bits,
        }
    }
}

/// A mask of the lowest `num_bits` bits, at most 32.
pub(super) fn low_bits(num_bits: u32) -> u64 {
    (1 << num_bits) - 1
}

/// Less than [`NUM_PARTITIONS`], since no more bits are left.
fn partition_of(hash: u64) -> usize {
    (hash >> (u64::BITS - PARTITION_BITS)) as usize
}

fn starts(hashes: &[u64]) -> Box<Starts> {
    let mut starts = Box::new([0; NUM_PARTITIONS + 1]);
    for hash in hashes {
        starts[partition_of(*hash) + 1] += 1;
    }
    let mut sum = 0;
    for start in starts.iter_mut() {
        sum += *start;
        *start = sum;
    }
    starts
}

/// Bits that the highest row number of a batch needs.
fn row_bits(num_rows: usize) -> Result<u32> {
    let last = num_rows.saturating_sub(1);
    match u32::try_from(last) {
        Ok(last) if last < u32::MAX => Ok(u32::BITS - last.leading_zeros()),
        _ => Err(
            Error::runtime(format!("a batch has {num_rows} rows, more than 4 billion"))
                .hint("read the source in smaller batches"),
        ),
    }
}
