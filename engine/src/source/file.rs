//! A source file, and what makes it that file.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::local;
use super::remote::{PartReader, Parts, Remote};
use super::rows::Rows;
use crate::error::{Error, Result};

/// What tells one version of a file from the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Version {
    /// Size in bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since the epoch.
    pub modified_ns: i128,
    /// The store's own word for the version, if it has one.
    pub etag: Option<String>,
}

impl Version {
    /// Whether both are of the same content: by ETag, or by size and time where there is none.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let is_same_state = match (&self.etag, &other.etag) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => self.modified_ns == other.modified_ns,
        };
        is_same_state && self.size_bytes == other.size_bytes
    }
}

/// One source file, or a table in its place. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Full path or URL: what provenance columns and messages say.
    pub url: String,
    /// What was found there when it was opened.
    pub version: Version,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Local(Arc<File>),
    Remote(Remote),
    Rows(Arc<dyn Rows>),
}

impl SourceFile {
    /// Opens a file on this machine.
    ///
    /// # Errors
    /// The file is not there, is a folder, or cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let (url, file, version) = local::open(path)?;
        Ok(Self {
            url,
            version,
            content: Content::Local(Arc::new(file)),
        })
    }

    /// A file elsewhere.
    pub(super) fn remote(url: String, remote: Remote) -> Self {
        Self {
            url,
            version: remote.version().clone(),
            content: Content::Remote(remote),
        }
    }

    /// A table or query; `url` is how it is called.
    #[must_use]
    pub fn of_rows(url: String, rows: Arc<dyn Rows>) -> Self {
        Self {
            url,
            version: Version::default(),
            content: Content::Rows(rows),
        }
    }

    /// The identity by which a merged source is recognised (contract, section 3); a query has none.
    #[must_use]
    pub fn identity(&self) -> Option<String> {
        if let Content::Rows(rows) = &self.content {
            return rows.identity();
        }
        let Version {
            size_bytes,
            modified_ns,
            etag,
        } = &self.version;
        Some(match etag {
            Some(etag) => format!("{}|{size_bytes}|{etag}", self.url),
            None => format!("{}|{size_bytes}|{modified_ns}", self.url),
        })
    }

    /// Fails when the file is no longer the one that was opened. May wait.
    ///
    /// # Errors
    /// `source_changed`, or the file is gone.
    pub fn check_unchanged(&self) -> Result<()> {
        let now = match &self.content {
            Content::Local(_) => Self::open(Path::new(&self.url))?.version,
            Content::Remote(remote) => remote.inspect()?,
            Content::Rows(_) => return Ok(()),
        };
        match now.is(&self.version) {
            true => Ok(()),
            false => Err(changed().in_file(&self.url)),
        }
    }

    /// The file on this machine, if it is one.
    #[must_use]
    pub fn local(&self) -> Option<&Arc<File>> {
        match &self.content {
            Content::Local(file) => Some(file),
            Content::Remote(_) | Content::Rows(_) => None,
        }
    }

    /// Its rows, if it has no bytes.
    #[must_use]
    pub fn rows(&self) -> Option<&Arc<dyn Rows>> {
        match &self.content {
            Content::Rows(rows) => Some(rows),
            Content::Local(_) | Content::Remote(_) => None,
        }
    }

    /// Fills `out` with the bytes from `at` on. May wait.
    ///
    /// # Errors
    /// `source_changed`: the file ends before; or it cannot be read.
    pub fn read_at(&self, out: &mut [u8], at: u64) -> Result<()> {
        match &self.content {
            Content::Local(file) => local::fill(file, out, at, self.version.size_bytes),
            Content::Remote(remote) => remote.fill(out, at),
            Content::Rows(_) => Err(no_bytes()),
        }
        .map_err(|error| error.in_file(&self.url))
    }

    /// The first bytes, at most `max_bytes`. May wait.
    ///
    /// # Errors
    /// As [`read_at`](Self::read_at).
    pub fn head(&self, max_bytes: usize) -> Result<Vec<u8>> {
        let size = usize::try_from(self.version.size_bytes).unwrap_or(usize::MAX);
        let mut head = vec![0; size.min(max_bytes)];
        self.read_at(&mut head, 0)?;
        Ok(head)
    }

    /// The bytes from front to back, for one thread that may wait.
    ///
    /// # Errors
    /// It has none.
    pub fn reader(&self) -> Result<Box<dyn Read + Send>> {
        match &self.content {
            Content::Local(file) => Ok(Box::new(local::Sequential::new(Arc::clone(file)))),
            Content::Remote(remote) => Ok(Box::new(PartReader::new(remote.parts(0)))),
            Content::Rows(_) => Err(no_bytes()),
        }
    }

    /// The bytes of a file elsewhere from `start` on, fetched ahead.
    #[must_use]
    pub fn parts(&self, start: u64) -> Option<Parts> {
        match &self.content {
            Content::Remote(remote) => Some(remote.parts(start)),
            Content::Local(_) | Content::Rows(_) => None,
        }
    }

    /// The file for random access: itself, or a copy of it in a temporary file that goes with the handle. May wait.
    ///
    /// # Errors
    /// It cannot be read, or the disk is full.
    pub fn on_disk(&self) -> Result<Arc<File>> {
        match &self.content {
            Content::Local(file) => Ok(Arc::clone(file)),
            Content::Remote(remote) => remote.spool().map(Arc::new),
            Content::Rows(_) => Err(no_bytes()),
        }
        .map_err(|error| error.in_file(&self.url))
    }
}

/// The file is another one than was opened.
pub(super) fn changed() -> Error {
    Error::data("source_changed", "the file changed while it was read")
        .hint("run it again once the file is complete; write to another name and rename it when it is")
}

fn no_bytes() -> Error {
    Error::runtime("a table has rows and no bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_that_grows_is_another_file() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let opened = SourceFile::open(file.path()).unwrap();
        opened.check_unchanged().unwrap();
        file.write_all(b"more").unwrap();
        assert_eq!(
            opened.check_unchanged().unwrap_err().code(),
            Some("source_changed")
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error_that_names_it() {
        let error = SourceFile::open(Path::new("/nowhere/people.csv")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/people.csv"), "{error}");
    }

    #[test]
    fn an_etag_decides_where_both_have_one_and_else_the_time() {
        let version = |etag: Option<&str>, modified_ns| Version {
            size_bytes: 1,
            modified_ns,
            etag: etag.map(str::to_owned),
        };
        assert!(version(Some("a"), 1).is(&version(Some("a"), 2)));
        assert!(!version(Some("a"), 1).is(&version(Some("b"), 1)));
        assert!(version(None, 1).is(&version(Some("b"), 1)));
        assert!(!version(None, 1).is(&version(None, 2)));
    }
}
