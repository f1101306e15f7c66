//! Numbers as text: plain digits, never an exponent, no zeros behind that say nothing.
//!
//! ```text
//!  unscaled 1230, scale 2   12.3        unscaled 500, scale 2   5        unscaled -5, scale 3   -0.005
//! ```

use std::fmt::{Display, Write};

/// More zeros than any scale has.
const ZEROS: &str = match str::from_utf8(&[b'0'; 129]) {
    Ok(zeros) => zeros,
    Err(_) => "",
};

/// Appends an integer, or a float by the shortest digits that read back the same.
#[inline]
pub(super) fn write_number(text: &mut String, value: impl Display) {
    // Writing to a String does not fail.
    let _ = write!(text, "{value}");
}

/// Writes `unscaled` x 10^-`scale` to `text`, which is empty.
pub(super) fn write_decimal(text: &mut String, unscaled: impl Display, scale: i8) {
    write_number(text, unscaled);
    let zeros = |count: usize| ZEROS.get(..count).unwrap_or_default();
    let scale_digits = usize::from(scale.unsigned_abs());
    if scale < 0 {
        if text != "0" {
            text.push_str(zeros(scale_digits));
        }
    } else if scale > 0 {
        let sign_bytes = usize::from(text.starts_with('-'));
        let missing_digits = (scale_digits + 1).saturating_sub(text.len() - sign_bytes);
        text.insert_str(sign_bytes, zeros(missing_digits));
        text.insert(text.len() - scale_digits, '.');
        let significant = text.trim_end_matches('0').trim_end_matches('.').len();
        text.truncate(significant);
    }
}
