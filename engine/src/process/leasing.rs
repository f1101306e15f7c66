//! How a run begins and ends in the state of its process. Time is a parameter: a year is simulated in a test.
//!
//! ```text
//!   waiting ──begin──▶ leased ──end──▶ waiting, next slot noted
//!      ▲                  └─ holder dead, lease lapsed ──▶ settled by whoever comes next: end(interrupted)
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
        self.lease = Some(lease.clone());
        Ok(lease)
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

    /// Gives the lease back and notes how the run ended.
    pub fn end(&mut self, record: &RunRecord, identity: Option<String>, schedule: Option<&Schedule>) {
        self.lease = None;
        let ended_at = record.ended_at.unwrap_or_else(Utc::now);
        // The definition may have been edited meanwhile; an edit says here whether it still recurs.
        let recurs = self.next_run_at.is_some();
        let is_slots = record.trigger == Trigger::Schedule.word();
        // A slot whose run was cut off is still due; one whose run failed is not, lest it fails for ever.
        if recurs && is_slots && record.status != RunStatus::Interrupted {
            let next = schedule.map(|schedule| slot_after(schedule, ended_at));
            self.next_run_at = next.or(self.next_run_at);
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
}
