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
//! come after them. Copied bytes go from file to file in pieces, some of them on their way at a time.

use std::io::Cursor;
use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStore;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use parquet::arrow::arrow_writer::ArrowColumnChunk;
use parquet::arrow::async_writer::AsyncFileWriter;
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowSchemaConverter, encode_arrow_schema};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::{KeyValue, ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::WriterOptions;
use super::encoders::Encoders;
use super::file::is_ours;
use super::gaps::{Gapped, Hollow, Part};
use crate::error::{Error, Result};
use crate::table::ParquetFile;

/// Bytes of a range that are read at once: few enough that their memory is used again while it is in the cache.
const PIECE_BYTES: u64 = 1 << 20;
/// Pieces that are read ahead of what is written.
const PIECES_AHEAD: usize = 4;

/// Whether the chunks of a file can be copied: it is ours (so that nothing in it is encrypted), and every chunk has an
/// offset index, since a file has one for all its chunks or for none.
#[must_use]
pub fn is_spliceable(source: &ParquetMetaData) -> bool {
    let has_index = |group: usize, leaf: usize| {
        let index = source.offset_index().and_then(|all| all.get(group)?.get(leaf));
        index.is_some_and(|index| !index.page_locations().is_empty())
    };
    let groups = source.row_groups().iter().enumerate();
    let is_whole = |(number, group): (usize, &RowGroupMetaData)| {
        (0..group.num_columns()).all(|leaf| has_index(number, leaf))
    };
    is_ours(source) && groups.into_iter().all(is_whole)
}

/// One column chunk of the target.
pub enum Chunk {
    /// As it is in the source.
    Copied {
        /// What the source says of it.
        close: Box<ColumnCloseResult>,
    },
    /// Encoded anew.
    Encoded(Box<ArrowColumnChunk>),
}

impl Chunk {
    fn size_bytes(&self) -> u64 {
        let close = match self {
            Self::Copied { close } => close,
            Self::Encoded(chunk) => chunk.close(),
        };
        close.metadata.byte_range().1
    }
}

/// Writes a file of chunks through the object store.
pub struct SpliceWriter {
    sink: BufWriter,
    gapped: Gapped,
    writer: SerializedFileWriter<Gapped>,
    encoders: Arc<Encoders>,
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
        let gapped = Gapped::default();
        let root = parquet_schema(source, added)?;
        let writer = SerializedFileWriter::new(gapped.clone(), Arc::clone(&root), Arc::new(properties))?;
        Ok(Self {
            sink: BufWriter::new(store, Path::from(path)),
            encoders: Arc::new(Encoders::new(root, schema, options)),
            gapped,
            writer,
            written_bytes: 0,
        })
    }

    /// What makes encoders for columns of a row group.
    #[must_use]
    pub fn encoders(&self) -> Arc<Encoders> {
        Arc::clone(&self.encoders)
    }

    /// Writes a row group of chunks, one a leaf, in order; those to copy are in `source`.
    ///
    /// # Errors
    /// A store failed, or a chunk is not of its column.
    pub async fn write_group(&mut self, source: &ParquetFile, chunks: Vec<Chunk>) -> Result<()> {
        let mut position = self.writer.bytes_written() as u64;
        let mut group = self.writer.next_row_group()?;
        let mut begins = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            begins.push(position);
            let length = chunk.size_bytes();
            match chunk {
                Chunk::Copied { close } => {
                    let (start, _) = close.metadata.byte_range();
                    self.gapped.gap(position, start..start + length);
                    group.append_column(&Hollow { length }, *close)?;
                }
                Chunk::Encoded(chunk) => (*chunk).append_to_row_group(&mut group)?,
            }
            position += length;
        }
        let written = group.close()?;
        let found = written.columns().iter().map(|chunk| chunk.byte_range().0);
        if !found.eq(begins) {
            return Err(Error::runtime("the chunks of a splice are not where they belong"));
        }
        self.drain(source).await
    }

    async fn drain(&mut self, source: &ParquetFile) -> Result<()> {
        for part in self.gapped.take() {
            match part {
                Part::Encoded(bytes) => self.write(bytes).await?,
                Part::Copied(range) => {
                    let pieces = stream::iter(pieces(range)).map(|piece| source.fetch_one(piece));
                    let mut pieces = pieces.buffered(PIECES_AHEAD);
                    while let Some(bytes) = pieces.try_next().await? {
                        self.write(bytes).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.written_bytes += bytes.len() as u64;
        // Taken over, not copied.
        Ok(self.sink.put(bytes).await?)
    }

    /// Writes the footer; says how large the file is.
    ///
    /// # Errors
    /// A store failed.
    pub async fn finish(mut self, source: &ParquetFile) -> Result<u64> {
        self.writer.finish()?;
        self.drain(source).await?;
        self.sink.complete().await?;
        Ok(self.written_bytes)
    }
}

fn pieces(range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let starts = range.clone().step_by(PIECE_BYTES as usize);
    starts.map(move |start| start..(start + PIECE_BYTES).min(range.end))
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

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
    use arrow::datatypes::{DataType, Field};
    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::arrow::arrow_writer::compute_leaves;
    use parquet::bloom_filter::Sbbf;

    use super::*;
    use crate::spec::Encoding;
    use crate::table::ParquetFile;

    const ROWS: i64 = 5_000;

    fn options() -> WriterOptions {
        let encoding = Encoding {
            row_group_rows: 3_000,
            ..Encoding::default()
        };
        WriterOptions::clustered("customer_id", encoding)
    }

    fn rows() -> RecordBatch {
        let keys = (0..ROWS).map(|i| format!("C{i:05}"));
        RecordBatch::try_from_iter([
            (
                "customer_id",
                Arc::new(StringViewArray::from_iter_values(keys)) as ArrayRef,
            ),
            ("points", Arc::new(Int64Array::from_iter_values(0..ROWS))),
        ])
        .unwrap()
    }

    /// A file with a bloom filter on its key, which ours do not have of themselves.
    async fn source(store: &Arc<dyn ObjectStore>) -> ParquetFile {
        let properties = options()
            .builder(&rows().schema())
            .set_column_bloom_filter_enabled("customer_id".into(), true)
            .build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, rows().schema(), Some(properties)).unwrap();
        writer.write(&rows()).unwrap();
        writer.close().unwrap();
        let size_bytes = bytes.len() as u64;
        store.put(&Path::from("source"), bytes.into()).await.unwrap();
        ParquetFile::open(Arc::clone(store), "source", size_bytes)
            .await
            .unwrap()
    }

    async fn copied(source: &ParquetFile, group: usize, leaf: usize) -> Chunk {
        let metadata = source.metadata();
        let chunk = metadata.row_group(group).column(leaf);
        let bloom_filter = match chunk.bloom_filter_offset().zip(chunk.bloom_filter_length()) {
            Some((at, length)) => {
                let (at, length) = (at as u64, length as u64);
                let bytes = source.fetch_one(at..at + length).await.unwrap();
                Sbbf::read_from_column_chunk(chunk, &Piece { start: at, bytes }).unwrap()
            }
            None => None,
        };
        let index = metadata.column_index().map(|all| all[group][leaf].clone());
        Chunk::Copied {
            close: Box::new(ColumnCloseResult {
                bytes_written: chunk.byte_range().1,
                rows_written: metadata.row_group(group).num_rows() as u64,
                metadata: chunk.clone(),
                bloom_filter,
                column_index: index.filter(|index| index.get_boundary_order().is_some()),
                offset_index: metadata.offset_index().map(|all| all[group][leaf].clone()),
            }),
        }
    }

    #[tokio::test]
    async fn a_file_of_copied_and_new_chunks_reads_as_its_columns_do_and_keeps_every_filter_and_index() {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let source = source(&store).await;
        assert!(is_spliceable(source.metadata()));
        let schema = rows().schema();
        let added: Vec<FieldRef> = vec![Arc::new(Field::new("tier", DataType::Utf8View, true))];
        let metadata = source.metadata();
        let mut writer = SpliceWriter::create(
            Arc::clone(&store),
            "target",
            metadata,
            &schema,
            &added,
            &options(),
        )
        .unwrap();
        for group in 0..metadata.num_row_groups() {
            let num_rows = metadata.row_group(group).num_rows() as usize;
            let tiers: ArrayRef = Arc::new(StringViewArray::from_iter_values(
                (0..num_rows).map(|i| format!("T{}", i % 3)),
            ));
            let mut encoder = writer.encoders().encoder("tier", &tiers).unwrap();
            for leaf in compute_leaves(&added[0], &tiers).unwrap() {
                encoder.write(&leaf).unwrap();
            }
            let chunks = vec![
                copied(&source, group, 0).await,
                copied(&source, group, 1).await,
                Chunk::Encoded(Box::new(encoder.close().unwrap())),
            ];
            writer.write_group(&source, chunks).await.unwrap();
        }
        let size_bytes = writer.finish(&source).await.unwrap();
        assert_eq!(store.head(&Path::from("target")).await.unwrap().size, size_bytes);

        let target = ParquetFile::open(Arc::clone(&store), "target", size_bytes)
            .await
            .unwrap();
        assert!(is_spliceable(target.metadata()), "and can be spliced again");
        for group in 0..2 {
            let (is, was) = (target.metadata().row_group(group), metadata.row_group(group));
            assert_eq!(is.sorting_columns(), was.sorting_columns());
            assert_eq!(is.column(0).statistics(), was.column(0).statistics());
            assert!(
                is.column(0).bloom_filter_length().is_some() && is.column(0).page_encoding_stats().is_some()
            );
            let bounds = |file: &ParquetMetaData| file.column_index().unwrap()[group][0].clone();
            assert_eq!(bounds(target.metadata()), bounds(metadata));
        }
        let bytes = store
            .get(&Path::from("target"))
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap();
        assert_eq!(
            reader.schema().field(0).data_type(),
            &DataType::Utf8View,
            "the arrow schema is kept"
        );
        let filter = reader.get_row_group_column_bloom_filter(1, 0).unwrap().unwrap();
        assert!(filter.check(&"C04999") && !filter.check(&"D04999"));
        let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        let read = arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap();
        assert_eq!(
            (read.column(0), read.column(1)),
            (rows().column(0), rows().column(1))
        );
        assert_eq!(read.num_columns(), 3);
    }

    #[test]
    fn a_piece_answers_for_its_own_bytes_only() {
        let piece = Piece {
            start: 100,
            bytes: Bytes::from_static(b"abcdef"),
        };
        assert_eq!(piece.get_bytes(102, 3).unwrap(), b"cde".as_slice());
        for (start, length) in [(99, 1), (104, 3), (u64::MAX, 1), (100, usize::MAX)] {
            assert!(piece.get_bytes(start, length).is_err(), "{length} at {start}");
        }
    }
}
