//! Files on this machine.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use bytes::Bytes;

use super::file::Version;
use super::store::{Arrival, Children, Entry, Store};
use crate::error::{Error, Result};

/// Full path, file and version of what is at `path`.
///
/// # Errors
/// The file is not there, is a folder, or cannot be read.
pub(super) fn open(path: &Path) -> Result<(String, File, Version)> {
    let shown = || path.display().to_string();
    let found = std::fs::canonicalize(path).and_then(|full| {
        let file = File::open(&full)?;
        Ok((file.metadata()?, file, full))
    });
    let (metadata, file, full) = found.map_err(|error| not_found(&shown(), error))?;
    if metadata.is_dir() {
        return Err(Error::runtime("the source is a folder; name one file")
            .in_file(shown())
            .hint(format!("list what is in it: sluice discover {}", shown())));
    }
    Ok((full.display().to_string(), file, version(&metadata)?))
}

fn version(metadata: &Metadata) -> Result<Version> {
    let modified_ns = match metadata.modified()?.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_nanos() as i128,
        Err(before) => -(before.duration().as_nanos() as i128),
    };
    Ok(Version {
        size_bytes: metadata.len(),
        modified_ns,
        etag: None,
    })
}

fn not_found(path: &str, error: io::Error) -> Error {
    let error_text = match error.kind() {
        io::ErrorKind::NotFound => "the source file does not exist",
        io::ErrorKind::PermissionDenied => "the source file may not be read",
        _ => "the source file cannot be opened",
    };
    Error::runtime(error_text)
        .because(error)
        .in_file(path)
        .hint("check the path and its permissions")
}

/// Fills `out` from byte `start` on; the file had `size_bytes` when it was opened.
///
/// # Errors
/// `source_changed`: it ends before; or it cannot be read.
pub(crate) fn fill(file: &File, mut out: &mut [u8], start: u64, size_bytes: u64) -> Result<()> {
    let mut at = start;
    while !out.is_empty() {
        match file.read_at(out, at) {
            Ok(0) => return Err(shrunk(size_bytes, at)),
            Ok(read) => {
                out = out.get_mut(read..).unwrap_or_default();
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::runtime("the source could not be read").because(error)),
        }
    }
    Ok(())
}

/// The file got shorter than it was when it was opened.
pub(crate) fn shrunk(size_bytes: u64, at: u64) -> Error {
    let message = format!("the file had {size_bytes} bytes when it was opened and now ends at byte {at}");
    Error::data("source_changed", message).hint("start the run when the file is complete and at rest")
}

/// Reads a shared file from its front, with a place of its own.
#[derive(Debug)]
pub(super) struct Sequential {
    file: Arc<File>,
    at: u64,
}

impl Sequential {
    /// From the first byte on.
    pub(super) fn new(file: Arc<File>) -> Self {
        Self { file, at: 0 }
    }
}

impl Read for Sequential {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(out, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Folders on this machine, for listing them; a local file that is named is opened directly.
#[derive(Debug)]
pub(super) struct LocalFolders;

#[async_trait]
impl Store for LocalFolders {
    async fn children(&self, folder: &str) -> Result<Children> {
        let folder = PathBuf::from(if folder.is_empty() { "." } else { folder });
        let shown = folder.display().to_string();
        let mut children = Children::default();
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(Children::denied()),
            entries => entries.map_err(|error| not_found(&shown, error))?,
        };
        for entry in entries {
            let path = entry?.path();
            // A link that leads nowhere, or a file that went meanwhile, is not there.
            let Ok(metadata) = std::fs::metadata(&path) else {
                continue;
            };
            let name = path.display().to_string();
            if metadata.is_dir() {
                children.folders.push(name);
            } else {
                children.files.push(Entry {
                    path: name,
                    version: version(&metadata)?,
                });
            }
        }
        Ok(children)
    }

    async fn inspect(&self, path: &str) -> Result<Version> {
        Ok(open(Path::new(path))?.2)
    }

    async fn read(&self, path: &str, version: &Version, range: Range<u64>) -> Result<Bytes> {
        let mut out = vec![0; (range.end - range.start) as usize];
        fill(
            &open(Path::new(path))?.1,
            &mut out,
            range.start,
            version.size_bytes,
        )?;
        Ok(out.into())
    }

    fn arrival(&self) -> Arrival {
        Arrival::Growing
    }

    fn url(&self, path: &str) -> String {
        path.to_owned()
    }
}
