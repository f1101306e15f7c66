//! Numbers for people.

/// `1234567` as `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes as millions of bytes, one decimal.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// Milliseconds as seconds: two decimals, below ten seconds three.
pub fn seconds(milliseconds: u64) -> String {
    let seconds = milliseconds as f64 / 1e3;
    if milliseconds < 10_000 {
        format!("{seconds:.3} s")
    } else {
        format!("{seconds:.2} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_stands_before_every_third_digit_from_the_right() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (100_000, "100,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(thousands(number), text);
        }
        assert_eq!(thousands(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn sizes_and_times_have_their_unit() {
        assert_eq!(megabytes(646_912_345), "646.9 MB");
        assert_eq!(seconds(42), "0.042 s");
        assert_eq!(seconds(61_234), "61.23 s");
    }
}
