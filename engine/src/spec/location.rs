//! Where a source is: the shapes of URL, their folders, and the name pattern of recurring files.

use super::problem::Problem;

/// The kind of place a source is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// A file on this machine.
    Local,
    /// An object in S3.
    S3,
    /// An object in Google Cloud Storage.
    Gcs,
    /// A file on an SFTP server.
    Sftp,
    /// A Snowflake table.
    SnowflakeTable,
    /// A Snowflake query.
    SnowflakeQuery,
}

impl SourceKind {
    /// Whether rows come from a file rather than from Snowflake.
    pub fn is_file(self) -> bool {
        !matches!(self, Self::SnowflakeTable | Self::SnowflakeQuery)
    }
}

/// The kind of place a URL or path names.
///
/// # Errors
/// An unknown scheme, a missing part, a password in the URL.
pub fn kind_of(url: &str) -> Result<SourceKind, Problem> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return match url.is_empty() || url.ends_with('/') {
            true => Err(Problem::new(
                "url",
                format!("`{url}` names no file"),
                "write the path of one file",
            )),
            false => Ok(SourceKind::Local),
        };
    };
    let (kind, whole, shape) = match scheme {
        "s3" => (SourceKind::S3, names_file(rest), "s3://BUCKET/PATH/FILE"),
        "gs" => (SourceKind::Gcs, names_file(rest), "gs://BUCKET/PATH/FILE"),
        "sftp" => (
            SourceKind::Sftp,
            names_file(rest),
            "sftp://[USER@]HOST[:PORT]/PATH/FILE",
        ),
        "snowflake" => (
            SourceKind::SnowflakeTable,
            names_table(rest),
            "snowflake://DB/SCHEMA/TABLE",
        ),
        _ => {
            let remedy = "write a path, or a URL of s3, gs, sftp or snowflake";
            return Err(Problem::new(
                "url",
                format!("`{scheme}://` is no kind of source"),
                remedy,
            ));
        }
    };
    if has_password(rest) && kind == SourceKind::Sftp {
        // The URL is not repeated: it would print the password.
        return Err(Problem::new(
            "url",
            "holds a password",
            "put it under [connections.NAME] and name the connection",
        ));
    }
    match whole {
        true => Ok(kind),
        false => Err(Problem::new(
            "url",
            format!("`{url}` is incomplete"),
            format!("write {shape}"),
        )),
    }
}

/// The kind of place that a process reads: of one file or table, and of files of a local folder ([`names_several`]).
///
/// # Errors
/// As [`kind_of`].
pub(super) fn kind_of_source(url: &str) -> Result<SourceKind, Problem> {
    match names_several(url) {
        true => Ok(SourceKind::Local),
        false => kind_of(url),
    }
}

/// Whether a URL names files in a local folder in place of one: the folder, `in/`, or a pattern, `in/Customers_%.csv`.
pub fn names_several(url: &str) -> bool {
    !url.contains("://") && (url.ends_with('/') || stem_and_extension(url).0.ends_with("_%"))
}

/// The kind of place that a folder is in: of a path, a bucket, a host, a database, and of what is below one.
///
/// # Errors
/// An unknown scheme, no bucket or host, a password in the URL.
pub fn kind_of_folder(url: &str) -> Result<SourceKind, Problem> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Ok(SourceKind::Local);
    };
    // What is below it is a file or table, whatever else the folder is called.
    let inside = match scheme {
        "snowflake" => "snowflake://DB/SCHEMA/TABLE".to_owned(),
        _ if rest.is_empty() => url.to_owned(),
        _ => format!("{}/file", url.trim_end_matches('/')),
    };
    kind_of(&inside)
}

fn names_file(rest: &str) -> bool {
    rest.split_once('/')
        .is_some_and(|(place, path)| !place.is_empty() && !path.is_empty() && !path.ends_with('/'))
}

fn names_table(rest: &str) -> bool {
    rest.split('/').count() == 3 && rest.split('/').all(|part| !part.is_empty())
}

fn has_password(rest: &str) -> bool {
    let authority = rest.split('/').next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .is_some_and(|(user, _)| user.contains(':'))
}

/// The folders between `root` and the file a remote URL names; `None`: the file is not under the root.
///
/// Without a root the bucket counts, or for SFTP the folder of login. A root is a path, with or without the
/// scheme and bucket in front.
pub fn folders_below(url: &str, root: Option<&str>) -> Option<usize> {
    let is_elsewhere = |root: &str| root.contains("://") && place_of(root) != place_of(url);
    if root.is_some_and(is_elsewhere) {
        return None;
    }
    let root = root.map_or("", path_of).trim_matches('/');
    let path = path_of(url).trim_start_matches('/');
    let below = match root {
        "" => path,
        root => path.strip_prefix(root)?.strip_prefix('/')?,
    };
    Some(below.matches('/').count())
}

/// Whether a file is at most `most` folders below the root.
///
/// # Errors
/// It is deeper, or elsewhere.
pub fn check_depth(url: &str, root: Option<&str>, most: usize) -> Result<(), Problem> {
    match folders_below(url, root) {
        None => {
            let what = format!("not under the connection's root `{}`", root.unwrap_or_default());
            let remedy = "name a file under the root, or another connection";
            Err(Problem::new("url", what, remedy))
        }
        Some(depth) if depth > most => {
            let what = format!("{depth} nested folders, the limit is {most}");
            let remedy = "move the file up, or set the connection's root further down";
            Err(Problem::new("url", what, remedy))
        }
        Some(_) => Ok(()),
    }
}

/// Scheme and bucket or host of a URL: what stands before its path.
pub fn place_of(url: &str) -> &str {
    let path = path_of(url);
    let place = url.get(..url.len() - path.len()).unwrap_or_default();
    place.strip_suffix('/').unwrap_or(place)
}

/// The path of a URL, without the slash before it; of anything else all of it.
pub fn path_of(url: &str) -> &str {
    match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => url,
    }
}

/// A file name's stem and extension; a compression suffix belongs to the extension: `a_1.csv.gz` is `a_1`, `csv.gz`.
pub fn stem_and_extension(url: &str) -> (&str, &str) {
    let name = url.rsplit('/').next().unwrap_or(url);
    let bare = [".gz", ".zst", ".bz2", ".xz"]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name);
    match bare.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => (stem, name.get(stem.len() + 1..).unwrap_or_default()),
        _ => (bare, name.get(bare.len() + 1..).unwrap_or_default()),
    }
}

/// The pattern of the files that follow the first one: its stem without a trailing `_digits`, then `_%`. Of a folder it
/// is `%`, any name; a pattern is its own.
pub fn default_pattern(url: &str) -> String {
    let (stem, _) = stem_and_extension(url);
    if names_several(url) {
        return if stem.is_empty() { "%" } else { stem }.to_owned();
    }
    let base = match stem.rsplit_once('_') {
        Some((base, serial)) if !base.is_empty() && is_serial(serial) => base,
        _ => stem,
    };
    format!("{base}_%")
}

fn is_serial(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

/// Whether a pattern is a file name's beginning, then `_%`.
///
/// # Errors
/// Another place for `%`, a folder, an extension behind `%`.
pub(super) fn check_pattern(pattern: &str) -> Result<(), Problem> {
    let base = pattern.strip_suffix("_%").unwrap_or_default();
    match base.is_empty() || base.contains(['%', '/']) {
        false => Ok(()),
        true => Err(Problem::new(
            "pattern",
            format!("`{pattern}` is no pattern"),
            "write the common beginning of the file names and _%, as \"Customers_%\", without folder and extension",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_source_is_told_from_its_url() {
        for (url, kind) in [
            ("Customers.csv", SourceKind::Local),
            ("../in/a b.csv", SourceKind::Local),
            ("s3://b/a.csv", SourceKind::S3),
            ("gs://b/x/a.csv", SourceKind::Gcs),
            ("sftp://user@host:2222/in/a.csv", SourceKind::Sftp),
            ("snowflake://DB/S/T", SourceKind::SnowflakeTable),
        ] {
            assert_eq!(kind_of(url), Ok(kind), "{url}");
        }
    }

    #[test]
    fn an_incomplete_or_foreign_url_is_refused() {
        for url in [
            "",
            "in/",
            "s3://b",
            "s3://b/",
            "s3:///a",
            "gs://b/x/",
            "sftp://host",
            "snowflake://DB/S",
            "snowflake://DB//T",
            "snowflake://DB/S/T/U",
            "ftp://h/a",
            "https://h/a.csv",
        ] {
            assert!(kind_of(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_bucket_and_what_is_below_it_are_folders() {
        for (url, kind) in [
            ("s3://b", SourceKind::S3),
            ("s3://b/", SourceKind::S3),
            ("gs://b/x/y/", SourceKind::Gcs),
            ("sftp://h", SourceKind::Sftp),
            ("snowflake://DB", SourceKind::SnowflakeTable),
            ("in/", SourceKind::Local),
        ] {
            assert_eq!(kind_of_folder(url), Ok(kind), "{url}");
        }
        assert!(kind_of_folder("s3://").is_err() && kind_of_folder("ftp://h").is_err());
    }

    #[test]
    fn a_local_folder_and_a_pattern_in_it_name_several_files() {
        for url in [
            "in/",
            "/data/in/",
            "in/Customers_%.csv",
            "Customers_%.csv.gz",
            "in/Customers_%",
        ] {
            assert!(names_several(url), "{url}");
            assert_eq!(kind_of_source(url), Ok(SourceKind::Local), "{url}");
        }
        for url in [
            "in/Customers.csv",
            "in/100%.csv",
            "s3://b/in/",
            "s3://b/Customers_%.csv",
            "in_%/a.csv",
        ] {
            assert!(!names_several(url), "{url}");
        }
        assert_eq!(default_pattern("in/"), "%");
        assert_eq!(default_pattern("in/Customers_%.csv"), "Customers_%");
    }

    #[test]
    fn a_password_in_a_url_is_refused_without_being_repeated() {
        let problem = kind_of("sftp://user:hunter2@host/a.csv").unwrap_err();
        assert!(problem.remedy.contains("connections"));
        assert!(!problem.to_string().contains("hunter2"));
    }

    #[test]
    fn folders_are_counted_from_the_root() {
        assert_eq!(folders_below("s3://b/a.csv", None), Some(0));
        assert_eq!(folders_below("s3://b/x/y/a.csv", None), Some(2));
        assert_eq!(folders_below("s3://b/x/y/z/a.csv", Some("x")), Some(2));
        assert_eq!(folders_below("s3://b/x/y/z/a.csv", Some("s3://b/x/y/")), Some(1));
        assert_eq!(folders_below("sftp://h/home/u/x/a.csv", Some("/home/u")), Some(1));
        assert_eq!(folders_below("s3://b/xy/a.csv", Some("x")), None);
        assert_eq!(folders_below("s3://c/x/a.csv", Some("s3://b/x")), None);
        assert_eq!(folders_below("s3://b/x/a.csv", Some("s3://b")), Some(1));
    }

    #[test]
    fn the_default_pattern_drops_a_serial_number() {
        for (url, pattern) in [
            ("s3://b/x/Customers.csv", "Customers_%"),
            ("Customers_1735689600.csv.gz", "Customers_%"),
            ("crm_daily.csv", "crm_daily_%"),
            ("crm_2.1.csv", "crm_2.1_%"),
            ("_1.csv", "_1_%"),
            ("plain", "plain_%"),
        ] {
            assert_eq!(default_pattern(url), pattern, "{url}");
        }
        assert_eq!(stem_and_extension("in/a_1.csv.gz"), ("a_1", "csv.gz"));
        assert_eq!(stem_and_extension("a.b.csv"), ("a.b", "csv"));
        assert_eq!(stem_and_extension(".hidden"), (".hidden", ""));
    }

    #[test]
    fn a_pattern_is_a_beginning_and_a_percent_sign() {
        assert!(check_pattern("Customers_%").is_ok());
        for pattern in [
            "",
            "%",
            "_%",
            "Customers%",
            "Customers_%.csv",
            "in/Customers_%",
            "a%b_%",
            "Customers_*",
        ] {
            assert!(check_pattern(pattern).is_err(), "{pattern}");
        }
    }
}
