//! What is said in words on stdout: [`report`] is a run's, `columns` its small tables, `numbers` the digits.

mod columns;
mod numbers;
mod report;

pub use numbers::{megabytes, seconds, thousands};
pub use report::report;
