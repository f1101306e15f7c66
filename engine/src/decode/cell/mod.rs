//! From the text of one cell to a typed value.
//!
//! Every function here is pure: `&str` in, `Some(value)` if the text fits the type without loss, `None` if
//! it does not. None of them trims, and none of them knows about empty cells or null tokens: whoever calls
//! has settled those. Start with the type at hand:
//!
//! | attribute type | function |
//! |---|---|
//! | `int`, `bigint`, `double` | [`parse_int`], [`parse_bigint`], [`parse_double`] |
//! | `decimal(p,s)` | [`parse_decimal`], with [`OnScale`] for digits past the scale |
//! | `boolean` | [`parse_boolean`] |
//! | `date` | [`parse_date`], or [`parse_date_with`] where the process lists formats |
//! | `timestamp` | [`parse_timestamp`], or [`parse_timestamp_with`] |
//!
//! A [`DateFormat`] is a strftime pattern, checked and compiled once, when the process file is read.

mod boolean;
mod date;
mod decimal;
mod format;
mod number;
mod timestamp;

pub use boolean::parse_boolean;
pub use date::{parse_date, parse_date_with};
pub use decimal::{OnScale, parse_decimal};
pub use format::{DateFormat, FormatError};
pub use number::{parse_bigint, parse_double, parse_int};
pub use timestamp::{parse_timestamp, parse_timestamp_with};
