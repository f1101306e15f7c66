//! When the process runs.

use chrono::{Days, NaiveDate};
use sluice_engine::spec::{Every, RawSchedule};

use super::lines::Lines;
use crate::error::Result;

/// Asks for a schedule, where the source is one that may have new files.
///
/// # Errors
/// There are no more answers.
pub fn choose(lines: &mut impl Lines, may_recur: bool, today: NaiveDate) -> Result<Option<RawSchedule>> {
    if !may_recur {
        lines.say("a single local file is loaded when you say so; a folder, in/, or a pattern in one may have a schedule");
        return Ok(None);
    }
    let every = lines.ask_for(
        "run it every 6h, 12h or 24h, or once",
        "once",
        |answer| match answer {
            "once" => Ok(None),
            "6h" => Ok(Some(Every::SixHours)),
            "12h" => Ok(Some(Every::TwelveHours)),
            "24h" => Ok(Some(Every::Day)),
            other => Err(format!("{other:?} is none of once, 6h, 12h and 24h")),
        },
    )?;
    let Some(every) = every else { return Ok(None) };
    let mut schedule = RawSchedule {
        every: Some(every),
        ..RawSchedule::default()
    };
    let tomorrow = today.checked_add_days(Days::new(1)).unwrap_or(today);
    lines.ask_for(
        "first time, on the clock there",
        &format!("{tomorrow}T03:00"),
        |answer| {
            schedule.start = Some(answer.to_owned());
            checked(&schedule)
        },
    )?;
    lines.ask_for("time zone of that clock", "UTC", |answer| {
        schedule.time_zone = Some(answer.to_owned());
        checked(&schedule)
    })?;
    Ok(Some(schedule))
}

fn checked(schedule: &RawSchedule) -> Result<(), String> {
    let problem = |problem: sluice_engine::spec::Problem| format!("{}; {}", problem.what, problem.remedy);
    schedule.check().map(|_| ()).map_err(problem)
}
