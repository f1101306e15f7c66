//! What is said in words on stdout: [`report`] is a run's, [`rollback`] a rollback's, [`preview`] a file's,
//! [`summary`] a draft's, `erasure` that of what is removed for good, `maintenance` that of optimize and vacuum, `columns` its small
//! tables, `numbers` the digits.

mod backtest;
mod columns;
mod erasure;
mod maintenance;
mod numbers;
mod preview;
mod report;
mod rollback;
mod summary;

pub use backtest::back_test;
pub use columns::{Align, columns};
pub use erasure::{forgetting, forgotten, purged};
pub use maintenance::{expired, maintained, optimized, vacuumed};
pub use numbers::{megabytes, seconds, thousands};
pub use preview::{column_facts, preview};
pub use report::{report, run_line};
pub use rollback::{rollback, rollback_counts};
pub use summary::summary;
