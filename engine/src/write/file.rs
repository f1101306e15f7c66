//! One Parquet file, streamed to the store.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use deltalake_core::kernel::Add;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnWriter, ArrowLeafColumn, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::arrow::async_writer::AsyncFileWriter;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::file::metadata::{ParquetMetaData, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;
use serde_json::{Map, Value, json};

use crate::cpu;
use crate::error::Result;
use crate::spec::{Compression, Dictionary, Encoding};

/// How the files of a table are written.
#[derive(Debug, Clone)]
pub struct WriterOptions {
    /// The column whose exact range the Add carries.
    pub key: Option<&'static str>,
    /// How the rows come, by that column; the file says so of itself.
    pub order: KeyOrder,
    /// How pages and row groups are made.
    pub encoding: Encoding,
    /// A file is closed when it holds this many bytes.
    pub target_file_bytes: usize,
}

type Parquet<T> = parquet::errors::Result<T>;

/// How rows stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOrder {
    /// By the bytes of their key, ascending.
    Ascending,
    /// In any order.
    Unknown,
}

/// Size at which a file is closed. Small enough that a local change touches little.
pub const TARGET_FILE_BYTES: usize = 64 << 20;
/// Bytes of a key page, so that a probe reads little around each key.
const KEY_PAGE_BYTES: usize = 16 << 10;
/// How the name begins under which we write files.
const CREATED_BY: &str = "sluice ";

impl WriterOptions {
    /// Files of `customers`: clustered by `key`.
    #[must_use]
    pub fn clustered(key: &'static str, encoding: Encoding) -> Self {
        Self {
            key: Some(key),
            order: KeyOrder::Ascending,
            encoding,
            target_file_bytes: TARGET_FILE_BYTES,
        }
    }

    /// Files of an append-only table.
    #[must_use]
    pub fn appended(encoding: Encoding) -> Self {
        Self {
            key: None,
            order: KeyOrder::Unknown,
            encoding,
            target_file_bytes: TARGET_FILE_BYTES,
        }
    }

    fn properties(&self, schema: &SchemaRef) -> WriterProperties {
        self.builder(schema).build()
    }

    /// The properties of files with the columns of `schema`, to be added to.
    pub(super) fn builder(&self, schema: &SchemaRef) -> WriterPropertiesBuilder {
        let builder = WriterProperties::builder()
            .set_compression(codec(self.encoding.compression))
            .set_dictionary_enabled(self.encoding.dictionary == Dictionary::On)
            .set_dictionary_page_size_limit(self.encoding.dictionary_bytes)
            .set_max_row_group_row_count(Some(self.encoding.row_group_rows))
            .set_created_by(format!("{CREATED_BY}{}", env!("CARGO_PKG_VERSION")));
        match self
            .key
            .and_then(|key| schema.index_of(key).ok().map(|index| (key, index)))
        {
            Some((key, index)) => {
                clustered(builder, key, self.encoding.page_rows).set_sorting_columns(self.sorting(index))
            }
            None => builder,
        }
    }

    fn sorting(&self, key: usize) -> Option<Vec<SortingColumn>> {
        let by_key = SortingColumn {
            column_idx: i32::try_from(key).ok()?,
            descending: false,
            nulls_first: false,
        };
        (self.order == KeyOrder::Ascending).then(|| vec![by_key])
    }
}

fn codec(compression: Compression) -> Codec {
    match compression {
        Compression::None => Codec::UNCOMPRESSED,
        Compression::Snappy => Codec::SNAPPY,
        Compression::Lz4 => Codec::LZ4_RAW,
        // The configuration lets no level pass that is none.
        Compression::Zstd(level) => Codec::ZSTD(ZstdLevel::try_new(level.into()).unwrap_or_default()),
    }
}

/// Whether we wrote a file.
pub(super) fn is_ours(file: &ParquetMetaData) -> bool {
    let by = file.file_metadata().created_by();
    by.is_some_and(|by| by.starts_with(CREATED_BY))
}

/// How the rows of a file stand by `key`. Only files of ours are believed.
#[must_use]
pub fn key_order(file: &ParquetMetaData, key: &str) -> KeyOrder {
    let columns = file.file_metadata().schema_descr().columns();
    let leaf = columns.iter().position(|column| column.name() == key);
    let mut firsts = file
        .row_groups()
        .iter()
        .map(|group| group.sorting_columns()?.first());
    let by_key = firsts.all(|first| {
        first.is_some_and(|first| !first.descending && usize::try_from(first.column_idx).ok() == leaf)
    });
    match is_ours(file) && leaf.is_some() && by_key {
        true => KeyOrder::Ascending,
        false => KeyOrder::Unknown,
    }
}

/// There is no bloom filter on the key. A file is sorted, so that the column index leads to the one page of about
/// 16 KiB that can hold a customer; a filter of a row group's keys at one wrong answer in a hundred is ten times as
/// large, and would have to be read before that page.
///
/// Page bounds of other columns are left out: in a table clustered by key they prune nothing, and whoever looks for
/// one customer would read those of 200 columns. Their offsets are kept: they lead a merge to the pages it needs.
fn clustered(builder: WriterPropertiesBuilder, key: &str, page_rows: usize) -> WriterPropertiesBuilder {
    builder
        .set_statistics_truncate_length(None)
        .set_column_index_truncate_length(Some(64))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_data_page_row_count_limit(page_rows)
        .set_column_data_page_size_limit(key.into(), KEY_PAGE_BYTES)
        .set_column_statistics_enabled(key.into(), EnabledStatistics::Page)
        .set_column_dictionary_enabled(key.into(), false)
}

/// Streams batches into one file. The columns of a row group are encoded on all cores.
pub struct FileWriter {
    path: String,
    store: Arc<dyn ObjectStore>,
    sink: BufWriter,
    writer: SerializedFileWriter<Vec<u8>>,
    encoders: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
    open: OpenGroup,
    group_rows: usize,
    key: Option<&'static str>,
}

/// A row group under way: an encoder a leaf column, none before its first row.
#[derive(Default)]
struct OpenGroup {
    columns: Vec<ArrowColumnWriter>,
    rows: usize,
}

impl FileWriter {
    /// Opens `path` (relative to the table) in `store`.
    ///
    /// # Errors
    /// A schema that Parquet cannot hold.
    pub fn create(
        store: Arc<dyn ObjectStore>,
        path: String,
        schema: SchemaRef,
        options: &WriterOptions,
    ) -> Result<Self> {
        let properties = Some(options.properties(&schema));
        let (writer, encoders) =
            ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), properties)?.into_serialized_writer()?;
        Ok(Self {
            sink: BufWriter::new(Arc::clone(&store), Path::from(path.as_str())),
            path,
            store,
            writer,
            encoders,
            schema,
            open: OpenGroup::default(),
            group_rows: options.encoding.row_group_rows.max(1),
            key: options.key,
        })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// The store failed.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut first = 0;
        while first < batch.num_rows() {
            if self.open.columns.is_empty() {
                let number = self.writer.flushed_row_groups().len();
                self.open.columns = self.encoders.create_column_writers(number)?;
            }
            let rows = (self.group_rows - self.open.rows).min(batch.num_rows() - first);
            let (schema, piece) = (Arc::clone(&self.schema), batch.slice(first, rows));
            let columns = std::mem::take(&mut self.open.columns);
            self.open.columns = cpu::run(move || encoded(columns, &schema, &piece)).await?;
            self.open.rows += rows;
            first += rows;
            if self.open.rows == self.group_rows {
                self.close_group().await?;
            }
        }
        Ok(())
    }

    async fn close_group(&mut self) -> Result<()> {
        let OpenGroup { columns, rows } = std::mem::take(&mut self.open);
        if rows == 0 {
            return Ok(());
        }
        let closed = move || {
            Ok(columns
                .into_par_iter()
                .map(ArrowColumnWriter::close)
                .collect::<Parquet<Vec<_>>>()?)
        };
        let mut group = self.writer.next_row_group()?;
        for chunk in cpu::run(closed).await? {
            chunk.append_to_row_group(&mut group)?;
        }
        group.close()?;
        self.send().await
    }

    /// Hands what is encoded to the store.
    async fn send(&mut self) -> Result<()> {
        let bytes = std::mem::take(self.writer.inner_mut());
        Ok(self.sink.put(bytes.into()).await?)
    }

    /// Bytes written and buffered so far, as an estimate of the file's size.
    #[must_use]
    pub fn estimated_bytes(&self) -> usize {
        let open = self.open.columns.iter();
        self.writer.bytes_written()
            + open
                .map(ArrowColumnWriter::get_estimated_total_bytes)
                .sum::<usize>()
    }

    /// Closes the file and describes it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn finish(mut self) -> Result<Add> {
        self.close_group().await?;
        let metadata = self.writer.finish()?;
        self.send().await?;
        self.sink.complete().await?;
        let size_bytes = self.store.head(&Path::from(self.path.as_str())).await?.size;
        Ok(Add {
            path: self.path,
            partition_values: HashMap::new(),
            size: i64::try_from(size_bytes).unwrap_or(i64::MAX),
            modification_time: chrono::Utc::now().timestamp_millis(),
            data_change: true,
            stats: Some(stats(&metadata, self.key)),
            ..Add::default()
        })
    }
}

/// The encoders after the rows of `batch`.
fn encoded(
    mut encoders: Vec<ArrowColumnWriter>,
    schema: &Schema,
    batch: &RecordBatch,
) -> Result<Vec<ArrowColumnWriter>> {
    let columns = schema.fields().par_iter().zip(batch.columns());
    let leaves = columns.map(|(field, column)| compute_leaves(field, column));
    let leaves: Vec<ArrowLeafColumn> = leaves
        .collect::<Parquet<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect();
    let pairs = encoders.par_iter_mut().zip(&leaves);
    pairs.try_for_each(|(encoder, leaf)| encoder.write(leaf))?;
    Ok(encoders)
}

/// The Add's statistics: row count, and the key's exact range. Other columns are left out: 200 attributes would
/// bloat the log, and their ranges prune nothing in a table clustered by key.
fn stats(metadata: &ParquetMetaData, key: Option<&str>) -> String {
    let mut stats = Map::new();
    stats.insert(
        "numRecords".to_owned(),
        json!(metadata.file_metadata().num_rows()),
    );
    if let Some((key, (min, max))) = key.and_then(|key| Some((key, key_range(metadata, key)?))) {
        stats.insert("minValues".to_owned(), json!({ key: min }));
        stats.insert("maxValues".to_owned(), json!({ key: max }));
        stats.insert("nullCount".to_owned(), json!({ key: 0 }));
    }
    Value::Object(stats).to_string()
}

fn key_range(metadata: &ParquetMetaData, key: &str) -> Option<(String, String)> {
    let columns = metadata.file_metadata().schema_descr();
    let index = columns.columns().iter().position(|column| column.name() == key)?;
    let mut range: Option<(String, String)> = None;
    for group in metadata.row_groups() {
        let Some(Statistics::ByteArray(found)) = group.column(index).statistics() else {
            return None;
        };
        let min = std::str::from_utf8(found.min_bytes_opt()?).ok()?;
        let max = std::str::from_utf8(found.max_bytes_opt()?).ok()?;
        let (low, high) = range.get_or_insert_with(|| (min.to_owned(), max.to_owned()));
        if min < low.as_str() {
            *low = min.to_owned();
        }
        if max > high.as_str() {
            *high = max.to_owned();
        }
    }
    range
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int64Array, StringViewArray, StructArray};
    use arrow::compute::concat_batches;
    use arrow::datatypes::{DataType, Field};
    use object_store::memory::InMemory;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    /// What a file of 5,000 customers says of itself.
    fn written(encoding: Encoding) -> ParquetMetaData {
        let keys = (0..5_000).map(|i| format!("C{i:05}"));
        let key: ArrayRef = Arc::new(StringViewArray::from_iter_values(keys));
        let tiers = (0..5_000).map(|i| ["Gold", "Silver"][i % 2]);
        let tier: ArrayRef = Arc::new(StringViewArray::from_iter_values(tiers));
        let notes = (0..5_000).map(|i| format!("note number {i:05}"));
        let note: ArrayRef = Arc::new(StringViewArray::from_iter_values(notes));
        let columns = [("customer_id", key), ("tier", tier), ("note", note)];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let options = WriterOptions::clustered("customer_id", encoding);
        let properties = options.properties(&batch.schema());
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn a_file_is_encoded_as_configured() {
        let usual = Encoding::default();
        let file = written(Encoding {
            row_group_rows: 2_000,
            page_rows: 1_024,
            ..usual
        });
        let group_rows: Vec<i64> = file.row_groups().iter().map(|group| group.num_rows()).collect();
        assert_eq!(group_rows, [2_000, 2_000, 1_000]);
        let pages = |file: &ParquetMetaData| file.offset_index().unwrap()[0][1].page_locations().len();
        assert_eq!(pages(&file), 2);
        assert_eq!(pages(&written(usual)), 3, "of 2,048 rows");
        for (compression, codec) in [
            (Compression::None, Codec::UNCOMPRESSED),
            (Compression::Snappy, Codec::SNAPPY),
            (Compression::Lz4, Codec::LZ4_RAW),
            (Compression::Zstd(1), Codec::ZSTD(ZstdLevel::default())),
        ] {
            let file = written(Encoding { compression, ..usual });
            assert_eq!(file.row_group(0).column(1).compression(), codec);
        }
        let has_dictionary = |dictionary: Dictionary, column: usize| {
            let file = written(Encoding { dictionary, ..usual });
            file.row_group(0)
                .column(column)
                .dictionary_page_offset()
                .is_some()
        };
        assert!(has_dictionary(Dictionary::On, 1) && !has_dictionary(Dictionary::Off, 1));
        assert!(!has_dictionary(Dictionary::On, 0), "no two keys are the same");
    }

    #[test]
    fn a_dictionary_ends_at_its_size_and_the_column_goes_on_without() {
        let dictionary_bytes = |at_most: usize, column: usize| {
            let file = written(Encoding {
                compression: Compression::None,
                dictionary_bytes: at_most,
                ..Encoding::default()
            });
            let column = file.row_group(0).column(column).clone();
            column.data_page_offset() - column.dictionary_page_offset().unwrap()
        };
        let (tiers, notes) = (1, 2);
        assert!(dictionary_bytes(1 << 20, notes) > 5_000 * 17);
        assert!(dictionary_bytes(4_096, notes) < 2 * 1_024 * 21);
        assert_eq!(dictionary_bytes(4_096, tiers), dictionary_bytes(1 << 20, tiers));
    }

    #[tokio::test]
    async fn batches_of_any_size_fill_row_groups_and_come_back_as_they_were() {
        let ids: ArrayRef = Arc::new(StringViewArray::from_iter_values(
            (0..5_000).map(|i| format!("C{i:05}")),
        ));
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter(
            (0..5_000).map(|i| (i % 3 > 0).then_some(i)),
        ));
        let fields = vec![
            Field::new("n", DataType::Int64, true),
            Field::new("id", DataType::Utf8View, true),
        ];
        let pair: ArrayRef = Arc::new(StructArray::new(
            fields.into(),
            vec![Arc::clone(&numbers), Arc::clone(&ids)],
            None,
        ));
        let columns = [("customer_id", ids), ("pair", pair), ("n", numbers)];
        let all = RecordBatch::try_from_iter(columns).unwrap();
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let options = WriterOptions::clustered(
            "customer_id",
            Encoding {
                row_group_rows: 2_000,
                ..Encoding::default()
            },
        );
        let mut writer =
            FileWriter::create(Arc::clone(&store), "f.parquet".to_owned(), all.schema(), &options).unwrap();
        for (first, rows) in [(0, 1), (1, 1_999), (2_000, 2_500), (4_500, 0), (4_500, 500)] {
            writer.write(&all.slice(first, rows)).await.unwrap();
        }
        assert!(writer.estimated_bytes() > 5_000);
        let add = writer.finish().await.unwrap();
        let bytes = store
            .get(&Path::from("f.parquet"))
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        assert_eq!(add.size, bytes.len() as i64);
        let stats = add.stats.unwrap();
        assert!(
            stats.contains("\"numRecords\":5000") && stats.contains("\"customer_id\":\"C04999\""),
            "{stats}"
        );
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        let groups: Vec<i64> = reader
            .metadata()
            .row_groups()
            .iter()
            .map(|group| group.num_rows())
            .collect();
        assert_eq!(groups, [2_000, 2_000, 1_000]);
        let batches: Vec<RecordBatch> = reader.build().unwrap().map(|batch| batch.unwrap()).collect();
        assert_eq!(concat_batches(&all.schema(), &batches).unwrap(), all);
    }

    #[test]
    fn a_file_is_believed_to_be_sorted_if_it_is_ours_and_says_so() {
        let key: ArrayRef = Arc::new(StringViewArray::from(vec!["a", "b"]));
        let batch = RecordBatch::try_from_iter([("customer_id", key)]).unwrap();
        let order_of = |properties: WriterProperties| {
            let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
            writer.write(&batch).unwrap();
            key_order(&writer.finish().unwrap(), "customer_id")
        };
        let ours = WriterOptions::clustered("customer_id", Encoding::default());
        assert_eq!(order_of(ours.properties(&batch.schema())), KeyOrder::Ascending);
        let foreign = ours.builder(&batch.schema()).set_created_by("foreign".into());
        assert_eq!(order_of(foreign.build()), KeyOrder::Unknown);
        let as_given = WriterOptions {
            order: KeyOrder::Unknown,
            ..ours
        };
        assert_eq!(order_of(as_given.properties(&batch.schema())), KeyOrder::Unknown);
    }
}
