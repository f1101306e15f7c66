//! What the built-in text rules ask of one string.
//!
//! Pure functions on `&str`; a string of plain ASCII is answered by a pass over its bytes.
//!
//! | rule | asks | repairs |
//! |---|---|---|
//! | `string_too_long` | [`fits_length`] of a [`TextType`] | [`truncate`] |
//! | `unsupported_character` | [`has_unsupported`]; [`unsupported()`] says where and what | [`strip_unsupported`] |
//! | `email_invalid` | [`is_email`] | |
//!
//! For whole columns there are the functions whose names end in `_column`.
//!
//! Start with [`TextType`]: widths are counted in UTF-16 units ([`utf16_units`]) or in the characters of one
//! code page ([`is_windows_1252`]), never in bytes of UTF-8.

pub(crate) mod cells;
mod column;
mod email;
mod unsupported;
mod width;
mod windows1252;

pub use column::{
    has_unsupported_among, has_unsupported_column, is_windows_1252_column, longer_than_column,
    trimmed_column, utf16_units_column,
};
pub use email::{is_email, is_email_column};
pub(crate) use unsupported::is_suspicious;
pub use unsupported::{Unsupported, has_unsupported, strip_unsupported, unsupported};
pub use width::{TextType, fits_length, truncate, utf16_units};
pub use windows1252::is_windows_1252;
