use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BinaryArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Int64Type};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{Int96, Int96Type};
use parquet::file::metadata::{ParquetMetaDataReader, ParquetMetaDataWriter};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;
use tempfile::TempDir;

use super::super::{BATCH_ROWS, ParquetFile, texts};
use crate::error::{Class, Error};
use crate::source::SourceFile;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("customers.parquet");
        fs::write(&path, bytes).unwrap();
        path
    }
}

fn opened(path: &Path) -> Result<ParquetFile, Error> {
    ParquetFile::open(&SourceFile::open(path)?)
}

/// `num_rows` rows of `id`, `name`, `id` again, in row groups of `group_rows`.
fn written(num_rows: usize, group_rows: usize, compression: Compression) -> Vec<u8> {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..num_rows as i64));
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..num_rows).map(|id| format!("customer number {id}")),
    ));
    let seen: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0; num_rows]).with_timezone("UTC"));
    let batch = RecordBatch::try_from_iter([("id", ids), ("name", names), ("seen", seen)]).unwrap();
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(group_rows))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn zstd() -> Compression {
    Compression::ZSTD(ZstdLevel::default())
}

/// The ids of a row group, of a projection that has them at `place`.
fn ids(file: &ParquetFile, row_group: usize, wanted: &[usize], place: usize) -> Vec<i64> {
    let batches = file.read(row_group, wanted).unwrap().map(Result::unwrap);
    batches
        .flat_map(|batch| batch.column(place).as_primitive::<Int64Type>().values().to_vec())
        .collect()
}

/// Everything that can be read of a file; the first error if there is one.
fn read_all(bytes: &[u8]) -> Result<usize, Error> {
    let folder = Folder::new();
    let file = opened(&folder.file(bytes))?;
    let wanted: Vec<usize> = (0..file.columns().len()).collect();
    let mut num_rows = 0;
    for row_group in 0..file.row_groups().len() {
        for batch in file.read(row_group, &wanted)? {
            let batch = batch?;
            for column in batch.columns() {
                texts(column)?;
            }
            num_rows += batch.num_rows();
        }
    }
    Ok(num_rows)
}

#[test]
fn row_groups_follow_each_other_and_batches_have_their_size() {
    let folder = Folder::new();
    let file = opened(&folder.file(&written(25_000, 10_000, zstd()))).unwrap();
    assert_eq!(file.columns(), ["id", "name", "seen"]);
    assert_eq!(file.num_rows(), 25_000);
    let groups: Vec<(u64, u64)> = file
        .row_groups()
        .iter()
        .map(|group| (group.first_row, group.num_rows))
        .collect();
    assert_eq!(groups, [(0, 10_000), (10_000, 10_000), (20_000, 5_000)]);
    let sizes: Vec<usize> = file
        .read(0, &[0])
        .unwrap()
        .map(|batch| batch.unwrap().num_rows())
        .collect();
    assert_eq!(sizes, [BATCH_ROWS, 10_000 - BATCH_ROWS]);
}

#[test]
fn threads_read_row_groups_side_by_side() {
    let folder = Folder::new();
    let file = opened(&folder.file(&written(20_000, 1_000, zstd()))).unwrap();
    std::thread::scope(|scope| {
        for first in 0..4 {
            let file = &file;
            scope.spawn(move || {
                for row_group in (first..20).step_by(4) {
                    let expected: Vec<i64> =
                        (row_group as i64 * 1_000..(row_group as i64 + 1) * 1_000).collect();
                    assert_eq!(ids(file, row_group, &[0, 1], 0), expected);
                }
            });
        }
    });
}

#[test]
fn columns_come_in_the_order_asked_for() {
    let folder = Folder::new();
    let file = opened(&folder.file(&written(10, 10, Compression::SNAPPY))).unwrap();
    let batch = file.read(0, &[2, 0, 0]).unwrap().next().unwrap().unwrap();
    let names: Vec<String> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    assert_eq!(names, ["seen", "id", "id"]);
    assert_eq!(ids(&file, 0, &[1, 2, 0], 2), (0..10).collect::<Vec<i64>>());
    assert_eq!(
        file.read(0, &[])
            .unwrap()
            .map(|batch| batch.unwrap().num_rows())
            .sum::<usize>(),
        10
    );
}

#[test]
fn texts_are_views_and_instants_keep_their_zone() {
    let folder = Folder::new();
    let file = opened(&folder.file(&written(3, 3, zstd()))).unwrap();
    let batch = file.read(0, &[1, 2]).unwrap().next().unwrap().unwrap();
    assert_eq!(batch.column(0).data_type(), &DataType::Utf8View);
    let seen = texts(batch.column(1)).unwrap();
    assert_eq!(seen.texts.value(0), "1970-01-01 00:00:00Z");
}

#[test]
fn a_name_may_stand_twice() {
    let schema = parse_message_type("message m { required int64 id; required int64 id; }").unwrap();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for value in [1_i64, 2] {
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<parquet::data_type::Int64Type>()
            .write_batch(&[value], None, None)
            .unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    let folder = Folder::new();
    let file = opened(&folder.file(&bytes)).unwrap();
    assert_eq!(file.columns(), ["id", "id"]);
    assert_eq!(ids(&file, 0, &[1], 0), [2]);
}

#[test]
fn an_instant_of_96_bits_does_not_wrap_around() {
    let schema = parse_message_type("message m { required int96 until; }").unwrap();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    // 9999-12-31 is this Julian day.
    let until = Int96::from(vec![0, 0, 5_373_484]);
    column
        .typed::<Int96Type>()
        .write_batch(&[until], None, None)
        .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    let folder = Folder::new();
    let file = opened(&folder.file(&bytes)).unwrap();
    let batch = file.read(0, &[0]).unwrap().next().unwrap().unwrap();
    assert_eq!(
        texts(batch.column(0)).unwrap().texts.value(0),
        "9999-12-31 00:00:00"
    );
}

#[test]
fn strings_without_their_annotation_are_judged_value_by_value() {
    let names: ArrayRef = Arc::new(BinaryArray::from(vec![&b"Ann"[..], b"\xff"]));
    let batch = RecordBatch::try_from_iter([("name", names)]).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    let folder = Folder::new();
    let file = opened(&folder.file(&writer.into_inner().unwrap())).unwrap();
    let batch = file.read(0, &[0]).unwrap().next().unwrap().unwrap();
    let read = texts(batch.column(0)).unwrap();
    assert_eq!((read.texts.value(0), read.invalid_rows), ("Ann", vec![1]));
}

#[test]
fn what_is_no_parquet_file_is_named_with_a_remedy() {
    let whole = written(10, 10, zstd());
    let mut encrypted = whole.clone();
    let magic_at = encrypted.len() - 1;
    encrypted[magic_at] = b'E';
    let cases: [(&[u8], &str, &str); 5] = [
        (b"", "file_empty", "no bytes"),
        (b"PAR1", "source_corrupt", "not Parquet"),
        (b"id,name\n1,Ann\n", "source_corrupt", "not Parquet"),
        (&whole[..whole.len() - 1], "source_corrupt", "not Parquet"),
        (&encrypted, "source_corrupt", "encrypted"),
    ];
    for (bytes, code, words) in cases {
        let error = read_all(bytes).unwrap_err();
        assert_eq!((error.code(), error.class()), (Some(code), Class::Data));
        assert!(
            error.to_string().contains(words) && error.to_string().contains("customers.parquet"),
            "{error}"
        );
        assert!(!error.hints().is_empty());
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = opened(&Folder::new().0.path().join("gone.parquet")).unwrap_err();
    assert_eq!(error.class(), Class::Runtime);
    assert!(error.to_string().contains("gone.parquet"));
}

#[test]
fn a_codec_that_is_not_supported_is_named() {
    let whole = written(10, 10, Compression::UNCOMPRESSED);
    let metadata = ParquetMetaDataReader::new()
        .parse_and_finish(&bytes::Bytes::from(whole.clone()))
        .unwrap();
    let mut relabelled = metadata.clone().into_builder();
    let groups = relabelled.take_row_groups().into_iter().map(|group| {
        let mut group = group.into_builder();
        let columns = group.take_columns().into_iter();
        let columns = columns.map(|column| {
            column
                .into_builder()
                .set_compression(Compression::LZO)
                .build()
                .unwrap()
        });
        group.set_column_metadata(columns.collect()).build().unwrap()
    });
    let relabelled = relabelled.set_row_groups(groups.collect()).build();
    let mut bytes = whole;
    ParquetMetaDataWriter::new(&mut bytes, &relabelled)
        .finish()
        .unwrap();
    let error = read_all(&bytes).unwrap_err();
    assert_eq!(error.code(), Some("source_corrupt"));
    assert!(error.to_string().contains("LZO"), "{error}");
}

#[test]
fn a_row_group_or_column_that_is_not_there_is_an_error() {
    let folder = Folder::new();
    let file = opened(&folder.file(&written(3, 3, zstd()))).unwrap();
    assert!(file.read(1, &[0]).is_err());
    assert!(file.read(0, &[3]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_damaged_file_is_read_or_refused_but_never_fatal(at: prop::sample::Index, byte: u8, footer: bool, cut: Option<prop::sample::Index>) {
        let mut bytes = written(300, 100, zstd());
        // Half of the damage goes to the last bytes, where the footer is.
        let first = if footer { bytes.len() - bytes.len() / 4 } else { 0 };
        let at = first + at.index(bytes.len() - first);
        bytes[at] = byte;
        if let Some(cut) = cut {
            let removed = cut.index(bytes.len());
            bytes.remove(removed);
        }
        if let Err(error) = read_all(&bytes) {
            prop_assert!(error.code().is_some(), "{}", error);
        }
    }
}
