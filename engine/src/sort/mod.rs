//! Rows in key order, without a second copy of them in memory.
//!
//! ```text
//!   stage in memory    keys ─▶ order: 8 bytes a row ─▶ a batch is gathered when it is asked for
//!
//!   stage on disk      sample of keys ─▶ splits, the same for all runs
//!                      some batches ─▶ order ─▶ run │ A..F │ G..M │ N..Z │   on disk
//!                      the next     ─▶ order ─▶ run │ A..F │ G..M │ N..Z │   on disk
//!                                                          └─▶ a batch is the pieces between two splits, in order
//! ```
//!
//! Start with [`Sorting`]; what it makes is read through [`SortedRows`]. Either way rows are ordered by the bytes of
//! their key, rows of one key by their record.
//!
//! | file | what |
//! |---|---|
//! | `order` | the places of rows, in the order of their keys |
//! | `gather` | rows of many batches by their places |
//! | `resident` | order and rows in memory |
//! | `sample` | keys that cut a source into ranges of about the same size |
//! | `ranged` | runs on disk, cut at those |
//! | `rows` | what is read, and rows that are in order as they are stored |
//! | `sorting` | plumbing: memory, cores |

mod gather;
mod order;
mod ranged;
mod resident;
mod rows;
mod sample;
mod sorting;
#[cfg(test)]
mod tests;

pub use rows::{KEY, Part, RECORD_NO, SortedRows, Stored, Wanted};
pub use sample::KeySample;
pub use sorting::{RANGE_BYTES, ReadRows, Sorting, Unsorted};
