//! Who runs a process, and whether they are still alive.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// A program on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Name of the host.
    pub host: String,
    /// Process id.
    pub pid: i32,
    /// When that program started, in the kernel's ticks: ids are used again.
    pub started_ticks: Option<u64>,
    /// The kernel's own id of the time since it was booted; containers of a host share it.
    #[serde(default)]
    pub boot: Option<String>,
    /// What process ids are counted in: a container has a count of its own.
    #[serde(default)]
    pub pid_space: Option<String>,
}

impl Holder {
    /// This program.
    #[must_use]
    pub fn this() -> Self {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        let pid_space = std::fs::read_link("/proc/self/ns/pid").ok();
        Self {
            host,
            pid,
            started_ticks: started_ticks(pid),
            boot: boot.map(|id| id.trim().to_owned()),
            pid_space: pid_space.map(|space| space.to_string_lossy().into_owned()),
        }
    }

    /// Whether the program is known to be gone. Of another host, and of another container of this one, nothing is known.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        let this = Self::this();
        if self.host != this.host {
            return false;
        }
        if self.boot.is_some() && self.boot != this.boot {
            return true;
        }
        let is_elsewhere = self.pid_space.is_some() && self.pid_space != this.pid_space;
        !is_elsewhere && started_ticks(self.pid).is_none_or(|now| Some(now) != self.started_ticks)
    }
}

/// Field 22 of `/proc/PID/stat`; the name in field 2 may hold blanks and parentheses.
fn started_ticks(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// What started a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Somebody.
    Manual,
    /// The schedule: the run is of a slot, and only while it is due.
    Schedule,
    /// A run of a slot that failed for a reason that may be gone.
    Retry,
    /// Somebody, to judge rejects again.
    Replay,
}

impl Trigger {
    /// The word in `runs`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Schedule => "schedule",
            Self::Retry => "retry",
            Self::Replay => "replay",
        }
    }
}

/// A run under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The run.
    pub run_id: String,
    /// Its number in the process.
    pub run_no: i64,
    /// Who runs it.
    pub holder: Holder,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it lapses unless renewed.
    pub expires_at: DateTime<Utc>,
    /// What started it.
    pub trigger: String,
    /// The slot that it is of, while that is due: an edit of the schedule moves the next one meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<DateTime<Utc>>,
}

impl Lease {
    /// A lease of this program for a new run, which lapses after `term` unless renewed.
    #[must_use]
    pub fn new(run_id: String, run_no: i64, trigger: String, term: Duration) -> Self {
        Self::of(Holder::this(), run_id, run_no, trigger, term, Utc::now())
    }

    /// A lease of `holder` for a new run that begins at `now`.
    #[must_use]
    pub fn of(
        holder: Holder,
        run_id: String,
        run_no: i64,
        trigger: String,
        term: Duration,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            run_id,
            run_no,
            holder,
            started_at: now,
            expires_at: lapse(now, term),
            trigger,
            slot: None,
        }
    }

    /// The same for the run of a slot.
    #[must_use]
    pub fn of_slot(self, slot: Option<DateTime<Utc>>) -> Self {
        Self { slot, ..self }
    }

    /// Lasts from `now` on as long as a new one of this `term`.
    pub fn renew(&mut self, term: Duration, now: DateTime<Utc>) {
        self.expires_at = lapse(now, term);
    }

    /// Whether nobody runs this any more.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.is_dead_at(Utc::now())
    }

    /// Whether nobody runs this any more at `now`.
    #[must_use]
    pub fn is_dead_at(&self, now: DateTime<Utc>) -> bool {
        self.holder.is_dead() || self.expires_at < now
    }
}

fn lapse(from: DateTime<Utc>, term: Duration) -> DateTime<Utc> {
    let lapsed = TimeDelta::from_std(term)
        .ok()
        .and_then(|term| from.checked_add_signed(term));
    lapsed.unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Time between two renewals: several may fail before the lease lapses.
#[must_use]
pub fn renewal_pause(term: Duration) -> Duration {
    term / 10
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERM: Duration = Duration::from_secs(600);

    #[test]
    fn a_lease_dies_with_its_holder_or_when_it_lapses() {
        let mut lease = Lease::new("r".into(), 1, "manual".into(), TERM);
        assert!(!lease.is_dead());
        lease.expires_at = Utc::now() - TimeDelta::seconds(1);
        assert!(lease.is_dead());
        lease.renew(TERM, Utc::now());
        lease.holder.started_ticks = Some(1);
        assert!(lease.is_dead());
        lease.holder.host = "elsewhere".into();
        assert!(!lease.is_dead());
    }

    #[test]
    fn of_another_container_nothing_is_known_and_nothing_outlives_a_boot() {
        let mut holder = Holder::this();
        assert!(!holder.is_dead());
        holder.started_ticks = Some(1);
        holder.pid_space = Some("pid:[1]".into());
        assert!(!holder.is_dead(), "its ids are not ours");
        holder.boot = Some("before".into());
        assert!(holder.is_dead());
    }
}
