//! Commits: delta-rs writes the log entry, the decision to rebase is ours.
//!
//! [`commit`] is a strict compare-and-swap on the snapshot a result was computed from. delta-rs's own conflict check
//! is never used: it ignores removes that an optimize made, and lets two registrations of one customer through
//! (docs/decisions/0002). A lost race is an expected outcome, not an error: the caller recomputes on the new version.
//! The commit that first carries a deletion vector raises the table's protocol ([`allows_vectors`]).

mod request;
mod vectors;

pub use request::{Commit, CommitOutcome, Operation, Txn, append, commit, commit_as};
pub use vectors::{ENABLE_VECTORS, allows_vectors};
