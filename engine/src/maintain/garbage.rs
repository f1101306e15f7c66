//! Which of the files that are there may go. Pure.

use chrono::{DateTime, Duration, Utc};

/// A file that is in a table's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedFile {
    /// Its path, relative to the table.
    pub path: String,
    /// Its size.
    pub size_bytes: u64,
    /// When it was written.
    pub modified: DateTime<Utc>,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// Rows.
    Data,
    /// Deletion vectors.
    Vectors,
    /// What a program that died was writing.
    Partial,
    /// Nothing of a table: the log, or somebody else's.
    Other,
}

/// Files younger than this stay even where no retention protects them: who writes them may be about to commit.
pub(super) const GRACE: Duration = Duration::hours(1);

/// What a name says.
pub(super) fn kind(path: &str) -> FileKind {
    let name = path.rsplit('/').next().unwrap_or(path);
    if path.split('/').any(|part| part.starts_with(['_', '.'])) {
        return FileKind::Other;
    }
    // A local store writes to `name#1` and renames.
    let (whole, partial) = match name.split_once('#') {
        Some((whole, number)) => {
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            (whole, is_number)
        }
        None => (name, false),
    };
    let kind = if whole.ends_with(".parquet") {
        FileKind::Data
    } else if whole.starts_with("deletion_vector_") && whole.ends_with(".bin") {
        FileKind::Vectors
    } else {
        return FileKind::Other;
    };
    match (partial, name == whole) {
        (true, _) => FileKind::Partial,
        (false, true) => kind,
        (false, false) => FileKind::Other,
    }
}

/// What protects files.
pub(super) struct Guard<'a> {
    /// Whether a version that is kept names the file.
    pub is_named: &'a dyn Fn(&str) -> bool,
    /// Whether a run under way wrote it.
    pub is_leased: &'a dyn Fn(&str) -> bool,
    /// When the oldest run under way began: a file that is younger may be one of its.
    pub oldest_lease: Option<DateTime<Utc>>,
    /// The retention's end.
    pub cutoff: DateTime<Utc>,
    /// Now.
    pub now: DateTime<Utc>,
}

/// Whether a file may go: it is of a kind that a table has, no kept version names it, and it is older than the
/// retention, than the grace, and than every run under way.
pub(super) fn is_garbage(file: &ListedFile, guard: &Guard<'_>) -> bool {
    kind(&file.path) != FileKind::Other
        && !(guard.is_named)(&file.path)
        && !(guard.is_leased)(&file.path)
        && file.modified <= guard.cutoff.min(guard.now - GRACE)
        && guard.oldest_lease.is_none_or(|began| file.modified < began)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::hours(hour)
    }

    fn judged(path: &str, modified: i64, cutoff: i64, oldest_lease: Option<i64>) -> bool {
        let file = ListedFile {
            path: path.to_owned(),
            size_bytes: 1,
            modified: at(modified),
        };
        let guard = Guard {
            is_named: &|path| path == "named.parquet",
            is_leased: &|path| path.starts_with("part-leased-"),
            oldest_lease: oldest_lease.map(at),
            cutoff: at(cutoff),
            now: at(100),
        };
        is_garbage(&file, &guard)
    }

    #[test]
    fn only_old_files_that_nobody_names_go() {
        assert!(judged("a.parquet", 50, 50, None));
        assert!(!judged("named.parquet", 1, 50, None));
        assert!(!judged("a.parquet", 51, 50, None));
        assert!(!judged("part-leased-1.parquet", 1, 50, None));
    }

    #[test]
    fn without_retention_an_hour_of_grace_remains() {
        assert!(judged("a.parquet", 99, 100, None));
        assert!(!judged("a.parquet", 100, 100, None));
    }

    #[test]
    fn what_is_younger_than_a_run_under_way_may_be_its() {
        assert!(!judged("deletion_vector_1.bin", 20, 50, Some(20)));
        assert!(judged("deletion_vector_1.bin", 19, 50, Some(20)));
    }

    #[test]
    fn names_tell_what_a_file_is() {
        for (path, expected) in [
            ("part-1.parquet", FileKind::Data),
            ("year=2020/part-1.snappy.parquet", FileKind::Data),
            ("deletion_vector_1.bin", FileKind::Vectors),
            ("ab/deletion_vector_1.bin", FileKind::Vectors),
            ("part-1.parquet#1", FileKind::Partial),
            ("deletion_vector_1.bin#12", FileKind::Partial),
            ("part-1.parquet#", FileKind::Other),
            ("part-1.parquet#x", FileKind::Other),
            (
                "_delta_log/00000000000000000010.checkpoint.parquet",
                FileKind::Other,
            ),
            ("_hidden/part-1.parquet", FileKind::Other),
            (".part-1.parquet.crc", FileKind::Other),
            ("README.md", FileKind::Other),
            ("notes.bin", FileKind::Other),
        ] {
            assert_eq!(kind(path), expected, "{path}");
        }
    }
}
