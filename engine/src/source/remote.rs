//! Files elsewhere: fetched in ranges, ahead of whoever reads.
//!
//! ```text
//!   head                 part      part      part      part
//!   ├─ fetched once ─┤├─ taken ─┤├─ next ──┤├─ coming ┤├─ coming ┤ ...      PARTS_AHEAD at a time
//! ```
//!
//! Memory is bounded by the parts ahead; a reader that stops taking stops the fetching, dropping it ends it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use datafusion::common::runtime::SpawnedTask;
use futures::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::file::Version;
use super::io::{spawn, wait};
use super::store::Store;
use crate::error::{Error, Result};

/// Bytes at the front that one request brings for all who look at the beginning: encoding, header, preview.
const HEAD_BYTES: u64 = (1 << 20) + (64 << 10);
/// Bytes of a later request; Amazon's guide to S3's performance names 8 to 16 MB.
const PART_BYTES: u64 = 8 << 20;
/// Requests under way at the same time.
const PARTS_AHEAD: usize = 8;
/// Bytes of a request behind the head by somebody who reads here and there: a footer, the pages of a column.
const BLOCK_BYTES: u64 = 1 << 20;
/// Such blocks that are kept.
const RECENT_BLOCKS: usize = 32;

/// One version of a file elsewhere. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Remote {
    file: Arc<RemoteFile>,
    /// Locked while it is fetched: whoever else wants it waits for it.
    head: Arc<Mutex<Option<Bytes>>>,
    /// Blocks with their first bytes, the oldest first.
    recent: Arc<Mutex<VecDeque<(u64, Bytes)>>>,
}

#[derive(Debug)]
struct RemoteFile {
    store: Arc<dyn Store>,
    path: String,
    version: Version,
}

impl RemoteFile {
    async fn fetch(&self, range: Range<u64>) -> Result<Bytes> {
        let wanted = range.end - range.start;
        let bytes = self.store.read(&self.path, &self.version, range).await?;
        if bytes.len() as u64 == wanted {
            return Ok(bytes);
        }
        let message = format!("{} bytes came where {wanted} were asked for", bytes.len());
        Err(Error::runtime(message).hint("try again; if it stays so, upload the file again"))
    }
}

impl Remote {
    /// That version of the file at `path`.
    pub(super) fn new(store: Arc<dyn Store>, path: String, version: Version) -> Self {
        Self {
            file: Arc::new(RemoteFile { store, path, version }),
            head: Arc::default(),
            recent: Arc::default(),
        }
    }

    /// The version.
    pub(super) fn version(&self) -> &Version {
        &self.file.version
    }

    /// The version that is there now.
    pub(super) fn inspect(&self) -> Result<Version> {
        let file = Arc::clone(&self.file);
        wait(async move { file.store.inspect(&file.path).await })
    }

    /// Fills `out` with the bytes from `at` on.
    pub(super) fn fill(&self, out: &mut [u8], at: u64) -> Result<()> {
        let range = at..at.saturating_add(out.len() as u64);
        if range.end > self.version().size_bytes {
            return Err(super::shrunk(range.end, self.version().size_bytes));
        }
        if range.end <= HEAD_BYTES {
            out.copy_from_slice(&self.head()?.slice(range.start as usize..range.end as usize));
        } else if out.len() as u64 > BLOCK_BYTES {
            out.copy_from_slice(&self.fetch(range)?);
        } else {
            self.fill_from_blocks(out, at)?;
        }
        Ok(())
    }

    fn fill_from_blocks(&self, out: &mut [u8], at: u64) -> Result<()> {
        let mut filled = 0;
        while filled < out.len() {
            let at = at + filled as u64;
            let (start, block) = self.block(at / BLOCK_BYTES * BLOCK_BYTES)?;
            let piece = block.slice((at - start) as usize..);
            let num_bytes = piece.len().min(out.len() - filled);
            if let Some(out) = out.get_mut(filled..filled + num_bytes) {
                out.copy_from_slice(&piece.slice(..num_bytes));
            }
            filled += num_bytes;
        }
        Ok(())
    }

    /// The block from `start` on, fetched unless it was not long ago.
    fn block(&self, start: u64) -> Result<(u64, Bytes)> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = recent.iter().find(|(first, _)| *first == start) {
            return Ok(known.clone());
        }
        let end = self.version().size_bytes.min(start + BLOCK_BYTES);
        let block = (start, self.fetch(start..end)?);
        if recent.len() == RECENT_BLOCKS {
            recent.pop_front();
        }
        recent.push_back(block.clone());
        Ok(block)
    }

    /// All bytes from `start` on, in order.
    pub(super) fn parts(&self, start: u64) -> Parts {
        Parts {
            remote: self.clone(),
            at: start,
            fetching: None,
        }
    }

    /// A copy of the file on this machine's disk, which nobody else sees.
    pub(super) fn spool(&self) -> Result<File> {
        let full = |error: io::Error| {
            let folder = std::env::temp_dir().display().to_string();
            Error::runtime("the file could not be kept on this machine's disk")
                .because(error)
                .hint(format!(
                    "make room in {folder}, or set TMPDIR to a folder that has it"
                ))
        };
        let mut file = tempfile::tempfile().map_err(full)?;
        let mut parts = self.parts(0);
        while let Some(part) = parts.next_part()? {
            file.write_all(&part).map_err(full)?;
        }
        Ok(file)
    }

    fn head(&self) -> Result<Bytes> {
        let mut head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(head) = &*head {
            return Ok(head.clone());
        }
        let fetched = self.fetch(0..HEAD_BYTES.min(self.version().size_bytes))?;
        *head = Some(fetched.clone());
        Ok(fetched)
    }

    fn fetch(&self, range: Range<u64>) -> Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let file = Arc::clone(&self.file);
        wait(async move { file.fetch(range).await })
    }
}

/// The bytes of a file elsewhere in order, fetched ahead once more than its head is wanted.
#[derive(Debug)]
pub struct Parts {
    remote: Remote,
    /// First byte that was not given yet.
    at: u64,
    fetching: Option<Fetching>,
}

#[derive(Debug)]
struct Fetching {
    parts: mpsc::Receiver<Result<Bytes>>,
    /// Stops the fetching when it goes.
    _task: JoinSet<()>,
}

impl Parts {
    /// The next bytes; `None` at the end. May wait.
    ///
    /// # Errors
    /// `source_changed`, or they cannot be read; then nothing more comes.
    pub fn next_part(&mut self) -> Result<Option<Bytes>> {
        if self.at >= self.remote.version().size_bytes {
            return Ok(None);
        }
        let part = match self.at < HEAD_BYTES {
            true => self.remote.head()?.slice(self.at as usize..),
            false => self.fetched()?,
        };
        self.at += part.len() as u64;
        Ok(Some(part))
    }

    fn fetched(&mut self) -> Result<Bytes> {
        let fetching = match &mut self.fetching {
            Some(fetching) => fetching,
            none => none.insert(Fetching::start(&self.remote.file, self.at)?),
        };
        let ended = || Err(Error::runtime("the fetching of the source ended early"));
        futures::executor::block_on(fetching.parts.recv()).unwrap_or_else(ended)
    }
}

impl Fetching {
    fn start(file: &Arc<RemoteFile>, from: u64) -> Result<Self> {
        let (sender, parts) = mpsc::channel(1);
        let size_bytes = file.version.size_bytes;
        let file = Arc::clone(file);
        let task = spawn(async move {
            let fetches = ranges(from, size_bytes).map(|range| {
                let file = Arc::clone(&file);
                async move {
                    // A task of its own: it goes on while nobody asks for it.
                    SpawnedTask::spawn(async move { file.fetch(range).await }).await?
                }
            });
            let mut fetched = stream::iter(fetches).buffered(PARTS_AHEAD);
            while let Some(part) = fetched.next().await {
                let is_last = part.is_err();
                if sender.send(part).await.is_err() || is_last {
                    return;
                }
            }
        })?;
        Ok(Self { parts, _task: task })
    }
}

/// What is asked for from `from` on: parts end at multiples of their size, as those do in which files are uploaded and
/// stores keep them, so that no request meets two of theirs for one of ours.
fn ranges(from: u64, size_bytes: u64) -> impl Iterator<Item = Range<u64>> {
    let boundary = (from / PART_BYTES + 1) * PART_BYTES;
    let later = (boundary..size_bytes).step_by(PART_BYTES as usize);
    let starts = std::iter::once(from)
        .filter(move |from| *from < size_bytes)
        .chain(later);
    starts.map(move |start| start..size_bytes.min((start / PART_BYTES + 1) * PART_BYTES))
}

/// Parts as a reader.
#[derive(Debug)]
pub struct PartReader {
    parts: Parts,
    current: Bytes,
}

impl PartReader {
    /// Reads what `parts` gives.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            parts,
            current: Bytes::new(),
        }
    }
}

impl Read for PartReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.current.is_empty() {
            match self.parts.next_part().map_err(io::Error::other)? {
                Some(part) => self.current = part,
                None => return Ok(0),
            }
        }
        let part = self.current.split_to(out.len().min(self.current.len()));
        if let Some(front) = out.get_mut(..part.len()) {
            front.copy_from_slice(&part);
        }
        Ok(part.len())
    }
}

#[cfg(test)]
mod tests;
