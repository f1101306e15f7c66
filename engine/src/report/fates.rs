//! What became of rejects, as rows of `events`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};

use crate::error::Result;
use crate::table::schemas;

/// What became of a reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectFate {
    /// A replay accepted it; that counts when the run that `detail` names has merged.
    Replayed,
    /// A replay would have accepted it, but a later run may have written its customer.
    HeldBack,
    /// Somebody gave it up.
    Discarded,
    /// It was removed for an erasure request.
    Purged,
}

impl RejectFate {
    /// The kind of the event.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Replayed => "replayed",
            Self::HeldBack => "held_back",
            Self::Discarded => "discarded",
            Self::Purged => "purged",
        }
    }
}

/// Events of one kind about records of one run.
#[derive(Debug, Clone)]
pub struct RejectEvents {
    /// What became of them.
    pub fate: RejectFate,
    /// The process.
    pub process: String,
    /// The run that rejected them.
    pub run_id: String,
    /// More, as JSON.
    pub detail: String,
    /// When, UTC microseconds.
    pub at_micros: i64,
}

impl RejectEvents {
    /// An event for each record.
    ///
    /// # Errors
    /// None but what arrow refuses.
    pub fn batch(&self, records: &[i64]) -> Result<RecordBatch> {
        let all = |text: Option<&str>| -> ArrayRef {
            Arc::new(std::iter::repeat_n(text, records.len()).collect::<StringArray>())
        };
        let at = TimestampMicrosecondArray::from(vec![self.at_micros; records.len()]).with_timezone("UTC");
        let actor = std::env::var("USER").ok();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(at),
            all(Some(self.fate.word())),
            all(Some(&self.process)),
            all(Some(&self.run_id)),
            Arc::new(Int64Array::from(records.to_vec())),
            all(actor.as_deref()),
            all(Some(&self.detail)),
        ];
        debug_assert!(columns.iter().all(|column| column.len() == records.len()));
        Ok(RecordBatch::try_new(schemas::events(), columns)?)
    }
}
