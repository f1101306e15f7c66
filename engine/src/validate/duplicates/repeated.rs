//! The answer: repeated rows, by batch.

/// A row whose key occurs more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RepeatedRow {
    /// Row number within the batch.
    pub row: u32,
    /// Number of the key: rows of one group have the same key, rows of two groups have not.
    pub group: u32,
}

/// The repeated rows of one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepeatedBatch {
    /// The number that the batch was added under.
    pub batch: u32,
    /// At least one row, ascending.
    pub rows: Vec<RepeatedRow>,
}

/// All rows of a source whose key occurs more than once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repeated {
    /// Batches that have repeated rows, ascending by number.
    pub batches: Vec<RepeatedBatch>,
    /// Number of repeated keys. Groups are numbered from 0 in the order of their first row.
    pub num_groups: u32,
}

impl Repeated {
    /// Number of repeated rows.
    #[must_use]
    pub fn num_rows(&self) -> u64 {
        self.batches.iter().map(|batch| batch.rows.len() as u64).sum()
    }
}
