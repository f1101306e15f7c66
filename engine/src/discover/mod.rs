//! What is in this file: discovery, without I/O.
//!
//! ```text
//!   first bytes ─▶ DialectGuess ─▶ records ─▶ ColumnProfile ─▶ TypeGuess ─▶ ColumnReport ─▶ KeyCandidate
//!                                                                                │              │
//!                                                          Suggestion { ingest line, process } ◀┘
//! ```
//!
//! Start with [`preview()`]: it takes the first bytes of a text file all the way. A reader of Parquet, or of more
//! than the first bytes, feeds [`Observed`] row by row and asks it for the [`Preview`].
//!
//! - [`container`], [`encoding`], [`delimiter`], [`header`] answer one question each; [`dialect`] and [`text_dialect`] ask them in
//!   order.
//! - [`traits`] says what one cell could be, with the parsers that a run uses; [`column`] counts cells by that.
//! - [`candidates`] and [`guess`] turn the counts into a type, [`notes`] into sentences.
//!   [`rivals`] are what else the same values could be.
//! - [`suggest`] writes what to type next, with [`select`], [`names`], [`shell`] and [`process_text`].

pub mod candidates;
pub mod column;
pub mod container;
pub mod delimiter;
pub mod dialect;
pub mod distinct;
pub mod encoding;
mod foretell;
mod formats;
pub mod guess;
pub mod header;
pub mod keys;
pub mod names;
pub mod notes;
pub mod preview;
pub mod process_text;
pub mod range;
pub mod records;
pub mod report;
pub mod rivals;
pub mod select;
pub mod shell;
pub mod suggest;
pub mod text_dialect;
pub mod text_notes;
pub mod traits;

pub use column::ColumnProfile;
pub use container::Container;
pub use dialect::{DialectGuess, Extent, LineEnd, guess_dialect};
pub use encoding::{EncodingGuess, decode_head, guess_encoding};
pub use guess::{TypeGuess, guess_type};
pub use keys::{KeyCandidate, key_candidates};
pub use preview::{Observed, Preview, preview};
pub use process_text::{Chosen, process_text, raw_attribute};
pub use report::ColumnReport;
pub use select::select;
pub use suggest::{SuggestOptions, SuggestedAttribute, Suggestion, suggest};
