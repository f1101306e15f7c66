//! Undoing runs, always as a new commit: the log only grows.
//!
//! ```text
//!   undo: customers that the run changed     ─┬─▶ later: which later runs wrote the same cells, or touched them at all
//!         (before, after), staged and sorted  │
//!                                             └─▶ resolve: against the live values ─▶ TableEdit: updates,
//!                                                          (not for a VERSION)         new customers, leaving ones
//!   TableEdit ─▶ merge, removal, new files ─▶ file actions ─▶ commit; lost race: everything again
//! ```
//!
//! [`Rollback`] is the door: it plans, shows what it would do, and commits. [`resolve`] and [`compose`] are pure.

mod compose;
mod draft;
mod edit;
mod events;
mod later;
mod removal;
mod request;
mod resolve;
mod resolving;
mod target;
mod transaction;
mod undo;

pub use edit::TableEdit;
pub use request::{Conflict, LaterWrites, RollbackReport, RollbackRequest, Target};
pub use transaction::Rollback;
