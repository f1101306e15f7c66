//! When a schedule is due: slots of a wall clock, as instants.
//!
//! ```text
//!   every 6h, start 03:00, Europe/Madrid
//!
//!   wall clock   28 Mar 21:00   29 Mar 03:00   09:00     25 Oct 02:30, every 24h: 02:30 comes twice,
//!   instant      20:00Z         01:00Z         07:00Z                  the first of them counts
//!
//!   start 02:30, every 24h: on 29 Mar there is no 02:30; the slot is 03:00, the first instant that there is
//! ```

use chrono::{DateTime, Duration, NaiveDateTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use crate::spec::Schedule;

/// No clock was ever put forward by more: Samoa left out a day.
const MAX_GAP_MINUTES: i64 = 48 * 60;

/// The first slot after `instant`.
#[must_use]
pub fn slot_after(schedule: &Schedule, instant: DateTime<Utc>) -> DateTime<Utc> {
    // A clock that is put back shows a later slot again, one that is put forward moves a slot: two slots before what
    // the clock shows is early enough to begin.
    let mut number = number_at(schedule, instant) - 2;
    loop {
        let slot = slot(schedule, number.max(0));
        if slot > instant {
            return slot;
        }
        number += 1;
    }
}

/// The number of the last slot whose wall-clock time is not after what the clock shows at `instant`.
fn number_at(schedule: &Schedule, instant: DateTime<Utc>) -> i64 {
    let shown = instant.with_timezone(&schedule.time_zone).naive_local();
    let interval_seconds = i64::from(schedule.every.hours()) * 3600;
    (shown - schedule.start)
        .num_seconds()
        .div_euclid(interval_seconds)
}

fn slot(schedule: &Schedule, number: i64) -> DateTime<Utc> {
    let since_start = Duration::hours(number * i64::from(schedule.every.hours()));
    instant_of(schedule.start + since_start, &schedule.time_zone)
}

/// When the clock shows this time: the first time if it does twice, the next instant if it never does.
fn instant_of(shown: NaiveDateTime, zone: &Tz) -> DateTime<Utc> {
    let instant = |shown: NaiveDateTime| zone.from_local_datetime(&shown).earliest();
    // Clocks change at whole minutes.
    let minute = shown - Duration::seconds(i64::from(shown.second()));
    let later = (1..=MAX_GAP_MINUTES).map(|minutes| minute + Duration::minutes(minutes));
    let found = std::iter::once(shown).chain(later).find_map(instant);
    found.map_or_else(|| shown.and_utc(), |instant| instant.to_utc())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spec::Every;

    fn schedule(every: Every, start: &str, zone: &str) -> Schedule {
        Schedule {
            every,
            start: start.parse().unwrap(),
            time_zone: zone.parse().unwrap(),
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The slots from one instant on.
    fn slots(schedule: &Schedule, from: &str, count: usize) -> Vec<String> {
        let next = |slot: &DateTime<Utc>| Some(slot_after(schedule, *slot));
        let first = slot_after(schedule, at(from));
        std::iter::successors(Some(first), next)
            .take(count)
            .map(|slot| slot.format("%m-%d %H:%M").to_string())
            .collect()
    }

    #[test]
    fn nothing_is_due_before_the_start() {
        let daily = schedule(Every::Day, "2026-01-01T03:00:00", "Europe/Madrid");
        assert_eq!(
            slot_after(&daily, at("1999-12-31T00:00:00Z")),
            at("2026-01-01T02:00:00Z")
        );
    }

    #[test]
    fn a_slot_is_not_after_itself() {
        let daily = schedule(Every::Day, "2026-01-01T03:00:00", "UTC");
        assert_eq!(
            slot_after(&daily, at("2026-02-02T03:00:00Z")),
            at("2026-02-03T03:00:00Z")
        );
        assert_eq!(
            slot_after(&daily, at("2026-02-02T02:59:59Z")),
            at("2026-02-02T03:00:00Z")
        );
    }

    #[test]
    fn slots_keep_to_the_wall_clock_when_clocks_change() {
        let four_a_day = schedule(Every::SixHours, "2026-01-01T03:00:00", "Europe/Madrid");
        assert_eq!(
            slots(&four_a_day, "2026-03-28T19:00:00Z", 4),
            ["03-28 20:00", "03-29 01:00", "03-29 07:00", "03-29 13:00"]
        );
        assert_eq!(
            slots(&four_a_day, "2026-10-24T18:30:00Z", 4),
            ["10-24 19:00", "10-25 02:00", "10-25 08:00", "10-25 14:00"]
        );
    }

    #[test]
    fn a_missing_time_is_due_at_the_next_instant() {
        let daily = schedule(Every::Day, "2026-01-01T02:30:00", "Europe/Madrid");
        assert_eq!(
            slots(&daily, "2026-03-28T00:00:00Z", 3),
            ["03-28 01:30", "03-29 01:00", "03-30 00:30"]
        );
        let with_seconds = schedule(Every::Day, "2026-01-01T02:30:17", "Europe/Madrid");
        assert_eq!(slots(&with_seconds, "2026-03-28T12:00:00Z", 1), ["03-29 01:00"]);
    }

    #[test]
    fn a_day_that_is_left_out_is_due_when_the_next_begins() {
        let daily = schedule(Every::Day, "2011-12-01T12:00:00", "Pacific/Apia");
        assert_eq!(
            slots(&daily, "2011-12-29T00:00:00Z", 3),
            ["12-29 22:00", "12-30 10:00", "12-30 22:00"]
        );
    }

    #[test]
    fn a_doubled_time_is_due_once() {
        let daily = schedule(Every::Day, "2026-01-01T02:30:00", "Europe/Madrid");
        assert_eq!(
            slots(&daily, "2026-10-24T00:00:00Z", 3),
            ["10-24 00:30", "10-25 00:30", "10-26 01:30"]
        );
    }

    proptest! {
        #[test]
        fn every_slot_of_years_comes_once_and_in_order(
            hour in 0..24_u32,
            minute in 0..60_u32,
            every in prop::sample::select(vec![Every::SixHours, Every::TwelveHours, Every::Day]),
            zone in prop::sample::select(vec![
                "UTC", "Europe/Madrid", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kolkata",
                "Africa/Casablanca", "Pacific/Chatham",
            ]),
        ) {
            let start = format!("2023-01-01T{hour:02}:{minute:02}:00");
            let schedule = schedule(every, &start, zone);
            let per_day = 24 / i64::from(every.hours());
            let days = 3 * 365 + 1;
            let mut slot = at("2022-01-01T00:00:00Z");
            for number in 0..days * per_day {
                let next = slot_after(&schedule, slot);
                prop_assert!(next > slot, "slot {} comes again: {}", number, next);
                let shown = next.with_timezone(&schedule.time_zone).naive_local();
                let due = schedule.start + Duration::hours(number * i64::from(every.hours()));
                prop_assert!(shown >= due && shown - due <= Duration::hours(1), "{} is due at {}", shown, due);
                slot = next;
            }
        }
    }
}
