//! Where rows come from: files here and elsewhere, and tables, behind one interface.
//!
//! ```text
//!   spec::Source ─▶ Sources::open ───────────────────────▶ SourceFile ─▶ decode
//!        │             │                                     │
//!        │             ├─ local path      ─▶ File ───────────┤ read_at, reader    bytes in place
//!        │             ├─ s3, gs, sftp    ─▶ dyn Store ──────┤ parts, on_disk     fetched ahead, in order
//!        │             └─ snowflake       ─▶ dyn Rows ───────┘ rows               Arrow batches
//!        ├─▶ Sources::newest   the file that a recurring process takes
//!        └─▶ Sources::list     what is visible, two folders deep
//! ```
//!
//! Start with [`Sources`]: it knows the instance's connections and finds the [`SourceFile`] of a definition. The
//! identity of that (path and modification time, or URL and ETag) makes a run exactly-once; every later read is of that
//! very version, and one that finds another fails the run with `source_changed`.
//!
//! A further kind of place is one file that implements [`Store`] (list a folder, inspect a file, read a range of it) or
//! [`Rows`] (columns and batches), and its arm in `sources.rs`. Everything else is shared:
//!
//! - `remote` fetches ranges ahead, several at a time, and `io` has the threads that wait for networks. This module is
//!   called from threads that may wait ([`blocking`] makes one), and never waits for a runtime it runs on.
//! - `walk` turns folders into a [`Listing`]; [`recurring`] picks the newest file of a pattern. Both are pure but for
//!   what a store tells them.
//! - `secret` finds what `{ env = ... }`, `{ file = ... }` and `{ command = ... }` stand for.
//! - [`objects`] are S3 and Google Cloud Storage; [`objects::connect`] also serves instances that live there. [`sftp`] is a
//!   store too; [`snowflake`] gives rows.

mod file;
mod io;
mod local;
pub mod objects;
pub mod recurring;
mod remote;
mod rows;
mod secret;
pub mod sftp;
pub mod snowflake;
mod sources;
mod store;
mod walk;

pub use file::{SourceFile, Version};
pub(crate) use io::ask;
pub use io::{blocking, wait};
pub(crate) use local::{fill, shrunk};
pub use remote::{PartReader, Parts};
pub use rows::{RowBatches, Rows, Stop, is_json, json_field};
pub use secret::{find_secret, find_value};
pub use sources::{Sources, typed, typed_url};
pub use store::{Access, Arrival, Children, Entry, Store};
pub use walk::{Listed, Listing};
