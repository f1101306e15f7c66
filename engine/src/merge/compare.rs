//! What the changes do to one row group.

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, RowSelection};

use super::algo::{Pairs, compare};
use super::changes::{ChangeSlice, NullCells};
use super::facts::ChangedCells;
use super::layout::FileLayout;
use super::pages::select_rows;
use super::probe::GroupPairs;
use super::read::{on_core, one_batch};
use crate::error::{Error, Result};
use crate::table::ParquetFile;

/// One matched row in this many, and all rows of the mapped columns are decoded: skipping row by row costs more.
pub(super) const DENSE: usize = 4;

/// What the changes do to one row group.
#[derive(Debug, Clone)]
pub(super) struct GroupChanges {
    /// The row group.
    pub group: usize,
    /// Position of its first row in the file.
    pub first_row: u64,
    /// Its rows.
    pub num_rows: usize,
    /// Rows that met a change.
    pub matched_rows: u64,
    /// The rows among them that change, counted within the row group.
    pub changed: Pairs,
    /// Cells of each attribute that change, in change order.
    pub cells: Vec<ChangedCells>,
    /// The mapped columns as they are, in change order, if all their rows were read and `Decoded::Kept` asks for them.
    pub old: Option<Vec<ArrayRef>>,
}

/// What becomes of the decoded columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoded {
    /// They are kept for who encodes them anew.
    Kept,
    /// They go.
    Dropped,
}

/// What a comparison needs to know of the merge.
#[derive(Debug, Clone)]
pub(super) struct Mapping {
    /// Columns of the table.
    pub schema: SchemaRef,
    /// Positions of the attributes in the table, in change order.
    pub attributes: Vec<usize>,
    /// What their NULLs do.
    pub nulls: Vec<NullCells>,
}

/// Compares the mapped values of one row group's pairs.
///
/// # Errors
/// The store failed, or the file is damaged.
pub(super) async fn compare_group(
    file: &ParquetFile,
    layout: &FileLayout,
    mapping: &Mapping,
    changes: &ChangeSlice,
    found: &GroupPairs,
    decoded: Decoded,
) -> Result<GroupChanges> {
    let GroupPairs {
        group,
        first_row,
        num_rows,
        pairs,
    } = found;
    let matched_rows = pairs.file_rows.len();
    let whole = decoded == Decoded::Kept || matched_rows.saturating_mul(DENSE) >= *num_rows;
    let selection = (!whole).then(|| select_rows(&pairs.file_rows, *num_rows));
    let num_read = if whole { *num_rows } else { matched_rows };
    let reader = mapped_reader(file, layout, mapping, *group, selection).await?;
    let (mapping, changes, pairs, roots) = (
        mapping.clone(),
        changes.clone(),
        pairs.clone(),
        mapped_roots(layout, mapping),
    );
    let (changed, cells, old) = on_core(move || {
        let old = mapped_columns(reader, &mapping, &roots, num_read)?;
        let within = match whole {
            true => pairs.clone(),
            false => Pairs {
                file_rows: (0..num_read as u32).collect(),
                change_rows: pairs.change_rows.clone(),
            },
        };
        let differences = compare(&old, &changes, &within, &mapping.nulls)?;
        let mut changed = pairs;
        let mut differs = differences.rows.values().iter();
        changed.keep(|_, _| differs.next().unwrap_or(false));
        Ok((changed, differences.cells, old))
    })
    .await?;
    Ok(GroupChanges {
        group: *group,
        first_row: *first_row,
        num_rows: *num_rows,
        matched_rows: matched_rows as u64,
        changed,
        cells,
        old: (whole && decoded == Decoded::Kept).then_some(old),
    })
}

/// All rows of the mapped columns of a row group, in change order.
///
/// # Errors
/// The store failed, or the file is damaged.
pub(super) async fn read_mapped(
    file: &ParquetFile,
    layout: &FileLayout,
    mapping: &Mapping,
    group: usize,
    num_rows: usize,
) -> Result<Vec<ArrayRef>> {
    let reader = mapped_reader(file, layout, mapping, group, None).await?;
    let (mapping, roots) = (mapping.clone(), mapped_roots(layout, mapping));
    on_core(move || mapped_columns(reader, &mapping, &roots, num_rows)).await
}

/// Positions in the file of the mapped columns that it has, in file order.
fn mapped_roots(layout: &FileLayout, mapping: &Mapping) -> Vec<Option<usize>> {
    mapping
        .attributes
        .iter()
        .map(|column| layout.root(*column))
        .collect()
}

async fn mapped_reader(
    file: &ParquetFile,
    layout: &FileLayout,
    mapping: &Mapping,
    group: usize,
    selection: Option<RowSelection>,
) -> Result<Option<ParquetRecordBatchReader>> {
    let roots: Vec<usize> = mapped_roots(layout, mapping).into_iter().flatten().collect();
    if roots.is_empty() {
        return Ok(None);
    }
    file.reader(&layout.columns, group, &roots, selection).await
}

/// The columns that `reader` yields, in change order; those that the file lacks are NULL.
fn mapped_columns(
    reader: Option<ParquetRecordBatchReader>,
    mapping: &Mapping,
    roots: &[Option<usize>],
    num_rows: usize,
) -> Result<Vec<ArrayRef>> {
    let batch = match reader {
        Some(reader) => one_batch(reader)?,
        None => None,
    };
    let mut in_file: Vec<usize> = roots.iter().flatten().copied().collect();
    in_file.sort_unstable();
    let columns = mapping.attributes.iter().zip(roots).map(|(column, root)| {
        let read = root.and_then(|root| {
            let position = in_file.binary_search(&root).ok()?;
            batch.as_ref().map(|batch| batch.column(position).clone())
        });
        let column = match read {
            Some(column) => column,
            None => new_null_array(mapping.schema.field(*column).data_type(), num_rows),
        };
        if column.len() == num_rows {
            Ok(column)
        } else {
            Err(Error::runtime(
                "a column of a file of customers has rows too many or too few",
            ))
        }
    });
    columns.collect()
}
