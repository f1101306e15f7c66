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
//! Most cells are short and plain. `Short` holds such a text in a register, and the `short_` functions read it from
//! there; where one of them says `None`, the function of the table decides.
//!
//! A [`DateFormat`] is a strftime pattern, checked and compiled once, when the process file is read.

mod boolean;
mod date;
mod decimal;
mod format;
mod number;
mod short;
mod timestamp;

pub use boolean::parse_boolean;
pub(crate) use boolean::short_boolean;
pub(crate) use date::short_date;
pub use date::{parse_date, parse_date_with};
pub(crate) use decimal::short_decimal;
pub use decimal::{OnScale, parse_decimal};
pub use format::{DateFormat, FormatError};
pub use number::{parse_bigint, parse_double, parse_int};
pub(crate) use number::{short_bigint, short_double, short_int};
pub(crate) use short::{Short, num_bytes};
pub use timestamp::{parse_timestamp, parse_timestamp_with};
