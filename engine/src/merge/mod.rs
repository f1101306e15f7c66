//! Merge: the accepted rows of a run against the files of `customers`, last write wins.
//!
//! ```text
//!   sorted changes   C1 C4 C7 │ C9 C9'...        live files   [C0..C5]  [C6..C8]  [C9..CZ]
//!                                                                │         │         │
//!   for each file whose key range meets a change:   algo: pair rows by key, compare mapped values
//!        nothing differs ─▶ the file stays         something differs ─▶ cost chooses for each file:
//!
//!          deletion vector   mark the rows, write their new versions to files of their own    few rows change
//!          splice            copy the columns that stay, encode those that change             many rows change
//!          rewrite           read and write everything, dead rows left out                    what always works
//!
//!   changes that met no row ─▶ new customers ─▶ sorted files of their own: Add
//! ```
//!
//! Pure: [`algo`] (pairs and differences of one batch), [`patch`] (a column with changes in it), [`pages`] (what of a file is worth reading), [`overlap`] (files
//! over one key), [`cost`] (what each way costs, and the choice). Plumbing for one file: [`opened`], [`probe`],
//! [`compare`], then [`carry`], [`splice`] or [`rewrite`]; [`file_merge`] is their order, [`sinks`] what files write
//! together, [`room`] what the changes of files that are merged at the same time may take. [`plan`] makes an execution plan of all of them whose rows are [`facts`]: what became of each file, its
//! file actions, and the records that met a customer; [`summary`] is what reports say of them.
//!
//! A run that loses a race merges again: [`keep`] says (pure) which results still hold on the new version, [`attempt`]
//! keeps those and does the rest.

pub mod algo;
mod attempt;
mod carry;
mod changes;
mod compare;
pub mod cost;
pub mod facts;
mod file_merge;
mod keep;
mod known;
mod layout;
mod opened;
mod overlap;
mod pages;
mod patch;
mod plan;
mod probe;
mod read;
mod rewrite;
mod room;
mod sinks;
mod splice;
mod summary;

pub use attempt::Attempt;
pub use changes::{ChangeSet, ChangeSlice, Columns, NullCells};
pub use cost::{Preference, Strategy, Vectors};
pub use facts::{AttributeCells, FileOutcome, LostRaces, MergeFacts, MergedFile, Repeated};
pub use known::known_records;
pub use plan::{Apply, MergeJob, merge, register_new};
pub use room::Room;
pub use summary::{MergeSummary, WaySummary};
