//! Buffers to be used again.

use std::sync::{Mutex, PoisonError};

/// Buffers kept at most; far more than threads hold blocks at a time.
const MAX_KEPT_BUFFERS: usize = 64;

/// Buffers of one size; those that come back are given out again.
#[derive(Debug)]
pub(super) struct Pool {
    buffer_bytes: usize,
    free: Mutex<Vec<Vec<u8>>>,
}

impl Pool {
    /// A pool of buffers of `buffer_bytes`.
    pub(super) fn new(buffer_bytes: usize) -> Self {
        Self {
            buffer_bytes,
            free: Mutex::new(Vec::new()),
        }
    }

    /// A buffer of the pool's size, with anything in it.
    pub(super) fn take(&self) -> Vec<u8> {
        match self.free.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            Some(mut buffer) => {
                buffer.resize(self.buffer_bytes, 0);
                buffer
            }
            None => vec![0; self.buffer_bytes],
        }
    }

    /// Keeps `buffer`, unless it is too small or there are enough.
    pub(super) fn give(&self, buffer: Vec<u8>) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if buffer.capacity() >= self.buffer_bytes && free.len() < MAX_KEPT_BUFFERS {
            free.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_came_back_is_given_out_again() {
        let pool = Pool::new(1000);
        let buffer = pool.take();
        let address = buffer.as_ptr();
        pool.give(buffer);
        let again = pool.take();
        assert_eq!((again.as_ptr(), again.len()), (address, 1000));
    }

    #[test]
    fn a_buffer_cut_short_comes_out_whole() {
        let pool = Pool::new(1000);
        let mut buffer = pool.take();
        buffer.truncate(3);
        pool.give(buffer);
        assert_eq!(pool.take().len(), 1000);
    }

    #[test]
    fn a_buffer_too_small_is_not_kept() {
        let pool = Pool::new(1000);
        pool.give(vec![0; 10]);
        assert!(pool.free.lock().unwrap().is_empty());
    }
}
