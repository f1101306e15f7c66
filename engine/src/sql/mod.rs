//! SQL over an instance: its tables, views and functions, read-only (contract, section 5).
//!
//! [`session`] registers everything, [`query`] runs one statement; `sparing` is how one that needs much memory is run.
//! [`functions`](mod@functions) are the table functions: any source file, the relations that rules speak of, older
//! versions.

mod functions;
mod reading;
mod rejects;
mod runs;
mod session;
mod source_table;
mod sparing;

pub use reading::{query, read_only};
pub use rejects::chosen_rejects;
pub use runs::{resolve_commit, resolve_run};
pub use session::session;
pub use source_table::{Relation, SourceTable};
