//! Duplicates: every record whose key occurs more than once in the whole source, exactly, in 8 bytes a row.
//!
//! ```text
//!   batch number, key          KeyHashes              KeyIndex                 Candidates           Repeated
//!        0: C1 C2 C3   ─▶  hash, partition,   ─▶  memory, then one   ─▶  rows with an equal  ─▶  batch 0: row 1, group 0
//!        1: C4 C2 ∅        row: 8 bytes a row     temporary file         fingerprint             batch 1: row 1, group 0
//!        2: C5 C6 C7       (any worker)           (one owner)            (all cores)             (keys compared)
//! ```
//!
//! Start with [`KeyIndex`]. [`KeyHashes::of`] runs on whichever core decoded the batch; [`KeyIndex::add`] only keeps what
//! it made. [`KeyIndex::candidates`] needs no key at all, and [`Candidates::verify`] reads back only batches that hold a
//! candidate: of a source without repeated keys, almost surely none.
//!
//! Hash and fingerprint decide who is a candidate and nothing else, so that a collision costs time and never a record.
//! Keys made to collide cost time in proportion to `n log n`: nothing here probes a table by a hash that can be foreseen.
//!
//! | file | what |
//! |---|---|
//! | `hash` | key to 64 bits |
//! | `partition` | hashes of one batch, sorted by partition |
//! | `filter`, `candidates` | rows of one partition with an equal fingerprint |
//! | `gather` | those of all partitions, by batch |
//! | `verify` | the keys themselves, compared byte by byte |
//! | `index`, `spill` | plumbing: memory, temporary file, cores |

mod candidates;
mod filter;
mod gather;
mod hash;
mod index;
mod partition;
mod repeated;
mod spill;
#[cfg(test)]
mod tests;
mod verify;

pub use gather::Candidates;
pub use hash::{Fold, KeyHasher};
pub use index::KeyIndex;
pub use partition::KeyHashes;
pub use repeated::{Repeated, RepeatedBatch, RepeatedRow};
