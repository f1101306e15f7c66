//! Writing Parquet files for a table: batches in, [`FileAction`]s out.
//!
//! [`FileWriter`] streams batches to one file through the object store and derives the statistics of its Add from what
//! it wrote. [`RollingWriter`] starts a new file at a target size. Nothing here commits; a file that no commit names
//! is invisible, and `discard` removes it.

mod action;
mod file;
mod rolling;

pub use action::{FileAction, from_batch, to_batch};
pub use file::{FileWriter, WriterOptions};
pub use rolling::RollingWriter;
