//! A Parquet file.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::sink::{Next, Sink};

/// Writes one file, types as they are.
pub struct ParquetSink<W: Write + Send>(ArrowWriter<W>);

impl<W: Write + Send> ParquetSink<W> {
    /// Begins the file.
    ///
    /// # Errors
    /// The writer's, or a type that Parquet does not have.
    pub fn new(schema: SchemaRef, out: W) -> Result<Self, ArrowError> {
        let zstd = Compression::ZSTD(ZstdLevel::default());
        let properties = WriterProperties::builder().set_compression(zstd).build();
        Ok(Self(
            ArrowWriter::try_new(out, schema, Some(properties)).map_err(as_arrow)?,
        ))
    }
}

impl<W: Write + Send> Sink for ParquetSink<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<Next, ArrowError> {
        self.0.write(batch).map_err(as_arrow)?;
        Ok(Next::More)
    }

    fn finish(&mut self) -> Result<(), ArrowError> {
        self.0.finish().map_err(as_arrow)?;
        Ok(self.0.inner_mut().flush()?)
    }
}

/// Keeps an error of the writer one, so that a closed pipe is known as such.
fn as_arrow(error: ParquetError) -> ArrowError {
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(io) => ArrowError::from(*io),
            Err(other) => ArrowError::from_external_error(other),
        },
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array};

    use super::*;

    #[test]
    fn a_file_begins_and_ends_with_the_magic_bytes() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
        let mut bytes = Vec::new();
        let mut sink = ParquetSink::new(batch.schema(), &mut bytes).unwrap();
        assert_eq!(sink.write(&batch).unwrap(), Next::More);
        sink.finish().unwrap();
        drop(sink);
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    }
}
