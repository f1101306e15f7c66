//! Writing Parquet files for a table: batches in, [`FileAction`]s out.
//!
//! [`FileWriter`] streams batches to one file through the object store and derives the statistics of its Add from what
//! it wrote. [`RollingWriter`] starts a new file at a target size. [`VectorWriter`] marks rows of files that are there
//! already. [`SpliceWriter`] puts a file together from chunks of another and new ones, which [`Encoders`] encode. Nothing
//! here commits; a file that no commit names is invisible, and [`discard`] removes it.

mod action;
mod deletion;
mod discard;
mod encoders;
mod file;
mod gaps;
mod rolling;
mod splice;
mod z85;

pub use action::{FileAction, from_batch, to_batch};
pub use deletion::{VectorWriter, WrittenVectors};
pub use discard::discard;
pub use encoders::Encoders;
pub use file::{FileWriter, KeyOrder, TARGET_FILE_BYTES, WriterOptions, key_order};
pub use rolling::RollingWriter;
pub use splice::{Chunk, Piece, SpliceWriter, is_spliceable};
