//! What a place with files must be able to do.

use std::fmt::Debug;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

use super::file::Version;
use crate::error::{Error, Result};

/// A place with files. Paths are its own, as in the URL behind bucket or host; its futures run on the threads of `io`.
#[async_trait]
pub trait Store: Debug + Send + Sync {
    /// What is in `folder`, not below it; the empty path is the outermost one. One that may not be looked into says so.
    ///
    /// # Errors
    /// The folder cannot be listed.
    async fn children(&self, folder: &str) -> Result<Children>;

    /// The version of the file at `path` as it is now.
    ///
    /// # Errors
    /// It is not there, or may not be read.
    async fn inspect(&self, path: &str) -> Result<Version>;

    /// The bytes `range` of that `version` of the file, all of them.
    ///
    /// # Errors
    /// `source_changed`: the file is another one now; or it cannot be read.
    async fn read(&self, path: &str, version: &Version, range: Range<u64>) -> Result<Bytes>;

    /// How a file comes to be there.
    fn arrival(&self) -> Arrival;

    /// The full URL of `path`.
    fn url(&self, path: &str) -> String;
}

/// How a file comes to be in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// At once, when all of it is written.
    Whole,
    /// Byte by byte: it is seen while it is written.
    Growing,
}

/// What is in a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Children {
    /// Files.
    pub files: Vec<Entry>,
    /// Paths of folders.
    pub folders: Vec<String>,
    /// Whether we may look into it.
    pub access: Access,
}

/// Whether a folder may be looked into.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Access {
    /// It may.
    #[default]
    Open,
    /// It may not: nothing of it is seen.
    Denied,
}

impl Children {
    /// What is in a folder that may not be looked into.
    #[must_use]
    pub fn denied() -> Self {
        Self {
            access: Access::Denied,
            ..Self::default()
        }
    }

    /// The same of the folder at `url` that was asked for, which must not be closed to us.
    ///
    /// # Errors
    /// It is.
    pub fn open(self, url: &str) -> Result<Self> {
        match self.access {
            Access::Open => Ok(self),
            Access::Denied => Err(Error::runtime("the folder may not be read")
                .in_file(url)
                .hint("let the user read it, and enter the folders above it")),
        }
    }
}

/// A file as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path in the store.
    pub path: String,
    /// Its version.
    pub version: Version,
}

impl Entry {
    /// The name without folders.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}
