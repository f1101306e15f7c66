//! Names of runs and of the files they write.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A new run id: UUIDv7 text, which sorts by time.
#[must_use]
pub fn new_run_id() -> String {
    Uuid::now_v7().to_string()
}

/// A new data file name. Names carry the run and are never used twice, so a second attempt of a run can never
/// meet the files of the first.
#[must_use]
pub fn data_file(run_id: &str) -> String {
    format!("part-{run_id}-{}.parquet", Uuid::new_v4().simple())
}

/// Bytes of a deletion vector's name that say whose it is.
const OWNER_BYTES: usize = 6;

/// The name of a new deletion-vector file. Delta knows it by its UUID alone, so the UUID carries the run: its first
/// bytes are a digest of the run id, the others are random.
#[must_use]
pub fn deletion_vector(run_id: &str) -> Uuid {
    let mut bytes = *Uuid::new_v4().as_bytes();
    for (byte, owner) in bytes.iter_mut().zip(owner(run_id)) {
        *byte = owner;
    }
    Uuid::from_bytes(bytes)
}

/// The file of a deletion vector, relative to its table.
#[must_use]
pub fn deletion_vector_file(name: Uuid) -> String {
    format!("deletion_vector_{name}.bin")
}

/// Whether a file of a table was written by `run_id`, as data or as deletion vector.
#[must_use]
pub fn is_written_by(run_id: &str, file: &str) -> bool {
    let vector = file
        .strip_prefix("deletion_vector_")
        .and_then(|rest| rest.strip_suffix(".bin")?.parse::<Uuid>().ok());
    match vector {
        Some(name) => name.as_bytes().starts_with(&owner(run_id)),
        None => file.starts_with(&format!("part-{run_id}-")),
    }
}

fn owner(run_id: &str) -> [u8; OWNER_BYTES] {
    let mut owner = [0; OWNER_BYTES];
    for (byte, digest) in owner.iter_mut().zip(Sha256::digest(run_id)) {
        *byte = digest;
    }
    owner
}

/// Microseconds since the epoch, now.
#[must_use]
pub fn now_micros() -> i64 {
    chrono::Utc::now().timestamp_micros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_of_the_run_that_wrote_it_and_of_no_other() {
        let (one, other) = (new_run_id(), new_run_id());
        for file in [data_file(&one), deletion_vector_file(deletion_vector(&one))] {
            assert!(is_written_by(&one, &file), "{file}");
            assert!(!is_written_by(&other, &file), "{file}");
        }
        assert!(!is_written_by(&one, "deletion_vector_of_nobody.bin"));
        assert_ne!(deletion_vector(&one), deletion_vector(&one));
    }
}
