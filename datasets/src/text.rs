//! Values as text, appended to a row without passing through `format!`.

use crate::rng::Rng;

/// Seconds in a day.
pub(crate) const DAY_SECONDS: u64 = 86_400;

/// 2012-01-01 in days since 1970-01-01.
pub(crate) const DAY_2012: u64 = 15_340;

/// 2024-01-01 in days since 1970-01-01.
pub(crate) const DAY_2024: u64 = 19_723;

/// Digits of a CID; larger ids take as many as they need.
const CID_DIGITS: usize = 8;

/// `C00000123`; below 10^8 the order of the bytes is the order of the ids.
pub(crate) fn push_cid(out: &mut Vec<u8>, id: u64) {
    out.push(b'C');
    push_padded(out, id, CID_DIGITS);
}

/// `number` in decimal digits.
pub(crate) fn push_number(out: &mut Vec<u8>, number: u64) {
    push_padded(out, number, 1);
}

/// `number` in decimal digits, with zeros in front up to `width`.
pub(crate) fn push_padded(out: &mut Vec<u8>, mut number: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    while number > 0 {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&digits[start.min(digits.len() - width)..]);
}

/// An amount of cents with two decimals: `12.05`.
pub(crate) fn push_cents(out: &mut Vec<u8>, cents: u64) {
    push_number(out, cents / 100);
    out.push(b'.');
    push_padded(out, cents % 100, 2);
}

/// The date `day` days after 1970-01-01: `2024-02-29`.
pub(crate) fn push_date(out: &mut Vec<u8>, day: u64) {
    let (year, month, day) = civil(day);
    push_padded(out, year, 4);
    out.push(b'-');
    push_padded(out, month, 2);
    out.push(b'-');
    push_padded(out, day, 2);
}

/// A moment of the `days` days from `first_day` on, to the second, one in eight to the microsecond.
pub(crate) fn push_timestamp(out: &mut Vec<u8>, first_day: u64, days: u64, rng: &mut Rng) {
    push_date(out, first_day + rng.below(days));
    let second = rng.below(DAY_SECONDS);
    for (mark, part) in [
        (b' ', second / 3_600),
        (b':', second / 60 % 60),
        (b':', second % 60),
    ] {
        out.push(mark);
        push_padded(out, part, 2);
    }
    if rng.chance(125_000) {
        out.push(b'.');
        push_padded(out, rng.below(1_000_000), 6);
    }
}

/// Year, month and day of a day after 1970-01-01 (Hinnant's `civil_from_days`: the year starts in March).
fn civil(day: u64) -> (u64, u64, u64) {
    let shifted = day + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let turned = u64::from(month <= 2);
    (
        era * 400 + year + turned,
        month,
        day_of_year - (153 * march_month + 2) / 5 + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn days_become_dates_across_leap_years_and_centuries() {
        let dates = [
            (0, "1970-01-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (DAY_2012, "2012-01-01"),
            (DAY_2024 - 1, "2023-12-31"),
            (DAY_2024 + 59, "2024-02-29"),
            (47_541, "2100-03-01"),
        ];
        for (day, date) in dates {
            assert_eq!(text(|out| push_date(out, day)), date);
        }
    }

    #[test]
    fn numbers_keep_their_zeros_and_never_lose_a_digit() {
        assert_eq!(text(|out| push_number(out, 0)), "0");
        assert_eq!(text(|out| push_number(out, u64::MAX)), u64::MAX.to_string());
        assert_eq!(text(|out| push_cents(out, 1_205)), "12.05");
        assert_eq!(text(|out| push_cid(out, 123)), "C00000123");
        assert_eq!(text(|out| push_cid(out, 1_234_567_890)), "C1234567890");
    }

    #[test]
    fn a_timestamp_stays_within_its_days() {
        let mut rng = Rng::seeded(3);
        for _ in 0..1_000 {
            let stamp = text(|out| push_timestamp(out, DAY_2024, 1, &mut rng));
            assert!(stamp.starts_with("2024-01-01 "), "{stamp}");
            assert!(matches!(stamp.len(), 19 | 26), "{stamp}");
        }
    }
}
