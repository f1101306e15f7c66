//! The file as it is stored, read once from front to back.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::fault;
use crate::source::shrunk;

/// Bytes of one read.
const READ_BYTES: usize = 256 << 10;

/// A buffered reader that knows how far it is and how far the file must reach.
#[derive(Debug)]
pub(super) struct Stored<R> {
    inner: R,
    size_bytes: u64,
    /// Bytes read so far; shared with whoever reports progress.
    read_bytes: Arc<AtomicU64>,
    buffer: Vec<u8>,
    /// What of `buffer` is filled and not yet consumed.
    unread: std::ops::Range<usize>,
}

impl<R: Read> Stored<R> {
    /// Reads the `size_bytes` that `inner` had when it was opened, and no more.
    pub(super) fn new(inner: R, size_bytes: u64) -> Self {
        let buffer_bytes = usize::try_from(size_bytes).unwrap_or(READ_BYTES).min(READ_BYTES);
        Self {
            inner,
            size_bytes,
            read_bytes: Arc::default(),
            buffer: vec![0; buffer_bytes],
            unread: 0..0,
        }
    }

    /// The counter of bytes read.
    pub(super) fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read_bytes)
    }

    /// Bytes that were consumed: the place of the next byte in the file.
    pub(super) fn consumed_bytes(&self) -> u64 {
        self.read_bytes.load(Ordering::Relaxed) - self.unread.len() as u64
    }

    fn refill(&mut self) -> io::Result<()> {
        let at = self.read_bytes.load(Ordering::Relaxed);
        let left = usize::try_from(self.size_bytes - at).unwrap_or(usize::MAX);
        let wanted = left.min(self.buffer.len());
        let free = self.buffer.get_mut(..wanted).unwrap_or_default();
        let read = loop {
            match self.inner.read(free) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(fault::as_io(fault::from_io(error))),
                Ok(read) => break read.min(wanted),
            }
        };
        if read == 0 && wanted > 0 {
            return Err(fault::as_io(shrunk(self.size_bytes, at)));
        }
        self.read_bytes.fetch_add(read as u64, Ordering::Relaxed);
        self.unread = 0..read;
        Ok(())
    }
}

impl<R: Read> BufRead for Stored<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.unread.is_empty() {
            self.refill()?;
        }
        Ok(self.buffer.get(self.unread.clone()).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.unread.start = (self.unread.start + amount).min(self.unread.end);
    }
}

impl<R: Read> Read for Stored<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_got_shorter_is_an_error() {
        let mut stored = Stored::new(&b"abc"[..], 4);
        let error = stored.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(fault::from_io(error).code(), Some("source_changed"));
    }

    #[test]
    fn a_file_that_got_longer_is_read_to_the_size_it_had() {
        let mut stored = Stored::new(&b"abcdef"[..], 4);
        let mut out = Vec::new();
        stored.read_to_end(&mut out).unwrap();
        assert_eq!(out, b"abcd");
    }

    #[test]
    fn what_is_buffered_is_read_and_not_consumed() {
        let mut stored = Stored::new(&b"abcdef"[..], 6);
        stored.read_exact(&mut [0; 2]).unwrap();
        assert_eq!(stored.consumed_bytes(), 2);
        assert_eq!(stored.counter().load(Ordering::Relaxed), 6);
    }
}
