//! When a recurring process runs.

use chrono::NaiveDateTime;
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::instance::Defaults;
use super::problem::{Findings, Problem};
use super::process::RawSchedule;

/// How often a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Every {
    /// Four times a day.
    #[serde(rename = "6h")]
    SixHours,
    /// Twice a day.
    #[serde(rename = "12h")]
    TwelveHours,
    /// Once a day.
    #[serde(rename = "24h")]
    Day,
}

impl Every {
    /// Length of the interval, in hours of the wall clock.
    pub fn hours(self) -> u32 {
        match self {
            Self::SixHours => 6,
            Self::TwelveHours => 12,
            Self::Day => 24,
        }
    }
}

/// When a recurring process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// How often.
    pub every: Every,
    /// The first due time, on the wall clock of `time_zone`; midnight of 2000-01-01 where none is written.
    pub start: NaiveDateTime,
    /// Whose wall clock.
    pub time_zone: Tz,
}

impl RawSchedule {
    /// The schedule, where no instance has defaults for it.
    ///
    /// # Errors
    /// The first problem of it.
    pub fn check(&self) -> Result<Schedule, Problem> {
        let mut findings = Findings::default();
        let schedule = resolve(self, &Defaults::default(), &mut findings);
        match (findings.problems.into_iter().next(), schedule) {
            (None, Some(schedule)) => Ok(schedule),
            (problem, _) => {
                Err(problem
                    .unwrap_or_else(|| Problem::new("schedule", "incomplete", "write every = \"24h\"")))
            }
        }
    }
}

/// The schedule of `[schedule]`.
pub(super) fn resolve(raw: &RawSchedule, defaults: &Defaults, findings: &mut Findings) -> Option<Schedule> {
    if raw.every.is_none() {
        findings.missing("schedule.every", "write \"6h\", \"12h\" or \"24h\"");
    }
    let start = raw.start.as_deref().unwrap_or(DEFAULT_START);
    let start = findings.take("schedule.start", parse_start(start));
    let time_zone = match &raw.time_zone {
        Some(text) => findings.take("schedule.time_zone", parse_time_zone(text)),
        None => Some(defaults.time_zone),
    };
    Some(Schedule {
        every: raw.every?,
        start: start?,
        time_zone: time_zone?,
    })
}

/// The first due time of a schedule without one: a midnight, so that runs fall on 0, 6, 12 and 18 o'clock.
const DEFAULT_START: &str = "2000-01-01T00:00";

fn parse_start(text: &str) -> Result<NaiveDateTime, Problem> {
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .ok_or_else(|| {
            let remedy = "write a local time, as \"2026-01-01T03:00\"; its zone goes to time_zone";
            Problem::new("start", format!("`{text}` is no date and time"), remedy)
        })
}

/// A zone of the IANA database.
pub(super) fn parse_time_zone(text: &str) -> Result<Tz, Problem> {
    text.parse().map_err(|_| {
        let what = format!("`{text}` is no time zone");
        Problem::new(
            "time_zone",
            what,
            "write an IANA name, as \"Europe/Madrid\" or \"UTC\"",
        )
    })
}
