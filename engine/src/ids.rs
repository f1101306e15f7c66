//! Names of runs and of the files they write.

use sha2::{Digest, Sha256};
use uuid::{NoContext, Timestamp, Uuid};

/// A new run id: UUIDv7 text, which sorts by time.
#[must_use]
pub fn new_run_id() -> String {
    Uuid::now_v7().to_string()
}

/// A new id that sorts where `run_id` does; where that is no UUIDv7, an id of now.
#[must_use]
pub fn new_id_beside(run_id: &str) -> String {
    let time = Uuid::parse_str(run_id).ok().and_then(|id| id.get_timestamp());
    match time {
        Some(time) => {
            let (seconds, nanos) = time.to_unix();
            Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, nanos)).to_string()
        }
        None => new_run_id(),
    }
}

/// When an id was made, microseconds since the epoch; `None` for one that tells no time.
#[must_use]
pub fn micros_of(run_id: &str) -> Option<i64> {
    let (seconds, nanos) = Uuid::parse_str(run_id).ok()?.get_timestamp()?.to_unix();
    i64::try_from(seconds * 1_000_000 + u64::from(nanos / 1000)).ok()
}

/// A new data file name. Names carry the run and are never used twice, so a second attempt of a run can never
/// meet the files of the first; those of one run sort in the order they were made.
#[must_use]
pub fn data_file(run_id: &str) -> String {
    format!("part-{run_id}-{}.parquet", Uuid::now_v7().simple())
}

/// The run that a data file is named after; `None` for a name that is not ours.
#[must_use]
pub fn run_of_data_file(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("part-")?;
    let id = rest.get(..uuid::fmt::Hyphenated::LENGTH)?;
    let is_ours = rest[id.len()..].starts_with('-') && Uuid::parse_str(id).is_ok();
    is_ours.then_some(id)
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
    fn files_of_a_run_carry_its_id_and_sort_as_they_were_made() {
        let run_id = new_run_id();
        let names: Vec<String> = (0..100).map(|_| data_file(&run_id)).collect();
        assert!(names.is_sorted(), "{names:?}");
        assert!(
            names
                .iter()
                .all(|name| run_of_data_file(name) == Some(run_id.as_str()))
        );
        for name in [
            "part-00000-c0ffee.snappy.parquet",
            "part-",
            "deletion_vector_1.bin",
        ] {
            assert_eq!(run_of_data_file(name), None, "{name}");
        }
    }

    #[test]
    fn an_id_beside_another_sorts_before_those_that_came_later() {
        let first = new_run_id();
        std::thread::sleep(std::time::Duration::from_millis(3));
        let later = new_run_id();
        let beside = new_id_beside(&first);
        assert!(beside != first && beside < later, "{first} {beside} {later}");
        assert!(new_id_beside("no id") > later);
    }

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
