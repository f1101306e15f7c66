//! What gives rows as they are, not as bytes.

use std::fmt::Debug;

use arrow::array::RecordBatch;
use arrow::datatypes::Fields;

use crate::error::Result;

/// Batches in order; asking for the next one may wait.
pub type RowBatches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// A table, a query, or a file of typed rows.
pub trait Rows: Debug + Send + Sync {
    /// Names of the columns, in the order of the batches.
    fn columns(&self) -> &[String];

    /// The same with their types, as the batches have them.
    fn fields(&self) -> &Fields;

    /// All rows from the first one on, anew with every call. May wait.
    ///
    /// # Errors
    /// They cannot be read.
    fn batches(&self) -> Result<RowBatches>;

    /// By what it is recognised when it was merged before; `None`: by nothing.
    fn identity(&self) -> Option<String> {
        None
    }
}
