//! What one cell could be: a set of facts, so that a column is a count by set.
//!
//! ```text
//!   "07"          {int, bigint, decimal, double, leading zero}
//!   "03/04/2024"  {date %d/%m/%Y, date %m/%d/%Y}
//!   "1.234,50"    {decimal comma}
//! ```
//! Whatever is asked of a column later (how many cells fit a type, any of three formats, a type once some
//! tokens are left out, and an example that does not) is answered by these counts, without the cells.

use std::ops::BitOr;

use super::formats::{self, DATE_PATTERNS, TIMESTAMP_PATTERNS};
use crate::decode::cell::{OnScale, parse_bigint, parse_boolean, parse_decimal, parse_double, parse_int};
use crate::validate::text::{TextType, fits_length, has_unsupported, is_email, is_windows_1252};

/// Texts that often stand for "no value".
pub const NULL_SUSPECTS: [&str; 20] = [
    "NULL", "null", "Null", "\\N", "N/A", "n/a", "#N/A", "(null)", "nil", "NaN", "nan", "NA", "na", "None",
    "none", "-", "--", "?", ".", "unknown",
];

/// Most digits of a decimal.
const MAX_DIGITS: usize = 38;

/// A set of facts about a cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Traits(u64);

impl Traits {
    /// Fits `int`.
    pub const INT: Self = Self(1);
    /// Fits `bigint`.
    pub const BIGINT: Self = Self(1 << 1);
    /// Fits some decimal of up to 38 digits.
    pub const DECIMAL: Self = Self(1 << 2);
    /// Fits `double`.
    pub const DOUBLE: Self = Self(1 << 3);
    /// Fits `boolean`, and means true.
    pub const TRUE: Self = Self(1 << 4);
    /// Fits `boolean`, and means false.
    pub const FALSE: Self = Self(1 << 5);
    /// Fits `email`.
    pub const EMAIL: Self = Self(1 << 6);
    /// Digits only, after a sign if any.
    pub const DIGITS: Self = Self(1 << 7);
    /// A number with a zero before another digit: a code rather than a quantity.
    pub const LEADING_ZERO: Self = Self(1 << 8);
    /// A number after a `+`, as telephone numbers are.
    pub const PLUS_SIGN: Self = Self(1 << 9);
    /// A number with an exponent.
    pub const EXPONENT: Self = Self(1 << 10);
    /// A number but for its decimal comma.
    pub const DECIMAL_COMMA: Self = Self(1 << 11);
    /// A number but for the commas between its thousands.
    pub const THOUSANDS: Self = Self(1 << 12);
    /// A number but for a percent sign or a currency.
    pub const UNIT: Self = Self(1 << 13);
    /// A text that often stands for "no value".
    pub const NULL_SUSPECT: Self = Self(1 << 14);
    /// Begins or ends with a blank.
    pub const OUTER_BLANKS: Self = Self(1 << 15);
    /// Has characters that are not supported.
    pub const UNSUPPORTED: Self = Self(1 << 16);
    /// Has characters outside Windows-1252.
    pub const BEYOND_WINDOWS_1252: Self = Self(1 << 17);
    /// Too long for `string`.
    pub const TOO_LONG: Self = Self(1 << 18);
    /// A timestamp that says its zone.
    pub const ZONED: Self = Self(1 << 19);
    /// A timestamp but for its seventh or later decimal.
    pub const TOO_FINE: Self = Self(1 << 20);
    /// `true` or `false` in letters, in any case: nothing but a boolean.
    pub const TRUTH_WORD: Self = Self(1 << 21);

    /// No fact at all.
    pub const NONE: Self = Self(0);

    const FIRST_DATE: usize = 24;
    const FIRST_TIMESTAMP: usize = Self::FIRST_DATE + DATE_PATTERNS.len();

    /// Fits `date` under pattern number `pattern` of [`DATE_PATTERNS`].
    #[must_use]
    pub const fn date(pattern: usize) -> Self {
        Self(1 << (Self::FIRST_DATE + pattern))
    }

    /// Fits `timestamp` under pattern number `pattern` of [`TIMESTAMP_PATTERNS`].
    #[must_use]
    pub const fn timestamp(pattern: usize) -> Self {
        Self(1 << (Self::FIRST_TIMESTAMP + pattern))
    }

    /// Fits `date` or `timestamp` under any pattern.
    pub const TEMPORAL: Self = Self(u64::MAX << Self::FIRST_DATE);
    /// Either truth value.
    pub const BOOLEAN: Self = Self(Self::TRUE.0 | Self::FALSE.0);

    /// Whether the two sets have a fact in common.
    #[must_use]
    pub fn has_any(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// The facts of a cell that is not empty.
    #[must_use]
    pub fn of(cell: &str) -> Self {
        let mut traits = text_traits(cell) | temporal_traits(cell);
        // Nothing longer is a number: the longest doubles in use have some thirty characters.
        if cell.len() <= 64 {
            traits = traits | number_traits(cell) | numeral_traits(cell);
        }
        traits
    }

    fn when(self, holds: bool) -> Self {
        if holds { self } else { Self::NONE }
    }
}

impl BitOr for Traits {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

// Patterns and facts share 64 bits.
const _: () = assert!(Traits::FIRST_TIMESTAMP + TIMESTAMP_PATTERNS.len() <= 64);

fn text_traits(cell: &str) -> Traits {
    let truth = match parse_boolean(cell) {
        Some(true) => Traits::TRUE,
        Some(false) => Traits::FALSE,
        None => Traits::NONE,
    };
    let has_blank = cell.starts_with(char::is_whitespace) || cell.ends_with(char::is_whitespace);
    let is_truth_word = ["true", "false"]
        .iter()
        .any(|word| cell.eq_ignore_ascii_case(word));
    truth
        | Traits::TRUTH_WORD.when(is_truth_word)
        | Traits::EMAIL.when(is_email(cell))
        | Traits::NULL_SUSPECT.when(NULL_SUSPECTS.contains(&cell))
        | Traits::OUTER_BLANKS.when(has_blank)
        | Traits::UNSUPPORTED.when(has_unsupported(cell))
        | Traits::BEYOND_WINDOWS_1252.when(!is_windows_1252(cell))
        | Traits::TOO_LONG.when(!fits_length(cell, TextType::Text))
}

fn number_traits(cell: &str) -> Traits {
    if parse_double(cell).is_none() {
        return Traits::NONE;
    }
    let unsigned = cell.trim_start_matches(['+', '-']);
    let is_code = matches!(unsigned.as_bytes(), [b'0', b'0'..=b'9', ..]);
    let is_plain_digits = unsigned.bytes().all(|byte| byte.is_ascii_digit());
    Traits::DOUBLE
        | Traits::INT.when(parse_int(cell).is_some())
        | Traits::BIGINT.when(parse_bigint(cell).is_some())
        | Traits::DECIMAL.when(decimal_digits(cell).is_some())
        | Traits::DIGITS.when(is_plain_digits)
        | Traits::LEADING_ZERO.when(is_code)
        | Traits::PLUS_SIGN.when(cell.starts_with('+'))
        | Traits::EXPONENT.when(cell.contains(['e', 'E']))
}

/// Digits before and after the point that a decimal type needs for the number as it is written.
///
/// Zeros written at the end count, since `10.00` says more about its column than `10`.
#[must_use]
pub fn decimal_digits(number: &str) -> Option<(u8, u8)> {
    let unsigned = number.trim_start_matches(['+', '-']);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i64 = exponent.parse().ok()?;
    let scale = u8::try_from((fraction.len() as i64).saturating_sub(exponent).max(0)).ok()?;
    let precision = u8::try_from(MAX_DIGITS).ok()?;
    let value = parse_decimal(number, precision, i8::try_from(scale).ok()?, OnScale::Reject)?;
    let num_digits = value
        .unsigned_abs()
        .checked_ilog10()
        .map_or(0, |log| log as usize + 1);
    let whole_digits = num_digits
        .saturating_sub(usize::from(scale))
        .max(usize::from(whole == "0"));
    let needed = whole_digits + usize::from(scale);
    (needed <= MAX_DIGITS).then(|| Some((u8::try_from(whole_digits).ok()?, scale)))?
}

/// Numbers as people write them, which no number type takes.
fn numeral_traits(cell: &str) -> Traits {
    let bare = cell.trim_matches(|c: char| matches!(c, '%' | '€' | '$' | '£' | '¥') || c.is_whitespace());
    let is_bare = bare.len() == cell.len();
    let has_unit = !is_bare && cell.trim().len() != bare.len();
    let unsigned = bare.trim_start_matches(['+', '-']);
    let is_comma_decimal = grouped(unsigned, '.', ',') && unsigned.contains(',');
    let has_thousands = grouped(unsigned, ',', '.') && unsigned.contains(',');
    let is_number = parse_double(bare).is_some() || is_comma_decimal || has_thousands;
    // `1,234` is a thousand and more in one country and little more than one in another.
    Traits::DECIMAL_COMMA.when(is_bare && is_comma_decimal)
        | Traits::THOUSANDS.when(is_bare && has_thousands)
        | Traits::UNIT.when(has_unit && is_number)
}

/// Whether it is digits, in groups of three after the first if `group` divides them, and a fraction after `point`.
fn grouped(text: &str, group: char, point: char) -> bool {
    let (whole, fraction) = text.split_once(point).unwrap_or((text, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split(group);
    let first = groups.next().unwrap_or_default();
    let mut num_groups = 0;
    let rest_fits = groups.all(|part| {
        num_groups += 1;
        part.len() == 3 && all_digits(part)
    });
    all_digits(first) && rest_fits && (num_groups == 0 || first.len() <= 3) && all_digits(fraction)
}

fn temporal_traits(cell: &str) -> Traits {
    if !formats::may_be_temporal(cell) {
        return Traits::NONE;
    }
    let dates = (0..DATE_PATTERNS.len()).filter(|pattern| formats::read_date(cell, *pattern).is_some());
    let timestamps =
        (0..TIMESTAMP_PATTERNS.len()).filter(|pattern| formats::read_timestamp(cell, *pattern).is_some());
    let found = dates.map(Traits::date).chain(timestamps.map(Traits::timestamp));
    let temporal = found.fold(Traits::NONE, Traits::bitor);
    temporal
        | Traits::ZONED.when(formats::has_zone(cell) && temporal.has_any(Traits::timestamp(0)))
        | Traits::TOO_FINE.when(temporal == Traits::NONE && formats::is_too_fine(cell))
}
