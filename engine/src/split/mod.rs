//! Split: every record goes one of two ways, accepted or rejected, and a rejected one takes its reasons along.
//!
//! [`Verdicts`] joins what rows broke (the carrier column `__broken`) with what queries found (sets of records) and
//! tallies it; [`RejectBuilder`] materialises only the records that failed.

mod rejects;
mod verdicts;

pub use rejects::{RejectBuilder, RejectOrigin};
pub use verdicts::{RuleCount, Tally, Verdicts};
