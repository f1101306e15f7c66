//! `int`, `bigint` and `double` cells.
//!
//! Short plain numbers are read as one word ([`Short`]); the standard library reads all else and decides what is
//! no number.

#[cfg(test)]
mod tests;

use super::short::Short;

/// The whole numbers that a double holds without a gap end here.
const MAX_EXACT: u64 = 1 << f64::MANTISSA_DIGITS;

/// 10^0 to 10^15, every one of them exact.
const POWERS_OF_TEN: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// Reads an optional sign and digits; what does not fit 32 bits is `None`.
#[must_use]
pub fn parse_int(text: &str) -> Option<i32> {
    let short = Short::of_bytes(text.as_bytes());
    short.and_then(short_int).or_else(|| text.parse().ok())
}

/// Reads an optional sign and digits; what does not fit 64 bits is `None`.
#[must_use]
pub fn parse_bigint(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let fast = match Short::of_bytes(bytes) {
        Some(short) => short_bigint(short),
        None => long_bigint(bytes),
    };
    fast.or_else(|| text.parse().ok())
}

/// Reads a finite number: optional sign, digits with an optional point, optional exponent.
///
/// The value is the nearest double, so a magnitude below the smallest double reads as zero. One above the
/// largest does not fit, nor do the spellings of infinity and NaN.
#[must_use]
pub fn parse_double(text: &str) -> Option<f64> {
    let short = Short::of_bytes(text.as_bytes());
    let parsed = || text.parse().ok().filter(|value: &f64| value.is_finite());
    short.and_then(short_double).or_else(parsed)
}

/// [`parse_int`] of a plain number.
#[inline(always)]
pub(crate) fn short_int(text: Short) -> Option<i32> {
    short_bigint(text)?.try_into().ok()
}

/// [`parse_bigint`] of a plain number.
#[inline(always)]
pub(crate) fn short_bigint(text: Short) -> Option<i64> {
    let (is_minus, value) = text.signed_number()?;
    // Up to 16 digits fit.
    let sign = 1 - 2 * i64::from(is_minus);
    Some(sign * value as i64)
}

/// A number of 17 to 19 digits; `None` leaves it to the standard library.
fn long_bigint(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let (head, tail) = digits.split_at_checked(size_of::<u128>())?;
    let factor = match tail.len() {
        1 => 10,
        2 => 100,
        3 => 1_000,
        _ => return None,
    };
    let value = Short::of_bytes(head)?.number()? * factor + Short::of_bytes(tail)?.number()?;
    let value = i64::try_from(value).ok()?;
    Some(if negative { -value } else { value })
}

/// [`parse_double`] of a plain number whose digits a double holds: dividing them by an exact power of ten
/// rounds once, to the nearest double.
#[inline(always)]
pub(crate) fn short_double(text: Short) -> Option<f64> {
    let (is_minus, value, num_decimals) = text.signed_decimals()?;
    if value > MAX_EXACT {
        return None;
    }
    let magnitude = value as i64 as f64 / POWERS_OF_TEN.get(num_decimals)?;
    Some(f64::from_bits(magnitude.to_bits() | u64::from(is_minus) << 63))
}
