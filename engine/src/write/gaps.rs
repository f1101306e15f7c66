//! What an encoder writes, with gaps for bytes that come from elsewhere.
//!
//! ```text
//!   the encoder's stream   ├── encoded ──┤├─ hollow ─┤├── encoded ──┤
//!   taken out              Encoded(bytes)  Copied(range) Encoded(bytes)
//! ```
//!
//! Parquet's writer copies a chunk that is appended to a file through a small buffer, and keeps account of it. It is
//! given a [`Hollow`], which has a length and no bytes: the account is the same, and the bytes go from file to file
//! without passing through it.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// A piece of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Bytes that were written.
    Encoded(Bytes),
    /// A range of the other file.
    Copied(Range<u64>),
}

/// Takes in the stream. Clones share it: the encoder has one, who takes the parts out another.
#[derive(Debug, Clone, Default)]
pub(super) struct Gapped(Arc<Mutex<Stream>>);

#[derive(Debug, Default)]
struct Stream {
    /// Bytes that came, hollow ones too.
    position: u64,
    /// Where hollow bytes will come, and what belongs there.
    gaps: VecDeque<(u64, Range<u64>)>,
    parts: Vec<Part>,
    encoded: Vec<u8>,
}

impl Gapped {
    /// From `position` of the stream on, as many bytes as `source` has are hollow. Gaps are named in order, before
    /// their bytes come.
    pub fn gap(&self, position: u64, source: Range<u64>) {
        if !source.is_empty() {
            self.stream().gaps.push_back((position, source));
        }
    }

    /// What came since the last time.
    pub fn take(&self) -> Vec<Part> {
        let mut stream = self.stream();
        stream.close_encoded();
        std::mem::take(&mut stream.parts)
    }

    fn stream(&self) -> MutexGuard<'_, Stream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    /// Takes in some of `bytes`; says how many.
    fn accept(&mut self, bytes: &[u8]) -> usize {
        let most = match self.gaps.front() {
            Some((position, source)) if *position <= self.position => {
                let left = position + (source.end - source.start) - self.position;
                if *position == self.position {
                    let source = source.clone();
                    self.open_gap(source);
                }
                if left <= bytes.len() as u64 {
                    self.gaps.pop_front();
                }
                left.min(bytes.len() as u64) as usize
            }
            next => {
                let until = next.map_or(u64::MAX, |(position, _)| position - self.position);
                let most = until.min(bytes.len() as u64) as usize;
                self.encoded.extend_from_slice(bytes.get(..most).unwrap_or(bytes));
                most
            }
        };
        self.position += most as u64;
        most
    }

    /// Gaps side by side whose bytes are side by side in the other file are one part.
    fn open_gap(&mut self, source: Range<u64>) {
        self.close_encoded();
        match self.parts.last_mut() {
            Some(Part::Copied(before)) if before.end == source.start => before.end = source.end,
            _ => self.parts.push(Part::Copied(source)),
        }
    }

    fn close_encoded(&mut self) {
        if !self.encoded.is_empty() {
            let bytes = std::mem::take(&mut self.encoded);
            self.parts.push(Part::Encoded(bytes.into()));
        }
    }
}

impl Write for Gapped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.stream().accept(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// So many bytes of no content, as if they were a chunk of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hollow {
    /// Bytes.
    pub length: u64,
}

impl Length for Hollow {
    fn len(&self) -> u64 {
        self.length
    }
}

impl Read for Hollow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.length.min(buffer.len() as u64);
        self.length -= taken;
        Ok(taken as usize)
    }
}

impl ChunkReader for Hollow {
    type T = Self;

    fn get_read(&self, _start: u64) -> parquet::errors::Result<Self::T> {
        Ok(*self)
    }

    fn get_bytes(&self, _start: u64, _length: usize) -> parquet::errors::Result<Bytes> {
        Err(ParquetError::General("hollow bytes have no content".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufWriter;

    use proptest::prelude::*;

    use super::*;

    /// The bytes of a stream whose gaps are filled from `source`.
    fn filled(parts: Vec<Part>, source: &[u8]) -> Vec<u8> {
        let bytes = parts.into_iter().flat_map(|part| match part {
            Part::Encoded(bytes) => bytes.to_vec(),
            Part::Copied(range) => source[range.start as usize..range.end as usize].to_vec(),
        });
        bytes.collect()
    }

    proptest! {
        #[test]
        fn gaps_are_where_they_were_named_whatever_buffer_lies_between(
            lengths in proptest::collection::vec((any::<bool>(), 0u64..40), 0..20),
            capacity in 1usize..50,
        ) {
            let source: Vec<u8> = (0..=255).cycle().take(1000).collect();
            let sink = Gapped::default();
            let mut writer = BufWriter::with_capacity(capacity, sink.clone());
            let (mut expected, mut copied, mut parts) = (Vec::new(), 0, Vec::new());
            for (is_gap, length) in lengths {
                if is_gap {
                    sink.gap(expected.len() as u64, copied..copied + length);
                    expected.extend_from_slice(&source[copied as usize..(copied + length) as usize]);
                    copied += length;
                    io::copy(&mut Hollow { length }, &mut writer).unwrap();
                } else {
                    let bytes = vec![length as u8; length as usize];
                    expected.extend_from_slice(&bytes);
                    writer.write_all(&bytes).unwrap();
                }
                parts.extend(sink.take());
            }
            writer.flush().unwrap();
            parts.extend(sink.take());
            prop_assert_eq!(filled(parts, &source), expected);
        }
    }

    #[test]
    fn neighbours_in_both_files_are_one_part() {
        let mut sink = Gapped::default();
        sink.gap(0, 10..12);
        sink.gap(2, 12..15);
        sink.gap(5, 20..21);
        sink.write_all(&[0; 6]).unwrap();
        assert_eq!(sink.take(), [Part::Copied(10..15), Part::Copied(20..21)]);
    }
}
