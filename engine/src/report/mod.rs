//! Report: what a run did, as a row of `runs`, and what happened around it, as rows of `events`.

mod events;
mod fates;
mod record;
mod rows;

pub use events::{Event, record_event};
pub use fates::{RejectEvents, RejectFate};
pub use record::{RunRecord, RunStatus, append_run, read_run};
pub use rows::append_rows;
