//! Sluice's engine: customer attributes from a file into one Delta table, every reject kept in SQL.
//!
//! ```text
//!   source ─▶ decode ─▶ validate ─▶ stage ─▶ merge ─▶ commit ─▶ report
//!                          └────────▶ split ─▶ rejects
//! ```
//!
//! The modules stand in the order of the data flow; imports go down it. [`run`] alone knows all stages.

pub mod adopt;
pub mod commit;
pub mod cpu;
pub mod decode;
pub mod discover;
pub mod doctor;
pub mod document;
pub mod error;
pub mod history;
pub mod ids;
pub mod instance;
pub mod maintain;
pub mod merge;
pub mod notify;
pub mod plan;
pub mod preview;
pub mod process;
pub mod report;
pub mod run;
pub mod serve;
pub mod session;
pub mod settings;
mod simd;
pub mod sort;
pub mod source;
pub mod spec;
pub mod split;
pub mod sql;
pub mod stage;
pub mod table;
pub mod tasks;
pub mod validate;
pub mod write;

pub use error::{Class, Error, Result};
pub use settings::{Settings, THREAD_BYTES};
