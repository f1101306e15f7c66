//! The new versions of the rows of a row group that change.
//!
//! ```text
//!   file row 7   C5 │ tier Silver, spend 1.00 │ city Lima       change   C5 │ tier Gold, spend NULL
//!   new version  C5 │ tier Gold,   spend NULL │ city Lima       only the page of `city` with row 7 is read
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::{take, take_record_batch};

use super::algo::{Pairs, apply};
use super::changes::{ChangeSlice, KEY, NullCells};
use super::compare::{GroupChanges, Mapping};
use super::layout::FileLayout;
use super::pages::{select_rows, touched_bytes};
use super::read::{on_core, one_batch};
use crate::error::Result;
use crate::table::ParquetFile;

/// The columns of the table whose values the new version takes from the old one.
fn carried(mapping: &Mapping, key: usize) -> impl Iterator<Item = usize> + '_ {
    (0..mapping.schema.fields().len()).filter(move |column| {
        let mapped = mapping
            .attributes
            .iter()
            .position(|attribute| attribute == column);
        *column != key && mapped.is_none_or(|at| mapping.nulls.get(at) == Some(&NullCells::Keep))
    })
}

/// Compressed bytes of the pages that [`new_versions`] reads; whole columns where there is no offset index.
pub(super) fn carried_bytes(
    layout: &FileLayout,
    mapping: &Mapping,
    key: usize,
    group: usize,
    changed: &Pairs,
) -> u64 {
    let bytes = carried(mapping, key).map(|column| match layout.pages(group, column) {
        Some(leaves) => leaves
            .iter()
            .map(|pages| touched_bytes(pages, &changed.file_rows))
            .sum(),
        None => layout.column_bytes(group, column),
    });
    bytes.sum()
}

/// Reads what is carried over, at the changed rows only, and puts the new versions together, in key order.
///
/// # Errors
/// The store failed, or the file is damaged.
pub(super) async fn new_versions(
    file: &ParquetFile,
    layout: &FileLayout,
    mapping: &Mapping,
    key: usize,
    changes: &ChangeSlice,
    group: &GroupChanges,
) -> Result<RecordBatch> {
    let selection = select_rows(&group.changed.file_rows, group.num_rows);
    let columns: Vec<(usize, usize)> = carried(mapping, key)
        .filter_map(|column| Some((column, layout.root(column)?)))
        .collect();
    let roots: Vec<usize> = columns.iter().map(|(_, root)| *root).collect();
    let reader = match roots.is_empty() {
        true => None,
        false => {
            file.reader(&layout.columns, group.group, &roots, Some(selection))
                .await?
        }
    };
    let (mapping, changes, changed) = (mapping.clone(), changes.clone(), group.changed.clone());
    on_core(move || {
        let old = reader.map(one_batch).transpose()?.flatten();
        assemble(old.as_ref(), columns, &mapping, key, &changes, &changed)
    })
    .await
}

/// `columns` are the positions in the table and in the file of the columns of `old`.
fn assemble(
    old: Option<&RecordBatch>,
    mut columns: Vec<(usize, usize)>,
    mapping: &Mapping,
    key: usize,
    changes: &ChangeSlice,
    changed: &Pairs,
) -> Result<RecordBatch> {
    let num_rows = changed.file_rows.len();
    let change_rows = UInt32Array::from(changed.change_rows.clone());
    let fields = mapping.schema.fields().iter();
    let mut values: Vec<ArrayRef> = fields
        .map(|field| new_null_array(field.data_type(), num_rows))
        .collect();
    columns.sort_unstable_by_key(|(_, root)| *root);
    for ((column, _), read) in columns.iter().zip(old.iter().flat_map(|batch| batch.columns())) {
        if let Some(value) = values.get_mut(*column) {
            *value = Arc::clone(read);
        }
    }
    if let Some(value) = values.get_mut(key) {
        *value = take(changes.rows.column(KEY), &change_rows, None)?;
    }
    let before = RecordBatch::try_new(Arc::clone(&mapping.schema), values)?;
    let pairs = Pairs {
        file_rows: (0..num_rows as u32).collect(),
        change_rows: changed.change_rows.clone(),
    };
    let after = apply(&before, &mapping.attributes, changes, &pairs, &mapping.nulls)?;
    in_key_order(after, &change_rows)
}

/// Changes are in key order, so their positions are the order. Rows of a sorted file have it already.
fn in_key_order(rows: RecordBatch, change_rows: &UInt32Array) -> Result<RecordBatch> {
    let order = change_rows.values();
    if order.is_sorted() {
        return Ok(rows);
    }
    let mut sorted: Vec<u32> = (0..rows.num_rows() as u32).collect();
    sorted.sort_unstable_by_key(|row| order.get(*row as usize));
    Ok(take_record_batch(&rows, &UInt32Array::from(sorted))?)
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array, StringViewArray};
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};

    use super::*;

    #[test]
    fn a_new_version_has_the_changes_values_and_carries_the_others_over() {
        let column = |name: &str, data_type| Field::new(name, data_type, true);
        let schema = Arc::new(Schema::new(vec![
            column("customer_id", DataType::Utf8View),
            column("kept", DataType::Int64),
            column("other", DataType::Int64),
            column("cleared", DataType::Int64),
        ]));
        let change = RecordBatch::try_from_iter([
            (
                "customer_id",
                Arc::new(StringViewArray::from(vec!["A", "B", "C"])) as ArrayRef,
            ),
            ("record_no", Arc::new(Int64Array::from(vec![1, 2, 3]))),
            (
                "cleared",
                Arc::new(Int64Array::from(vec![None, Some(8), Some(9)])),
            ),
            ("kept", Arc::new(Int64Array::from(vec![None, Some(5), None]))),
        ]);
        let changes = ChangeSlice::new(change.unwrap()).unwrap();
        let mapping = Mapping {
            schema,
            attributes: vec![3, 1],
            nulls: vec![NullCells::Clear, NullCells::Keep],
        };
        assert_eq!(carried(&mapping, 0).collect::<Vec<_>>(), [1, 2]);
        // In the file, `other` stands before `kept`, and the rows are not in key order.
        let old = RecordBatch::try_from_iter([
            ("other", Arc::new(Int64Array::from(vec![30, 10])) as ArrayRef),
            ("kept", Arc::new(Int64Array::from(vec![33, 11]))),
        ])
        .unwrap();
        let changed = Pairs {
            file_rows: vec![4, 6],
            change_rows: vec![2, 0],
        };
        let rows = assemble(Some(&old), vec![(1, 7), (2, 4)], &mapping, 0, &changes, &changed).unwrap();
        let numbers = |at: usize| {
            rows.column(at)
                .as_primitive::<Int64Type>()
                .iter()
                .collect::<Vec<_>>()
        };
        let keys: Vec<_> = rows.column(0).as_string_view().iter().flatten().collect();
        assert_eq!(keys, ["A", "C"]);
        assert_eq!(numbers(1), [Some(11), Some(33)], "a NULL that keeps");
        assert_eq!(numbers(2), [Some(10), Some(30)], "a column of another process");
        assert_eq!(numbers(3), [None, Some(9)], "a NULL that clears");
    }
}
