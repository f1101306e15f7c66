//! `[guard]`: what a run must not do to the customers unasked.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::problem::{Findings, Problem};
use super::process::RawGuard;

/// A share of a whole, 0 to 100 percent.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share {
    percent: f64,
}

impl Share {
    /// So many of every hundred.
    #[must_use]
    pub const fn percent(percent: f64) -> Self {
        Self { percent }
    }

    /// Whether `part` is more than this share of `whole`; of nothing nothing is.
    #[must_use]
    pub fn is_exceeded(self, part: u64, whole: u64) -> bool {
        whole > 0 && part as f64 * 100.0 > self.percent * whole as f64
    }
}

impl FromStr for Share {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let plain = |c: char| c.is_ascii_digit() || c == '.';
        text.strip_suffix('%')
            .map(str::trim_end)
            .filter(|share| share.chars().all(plain))
            .and_then(|share| share.parse().ok())
            .filter(|percent| (0.0..=100.0).contains(percent))
            .map(Self::percent)
            .ok_or_else(|| {
                Problem::new(
                    "guard",
                    format!("`{text}` is no share"),
                    "write \"0%\" to \"100%\"",
                )
            })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.percent)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The guards of a process; none of them is set by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Guard {
    /// The largest share of an attribute's values that a run may clear.
    pub max_cleared: Option<Share>,
    /// The largest share of an attribute's values that a run may replace or clear.
    pub max_changed: Option<Share>,
    /// How many fewer rows than the last run that merged a source may have, as a share of the rows it had.
    pub max_row_drop: Option<Share>,
}

/// The guards of `[guard]`.
pub(super) fn resolve(raw: &RawGuard, findings: &mut Findings) -> Guard {
    let mut share = |key: &str, text: &Option<String>| {
        let text = text.as_deref()?;
        findings.take(&format!("guard.{key}"), text.parse())
    };
    Guard {
        max_cleared: share("max_cleared", &raw.max_cleared),
        max_changed: share("max_changed", &raw.max_changed),
        max_row_drop: share("max_row_drop", &raw.max_row_drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_reads_back_as_it_prints_and_is_exceeded_by_more_than_itself() {
        let share: Share = "12.5%".parse().unwrap();
        assert_eq!(share.to_string(), "12.5%");
        assert!(!share.is_exceeded(1, 8) && share.is_exceeded(2, 8));
        assert!(
            !share.is_exceeded(0, 0) && !share.is_exceeded(5, 0),
            "nothing has no share"
        );
        for text in ["", "5", "101%", "-1%", "NaN%", "a%", "1e1%"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }
}
