//! One Parquet file below SQL, through the object store.
//!
//! ```text
//!   row group 0 ... row group n │ bloom filters │ page indexes │ footer
//!                                                └── read at once when it is opened
//! ```

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::DecodeResult;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReader, RowSelection};
use parquet::arrow::push_decoder::ParquetPushDecoderBuilder;
use parquet::file::metadata::{
    PageIndexPolicy, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataPushDecoder,
};

use crate::error::{Error, Result};

/// Bytes of the end of a file that are read first: most footers with their indexes.
const TAIL_BYTES: u64 = 128 << 10;

/// An opened file: its footer and its page indexes.
#[derive(Debug)]
pub struct ParquetFile {
    store: Arc<dyn ObjectStore>,
    path: Path,
    metadata: Arc<ParquetMetaData>,
    read_bytes: AtomicU64,
}

impl ParquetFile {
    /// Opens `path` (relative to the table) in `store`. Encoding statistics are kept whole, so that what is read can
    /// be written again; page indexes are read where there are any.
    ///
    /// # Errors
    /// The store failed, or the file is no Parquet file.
    pub async fn open(store: Arc<dyn ObjectStore>, path: &str, size_bytes: u64) -> Result<Self> {
        let location = Path::from(path);
        let damaged = |e| {
            Error::runtime("the footer of a Parquet file could not be read")
                .in_file(path)
                .because(e)
        };
        let options = ParquetMetaDataOptions::new().with_encoding_stats_as_mask(false);
        let mut decoder = ParquetMetaDataPushDecoder::try_new(size_bytes)
            .map_err(damaged)?
            .with_page_index_policy(PageIndexPolicy::Optional)
            .with_metadata_options(Some(Arc::new(options)));
        let tail = size_bytes.saturating_sub(TAIL_BYTES)..size_bytes;
        let bytes = store.get_range(&location, tail.clone()).await?;
        let mut read_bytes = bytes.len() as u64;
        decoder.push_range(tail, bytes).map_err(damaged)?;
        loop {
            match decoder.try_decode().map_err(damaged)? {
                DecodeResult::Data(metadata) => {
                    return Ok(Self {
                        store,
                        path: location,
                        metadata: Arc::new(metadata),
                        read_bytes: AtomicU64::new(read_bytes),
                    });
                }
                DecodeResult::NeedsData(ranges) => {
                    let bytes = store.get_ranges(&location, &ranges).await?;
                    read_bytes += bytes.iter().map(|part| part.len() as u64).sum::<u64>();
                    decoder.push_ranges(ranges, bytes).map_err(damaged)?;
                }
                DecodeResult::Finished => {
                    return Err(Error::runtime("a Parquet file has no footer").in_file(path));
                }
            }
        }
    }

    /// The footer with the page indexes.
    #[must_use]
    pub fn metadata(&self) -> &Arc<ParquetMetaData> {
        &self.metadata
    }

    /// Bytes read from the store so far.
    #[must_use]
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes.load(Ordering::Relaxed)
    }

    /// Reads ranges; neighbours are read together.
    ///
    /// # Errors
    /// The store failed.
    pub async fn fetch(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let parts = self.store.get_ranges(&self.path, ranges).await?;
        let read: u64 = parts.iter().map(|part| part.len() as u64).sum();
        self.read_bytes.fetch_add(read, Ordering::Relaxed);
        Ok(parts)
    }

    /// Reads one range.
    ///
    /// # Errors
    /// The store failed.
    pub async fn fetch_one(&self, range: Range<u64>) -> Result<Bytes> {
        let bytes = self.store.get_range(&self.path, range).await?;
        self.read_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes)
    }

    /// Reads what `selection` (all rows for `None`) asks of some top-level columns of a row group, and nothing else.
    /// The reader holds the bytes and decodes them when it is asked to; it yields one batch, in the file's column
    /// order, or none.
    ///
    /// # Errors
    /// The store failed, or the file is damaged.
    pub async fn reader(
        &self,
        columns: &ArrowReaderMetadata,
        group: usize,
        roots: &[usize],
        selection: Option<RowSelection>,
    ) -> Result<Option<ParquetRecordBatchReader>> {
        let num_rows = usize::try_from(self.metadata.row_group(group).num_rows()).unwrap_or(usize::MAX);
        let mask = ProjectionMask::roots(columns.parquet_schema(), roots.iter().copied());
        let mut builder = ParquetPushDecoderBuilder::new_with_metadata(columns.clone())
            .with_row_groups(vec![group])
            .with_projection(mask)
            .with_batch_size(num_rows);
        if let Some(selection) = selection {
            builder = builder.with_row_selection(selection);
        }
        let mut decoder = builder.build()?;
        loop {
            match decoder.try_next_reader()? {
                DecodeResult::NeedsData(ranges) => {
                    let parts = self.fetch(&ranges).await?;
                    decoder.push_ranges(ranges, parts)?;
                }
                DecodeResult::Data(reader) => return Ok(Some(reader)),
                DecodeResult::Finished => return Ok(None),
            }
        }
    }
}
