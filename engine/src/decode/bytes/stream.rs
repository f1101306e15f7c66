//! Blocks of anything that can only be read from front to back: a thread of its own reads ahead.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::block::{Block, Blocks, Cut};
use super::cutter::Cutter;
use super::failure::Failure;
use super::fault;
use super::pool::Pool;
use crate::error::{Error, Result};

/// What is read, and what is said about it.
pub struct Feed {
    /// The decoded stream.
    pub reader: Box<dyn Read + Send>,
    /// How far the reader is in the file as stored; the reader keeps it up to date.
    pub stored_bytes: Arc<AtomicU64>,
    /// The file's name, for errors.
    pub file: String,
}

/// Blocks that one thread makes and any number of threads take.
///
/// ```text
///   reader ─▶ producer thread ─▶ [ready │ ready │ ready] ─▶ next()
///                  ▲                                          │
///                  └───────────── pool ◀── recycle() ◀────────┘
/// ```
///
/// Dropping it ends the thread and waits for it: at most for the read that is under way.
#[derive(Debug)]
pub struct StreamBlocks {
    state: Mutex<State>,
    pool: Arc<Pool>,
    stop: Arc<AtomicBool>,
    producer: Option<JoinHandle<()>>,
}

/// What the producer sends: blocks, and at last `None` or an error.
type Message = Result<Option<Block>>;

#[derive(Debug)]
enum State {
    /// Blocks may come.
    Open(Receiver<Message>),
    /// All blocks were taken.
    Ended,
    /// Reading failed, with these words.
    Failed(Failure),
}

impl StreamBlocks {
    /// Starts to read, at most `ready_blocks` ahead of those who take.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(feed: Feed, cut: Cut, ready_blocks: usize) -> Result<Self> {
        let pool = Arc::new(Pool::new(cut.buffer_bytes()));
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, receiver) = sync_channel(ready_blocks);
        let reader = Stoppable {
            inner: feed.reader,
            stop: Arc::clone(&stop),
        };
        let mut cutter = Cutter::new(reader, cut, Arc::clone(&pool), feed.stored_bytes);
        let file = feed.file;
        let producer = Builder::new()
            .name("sluice-read".to_owned())
            .spawn(move || produce(&mut cutter, &file, &sender))
            .map_err(|error| Error::runtime("no thread could be started").because(error))?;
        Ok(Self {
            state: Mutex::new(State::Open(receiver)),
            pool,
            stop,
            producer: Some(producer),
        })
    }
}

impl Blocks for StreamBlocks {
    fn next(&self) -> Result<Option<Block>> {
        // Whoever waits for a block waits here for all others: blocks come in order.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let message = match &*state {
            State::Ended => return Ok(None),
            State::Failed(failure) => return Err(failure.error()),
            State::Open(blocks) => blocks.recv(),
        };
        // A producer that is gone without a last word broke off: that is not the end of the stream.
        let message =
            message.unwrap_or_else(|_| Err(Error::runtime("the thread that reads the source ended early")));
        match &message {
            Ok(Some(_)) => {}
            Ok(None) => *state = State::Ended,
            Err(error) => *state = State::Failed(Failure::of(error)),
        }
        message
    }

    fn recycle(&self, buffer: Vec<u8>) {
        self.pool.give(buffer);
    }
}

impl Drop for StreamBlocks {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // The channel goes first: a producer that waits to send wakes up.
        *self.state.get_mut().unwrap_or_else(PoisonError::into_inner) = State::Ended;
        if let Some(producer) = self.producer.take() {
            // Its panic, if any, has been reported by next() or concerns nobody any more.
            let _ = producer.join();
        }
    }
}

/// Sends blocks until the last, an error, or nobody listens.
fn produce<R: Read>(cutter: &mut Cutter<R>, file: &str, sender: &SyncSender<Message>) {
    loop {
        let message = cutter.next().map_err(|error| fault::from_io(error).in_file(file));
        let is_final = !matches!(message, Ok(Some(_)));
        if sender.send(message).is_err() || is_final {
            return;
        }
    }
}

/// A reader that fails once it is to stop.
struct Stoppable<R> {
    inner: R,
    stop: Arc<AtomicBool>,
}

impl<R: Read> Read for Stoppable<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(fault::as_io(Error::interrupted()));
        }
        self.inner.read(out)
    }
}

#[cfg(test)]
mod tests;
