//! Room on disk for what does not fit into memory.

use std::path::Path;

use super::finding::Outcome;
use crate::error::Result;

/// Looks at the disk of `folder`.
///
/// # Errors
/// It is not there.
pub(super) fn look(folder: &Path, memory_bytes: u64) -> Result<Outcome> {
    let disk = rustix::fs::statvfs(folder).map_err(std::io::Error::from)?;
    let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
    if let Err(error) = tempfile::tempfile_in(folder) {
        return Ok(Outcome::failed(
            format!("no file can be made in {}: {error}", folder.display()),
            "set TMPDIR to a folder that you may write",
        ));
    }
    Ok(judged(&folder.display().to_string(), free_bytes, memory_bytes))
}

/// What is over the memory budget goes to disk, compressed; a disk with less room than that is soon full.
fn judged(folder: &str, free_bytes: u64, memory_bytes: u64) -> Outcome {
    let seen = format!(
        "{} free in {folder}, memory for a run {}",
        in_words(free_bytes),
        in_words(memory_bytes)
    );
    match free_bytes >= memory_bytes {
        true => Outcome::good(seen),
        false => Outcome::failed(
            seen,
            format!("make room in {folder}, or set TMPDIR to a folder on a larger disk"),
        ),
    }
}

fn in_words(bytes: u64) -> String {
    match bytes {
        0..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_room_than_memory_is_a_failure_that_names_the_folder() {
        let outcome = judged("/tmp", 4_000_000_000, 8_000_000_000);
        assert_eq!(outcome.seen(), "4.0 GB free in /tmp, memory for a run 8.0 GB");
        assert!(outcome.remedy().unwrap().contains("/tmp"));
        assert_eq!(judged("/tmp", 8_000_000_000, 8_000_000_000).word(), "ok");
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        assert!(look(Path::new("/nowhere/at/all"), 1).is_err());
        assert_eq!(look(&std::env::temp_dir(), 1).unwrap().word(), "ok");
    }
}
