//! How long versions are kept, as people write it: `30d`, `168h`.

use std::fmt;
use std::str::FromStr;

use chrono::Duration;
use serde::{Serialize, Serializer};

use super::problem::{Findings, Problem};
use super::process::RawRetention;

/// How long the versions of a table are kept whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Retention {
    hours: u32,
}

impl Retention {
    /// So many days.
    #[must_use]
    pub const fn days(days: u32) -> Self {
        Self { hours: days * 24 }
    }

    /// The same as a length of time.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::hours(i64::from(self.hours))
    }
}

/// How long the rejects of a process are kept; nothing goes where nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RejectRetention {
    /// What is about a person: the customer, the values, the bytes.
    pub payload: Option<Retention>,
    /// All of a reject.
    pub rows: Option<Retention>,
}

/// The retention of `[retention]`.
pub(super) fn resolve(raw: &RawRetention, findings: &mut Findings) -> RejectRetention {
    let mut time = |key: &str, text: &Option<String>| {
        let text = text.as_deref()?;
        findings.take(&format!("retention.{key}"), text.parse())
    };
    let retention = RejectRetention {
        payload: time("reject_payload", &raw.reject_payload),
        rows: time("reject_rows", &raw.reject_rows),
    };
    if let (Some(payload), Some(rows)) = (retention.payload, retention.rows)
        && payload > rows
    {
        let what = format!("the payload would outlive its row: {payload} is longer than {rows}");
        findings.add(
            "retention.reject_payload",
            what,
            "write a shorter time, or leave it out",
        );
    }
    retention
}

impl FromStr for Retention {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let hours_of = |digits: &str, hours: u32| digits.parse::<u32>().ok()?.checked_mul(hours);
        let text = text.trim();
        let hours = match (text.strip_suffix('d'), text.strip_suffix('h')) {
            (Some(days), _) => hours_of(days, 24),
            (_, Some(hours)) => hours_of(hours, 1),
            _ => None,
        };
        hours.map(|hours| Self { hours }).ok_or_else(|| {
            let what = format!("`{text}` is no length of time");
            Problem::new("retention", what, "write days or hours, as \"30d\" or \"168h\"")
        })
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hours {
            hours if hours > 0 && hours.is_multiple_of(24) => write!(f, "{}d", hours / 24),
            hours => write!(f, "{hours}h"),
        }
    }
}

impl Serialize for Retention {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_are_read_and_shown_in_the_larger_unit() {
        for (text, shown, hours) in [
            ("30d", "30d", 720),
            ("168h", "7d", 168),
            ("25h", "25h", 25),
            ("0h", "0h", 0),
            (" 1d ", "1d", 24),
        ] {
            let retention: Retention = text.parse().unwrap();
            assert_eq!(
                (retention.to_string().as_str(), retention.duration().num_hours()),
                (shown, hours),
                "{text}"
            );
        }
        for text in ["", "d", "7", "-1d", "1.5d", "1w", "999999999d", "7 d h"] {
            assert!(text.parse::<Retention>().is_err(), "{text}");
        }
    }
}
