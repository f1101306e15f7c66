//! How a run begins and ends in the state of its process. Time is a parameter: a year is simulated in a test.
//!
//! ```text
//!   waiting ──begin──▶ leased ──end──▶ waiting, next slot noted
//!      ▲                  ├─ reschedule ──▶ leased, the next slot is one of the new schedule
//!      │                  └─ holder dead, lease lapsed ──▶ settled by whoever comes next: end(interrupted)
//!      └── its slot is still due ◀──────────────────────────────────────────────┘
//! ```

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::lease::{Holder, Lease, Trigger};
use super::slots::slot_after;
use super::state::{LastRun, MergedSource, ProcessState, ProcessStatus};
use crate::error::{Error, Result};
use crate::report::{RunRecord, RunStatus};
use crate::spec::Schedule;

impl ProcessState {
    /// Since when a run of it is due at `now`; `None` where none is, or one is under way.
    #[must_use]
    pub fn due_since(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let is_free = self.lease.as_ref().is_none_or(|lease| lease.is_dead_at(now));
        self.slot().filter(|slot| is_free && *slot <= now)
    }

    /// When it is due next, if it is not at `now`.
    #[must_use]
    pub fn due_after(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.slot().filter(|slot| *slot > now)
    }

    /// The slot that is run next; none of a process that does not recur, or is paused. A failed one goes on.
    #[must_use]
    pub fn slot(&self) -> Option<DateTime<Utc>> {
        let recurs = matches!(self.status, ProcessStatus::Scheduled | ProcessStatus::Failed);
        self.next_run_at.filter(|_| recurs)
    }

    /// Begins a run of the process `name`: takes a lease of this `term`, and with it the run's number.
    ///
    /// # Errors
    /// It is in no status to run, a run is under way, or its slot is not due any more.
    pub fn begin(
        &mut self,
        name: &str,
        run_id: String,
        trigger: Trigger,
        holder: Holder,
        term: Duration,
        now: DateTime<Utc>,
    ) -> Result<Lease> {
        self.check_status(name)?;
        if trigger == Trigger::Schedule && self.due_since(now).is_none() && self.lease.is_none() {
            return Err(Error::conflict(format!("{name} is not due any more"))
                .hint("another program ran it; nothing is left to do"));
        }
        // Also a dead one: it is settled first.
        if let Some(lease) = &self.lease {
            let who = format!(
                "{} (process id {} on {})",
                lease.run_id, lease.holder.pid, lease.holder.host
            );
            return Err(Error::conflict(format!("a run of {name} is under way: {who}"))
                .hint("wait until it has ended and try again"));
        }
        self.last_run_no += 1;
        let lease = Lease::of(
            holder,
            run_id,
            self.last_run_no,
            trigger.word().to_owned(),
            term,
            now,
        );
        let slot = self.next_run_at.filter(|_| trigger == Trigger::Schedule);
        let lease = lease.of_slot(slot);
        self.lease = Some(lease.clone());
        Ok(lease)
    }

    /// Takes over the schedule of a definition that was edited, from `now` on; without one it never recurs again.
    pub fn reschedule(&mut self, schedule: Option<&Schedule>, now: DateTime<Utc>) {
        let slot_under_way = self.lease.as_ref().and_then(|lease| lease.slot);
        // A slot that is due stays so, unless its run is under way.
        let is_due = self.next_run_at.is_some_and(|due| due <= now) && slot_under_way != self.next_run_at;
        if schedule.is_none() || !is_due {
            self.next_run_at = schedule.map(|schedule| slot_after(schedule, now));
        }
        self.status = match (self.status, schedule, self.last_run.is_some()) {
            (ProcessStatus::Ready | ProcessStatus::Completed, Some(_), _) => ProcessStatus::Scheduled,
            (ProcessStatus::Scheduled, None, true) => ProcessStatus::Completed,
            (ProcessStatus::Scheduled, None, false) => ProcessStatus::Ready,
            (status, _, _) => status,
        };
    }

    fn check_status(&self, name: &str) -> Result<()> {
        match self.status {
            ProcessStatus::Draft => Err(Error::usage(format!("the process {name} is a draft"))
                .hint(format!("complete it first: sluice process complete {name}"))),
            // Deleted since it was looked up.
            ProcessStatus::Deleted => Err(Error::usage(format!("the process {name} was deleted"))),
            ProcessStatus::Paused => Err(Error::usage(format!("the process {name} is paused"))
                .hint(format!("resume it first: sluice process resume {name}"))),
            _ => Ok(()),
        }
    }

    /// Gives the lease back and notes how the run ended. `schedule` is that of the definition now.
    pub fn end(&mut self, record: &RunRecord, identity: Option<String>, schedule: Option<&Schedule>) {
        let slot = self.lease.take().and_then(|lease| lease.slot);
        let ended_at = record.ended_at.unwrap_or_else(Utc::now);
        // An edit meanwhile said here whether it still recurs, and when.
        let recurs = self.next_run_at.is_some();
        if recurs && record.trigger == Trigger::Schedule.word() {
            self.next_run_at = match record.status {
                // A slot whose run was cut off is still due; one whose run failed is not, lest it fails for ever.
                RunStatus::Interrupted => slot.or(self.next_run_at),
                _ => self.slot_after_run(slot, schedule, ended_at),
            };
        }
        self.status = match (record.status, self.status) {
            (_, ProcessStatus::Paused) => ProcessStatus::Paused,
            (RunStatus::Failed | RunStatus::Interrupted | RunStatus::Running, _) => ProcessStatus::Failed,
            _ if recurs => ProcessStatus::Scheduled,
            _ => ProcessStatus::Completed,
        };
        self.last_run = Some(LastRun {
            run_id: record.run_id.clone(),
            status: record.status.word().to_owned(),
            ended_at,
        });
        if let (true, Some(identity)) = (record.is_merged(), identity) {
            self.merged.push(MergedSource {
                identity,
                run_id: record.run_id.clone(),
            });
        }
        if !record.definition_hash.is_empty() {
            self.definition_hash = Some(record.definition_hash.clone());
        }
    }

    /// The slot after the run of `slot`, which ended at `ended_at`. One that is to come was noted by an edit meanwhile,
    /// which may be newer than `schedule`.
    fn slot_after_run(
        &self,
        slot: Option<DateTime<Utc>>,
        schedule: Option<&Schedule>,
        ended_at: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let edited = self
            .next_run_at
            .filter(|next| *next > ended_at && self.next_run_at != slot);
        let next = || schedule.map(|schedule| slot_after(schedule, ended_at));
        edited.or_else(next).or(self.next_run_at)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::spec::Every;

    fn at(time: &str) -> DateTime<Utc> {
        format!("2026-03-02T{time}:00Z").parse().unwrap()
    }

    fn schedule(every: Every, start: &str) -> Schedule {
        Schedule {
            every,
            start: format!("2026-01-01T{start}:00").parse().unwrap(),
            time_zone: chrono_tz::UTC,
        }
    }

    fn daily() -> Schedule {
        schedule(Every::Day, "03:00")
    }

    /// Due at 4:30, 10:30, 16:30 and 22:30.
    fn edited() -> Schedule {
        schedule(Every::SixHours, "04:30")
    }

    /// A process that is due at 3:00, and whose run began then.
    fn under_way() -> ProcessState {
        let mut state = ProcessState::draft("");
        state.status = ProcessStatus::Scheduled;
        state.next_run_at = Some(at("03:00"));
        let term = Duration::from_secs(600);
        let begun = state.begin(
            "p",
            "r".into(),
            Trigger::Schedule,
            Holder::this(),
            term,
            at("03:00"),
        );
        assert_eq!(begun.unwrap().slot, Some(at("03:00")));
        state
    }

    fn end(state: &mut ProcessState, status: RunStatus, time: &str, schedule: Option<&Schedule>) {
        let mut record = RunRecord::started("r".into(), "p", 1, Trigger::Schedule.word());
        (record.status, record.ended_at) = (status, Some(at(time)));
        state.end(&record, None, schedule);
    }

    #[test]
    fn a_schedule_that_is_edited_while_its_run_is_under_way_counts_from_that_run_on() {
        // The run may have read its definition before the edit or after it.
        for read in [daily(), edited()] {
            let mut state = under_way();
            state.reschedule(Some(&edited()), at("03:10"));
            end(&mut state, RunStatus::Completed, "03:20", Some(&read));
            assert_eq!(state.slot(), Some(at("04:30")));
            assert_eq!(state.due_since(at("04:29")), None);
        }
    }

    #[test]
    fn slots_of_an_edited_schedule_that_a_long_run_covers_are_not_made_up_for() {
        let mut state = under_way();
        state.reschedule(Some(&edited()), at("03:10"));
        end(&mut state, RunStatus::Failed, "05:00", Some(&edited()));
        assert_eq!(state.slot(), Some(at("10:30")));
    }

    #[test]
    fn a_run_that_is_cut_off_is_still_due_whatever_was_edited_meanwhile() {
        for edit in [false, true] {
            let mut state = under_way();
            if edit {
                state.reschedule(Some(&edited()), at("03:10"));
            }
            end(&mut state, RunStatus::Interrupted, "03:20", Some(&edited()));
            assert_eq!(state.due_since(at("03:21")), Some(at("03:00")), "edited: {edit}");
        }
    }

    #[test]
    fn a_process_that_is_paused_and_resumed_while_its_run_is_under_way_keeps_the_slot_of_the_resuming() {
        let mut state = under_way();
        state.status = ProcessStatus::Paused;
        // As `resume` does.
        state.status = ProcessStatus::Scheduled;
        state.next_run_at = Some(slot_after(&edited(), at("03:10")));
        end(&mut state, RunStatus::Completed, "03:20", Some(&daily()));
        assert_eq!(state.slot(), Some(at("04:30")));
    }

    #[test]
    fn a_schedule_that_is_taken_out_while_its_run_is_under_way_is_never_due_again() {
        let mut state = under_way();
        state.reschedule(None, at("03:10"));
        end(&mut state, RunStatus::Completed, "03:20", Some(&daily()));
        assert_eq!(
            (state.status, state.next_run_at),
            (ProcessStatus::Completed, None)
        );
    }

    #[test]
    fn a_slot_that_is_due_and_waits_stays_due_when_the_schedule_is_edited() {
        let mut state = under_way();
        state.lease = None;
        state.reschedule(Some(&edited()), at("03:10"));
        assert_eq!(state.due_since(at("03:10")), Some(at("03:00")));
        // One that is to come moves.
        state.next_run_at = Some(at("03:00") + TimeDelta::days(1));
        state.reschedule(Some(&edited()), at("03:10"));
        assert_eq!(state.slot(), Some(at("04:30")));
    }
}
