//! To UTF-8, piece by piece.

mod single_byte;
mod utf16;

use std::io::{self, Read};

use self::utf16::{Order, Utf16};
use super::encoding::Encoding;
use super::fault;
use crate::error::Error;

/// Bytes that are read and decoded at once.
const PIECE_BYTES: usize = 64 << 10;

/// Decodes a stream given in pieces, cut anywhere. No I/O; see [`encoding`](super::encoding) for what comes out.
#[derive(Debug)]
pub struct Transcoder(Kind);

#[derive(Debug)]
enum Kind {
    Utf8,
    Latin1,
    SingleByte(&'static encoding_rs::Encoding),
    Utf16(Utf16),
}

/// The stream ended in the middle of a code unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutOff;

impl Transcoder {
    /// Decodes `encoding`; plain UTF-16 is taken as little-endian ([`Encoding::resolve`] looks closer).
    #[must_use]
    pub fn new(encoding: Encoding) -> Self {
        Self(match encoding {
            Encoding::Utf8 => Kind::Utf8,
            Encoding::Latin1 => Kind::Latin1,
            Encoding::Windows1252 => Kind::SingleByte(encoding_rs::WINDOWS_1252),
            Encoding::Other(table) => Kind::SingleByte(table.table()),
            Encoding::Utf16 | Encoding::Utf16Le => Kind::Utf16(Utf16::new(Order::Little)),
            Encoding::Utf16Be => Kind::Utf16(Utf16::new(Order::Big)),
        })
    }

    /// Appends what `piece` decodes to; what its end leaves open waits for the next one.
    pub fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        match &mut self.0 {
            Kind::Utf8 => out.extend_from_slice(piece),
            Kind::Latin1 => single_byte::decode_latin1(piece, out),
            Kind::SingleByte(table) => single_byte::decode(piece, table, out),
            Kind::Utf16(units) => units.feed(piece, out),
        }
    }

    /// Appends what was left open.
    ///
    /// # Errors
    /// The stream ended in the middle of a code unit.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), CutOff> {
        match &mut self.0 {
            Kind::Utf8 | Kind::Latin1 | Kind::SingleByte(_) => Ok(()),
            Kind::Utf16(units) => units.finish(out),
        }
    }
}

/// A reader that decodes what another one reads.
#[derive(Debug)]
pub struct Transcoding<R> {
    inner: R,
    transcoder: Transcoder,
    input: Vec<u8>,
    output: Vec<u8>,
    /// Bytes of `output` that were given out.
    given_bytes: usize,
    is_at_end: bool,
}

impl<R: Read> Transcoding<R> {
    /// Decodes `inner` from `encoding`.
    pub fn new(inner: R, encoding: Encoding) -> Self {
        Self {
            inner,
            transcoder: Transcoder::new(encoding),
            input: vec![0; PIECE_BYTES],
            output: Vec::new(),
            given_bytes: 0,
            is_at_end: false,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.output.clear();
        self.given_bytes = 0;
        let read = self.inner.read(&mut self.input)?;
        let piece = self.input.get(..read).unwrap_or_default();
        if read > 0 {
            self.transcoder.feed(piece, &mut self.output);
            return Ok(());
        }
        self.transcoder
            .finish(&mut self.output)
            .map_err(|CutOff| odd_bytes())?;
        self.is_at_end = true;
        Ok(())
    }
}

impl<R: Read> Read for Transcoding<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given_bytes == self.output.len() && !self.is_at_end {
            self.refill()?;
        }
        let read = self
            .output
            .get(self.given_bytes..)
            .unwrap_or_default()
            .read(out)?;
        self.given_bytes += read;
        Ok(read)
    }
}

fn odd_bytes() -> io::Error {
    fault::as_io(
        Error::data(
            "source_corrupt",
            "the file has an odd number of bytes, which UTF-16 cannot have: it is cut off",
        )
        .hint("fetch or write the file again; if it is not in UTF-16, say which encoding it is in"),
    )
}

#[cfg(test)]
mod tests;
