//! What an erasure did, or would do. The customer's id is in none of it.

use serde::Serialize;

use crate::maintain::MaintainedTable;

/// What a purge did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PurgeReport {
    /// Whether nothing was written on purpose.
    pub dry_run: bool,
    /// Rejects that left: the customer's, and those of nobody that named it.
    pub rejects_rows: u64,
    /// Rejects of others that named it: they lost values and bytes.
    pub blanked_rows: u64,
    /// Files of `rejects` that were written anew.
    pub rewritten_files: u64,
    /// The version of `rejects` without them; older ones have them until they are vacuumed.
    pub version: Option<u64>,
}

/// What forgetting a customer did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ForgetReport {
    /// Whether nothing was written on purpose.
    pub dry_run: bool,
    /// Customers that left: one, or none where it was in older versions only.
    pub customers_rows: u64,
    /// Rejects that left.
    pub rejects_rows: u64,
    /// Rejects of others that named it: they lost values and bytes.
    pub blanked_rows: u64,
    /// Files that readers see and that were written anew.
    pub rewritten_files: u64,
    /// Files of older versions, and what dead programs left, that were deleted.
    pub deleted_files: u64,
    /// Tables whose log named the customer and begins anew: what made their older versions is no longer known.
    pub cut_logs: Vec<MaintainedTable>,
    /// The newest version of `customers`: of those before it, the ones that held the customer cannot be read any more.
    pub customers_version: u64,
    /// Files that were read for the proof.
    pub read_files: u64,
    /// Their bytes.
    pub read_bytes: u64,
    /// Where the id still stands in what belongs to others: their attributes, texts that users wrote.
    pub mentions: Vec<String>,
}

impl ForgetReport {
    /// Whether there was nothing to erase.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            customers_rows,
            rejects_rows,
            blanked_rows,
            rewritten_files,
            deleted_files,
            cut_logs,
            ..
        } = self;
        let counts = [
            customers_rows,
            rejects_rows,
            blanked_rows,
            rewritten_files,
            deleted_files,
        ];
        counts.iter().all(|count| **count == 0) && cut_logs.is_empty()
    }
}
