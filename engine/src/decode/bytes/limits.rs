//! How much a compressed file may become.

use std::io::{self, Read};

use super::fault;
use crate::error::Error;

/// What decompression may cost. The defaults let every honest file through that was measured.
///
/// A file of unique numbers in order and nothing else to tell rows apart, at zstd's level 19, has a ratio of 980;
/// a file whose rows are all the same 10,900; zeros 32,000. Gzip cannot exceed 1,032.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Decompressed bytes for one stored byte, at most.
    pub max_ratio: u64,
    /// Decompressed bytes up to which the ratio is not judged.
    pub min_bytes: u64,
    /// Decompressed bytes at most, whatever the ratio.
    pub max_decompressed_bytes: Option<u64>,
    /// Memory that a zstd frame may ask for to look back, at most; taken as the power of two below.
    pub max_window_bytes: u64,
}

/// Default of [`Limits::max_ratio`]: five times the highest ratio of an honest file.
pub const DEFAULT_MAX_RATIO: u64 = 5_000;
/// Default of [`Limits::min_bytes`].
pub const DEFAULT_MIN_BYTES: u64 = 1 << 30;
/// Default of [`Limits::max_window_bytes`]: what `zstd --long=29` writes; without `--long` it is at most 128 MiB.
pub const DEFAULT_MAX_WINDOW_BYTES: u64 = 512 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_ratio: DEFAULT_MAX_RATIO,
            min_bytes: DEFAULT_MIN_BYTES,
            max_decompressed_bytes: None,
            max_window_bytes: DEFAULT_MAX_WINDOW_BYTES,
        }
    }
}

impl Limits {
    /// Bytes that a file of `stored_bytes` may become, and the setting that says so.
    ///
    /// The whole file's size counts, not what has been read of it: repetition at its head is no offence.
    fn allowed(&self, stored_bytes: u64) -> (u64, &'static str) {
        let by_ratio = stored_bytes.saturating_mul(self.max_ratio).max(self.min_bytes);
        match self.max_decompressed_bytes {
            Some(bytes) if bytes < by_ratio => (bytes, "limits.max_decompressed_bytes"),
            _ => (by_ratio, "limits.max_ratio"),
        }
    }

    /// Binary logarithm of the window that a frame may have.
    pub(super) fn window_log(&self) -> u32 {
        self.max_window_bytes.max(1).ilog2().clamp(10, 31)
    }
}

/// Counts what a decompressor gives and stops it at the limit.
pub(super) struct Guard<R> {
    inner: R,
    stored_bytes: u64,
    passed_bytes: u64,
    allowed_bytes: u64,
    /// The setting that lifts the limit.
    setting: &'static str,
}

impl<R> Guard<R> {
    /// Guards the decompression of a file of `stored_bytes`.
    pub(super) fn new(inner: R, stored_bytes: u64, limits: &Limits) -> Self {
        let (allowed_bytes, setting) = limits.allowed(stored_bytes);
        Self {
            inner,
            stored_bytes,
            passed_bytes: 0,
            allowed_bytes,
            setting,
        }
    }

    fn exceeded(&self) -> io::Error {
        let message = format!(
            "the file of {} bytes decompresses to more than {} bytes, as no table of customers does",
            self.stored_bytes, self.allowed_bytes
        );
        let hint = format!("if the file is right, raise `{}`", self.setting);
        fault::as_io(Error::data("source_corrupt", message).hint(hint))
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        self.passed_bytes += read as u64;
        if self.passed_bytes > self.allowed_bytes {
            return Err(self.exceeded());
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max_ratio: u64, min_bytes: u64, max_decompressed_bytes: Option<u64>) -> Limits {
        Limits {
            max_ratio,
            min_bytes,
            max_decompressed_bytes,
            ..Limits::default()
        }
    }

    fn read(content_bytes: u64, stored_bytes: u64, limits: &Limits) -> io::Result<u64> {
        io::copy(
            &mut Guard::new(io::repeat(b'x').take(content_bytes), stored_bytes, limits),
            &mut io::sink(),
        )
    }

    #[test]
    fn the_ratio_is_not_judged_below_the_floor() {
        let limits = limits(10, 1000, None);
        assert_eq!(read(1000, 1, &limits).unwrap(), 1000);
        assert!(read(1001, 1, &limits).is_err());
    }

    #[test]
    fn a_larger_file_may_become_larger() {
        let limits = limits(10, 1000, None);
        assert_eq!(read(5000, 500, &limits).unwrap(), 5000);
        assert!(read(5001, 500, &limits).is_err());
    }

    #[test]
    fn the_error_names_the_setting_that_lifts_it() {
        for (limits, setting) in [
            (limits(10, 100, None), "limits.max_ratio"),
            (limits(10, 100, Some(50)), "limits.max_decompressed_bytes"),
        ] {
            let error = fault::from_io(read(10_000, 1, &limits).unwrap_err());
            assert_eq!(error.code(), Some("source_corrupt"));
            assert!(error.hints().concat().contains(setting), "{error:?}");
        }
    }

    #[test]
    fn gzip_at_its_best_is_within_the_default_ratio() {
        assert_eq!(Limits::default().allowed(1 << 30).0, 5000 << 30);
        const { assert!(DEFAULT_MAX_RATIO > 1032) };
    }

    #[test]
    fn a_window_is_the_power_of_two_below() {
        let log = |max_window_bytes| {
            Limits {
                max_window_bytes,
                ..Limits::default()
            }
            .window_log()
        };
        assert_eq!(
            [log(0), log(1 << 27), log((1 << 28) - 1), log(u64::MAX)],
            [10, 27, 27, 31]
        );
    }
}
