//! Which column of a file is which column of the table.

use arrow::datatypes::{DataType, Schema};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::page_index::offset_index::PageLocation;

use crate::error::Result;
use crate::table::ParquetFile;

/// The columns of a file whose layout is as we write it: each column of the table under its name and in its type, or
/// absent, and no other.
#[derive(Debug, Clone)]
pub(super) struct FileLayout {
    /// How the file's columns are decoded.
    pub columns: ArrowReaderMetadata,
    /// For each column of the table, its position among the file's columns.
    pub roots: Vec<Option<usize>>,
    /// For each column of the file, its leaves: those of a nested column are several.
    leaves: Vec<Vec<usize>>,
}

impl FileLayout {
    /// The layout of `file` in a table of `schema`; `None` when another program laid it out in a form of its own.
    ///
    /// # Errors
    /// A schema that arrow cannot express.
    pub fn of(file: &ParquetFile, schema: &Schema) -> Result<Option<Self>> {
        let columns = ArrowReaderMetadata::try_new(file.metadata().clone(), ArrowReaderOptions::new())?;
        let fields = columns.schema().fields();
        let fits = |name: &str, data_type: &DataType| {
            let field = schema.field_with_name(name);
            field.is_ok_and(|field| field.data_type() == data_type)
        };
        if !fields.iter().all(|field| fits(field.name(), field.data_type())) {
            return Ok(None);
        }
        let position = |name: &str| fields.iter().position(|field| field.name() == name);
        let roots: Vec<Option<usize>> = schema
            .fields()
            .iter()
            .map(|field| position(field.name()))
            .collect();
        let described = columns.parquet_schema();
        let mut leaves = vec![Vec::new(); fields.len()];
        for leaf in 0..described.num_columns() {
            if let Some(of_root) = leaves.get_mut(described.get_column_root_idx(leaf)) {
                of_root.push(leaf);
            }
        }
        let layout = Self {
            columns,
            roots,
            leaves,
        };
        Ok(Some(layout))
    }

    /// The position in the file of a column of the table.
    pub fn root(&self, column: usize) -> Option<usize> {
        self.roots.get(column).copied().flatten()
    }

    /// The leaves of a column of the file.
    pub fn leaves(&self, root: usize) -> &[usize] {
        self.leaves.get(root).map_or(&[], Vec::as_slice)
    }

    /// The leaf of a column of the table that is no nested one.
    pub fn leaf(&self, column: usize) -> Option<usize> {
        self.leaves(self.root(column)?).first().copied()
    }

    /// Compressed bytes of a column of the table in a row group.
    pub fn column_bytes(&self, group: usize, column: usize) -> u64 {
        let group = self.columns.metadata().row_group(group);
        let leaves = self.root(column).map_or(&[][..], |root| self.leaves(root));
        let bytes = leaves.iter().map(|leaf| group.column(*leaf).compressed_size());
        bytes.sum::<i64>().unsigned_abs()
    }

    /// Values of a column of the table in a row group that are not NULL, as far as its statistics tell; none of a column
    /// that the file lacks.
    pub fn column_values(&self, group: usize, column: usize) -> u64 {
        let group = self.columns.metadata().row_group(group);
        let leaf = self.leaf(column).map(|leaf| group.column(leaf));
        leaf.map_or(0, |leaf| {
            let nulls = leaf
                .statistics()
                .and_then(|statistics| statistics.null_count_opt());
            leaf.num_values()
                .unsigned_abs()
                .saturating_sub(nulls.unwrap_or(0))
        })
    }

    /// The pages of each leaf of a column of the table in a row group; `None` without an offset index.
    pub fn pages(&self, group: usize, column: usize) -> Option<Vec<&[PageLocation]>> {
        let leaves = self.leaves(self.root(column)?);
        let indexes = self.columns.metadata().offset_index()?.get(group)?;
        leaves
            .iter()
            .map(|leaf| Some(indexes.get(*leaf)?.page_locations().as_slice()))
            .collect()
    }
}
