//! The bytes of a Parquet file as its reader asks for them: by place, and from a place on.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

use ::bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use crate::error::Error;
use crate::source::{SourceFile, fill};

/// Bytes that are asked for at once from a place on: the headers of pages.
const BUFFER_BYTES: usize = 8 << 10;

/// How a file is reached. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) enum Access {
    /// Where it is, each piece when it is asked for.
    InPlace(SourceFile),
    /// On this machine.
    OnDisk {
        /// The file.
        file: Arc<File>,
        /// Bytes of it that count.
        size_bytes: u64,
    },
}

impl Access {
    fn size_bytes(&self) -> u64 {
        match self {
            Self::InPlace(file) => file.version.size_bytes,
            Self::OnDisk { size_bytes, .. } => *size_bytes,
        }
    }

    fn read_at(&self, out: &mut [u8], at: u64) -> std::result::Result<(), Error> {
        match self {
            Self::InPlace(file) => file.read_at(out, at),
            Self::OnDisk { file, size_bytes } => fill(file, out, at, *size_bytes),
        }
    }
}

impl Length for Access {
    fn len(&self) -> u64 {
        self.size_bytes()
    }
}

impl ChunkReader for Access {
    type T = BufReader<Tail>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let tail = Tail {
            access: self.clone(),
            at: start,
        };
        Ok(BufReader::with_capacity(BUFFER_BYTES, tail))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let left_bytes = self.size_bytes().saturating_sub(start);
        // Checked before anything is allocated: a damaged footer may ask for any length.
        if length as u64 > left_bytes {
            let message =
                format!("{length} bytes are wanted from byte {start} on, of which there are {left_bytes}");
            return Err(ParquetError::EOF(message));
        }
        let mut out = vec![0; length];
        self.read_at(&mut out, start)
            .map_err(|error| ParquetError::External(Box::new(error)))?;
        Ok(out.into())
    }
}

/// The bytes from a place on.
#[derive(Debug)]
pub(super) struct Tail {
    access: Access,
    at: u64,
}

impl Read for Tail {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left_bytes = self.access.size_bytes().saturating_sub(self.at);
        let num_bytes = usize::try_from(left_bytes).unwrap_or(out.len()).min(out.len());
        let out = out.get_mut(..num_bytes).unwrap_or_default();
        self.access.read_at(out, self.at).map_err(io::Error::other)?;
        self.at += num_bytes as u64;
        Ok(num_bytes)
    }
}
