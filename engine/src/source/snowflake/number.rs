//! Decimal numbers as Snowflake writes them.

/// `text` in units of 10^-`scale`; nothing if it is no number of at most that many decimals, or too large.
///
/// ```text
///   12.30, scale 2   1230        -0.5, scale 2   -50        7, scale 0   7
/// ```
pub(super) fn unscaled(text: &str, scale: u8) -> Option<i128> {
    let (is_negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, text.get(1..)?),
        _ => (false, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let missing = usize::from(scale).checked_sub(decimals.len())?;
    let is_number = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    if whole.len() + decimals.len() == 0 || !is_number(whole) || !is_number(decimals) {
        return None;
    }
    let digits = whole
        .bytes()
        .chain(decimals.bytes())
        .chain(std::iter::repeat_n(b'0', missing));
    let mut value = 0_i128;
    for digit in digits {
        value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    Some(if is_negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_counted_in_units_of_the_scale() {
        for (text, scale, value) in [
            ("12.30", 2, Some(1230)),
            ("-0.5", 2, Some(-50)),
            ("7", 0, Some(7)),
            (".5", 1, Some(5)),
            (
                "99999999999999999999999999999999999999",
                0,
                Some(10_i128.pow(38) - 1),
            ),
            ("1.234", 2, None),
            ("", 0, None),
            ("-", 0, None),
            ("1e3", 0, None),
            ("--1", 0, None),
        ] {
            assert_eq!(unscaled(text, scale), value, "{text}");
        }
    }
}
