//! Deletion vectors as read: the rows they mark, the row selection that a Parquet scan understands, their file.

use delta_kernel::actions::deletion_vector::{
    DeletionVectorDescriptor as KernelDescriptor, DeletionVectorStorageType,
};
use deltalake_core::kernel::{DeletionVectorDescriptor, StorageType};
use deltalake_core::logstore::LogStore;
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use url::Url;

use crate::error::{Error, Result};

/// Reads a vector and turns it into the rows to keep of a file with `num_rows` rows.
///
/// # Errors
/// A vector that cannot be read or does not decode.
pub(super) fn selection(
    log: &dyn LogStore,
    descriptor: &DeletionVectorDescriptor,
    num_rows: u64,
) -> Result<RowSelection> {
    Ok(keep(&deleted_rows(log, descriptor)?, num_rows))
}

/// The positions that a vector marks, ascending.
///
/// # Errors
/// A vector that cannot be read or does not decode.
pub(super) fn deleted_rows(log: &dyn LogStore, descriptor: &DeletionVectorDescriptor) -> Result<Vec<u64>> {
    let unreadable = |e: delta_kernel::Error| {
        Error::runtime("a deletion vector could not be read")
            .in_file(&descriptor.path_or_inline_dv)
            .because(e)
    };
    let handler = log.engine(None).storage_handler();
    let vector = kernel_descriptor(descriptor).map_err(unreadable)?;
    vector.row_indexes(handler, log.root_url()).map_err(unreadable)
}

fn kernel_descriptor(descriptor: &DeletionVectorDescriptor) -> Result<KernelDescriptor, delta_kernel::Error> {
    let storage = match descriptor.storage_type {
        StorageType::UuidRelativePath => DeletionVectorStorageType::PersistedRelative,
        StorageType::Inline => DeletionVectorStorageType::Inline,
        StorageType::AbsolutePath => DeletionVectorStorageType::PersistedAbsolute,
    };
    let path = descriptor.path_or_inline_dv.as_str();
    let (offset, size_bytes) = (descriptor.offset, descriptor.size_in_bytes);
    KernelDescriptor::try_new(storage, path, offset, size_bytes, descriptor.cardinality)
}

/// The file that a vector is kept in, relative to the table; `None` for one that is kept in the log or elsewhere.
#[must_use]
pub fn vector_path(descriptor: &DeletionVectorDescriptor) -> Option<String> {
    if descriptor.storage_type != StorageType::UuidRelativePath {
        return None;
    }
    let table = Url::parse("table:///").ok()?;
    let file = kernel_descriptor(descriptor).ok()?.absolute_path(&table).ok()??;
    Some(file.path().trim_start_matches('/').to_owned())
}

/// The complement of sorted `deleted` positions, as runs.
///
/// ```text
///   rows 0..10, deleted [3, 4, 9]  ─▶  select 3, skip 2, select 4, skip 1
/// ```
fn keep(deleted: &[u64], num_rows: u64) -> RowSelection {
    let mut runs: Vec<RowSelector> = Vec::new();
    let mut next = 0;
    for &row in deleted.iter().filter(|row| **row < num_rows) {
        if row > next {
            runs.push(RowSelector::select((row - next) as usize));
        }
        match runs.last_mut() {
            Some(last) if last.skip && row == next => last.row_count += 1,
            _ => runs.push(RowSelector::skip(1)),
        }
        next = row + 1;
    }
    if next < num_rows {
        runs.push(RowSelector::select((num_rows - next) as usize));
    }
    RowSelection::from(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_rows_are_the_complement_of_the_deleted_ones() {
        let selected: Vec<(bool, usize)> = keep(&[3, 4, 9], 10)
            .iter()
            .map(|r| (r.skip, r.row_count))
            .collect();
        assert_eq!(selected, [(false, 3), (true, 2), (false, 4), (true, 1)]);
        assert_eq!(keep(&[], 5).row_count(), 5);
        assert_eq!(keep(&[0, 1, 2], 3).row_count(), 0);
    }
}
