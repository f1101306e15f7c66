//! The candidates of all partitions, put where verification wants them: by batch.
//!
//! ```text
//!   partition 0   class 0: batch 7 row 3, batch 2 row 9           batch 2: row 1 class 1, row 9 class 0
//!   partition 1   class 0: batch 2 row 1, batch 7 row 4    ─▶     batch 7: row 3 class 0, row 4 class 1
//! ```

use rayon::prelude::*;

use super::candidates::PartitionCandidates;
use super::repeated::{RepeatedBatch, RepeatedRow};
use crate::error::{Error, Result};

/// Rows that share their fingerprint with another row: every repeated key, and a false candidate now and then.
#[derive(Debug, Default)]
pub struct Candidates {
    /// By batch number, rows ascending, none empty. A row's `group` is the class of its fingerprint.
    pub(super) batches: Vec<RepeatedBatch>,
    /// Number of classes.
    pub(super) num_classes: u32,
}

impl Candidates {
    /// Number of rows.
    #[must_use]
    pub fn num_rows(&self) -> u64 {
        self.batches.iter().map(|batch| batch.rows.len() as u64).sum()
    }

    /// Puts the candidates of all partitions together; `numbers` are the batch numbers in the order of arrival.
    pub(super) fn gather(numbers: &[u32], partitions: Vec<PartitionCandidates>) -> Result<Self> {
        let mut batches = empty_batches(numbers, &partitions);
        let mut first_class = 0_u32;
        // Taken by value: a partition's memory is free again as soon as it is copied.
        for partition in partitions {
            let next_class = first_class
                .checked_add(partition.num_classes)
                .ok_or_else(too_many_classes)?;
            for candidate in &partition.rows {
                if let Some(batch) = batches.get_mut(candidate.position as usize) {
                    batch.rows.push(RepeatedRow {
                        row: candidate.row,
                        group: first_class + candidate.class,
                    });
                }
            }
            first_class = next_class;
        }
        batches.retain(|batch| !batch.rows.is_empty());
        batches
            .par_iter_mut()
            .for_each(|batch| batch.rows.sort_unstable());
        batches.sort_unstable_by_key(|batch| batch.batch);
        Ok(Self {
            batches,
            num_classes: first_class,
        })
    }
}

/// A batch for each number, with room for its candidates.
fn empty_batches(numbers: &[u32], partitions: &[PartitionCandidates]) -> Vec<RepeatedBatch> {
    let mut num_rows = vec![0; numbers.len()];
    for candidate in partitions.iter().flat_map(|partition| &partition.rows) {
        if let Some(num_rows) = num_rows.get_mut(candidate.position as usize) {
            *num_rows += 1;
        }
    }
    let batch = |(&batch, num_rows)| RepeatedBatch {
        batch,
        rows: Vec::with_capacity(num_rows),
    };
    numbers.iter().zip(num_rows).map(batch).collect()
}

fn too_many_classes() -> Error {
    Error::runtime("the source repeats more than 4 billion different keys")
        .hint("is the right column declared as the key?")
}
