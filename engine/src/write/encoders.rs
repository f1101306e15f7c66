//! Encoders for single columns of a file that is put together from chunks.

use std::io;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{Schema, SchemaRef};
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::WriterOptions;
use crate::error::{Error, Result};

/// By how much more rows a page of a column may have that is mostly NULL.
const SPARSE_PAGES: usize = 16;

/// Makes encoders for columns of a file, one column at a time.
#[derive(Debug)]
pub struct Encoders {
    root: TypePtr,
    schema: SchemaRef,
    options: WriterOptions,
}

impl Encoders {
    /// Encoders for the columns of a file: `root` in Parquet's words, `schema` in arrow's.
    pub(super) fn new(root: TypePtr, schema: SchemaRef, options: &WriterOptions) -> Self {
        Self {
            root,
            schema,
            options: options.clone(),
        }
    }

    /// An encoder for a row group of the column `name`, which has one leaf; `values` are what it is to encode.
    ///
    /// # Errors
    /// There is no such column, or it has several leaves.
    pub fn encoder(&self, name: &str, values: &ArrayRef) -> Result<ArrowColumnWriter> {
        let field = self.schema.field_with_name(name)?.clone();
        let column = self.root.get_fields().iter().find(|column| column.name() == name);
        let fields = column.into_iter().cloned().collect();
        let root = Type::group_type_builder(self.root.name())
            .with_fields(fields)
            .build()?;
        let mut options = self.options.clone();
        options.encoding.page_rows = page_rows(self.options.encoding.page_rows, values);
        let properties = Arc::new(options.builder(&self.schema).build());
        let alone = SerializedFileWriter::new(io::sink(), Arc::new(root), properties)?;
        let schema = Arc::new(Schema::new(vec![field]));
        let encoders = ArrowRowGroupWriterFactory::new(&alone, schema).create_column_writers(0)?;
        match <[ArrowColumnWriter; 1]>::try_from(encoders) {
            Ok([encoder]) => Ok(encoder),
            Err(_) => Err(Error::runtime(format!(
                "column {name} of a splice has no encoder"
            ))),
        }
    }
}

/// Rows of a page with about as many values as one of `dense` rows without NULLs: what a page costs beside its values
/// (the tables of its compression) would be most of it, where one value in a hundred is there.
fn page_rows(dense: usize, values: &ArrayRef) -> usize {
    let num_values = values.len() - values.logical_null_count();
    dense * (values.len() / num_values.max(1)).clamp(1, SPARSE_PAGES)
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;

    use super::*;

    fn one_in(step: i64) -> ArrayRef {
        Arc::new(Int64Array::from_iter(
            (0..1_000).map(|i| (i % step == 0).then_some(i)),
        ))
    }

    #[test]
    fn pages_of_a_sparse_column_have_more_rows_up_to_a_bound() {
        assert_eq!(page_rows(2_048, &one_in(1)), 2_048);
        assert_eq!(page_rows(2_048, &one_in(4)), 4 * 2_048);
        assert_eq!(page_rows(2_048, &one_in(100)), SPARSE_PAGES * 2_048);
        let nothing: ArrayRef = Arc::new(Int64Array::from(vec![None::<i64>; 10]));
        assert_eq!(page_rows(2_048, &nothing), 10 * 2_048);
        assert_eq!(page_rows(2_048, &nothing.slice(0, 0)), 2_048);
    }
}
