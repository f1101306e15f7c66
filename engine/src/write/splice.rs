//! A Parquet file put together from column chunks, each encoded anew or copied byte for byte from another file.
//!
//! ```text
//!   source   │ key │ tier │ spend │ city │      a row group; tier changes, age is new
//!               │             │      │
//!   target   │ key │ TIER │ spend │ city │ AGE │
//!              copied  new   copied copied  new
//! ```
//!
//! A copied chunk keeps its statistics, its page indexes and its bloom filter. Columns stand as in the source; new ones
//! come after them.

use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use bytes::Bytes;
use object_store::ObjectStore;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory};
use parquet::arrow::async_writer::AsyncFileWriter;
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowSchemaConverter, encode_arrow_schema};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::{KeyValue, ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::WriterOptions;
use super::file::CREATED_BY;
use crate::error::Result;

/// Whether the chunks of a file can be copied: it is ours (so that nothing in it is encrypted), and every chunk has an
/// offset index, since a file has one for all its chunks or for none.
#[must_use]
pub fn is_spliceable(source: &ParquetMetaData) -> bool {
    let is_ours = source
        .file_metadata()
        .created_by()
        .is_some_and(|by| by.starts_with(CREATED_BY));
    let has_index = |group: usize, leaf: usize| {
        let index = source.offset_index().and_then(|all| all.get(group)?.get(leaf));
        index.is_some_and(|index| !index.page_locations().is_empty())
    };
    let groups = source.row_groups().iter().enumerate();
    let is_whole = |(number, group): (usize, &RowGroupMetaData)| {
        (0..group.num_columns()).all(|leaf| has_index(number, leaf))
    };
    is_ours && groups.into_iter().all(is_whole)
}

/// One column chunk of the target.
pub enum Chunk {
    /// As it is in the source.
    Copied {
        /// The chunk's bytes.
        bytes: Bytes,
        /// What the source says of it.
        close: Box<ColumnCloseResult>,
    },
    /// Encoded anew.
    Encoded(ArrowColumnChunk),
}

/// Writes a file of chunks through the object store.
pub struct SpliceWriter {
    sink: BufWriter,
    buffer: Buffer,
    writer: SerializedFileWriter<Buffer>,
    encoders: Arc<ArrowRowGroupWriterFactory>,
    written_bytes: u64,
}

impl SpliceWriter {
    /// Opens `path` (relative to the table) in `store`, for the columns of `source` (`columns` in arrow's words) and
    /// the new columns `added`.
    ///
    /// # Errors
    /// A type that Parquet cannot hold.
    pub fn create(
        store: Arc<dyn ObjectStore>,
        path: &str,
        source: &ParquetMetaData,
        columns: &Schema,
        added: &[FieldRef],
        options: &WriterOptions,
    ) -> Result<Self> {
        let all = columns.fields().iter().chain(added).cloned();
        let schema: SchemaRef = Arc::new(Schema::new_with_metadata(
            all.collect::<Vec<_>>(),
            columns.metadata().clone(),
        ));
        let sorting = source
            .row_groups()
            .first()
            .and_then(|group| group.sorting_columns().cloned());
        let properties = options
            .builder(&schema)
            .set_sorting_columns(sorting)
            .set_key_value_metadata(Some(key_values(source, &schema)))
            .build();
        let buffer = Buffer::default();
        let writer = SerializedFileWriter::new(
            buffer.clone(),
            parquet_schema(source, added)?,
            Arc::new(properties),
        )?;
        Ok(Self {
            sink: BufWriter::new(store, Path::from(path)),
            encoders: Arc::new(ArrowRowGroupWriterFactory::new(&writer, schema)),
            buffer,
            writer,
            written_bytes: 0,
        })
    }

    /// What makes encoders for the leaves of a row group; those of copied chunks are dropped unused.
    #[must_use]
    pub fn encoders(&self) -> Arc<ArrowRowGroupWriterFactory> {
        Arc::clone(&self.encoders)
    }

    /// Writes a row group of chunks, one a leaf, in order.
    ///
    /// # Errors
    /// The store failed, or a chunk is not of its column.
    pub async fn write_group(&mut self, chunks: Vec<Chunk>) -> Result<()> {
        let mut group = self.writer.next_row_group()?;
        for chunk in chunks {
            match chunk {
                Chunk::Copied { bytes, close } => {
                    let (start, _) = close.metadata.byte_range();
                    group.append_column(&Piece { start, bytes }, *close)?;
                }
                Chunk::Encoded(chunk) => chunk.append_to_row_group(&mut group)?,
            }
            let filled = self.buffer.take();
            self.written_bytes += filled.len() as u64;
            self.sink.write(filled).await?;
        }
        group.close()?;
        Ok(())
    }

    /// Writes the footer; says how large the file is.
    ///
    /// # Errors
    /// The store failed.
    pub async fn finish(mut self) -> Result<u64> {
        self.writer.finish()?;
        let filled = self.buffer.take();
        self.written_bytes += filled.len() as u64;
        self.sink.write(filled).await?;
        self.sink.complete().await?;
        Ok(self.written_bytes)
    }
}

/// The source's Parquet types, untouched, and those of the new columns.
fn parquet_schema(source: &ParquetMetaData, added: &[FieldRef]) -> Result<TypePtr> {
    let root = source.file_metadata().schema_descr().root_schema_ptr();
    if added.is_empty() {
        return Ok(root);
    }
    let new = ArrowSchemaConverter::new().convert(&Schema::new(added.to_vec()))?;
    let fields = root.get_fields().iter().chain(new.root_schema().get_fields());
    let schema = Type::group_type_builder(root.name())
        .with_fields(fields.cloned().collect())
        .build()?;
    Ok(Arc::new(schema))
}

/// The source's key-value pairs, its arrow schema replaced: readers take types such as views from it.
fn key_values(source: &ParquetMetaData, schema: &Schema) -> Vec<KeyValue> {
    let known = source.file_metadata().key_value_metadata();
    let mut pairs: Vec<KeyValue> = known.into_iter().flatten().cloned().collect();
    pairs.retain(|pair| pair.key != ARROW_SCHEMA_META_KEY);
    pairs.push(KeyValue::new(
        ARROW_SCHEMA_META_KEY.to_owned(),
        encode_arrow_schema(schema),
    ));
    pairs
}

/// Bytes on their way from the encoder, which is synchronous, to the store, which is not.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A piece of a file, read by the file's offsets.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Offset of the first byte in the file.
    pub start: u64,
    /// The bytes.
    pub bytes: Bytes,
}

impl Length for Piece {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl ChunkReader for Piece {
    type T = Cursor<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        let length = self.len().saturating_sub(start) as usize;
        Ok(Cursor::new(self.get_bytes(start, length)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let begin = start.checked_sub(self.start).map(|offset| offset as usize);
        let range = begin.and_then(|begin| Some(begin..begin.checked_add(length)?));
        match range.filter(|range| range.end <= self.bytes.len()) {
            Some(range) => Ok(self.bytes.slice(range)),
            None => Err(parquet::errors::ParquetError::EOF(format!(
                "{length} bytes at {start} are outside of the piece"
            ))),
        }
    }
}
