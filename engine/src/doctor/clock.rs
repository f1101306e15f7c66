//! Whether this machine's clock agrees with a server's: signatures and tokens hold for a while only.

use chrono::{DateTime, TimeDelta, Utc};

use super::finding::Outcome;

/// Compares `theirs`, which has whole seconds, with `ours`, taken at the same moment.
pub(super) fn compared(ours: DateTime<Utc>, theirs: DateTime<Utc>, tolerated: TimeDelta) -> Outcome {
    let ahead = ours - theirs;
    let seconds = ahead.num_seconds().abs();
    let seen = match seconds {
        0 | 1 => "within a second of the server's".to_owned(),
        _ if ahead > TimeDelta::zero() => format!("{seconds} s ahead of the server's"),
        _ => format!("{seconds} s behind the server's"),
    };
    if ahead.abs() <= tolerated {
        return Outcome::good(seen);
    }
    Outcome::failed(
        format!("{seen}; {} s are tolerated", tolerated.num_seconds()),
        "set this machine's clock, for example with: timedatectl set-ntp true",
    )
}

/// The moment that the header `date` of an answer names.
pub(super) fn parsed(date: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(date)
        .ok()
        .map(|moment| moment.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_differs_by_more_than_is_tolerated_is_a_failure_in_either_direction() {
        let ours = parsed("Thu, 26 Nov 2026 12:00:00 GMT").unwrap();
        for (date, word, seen) in [
            ("Thu, 26 Nov 2026 12:00:01 GMT", "ok", "within a second"),
            ("Thu, 26 Nov 2026 11:59:30 GMT", "ok", "30 s ahead"),
            ("Thu, 26 Nov 2026 12:02:00 GMT", "failed", "120 s behind"),
            ("Thu, 26 Nov 2026 11:00:00 GMT", "failed", "3600 s ahead"),
        ] {
            let outcome = compared(ours, parsed(date).unwrap(), TimeDelta::minutes(1));
            assert_eq!(outcome.word(), word, "{date}");
            assert!(outcome.seen().contains(seen), "{outcome:?}");
        }
    }
}
