//! From blocks of bytes to decoded batches, on all cores; a chunk stays on the core that read it.
//!
//! ```text
//!  core 1   read 0 ─ split 0 ─ link 0 ─ decode, judge 0 ──── read 3 ─ split 3 ─ …
//!  core 2   read 1 ─ split 1 ─ ··· link 1 ─ decode, judge 1 ──── read 4 ─ …
//!                                ▲ waits for link 0
//!                                                                └▶ results, in file order
//! ```
//!
//! Reading, splitting and decoding need no order. Linking does: it is where records get their numbers, and costs nearly
//! nothing (see [`Linker`](super::csv::Linker)). A block is taken only when it is not too far ahead of the results.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::{Stream, stream};
use tokio::sync::mpsc;

use super::chunk::Chunk;
use super::feed::{Feed, Pace};
use super::open::OpenFile;
use crate::error::{Error, Result};

/// Bytes of a block: its cells fit into the caches of a core.
pub(super) const BLOCK_BYTES: usize = 1 << 20;
/// Bytes behind a block that are read with it, so that its last record is whole.
pub(super) const LOOK_AHEAD_BYTES: usize = 16 << 10;
/// Blocks that each core may be ahead of the results.
const BLOCKS_AHEAD: u64 = 3;

/// What a load has done so far; read by whoever shows progress.
#[derive(Debug, Default)]
pub struct LoadMeter {
    /// Bytes read of the source.
    pub read_bytes: AtomicU64,
    /// Records decoded.
    pub read_rows: AtomicU64,
    /// Records found bad so far.
    pub rejected_rows: AtomicU64,
}

/// Does `work` on every chunk of `file`, on `threads` threads; the results come in file order. The columns at `kept`
/// become cells. Dropping the stream stops the threads.
///
/// # Errors
/// The file cannot be opened again.
pub fn process<T, W>(
    file: &OpenFile,
    kept: &[usize],
    meter: Arc<LoadMeter>,
    threads: usize,
    work: W,
) -> Result<impl Stream<Item = Result<T>> + use<T, W>>
where
    T: Send + 'static,
    W: Fn(Chunk) -> Result<T> + Send + Sync + 'static,
{
    let threads = threads.max(1);
    let feed: Arc<dyn Feed> = file.feed(kept, BLOCK_BYTES, LOOK_AHEAD_BYTES)?.into();
    let pace = Arc::new(Pace::new(BLOCKS_AHEAD * threads as u64));
    let work = Arc::new(work);
    // The pace bounds it: no more results than blocks ahead.
    let (sender, receiver) = mpsc::unbounded_channel();
    for _ in 0..threads {
        let worker = Worker {
            feed: Arc::clone(&feed),
            pace: Arc::clone(&pace),
            meter: Arc::clone(&meter),
            sender: sender.clone(),
        };
        let work = Arc::clone(&work);
        // A thread of its own, not one of a shared pool: it may wait for its turn, or for whoever reads the results.
        tokio::task::spawn_blocking(move || worker.run(work.as_ref()));
    }
    let results = Results {
        pace,
        feed,
        receiver,
        early: BTreeMap::new(),
        next: 0,
        ready: Vec::new().into_iter(),
        is_over: false,
    };
    Ok(stream::unfold(results, |mut results| async move {
        results.next().await.map(|result| (result, results))
    }))
}

/// What a thread found.
enum Found<T> {
    /// The results of a block.
    Block(u64, Vec<T>),
    /// Why it stopped.
    Error(Error),
    /// There is nothing more for it.
    End,
}

/// One thread of a load.
struct Worker<T> {
    feed: Arc<dyn Feed>,
    pace: Arc<Pace>,
    meter: Arc<LoadMeter>,
    sender: mpsc::UnboundedSender<Found<T>>,
}

impl<T> Worker<T> {
    fn run(self, work: &(impl Fn(Chunk) -> Result<T> + ?Sized)) {
        let last = loop {
            match self.block(work) {
                Ok(Found::End) => break Found::End,
                Ok(found) => {
                    if self.sender.send(found).is_err() {
                        return;
                    }
                }
                Err(error) => {
                    self.pace.stop();
                    break Found::Error(error);
                }
            }
        };
        // The receiver is gone when the load was stopped; then nobody wants to know.
        let _ = self.sender.send(last);
    }

    fn block(&self, work: &(impl Fn(Chunk) -> Result<T> + ?Sized)) -> Result<Found<T>> {
        if !self.pace.admit() {
            return Ok(Found::End);
        }
        let Some(fed) = self.feed.next(&self.pace)? else {
            return Ok(Found::End);
        };
        let num_records: usize = fed.chunks.iter().map(Chunk::num_records).sum();
        self.meter.read_bytes.fetch_add(fed.read_bytes, Ordering::Relaxed);
        self.meter
            .read_rows
            .fetch_add(num_records as u64, Ordering::Relaxed);
        let results = fed.chunks.into_iter().map(work).collect::<Result<_>>()?;
        Ok(Found::Block(fed.number, results))
    }
}

/// A thread that ends by a panic must not leave the others waiting for its block.
impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.pace.stop();
            let _ = self
                .sender
                .send(Found::Error(Error::runtime("a thread of the load failed")));
        }
    }
}

/// The results, put in order.
struct Results<T> {
    pace: Arc<Pace>,
    feed: Arc<dyn Feed>,
    receiver: mpsc::UnboundedReceiver<Found<T>>,
    /// Results of blocks whose turn has not come.
    early: BTreeMap<u64, Vec<T>>,
    /// The block whose turn it is.
    next: u64,
    ready: std::vec::IntoIter<T>,
    is_over: bool,
}

impl<T> Results<T> {
    async fn next(&mut self) -> Option<Result<T>> {
        loop {
            if self.is_over {
                return None;
            }
            if let Some(result) = self.ready.next() {
                return Some(Ok(result));
            }
            if let Some(results) = self.early.remove(&self.next) {
                self.ready = results.into_iter();
                self.next += 1;
                self.pace.block_done();
                continue;
            }
            match self.receiver.recv().await {
                Some(Found::Block(number, results)) => {
                    self.early.insert(number, results);
                }
                Some(Found::End) => (),
                Some(Found::Error(error)) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
                None => self.is_over = true,
            }
        }
    }
}

impl<T> Drop for Results<T> {
    fn drop(&mut self) {
        self.pace.stop();
        self.feed.stop();
    }
}
