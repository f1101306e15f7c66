//! Which rows of a file met a change.

use arrow::array::{Array, AsArray};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use super::algo::{Cursor, Pairs, pair, pair_sorted};
use super::changes::ChangeSlice;
use super::layout::FileLayout;
use super::pages::{chunk_may_hold, pages_that_may_hold, selected_rows};
use super::read::{on_core, one_batch};
use crate::error::{Error, Result};
use crate::table::ParquetFile;
use crate::table::schemas::CUSTOMER_ID;
use crate::write::{KeyOrder, key_order};

/// The rows of one row group that met a change.
#[derive(Debug, Clone)]
pub(super) struct GroupPairs {
    /// The row group.
    pub group: usize,
    /// Position of its first row in the file.
    pub first_row: u64,
    /// Its rows.
    pub num_rows: usize,
    /// The rows, counted within the row group, and their changes. Dead rows met nothing.
    pub pairs: Pairs,
}

/// Reads the key column where its statistics and page bounds leave room for a change. Row groups without a match are
/// left out.
///
/// # Errors
/// The store failed, or the file is damaged.
pub(super) async fn probe(
    file: &ParquetFile,
    layout: &FileLayout,
    key: usize,
    changes: &ChangeSlice,
    deleted: &[u64],
) -> Result<Vec<GroupPairs>> {
    let Some((root, leaf)) = layout.root(key).zip(layout.leaf(key)) else {
        return Err(Error::runtime("a file of customers has no key column"));
    };
    let order = key_order(file.metadata(), CUSTOMER_ID);
    let mut found = Vec::new();
    let mut first_row = 0;
    for (number, group) in file.metadata().row_groups().iter().enumerate() {
        let num_rows = usize::try_from(group.num_rows()).unwrap_or(0);
        let begin = first_row;
        first_row += num_rows as u64;
        if !chunk_may_hold(group.column(leaf).statistics(), changes.keys()) {
            continue;
        }
        let index = file
            .metadata()
            .column_index()
            .and_then(|all| all.get(number)?.get(leaf));
        let pages = layout
            .pages(number, key)
            .and_then(|leaves| leaves.first().copied());
        let selection = pages_that_may_hold(index, pages.unwrap_or_default(), num_rows, changes.keys());
        let rows = selected_rows(selection.as_ref(), num_rows);
        let Some(reader) = file.reader(&layout.columns, number, &[root], selection).await? else {
            continue;
        };
        let changes = changes.clone();
        let mut pairs = on_core(move || pair_rows(reader, order, &changes, &rows)).await?;
        drop_dead(&mut pairs, begin, num_rows, deleted);
        if !pairs.file_rows.is_empty() {
            found.push(GroupPairs {
                group: number,
                first_row: begin,
                num_rows,
                pairs,
            });
        }
    }
    Ok(found)
}

/// Pairs the keys that `reader` yields; `rows` says which row of the row group each is.
fn pair_rows(
    reader: ParquetRecordBatchReader,
    order: KeyOrder,
    changes: &ChangeSlice,
    rows: &[u32],
) -> Result<Pairs> {
    let Some(batch) = one_batch(reader)? else {
        return Ok(Pairs::default());
    };
    let keys = batch
        .column(0)
        .as_string_view_opt()
        .ok_or_else(|| Error::runtime("the key column of a file of customers is no text"))?;
    let mut pairs = match order {
        KeyOrder::Ascending if keys.null_count() == 0 => pair_sorted(keys, changes),
        _ => pair(keys, changes, &mut Cursor::default()),
    };
    for row in &mut pairs.file_rows {
        *row = rows.get(*row as usize).copied().unwrap_or(*row);
    }
    Ok(pairs)
}

/// Takes out the pairs whose row is `deleted` (positions in the file, ascending).
fn drop_dead(pairs: &mut Pairs, first_row: u64, num_rows: usize, deleted: &[u64]) {
    let begin = deleted.partition_point(|row| *row < first_row);
    let end = deleted.partition_point(|row| *row < first_row + num_rows as u64);
    let dead = deleted.get(begin..end).unwrap_or_default();
    if dead.is_empty() {
        return;
    }
    pairs.keep(|file_row, _| dead.binary_search(&(first_row + u64::from(file_row))).is_err());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_row_meets_no_change() {
        let mut pairs = Pairs {
            file_rows: vec![0, 3, 5],
            change_rows: vec![7, 8, 9],
        };
        drop_dead(&mut pairs, 100, 10, &[3, 99, 103, 110]);
        assert_eq!((pairs.file_rows, pairs.change_rows), (vec![0, 5], vec![7, 9]));
    }
}
