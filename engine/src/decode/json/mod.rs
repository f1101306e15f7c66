//! NDJSON, from bytes to the same columns of texts that delimited files give. No I/O, no Arrow: all is pure.
//!
//! ```text
//!  slice     {"id": 1, "name": "Ann"}⏎{"id": 2}⏎{"id": 3,⏎{"name": "B\u00e9a", "id": 4}⏎
//!                   │           │
//!  columns   id   [ 1,         2,         4 ]         numbers by their source text
//!            name [ Ann,       (empty),   Béa ]       a missing key and null: the empty view
//!  malformed { ordinal: 2, line: 2, "syntax: expected a key in double quotes at byte 10, found the end ..." }
//! ```
//!
//! A line is a record, whatever is in it; a line of blanks is none. Start with [`JsonSplitter`], which fills a
//! [`TextTable`]; [`keys_seen`] lists what there is to map, [`KeySearch`] finds what stands further behind. `scan` knows the grammar (RFC 8259) and checks all of
//! it, also in values that nobody wants; `keys` guesses the next key from the records before.

mod discover;
mod fault;
mod keys;
mod nested;
mod records;
mod scan;
mod search;
mod split;
mod table;
mod unescape;

#[cfg(test)]
mod tests;

pub use discover::keys_seen;
pub use nested::MAX_LEVELS;
pub use records::records;
pub use search::KeySearch;
pub use split::{Consumed, JsonSplitter};
pub use table::{MalformedLine, TextTable};
