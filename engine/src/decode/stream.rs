//! Reading a file in chunks, splitting them in order, decoding them on all cores.
//!
//! ```text
//!   one thread: read 4 MiB ─▶ split ─▶ Chunk ─┐   the tail of a chunk that is no whole record moves to the next
//!                                             ├─▶ cpu::run(decode) ─▶ Decoded, in file order
//!                                  Chunk ─────┘
//! ```

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::buffer::Buffer;
use futures::{Stream, StreamExt, stream};
use tokio::sync::mpsc;

use super::chunk::{Chunk, ChunkDecoder, Decoded, TablePool};
use super::csv::{End, FieldSelection, Splitter};
use super::open::CsvFile;
use crate::cpu;
use crate::error::{Error, Result};

/// Bytes read at a time. Small files take one chunk; large ones enough chunks for every core.
const CHUNK_BYTES: usize = 4 << 20;
/// Chunks that wait between the reader and the decoders.
const CHUNKS_AHEAD: usize = 4;

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

/// The chunks of `file` in order, with the positions of their records; `kept` fields get spans.
pub fn chunks(
    file: &CsvFile,
    kept: &[usize],
    meter: Arc<LoadMeter>,
) -> impl Stream<Item = Result<Chunk>> + use<> {
    let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
    let (file, kept) = (file.clone(), kept.to_vec());
    tokio::task::spawn_blocking(move || {
        if let Err(error) = read_chunks(&file, &kept, &meter, &sender) {
            // The receiver is gone when the load was stopped; then nobody wants the error.
            let _ = sender.blocking_send(Err(error));
        }
    });
    stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    })
}

/// The chunks decoded, still in order, on as many cores as `threads`.
pub fn decoded(
    chunks: impl Stream<Item = Result<Chunk>>,
    decoder: Arc<ChunkDecoder>,
    threads: usize,
) -> impl Stream<Item = Result<Decoded>> {
    let decode = move |chunk: Result<Chunk>| {
        let decoder = Arc::clone(&decoder);
        async move {
            let chunk = chunk?;
            cpu::run(move || decoder.decode(&chunk)).await
        }
    };
    chunks.map(decode).buffered(threads.max(1))
}

fn read_chunks(
    file: &CsvFile,
    kept: &[usize],
    meter: &LoadMeter,
    out: &mpsc::Sender<Result<Chunk>>,
) -> Result<()> {
    let fields = file.header.columns.len();
    let selection = FieldSelection::new(kept.iter().copied());
    let mut splitter = Splitter::new(&file.options.dialect, selection, Some(fields)).starting_at(file.start);
    let mut input = File::open(&file.source.path)?;
    input.seek(SeekFrom::Start(file.start.byte))?;
    let mut carried: Vec<u8> = Vec::new();
    let pool = TablePool::default();
    loop {
        let mut buffer = Vec::with_capacity(carried.len() + CHUNK_BYTES);
        buffer.append(&mut carried);
        let read = Read::by_ref(&mut input)
            .take(CHUNK_BYTES as u64)
            .read_to_end(&mut buffer)?;
        let end = if read < CHUNK_BYTES { End::Last } else { End::More };
        // What holds the chunk holds its capacity: a file of a few bytes must not cost a whole chunk.
        buffer.shrink_to_fit();
        let mut records = pool.take();
        let consumed = splitter.split(&buffer, end, &mut records);
        carried = buffer.get(consumed..).unwrap_or_default().to_vec();
        meter.read_bytes.fetch_add(read as u64, Ordering::Relaxed);
        meter.read_rows.fetch_add(records.len() as u64, Ordering::Relaxed);
        if !records.is_empty() {
            let chunk = Chunk {
                bytes: Buffer::from_vec(buffer),
                records,
                pool: pool.clone(),
            };
            if out.blocking_send(Ok(chunk)).is_err() {
                return Ok(());
            }
        }
        if end == End::Last && carried.is_empty() {
            return Ok(());
        }
        if end == End::Last && consumed == 0 {
            return Err(Error::runtime("the file ends in a record that was not split")
                .in_file(file.source.path.display().to_string()));
        }
    }
}
