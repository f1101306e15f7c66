//! The history of `customers`: what each commit did, what differs between versions, one customer's story, and undoing.
//!
//! ```text
//!   log ─▶ Timeline: kind, run, counts, what undid what           ─▶ history(), rollback
//!       ─▶ FileWalk: the files that each commit removed and added ─▶ trace of one customer, rollback
//!
//!   files of one version ─┐  Difference: files that are not in both; of one        aligned   ┌▶ diff, changes
//!                         ├─ whose deletion vector grew, only the rows it marks ─▶ by key ─▶ ┤
//!   files of another ─────┘                                                                  └▶ rollback
//! ```
//!
//! Costs follow the files that differ and never the table. [`timeline`] reads the log and [`standing`] says which
//! runs still count: both are where to start. [`difference`] finds the rows to compare, [`align`] brings them
//! together and [`cells`] says what differs, purely. [`diff`], [`changes`] and [`trace`] are what a user asks for,
//! [`rollback`] is what a user does.

mod align;
mod cells;
mod changes;
mod diff;
mod difference;
mod files;
pub mod rollback;
mod standing;
mod timeline;
mod trace;
mod versions;

pub use changes::{changes, changes_schema};
pub use diff::{diff, diff_schema};
pub use difference::{Difference, Side};
pub use standing::Undone;
pub use timeline::{Commit, CommitKind, HistoryRow, Timeline, history_schema, standing_run};
pub use trace::{TRACE_BRIEF, Trace, TraceRow, trace, trace_batch, trace_schema};
pub use versions::at_version;
