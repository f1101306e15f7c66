//! `decimal(p,s)` cells, in whole numbers throughout.
//!
//! ```text
//!   "-12.340" as decimal(9,2)            sign -    digits 12340    point 3 from the right
//!            12340 x 10^(2 - 3)  =  1234    the dropped digit is a zero, so nothing is lost
//! ```
//! Up to 16 plain characters with no more decimals than the scale, nearly every amount there is, are read as one
//! word ([`Short`]); up to 19 take one pass and one 64-bit accumulator. All else (an exponent, more digits) is
//! counted before it is computed, so that `1e999999999` costs no more than its eleven characters.

#[cfg(test)]
mod tests;

use super::short::Short;

/// What becomes of digits past the scale of a decimal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum OnScale {
    /// A value with more digits than its type holds does not fit; trailing zeros do not count.
    #[default]
    Reject,
    /// Rounded to the scale, half away from zero.
    Round,
}

/// The digits that any decimal type has at most.
const MAX_PRECISION: usize = 38;

/// Characters that a `u64` holds whatever digits they are.
const SHORT_CHARS: usize = 19;

/// Exponents are cut here: far beyond what any text of digits can bring back into range.
const MAX_EXPONENT: i64 = 1 << 60;

/// 10^0 to 10^38.
const POWERS_OF_TEN: [u128; MAX_PRECISION + 1] = powers_of_ten();

const fn powers_of_ten() -> [u128; MAX_PRECISION + 1] {
    let mut powers = [1; MAX_PRECISION + 1];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
}

/// Powers of ten that a `u64` holds.
const NUM_SHORT_POWERS: usize = 20;

/// 10^0 to 10^19.
const SHORT_POWERS_OF_TEN: [u64; NUM_SHORT_POWERS] = {
    let mut powers = [1; NUM_SHORT_POWERS];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

/// Reads an optional sign, digits with an optional point, and an optional exponent; the result counts units
/// of 10^-`scale` and has at most `precision` (up to 38) digits.
///
/// At least one digit is needed, on either side of the point: `.5` and `5.` are numbers, `.` is none.
#[must_use]
pub fn parse_decimal(text: &str, precision: u8, scale: i8, on_scale: OnScale) -> Option<i128> {
    Short::of_bytes(text.as_bytes())
        .and_then(|short| short_decimal(short, precision, scale))
        .or_else(|| spelled_decimal(text, precision, scale, on_scale))
}

/// [`parse_decimal`] of a plain number that has no more decimals than the scale.
#[inline(always)]
pub(crate) fn short_decimal(text: Short, precision: u8, scale: i8) -> Option<i128> {
    let (is_minus, value, num_decimals) = text.signed_decimals()?;
    let zeros = usize::try_from(scale).ok()?.checked_sub(num_decimals)?;
    let magnitude = u128::from(value) * u128::from(*SHORT_POWERS_OF_TEN.get(zeros)?);
    if magnitude >= *POWERS_OF_TEN.get(usize::from(precision))? {
        return None;
    }
    let flip = -i128::from(is_minus);
    Some((magnitude as i128 ^ flip) - flip)
}

/// [`parse_decimal`] of whatever there may be.
fn spelled_decimal(text: &str, precision: u8, scale: i8, on_scale: OnScale) -> Option<i128> {
    let (negative, body) = split_sign(text.as_bytes());
    let magnitude = match short(body, scale) {
        Some((value, Shift::Up(factor))) => value.checked_mul(factor)?,
        Some((value, Shift::Down(divisor))) => shorten(value, divisor, on_scale)?,
        None => Spelled::read(body)?.in_units(scale, on_scale)?,
    };
    if magnitude >= *POWERS_OF_TEN.get(usize::from(precision))? {
        return None;
    }
    let value = i128::try_from(magnitude).ok()?;
    Some(if negative { -value } else { value })
}

fn split_sign(bytes: &[u8]) -> (bool, &[u8]) {
    match bytes {
        [b'-', body @ ..] => (true, body),
        [b'+', body @ ..] => (false, body),
        body => (false, body),
    }
}

/// The way from written digits to units of the scale.
enum Shift {
    Up(u128),
    Down(u128),
}

/// Reads a short number without an exponent; `None` leaves it to [`Spelled`].
fn short(body: &[u8], scale: i8) -> Option<(u128, Shift)> {
    if body.len() > SHORT_CHARS {
        return None;
    }
    let mut value = 0_u64;
    let mut after_point = None;
    for (at, byte) in body.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            value = value * 10 + u64::from(digit);
        } else if *byte == b'.' && after_point.is_none() {
            after_point = Some(at + 1);
        } else {
            return None;
        }
    }
    if body.len() == usize::from(after_point.is_some()) {
        return None;
    }
    let fraction_digits = after_point.map_or(0, |at| body.len() - at) as isize;
    let shift = isize::from(scale) - fraction_digits;
    let power = *POWERS_OF_TEN.get(shift.unsigned_abs())?;
    Some((
        value.into(),
        if shift < 0 {
            Shift::Down(power)
        } else {
            Shift::Up(power)
        },
    ))
}

fn shorten(value: u128, divisor: u128, on_scale: OnScale) -> Option<u128> {
    let (quotient, dropped) = (value / divisor, value % divisor);
    match on_scale {
        _ if dropped == 0 => Some(quotient),
        OnScale::Reject => None,
        OnScale::Round => Some(quotient + u128::from(dropped >= divisor / 2)),
    }
}

/// A number as it is written, of any length.
struct Spelled<'a> {
    /// ASCII digits before the point.
    whole: &'a [u8],
    /// ASCII digits after it.
    fraction: &'a [u8],
    /// Power of ten, cut at [`MAX_EXPONENT`].
    exponent: i64,
}

impl<'a> Spelled<'a> {
    fn read(body: &'a [u8]) -> Option<Self> {
        let mut halves = body.splitn(2, |byte| matches!(byte, b'e' | b'E'));
        let mut digits = halves.next()?.splitn(2, |byte| *byte == b'.');
        let exponent = halves.next().map_or(Some(0), read_exponent)?;
        let (whole, fraction) = (digits.next()?, digits.next().unwrap_or_default());
        let is_number =
            whole.len() + fraction.len() > 0 && whole.iter().chain(fraction).all(u8::is_ascii_digit);
        is_number.then_some(Self {
            whole,
            fraction,
            exponent,
        })
    }

    /// The magnitude in units of 10^-`scale`; `None` if digits are lost or there are more than 38.
    fn in_units(&self, scale: i8, on_scale: OnScale) -> Option<u128> {
        let mut digits = self
            .whole
            .iter()
            .chain(self.fraction)
            .map(|byte| byte - b'0')
            .skip_while(|d| *d == 0);
        let significant = digits.clone().count() as i64;
        if significant == 0 {
            return Some(0);
        }
        let shift = self.exponent + i64::from(scale) - self.fraction.len() as i64;
        let kept = significant + shift;
        if kept > MAX_PRECISION as i64 {
            return None;
        }
        let taken = kept.clamp(0, significant) as usize;
        let value = digits
            .by_ref()
            .take(taken)
            .fold(0, |value, digit| value * 10 + u128::from(digit));
        if shift >= 0 {
            return value.checked_mul(*POWERS_OF_TEN.get(shift as usize)?);
        }
        match on_scale {
            OnScale::Reject => digits.all(|digit| digit == 0).then_some(value),
            // The first dropped digit decides, unless zeros that nobody wrote come before it.
            OnScale::Round => Some(value + u128::from(kept >= 0 && digits.next() >= Some(5))),
        }
    }
}

fn read_exponent(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = split_sign(bytes);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude = digits.iter().fold(0_i64, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
            .min(MAX_EXPONENT)
    });
    Some(if negative { -magnitude } else { magnitude })
}
