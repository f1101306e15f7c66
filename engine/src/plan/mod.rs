//! Plan: what a process says, compiled to plain data for the operators.
//!
//! Operators know arrow and datafusion but not [`spec`](crate::spec); this is where both meet. [`layout`] says which
//! columns of what type a decode makes, [`catalogue`] makes every rule as SQL, [`table_fields`] the columns that the
//! first merge adds to `customers`.

mod attributes;
mod catalogue;
mod layout;

pub use attributes::{BATCH_OWNER, changes_columns, column_type, owner_of, table_fields};
pub use catalogue::{catalogue, printed_sql, quoted, text_literal};
pub use layout::{layout, read_options};
