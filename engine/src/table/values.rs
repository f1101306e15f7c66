//! How many rows of a version have a value of a column.
//!
//! ```text
//!   a file whose footer counts NULLs, no row deleted   rows less NULLs   the footer is read
//!   one where deleting tells nothing: all or no NULLs  exact too         the footer is read
//!   a file that lacks the column                       none              the footer is read
//!   any other file                                     counted           the column is read
//! ```

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::ident;
use datafusion::prelude::SessionContext;
use futures::{StreamExt, TryStreamExt, stream};
use parquet::file::metadata::ParquetMetaData;

use super::{LiveFile, ParquetFile, Snapshot, SnapshotTable};
use crate::error::Result;

/// Footers that are read at once.
const FOOTERS_AT_ONCE: usize = 16;

/// The rows of `snapshot` that have a value of `column`, which is no nested one.
///
/// # Errors
/// A file cannot be read.
pub async fn num_values(ctx: &SessionContext, snapshot: &Snapshot, column: &str) -> Result<u64> {
    let store = snapshot.log.object_store(None);
    let footers = stream::iter(snapshot.files.clone()).map(|file| {
        let store = Arc::clone(&store);
        async move {
            let size_bytes = file.add.size.unsigned_abs();
            let opened = ParquetFile::open(store, &file.add.path, size_bytes).await?;
            let values = in_footer(opened.metadata(), file.dead_rows(), column);
            Ok::<_, crate::Error>((file, values))
        }
    });
    let mut footers = footers.buffer_unordered(FOOTERS_AT_ONCE);
    let (mut total, mut untold) = (0, Vec::new());
    while let Some((file, values)) = footers.try_next().await? {
        match values {
            Some(values) => total += values,
            None => untold.push(file),
        }
    }
    match untold.is_empty() {
        true => Ok(total),
        false => Ok(total + counted(ctx, snapshot, untold, column).await?),
    }
}

/// The values of a column in the rows that readers see of a file of which `dead_rows` are deleted, if its footer says.
fn in_footer(metadata: &ParquetMetaData, dead_rows: u64, column: &str) -> Option<u64> {
    let schema = metadata.file_metadata().schema_descr();
    let mut leaves = schema.columns().iter();
    let Some(leaf) = leaves.position(|leaf| leaf.path().parts() == [column]) else {
        return Some(0);
    };
    let (mut rows, mut nulls) = (0, 0);
    for group in metadata.row_groups() {
        rows += group.num_rows().unsigned_abs();
        nulls += group.column(leaf).statistics()?.null_count_opt()?;
    }
    match dead_rows {
        0 => Some(rows - nulls),
        _ if nulls == 0 => Some(rows - dead_rows),
        _ if nulls == rows => Some(0),
        _ => None,
    }
}

/// The same by reading the column of `files`.
async fn counted(
    ctx: &SessionContext,
    snapshot: &Snapshot,
    files: Vec<LiveFile>,
    column: &str,
) -> Result<u64> {
    let some = Snapshot {
        files,
        ..snapshot.clone()
    };
    let table = ctx.read_table(Arc::new(SnapshotTable::new(Arc::new(some))))?;
    let counted = table
        .aggregate(Vec::new(), vec![count(ident(column))])?
        .collect()
        .await?;
    let count = counted
        .first()
        .map(|batch| batch.column(0).as_primitive::<Int64Type>().value(0));
    Ok(count.unwrap_or_default().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array, RecordBatch};
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::file::properties::{EnabledStatistics, WriterProperties};

    use super::*;

    fn footer(values: Vec<Option<i64>>, statistics: EnabledStatistics) -> Arc<ParquetMetaData> {
        let column: ArrayRef = Arc::new(Int64Array::from(values));
        let batch = RecordBatch::try_from_iter([("points", column)]).unwrap();
        let properties = WriterProperties::builder()
            .set_statistics_enabled(statistics)
            .set_max_row_group_row_count(Some(2))
            .build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap();
        Arc::clone(reader.metadata())
    }

    #[test]
    fn a_footer_tells_values_unless_deleted_rows_may_have_had_them() {
        let some = vec![Some(1), None, Some(3), Some(4), None];
        for (values, dead_rows, told) in [
            (some.clone(), 0, Some(3)),
            (some, 2, None),
            (vec![Some(1); 5], 2, Some(3)),
            (vec![None; 5], 2, Some(0)),
        ] {
            let footer = footer(values.clone(), EnabledStatistics::Chunk);
            assert_eq!(
                in_footer(&footer, dead_rows, "points"),
                told,
                "{values:?} {dead_rows}"
            );
        }
    }

    #[test]
    fn a_file_without_the_column_has_no_value_and_one_without_statistics_is_read() {
        let silent = footer(vec![Some(1), None], EnabledStatistics::None);
        assert_eq!(in_footer(&silent, 0, "points"), None);
        assert_eq!(in_footer(&silent, 0, "tier"), Some(0));
    }
}
