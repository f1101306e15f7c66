//! Merge: the accepted rows of a run against the files of `customers`, last write wins.
//!
//! ```text
//!   sorted changes   C1 C4 C7 │ C9 C9'...        live files   [C0..C5]  [C6..C8]  [C9..CZ]
//!                                                                │         │         │
//!   for each file whose key range meets a change:   algo: pair rows by key, compare mapped values
//!        nothing differs ─▶ the file stays              something differs ─▶ rewrite: Remove + Add
//!   changes that met no row ─▶ new customers ─▶ sorted files of their own: Add
//! ```
//!
//! [`algo`] is pure: one batch of a file and one slice of changes in, pairs and differences out. [`file_merge`] is the
//! plumbing for one file, [`plan`] makes an execution plan of all of them whose rows are [`facts`]: file actions,
//! counts, and the records that met a customer. Strategies per file stand beside [`rewrite`].

pub mod algo;
mod changes;
pub mod facts;
mod file_merge;
mod known;
mod plan;
mod rewrite;

pub use changes::{ChangeSet, Columns, NullCells};
pub use facts::{AttributeCells, MergeFacts};
pub use known::known_records;
pub use plan::{Apply, MergeJob, merge, register_new};
