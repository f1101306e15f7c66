//! Small files that several programs change: each is replaced whole, by whoever saw its last state.
//!
//! ```text
//!   read ─▶ (content, what was seen) ─▶ change ─▶ swap(seen, new content) ─┬─ nobody was faster: done
//!     ▲                                                                    │
//!     └────────────────────────────── again ◀──────────────────────────────┴─ overtaken
//! ```
//!
//! [`Document`] does it in any object store and in a local folder; [`Document::update`] is the whole circle. Stores
//! compare the ETag (`object`). A folder knows no such thing: there it is a lock beside the file, a temporary file and a
//! rename (`local`), which crashes leave whole too. Whether a store does compare is found out by [`conditions`].

pub mod conditions;
mod local;
mod object;
mod swap;
#[cfg(test)]
pub(crate) mod testing;

pub use swap::{Document, Seen, Swapped};
