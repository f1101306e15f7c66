//! Zstandard, frame by frame to the end of the file.

use std::io::{self, BufRead, Read};

use zstd::zstd_safe::{DCtx, DParameter, ErrorCode, InBuffer, OutBuffer, get_error_name};

use super::fault;
use super::limits::Limits;
use super::stored::Stored;
use crate::error::Error;

/// Decompresses zstd; skippable frames, which hold no data by definition, are passed over. Nothing may follow the last.
///
/// ```text
///   │ frame │ skippable │ frame │ ...
/// ```
pub(super) struct Unzstd<R> {
    stored: Stored<R>,
    context: DCtx<'static>,
    /// Largest window that is allocated, as a power of two.
    window_log: u32,
    /// Whether a frame has ended and no other begun.
    is_between_frames: bool,
    has_failed: bool,
}

const FORMAT: &str = "zstd";
/// What the library says of a window above the limit, and of bytes that begin no frame.
const WINDOW_TOO_LARGE: &str = "Frame requires too much memory for decoding";
const NO_FRAME: &str = "Unknown frame descriptor";

impl<R: Read> Unzstd<R> {
    /// Decompresses `stored`.
    ///
    /// # Errors
    /// No memory for a decompressor.
    pub(super) fn new(stored: Stored<R>, limits: &Limits) -> Result<Self, Error> {
        let window_log = limits.window_log();
        let refused = || Error::runtime("the zstd decompressor could not be set up");
        let mut context = DCtx::try_create().ok_or_else(refused)?;
        context
            .set_parameter(DParameter::WindowLogMax(window_log))
            .map_err(|code| refused().because(get_error_name(code)))?;
        Ok(Self {
            stored,
            context,
            window_log,
            is_between_frames: false,
            has_failed: false,
        })
    }

    /// Reads until there is something to give or the file ends.
    fn advance(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let input = self.stored.fill_buf()?;
            let is_at_end = input.is_empty();
            if is_at_end && self.is_between_frames {
                return Ok(0);
            }
            let mut source = InBuffer::around(input);
            let mut target = OutBuffer::around(&mut *out);
            let outcome = self.context.decompress_stream(&mut target, &mut source);
            let (consumed, written) = (source.pos(), target.pos());
            self.stored.consume(consumed);
            let wanted_bytes = outcome.map_err(|code| self.refusal(code))?;
            self.is_between_frames = wanted_bytes == 0;
            if written > 0 {
                return Ok(written);
            }
            if is_at_end && !self.is_between_frames {
                return Err(fault::cut_off(FORMAT, self.stored.consumed_bytes()));
            }
        }
    }

    fn refusal(&self, code: ErrorCode) -> io::Error {
        let at = self.stored.consumed_bytes();
        match get_error_name(code) {
            WINDOW_TOO_LARGE => self.window_too_large(at),
            NO_FRAME if self.is_between_frames => fault::trailing(FORMAT, at),
            reason => fault::damaged(FORMAT, at, reason),
        }
    }

    fn window_too_large(&self, at: u64) -> io::Error {
        let allowed_bytes = 1_u64 << self.window_log;
        let message = format!(
            "the zstd frame at about byte {at} of the compressed file needs more than {allowed_bytes} bytes of \
             memory to look back"
        );
        let hint = format!(
            "compress the file with `zstd --long={}` or less, or raise `limits.max_window_bytes` (2 GiB at most)",
            self.window_log.min(27)
        );
        fault::as_io(Error::data("source_corrupt", message).hint(hint))
    }
}

impl<R: Read> Read for Unzstd<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if self.has_failed {
            return Err(fault::damaged(
                FORMAT,
                self.stored.consumed_bytes(),
                "an earlier read failed",
            ));
        }
        let outcome = self.advance(out);
        self.has_failed = outcome.is_err();
        outcome
    }
}

#[cfg(test)]
mod tests;
