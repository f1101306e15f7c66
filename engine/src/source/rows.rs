//! What gives rows as they are, not as bytes.

use std::fmt::Debug;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Fields};
use tokio::sync::watch;

use crate::error::Result;

/// Batches in order; asking for the next one may wait.
pub type RowBatches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// A table, a query, or a file of typed rows.
pub trait Rows: Debug + Send + Sync {
    /// Names of the columns, in the order of the batches.
    fn columns(&self) -> &[String];

    /// The same with their types, as the batches have them.
    fn fields(&self) -> &Fields;

    /// All rows from the first one on, anew with every call. May wait; `stop` ends that.
    ///
    /// # Errors
    /// They cannot be read.
    fn batches(&self, stop: Stop) -> Result<RowBatches>;

    /// The first rows, at least `max_rows` if there are so many. May wait.
    ///
    /// # Errors
    /// As [`batches`](Self::batches).
    fn sample(&self, max_rows: usize) -> Result<RowBatches>;

    /// By what it is recognised when it was merged before; `None`: by nothing.
    fn identity(&self) -> Option<String> {
        None
    }
}

/// Ends the waiting for rows. Clones ask and are asked together.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    /// Asks for the end.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Waits until that is asked for.
    pub async fn asked(&self) {
        // It lives as long as this one, which can still be asked.
        let _ = self.0.subscribe().wait_for(|is_asked| *is_asked).await;
    }
}

/// Where a field says of which kind its texts are, and the kind that is JSON: as Arrow itself has it.
const KIND: &str = "ARROW:extension:name";
const JSON: &str = "arrow.json";

/// A field of JSON texts.
#[must_use]
pub fn json_field(name: &str) -> Field {
    let kind = [(KIND.to_owned(), JSON.to_owned())];
    Field::new(name, DataType::Utf8View, true).with_metadata(kind.into())
}

/// Whether the texts of a field are JSON.
#[must_use]
pub fn is_json(field: &Field) -> bool {
    field.metadata().get(KIND).is_some_and(|kind| kind == JSON)
}
