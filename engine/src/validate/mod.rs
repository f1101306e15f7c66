//! Validate: rules as SQL, run by DataFusion over Arrow batches.
//!
//! ```text
//!   Decoded.incoming ─▶ RowRules::evaluate ─▶ [(row, rule)] ─▶ `__broken`: NULL for a clean row, else rule numbers
//!   staged rows      ─▶ queries (duplicates, set rules) ─▶ RecordSet, one bit a record
//! ```
//!
//! A [`Rule`] is plain data; the catalogue that makes them from a process stands in [`plan`](crate::plan). [`text`] has
//! the pure functions behind the SQL functions that [`udf`] registers.

pub mod duplicates;
mod record_set;
mod row_rules;
mod rule;
pub mod text;
pub mod udf;

pub use record_set::RecordSet;
pub use row_rules::{Broken, RowRules, broken_column, broken_field};
pub use rule::{Check, Rule, Severity, id};
