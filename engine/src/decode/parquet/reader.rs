//! A Parquet file, row group by row group.
//!
//! ```text
//!  row group 0 │ rows 0 ..          │ batch, batch, batch │  each row group has a reader of its own:
//!  row group 1 │ rows first_row ..  │ batch, batch        │  several threads read one file
//! ```

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::{Compression, Type as PhysicalType};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::schema::types::Type;

use super::access::Access;
use super::fault;
use crate::error::{Error, Result};
use crate::source::{RowBatches, Rows, SourceFile, Stop};

/// Rows of a batch; the last one of a row group has fewer.
pub const BATCH_ROWS: usize = 8_192;

/// An opened file: the footer is read, the rows are not. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ParquetFile {
    file: SourceFile,
    metadata: ArrowReaderMetadata,
    columns: Vec<String>,
    row_groups: Vec<RowGroup>,
}

/// Rows that are stored, and can be read, on their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowGroup {
    /// Rows of the file before it.
    pub first_row: u64,
    /// Rows in it.
    pub num_rows: u64,
    /// Bytes of its columns in the file.
    pub stored_bytes: u64,
}

impl ParquetFile {
    /// Reads the footer.
    ///
    /// # Errors
    /// `file_empty`; `source_corrupt`, naming file and remedy; input or output.
    pub fn open(file: &SourceFile) -> Result<Self> {
        let shown = &file.url;
        check_magic(file).map_err(|error| error.in_file(shown))?;
        let damaged = |error| fault::of_read(shown, &[], error);
        let options = || ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let access = Access::InPlace(file.clone());
        let metadata = unless_it_panics(|| ArrowReaderMetadata::load(&access, options()))
            .map_err(|panicked| fault::of_read(shown, &[], panicked))?
            .map_err(damaged)?;
        let schema = as_views(&metadata);
        let metadata =
            ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options().with_schema(schema))
                .map_err(damaged)?;
        let columns = metadata
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        let row_groups = row_groups(&metadata).ok_or_else(|| fault::of_read(shown, &[], Negative))?;
        Ok(Self {
            file: file.clone(),
            metadata,
            columns,
            row_groups,
        })
    }

    /// Names of the top-level columns in file order; one may stand twice.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The row groups in file order.
    #[must_use]
    pub fn row_groups(&self) -> &[RowGroup] {
        &self.row_groups
    }

    /// Rows of the file.
    #[must_use]
    pub fn num_rows(&self) -> u64 {
        self.row_groups.iter().map(|group| group.num_rows).sum()
    }

    /// The rows of one row group, in order; their columns are `wanted`, positions in [`columns`](Self::columns), in
    /// that order. Only what is asked for is read, where it stands.
    ///
    /// # Errors
    /// `source_corrupt`; input or output; a row group or column that the file has not.
    pub fn read(&self, row_group: usize, wanted: &[usize]) -> Result<Batches> {
        self.read_through(Access::InPlace(self.file.clone()), row_group, wanted)
    }

    fn read_through(&self, access: Access, row_group: usize, wanted: &[usize]) -> Result<Batches> {
        if row_group >= self.row_groups.len() || wanted.iter().any(|column| *column >= self.columns.len()) {
            return Err(
                Error::runtime("a row group or a column beyond those of the file was asked for")
                    .in_file(&self.file.url),
            );
        }
        let codecs = self.codecs(row_group, wanted);
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), wanted.iter().copied());
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(access, self.metadata.clone())
            .with_row_groups(vec![row_group])
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS);
        let reader = unless_it_panics(|| builder.build())
            .map_err(|panicked| fault::of_read(&self.file.url, &codecs, panicked))?
            .map_err(|error| fault::of_read(&self.file.url, &codecs, error))?;
        Ok(Batches {
            shown: self.file.url.clone(),
            codecs,
            order: places(wanted),
            reader: Some(reader),
        })
    }

    fn all_columns(&self) -> Vec<usize> {
        (0..self.columns.len()).collect()
    }

    /// The codecs of the wanted columns, once each.
    fn codecs(&self, row_group: usize, wanted: &[usize]) -> Vec<Compression> {
        let schema = self.metadata.parquet_schema();
        let mut codecs = Vec::new();
        let chunks = self
            .metadata
            .metadata()
            .row_groups()
            .get(row_group)
            .map_or(&[][..], |group| group.columns());
        for (leaf, chunk) in chunks.iter().enumerate() {
            let is_wanted = leaf < schema.num_columns() && wanted.contains(&schema.get_column_root_idx(leaf));
            if is_wanted && !codecs.contains(&chunk.compression()) {
                codecs.push(chunk.compression());
            }
        }
        codecs
    }
}

/// All rows and columns. A file elsewhere is copied to this machine's disk first: its columns stand apart, and reading them
/// side by side would ask for every page on its own.
impl Rows for ParquetFile {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn fields(&self) -> &Fields {
        self.metadata.schema().fields()
    }

    fn batches(&self, _stop: Stop) -> Result<RowBatches> {
        let access = Access::OnDisk {
            file: self.file.on_disk()?,
            size_bytes: self.file.version.size_bytes,
        };
        let (file, all) = (self.clone(), self.all_columns());
        let groups =
            (0..self.row_groups.len()).map(move |group| file.read_through(access.clone(), group, &all));
        Ok(one_after_the_other(groups))
    }

    /// Row group by row group: the first pages of a file elsewhere are all that is asked for.
    fn sample(&self, _max_rows: usize) -> Result<RowBatches> {
        let (file, all) = (self.clone(), self.all_columns());
        let groups = (0..self.row_groups.len()).map(move |group| file.read(group, &all));
        Ok(one_after_the_other(groups))
    }
}

/// The batches of row groups.
fn one_after_the_other(groups: impl Iterator<Item = Result<Batches>> + Send + 'static) -> RowBatches {
    Box::new(groups.flat_map(|group| -> RowBatches {
        match group {
            Ok(batches) => Box::new(batches),
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }))
}

/// The rows of a row group, batch by batch; ends at the first error.
#[derive(Debug)]
pub struct Batches {
    shown: String,
    codecs: Vec<Compression>,
    /// For each wanted column its place in what the reader gives.
    order: Vec<usize>,
    /// `None` after an error.
    reader: Option<ParquetRecordBatchReader>,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let reader = self.reader.as_mut()?;
        let batch = unless_it_panics(|| reader.next());
        let batch = match batch {
            Ok(batch) => batch?
                .and_then(|batch| batch.project(&self.order))
                .map_err(|error| fault::of_read(&self.shown, &self.codecs, error)),
            Err(panicked) => Err(fault::of_read(&self.shown, &self.codecs, panicked)),
        };
        if batch.is_err() {
            self.reader = None;
        }
        Some(batch)
    }
}

/// The reader takes some of a page for granted, and asserts it: damage there is an error like any other.
fn unless_it_panics<T>(read: impl FnOnce() -> T) -> Result<T, Panicked> {
    // What was under way is given up after a panic: nobody sees it half done.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).map_err(|_| Panicked)
}

/// The reader gave up in the middle of a page.
#[derive(Debug)]
struct Panicked;

impl std::fmt::Display for Panicked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a page holds what no page holds")
    }
}

impl std::error::Error for Panicked {}

/// The reader gives each column once, in file order.
fn places(wanted: &[usize]) -> Vec<usize> {
    let mut given = wanted.to_vec();
    given.sort_unstable();
    given.dedup();
    wanted
        .iter()
        .map(|column| given.partition_point(|other| other < column))
        .collect()
}

/// Counts below zero in a footer.
#[derive(Debug)]
struct Negative;

impl std::fmt::Display for Negative {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("its footer counts less than no rows")
    }
}

impl std::error::Error for Negative {}

fn row_groups(metadata: &ArrowReaderMetadata) -> Option<Vec<RowGroup>> {
    let mut first_row = 0_u64;
    let groups = metadata.metadata().row_groups().iter().map(|group| {
        // The reader of pages takes for granted what a damaged footer need not hold.
        let has_places = |column: &ColumnChunkMetaData| {
            let start = column
                .dictionary_page_offset()
                .unwrap_or_else(|| column.data_page_offset());
            start >= 0 && column.data_page_offset() >= 0 && column.compressed_size() >= 0
        };
        if !group.columns().iter().all(has_places) {
            return None;
        }
        let row_group = RowGroup {
            first_row,
            num_rows: u64::try_from(group.num_rows()).ok()?,
            stored_bytes: u64::try_from(group.compressed_size()).unwrap_or_default(),
        };
        first_row = first_row.checked_add(row_group.num_rows)?;
        Some(row_group)
    });
    groups.collect()
}

fn check_magic(file: &SourceFile) -> Result<()> {
    let file_bytes = file.version.size_bytes;
    if file_bytes == 0 {
        return Err(fault::empty());
    }
    let mut tail = [0; fault::MAGIC.len()];
    if file_bytes >= fault::MIN_BYTES {
        let at = file_bytes - tail.len() as u64;
        file.read_at(&mut tail, at)?;
    }
    fault::of_tail(&tail).map_or(Ok(()), Err)
}

/// The schema to read in: texts as views into the pages, and instants of 96 bits in microseconds, because
/// nanoseconds would wrap around beyond the years 1677 to 2262, where sentinels such as 9999-12-31 stand.
fn as_views(metadata: &ArrowReaderMetadata) -> SchemaRef {
    let roots = metadata.parquet_schema().root_schema().get_fields();
    let fields = metadata.schema().fields().iter().zip(roots);
    Arc::new(Schema::new_with_metadata(
        fields
            .map(|(field, root)| as_view(field, root))
            .collect::<Vec<FieldRef>>(),
        metadata.schema().metadata().clone(),
    ))
}

fn as_view(field: &FieldRef, root: &Type) -> FieldRef {
    let is_96_bits = root.is_primitive() && root.get_physical_type() == PhysicalType::INT96;
    let data_type = match field.data_type() {
        DataType::Utf8 => DataType::Utf8View,
        DataType::Binary => DataType::BinaryView,
        DataType::Timestamp(_, zone) if is_96_bits => {
            DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
        }
        other => other.clone(),
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}
