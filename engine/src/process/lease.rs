//! Who runs a process, and whether they are still alive.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

/// A lease that nobody renewed for this long has lapsed.
const LAPSE_MINUTES: i64 = 10;

/// A program on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Name of the host.
    pub host: String,
    /// Process id.
    pub pid: i32,
    /// When that program started, in the kernel's ticks: ids are used again.
    pub started_ticks: Option<u64>,
}

impl Holder {
    /// This program.
    #[must_use]
    pub fn this() -> Self {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        Self {
            host,
            pid,
            started_ticks: started_ticks(pid),
        }
    }

    /// Whether the program is known to be gone. Of another host nothing is known.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.host == Self::this().host
            && started_ticks(self.pid).is_none_or(|now| Some(now) != self.started_ticks)
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
}

impl Trigger {
    /// The word in `runs`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Schedule => "schedule",
            Self::Retry => "retry",
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
}

impl Lease {
    /// A lease of this program for a new run.
    #[must_use]
    pub fn new(run_id: String, run_no: i64, trigger: String) -> Self {
        Self::of(Holder::this(), run_id, run_no, trigger, Utc::now())
    }

    /// A lease of `holder` for a new run that begins at `now`.
    #[must_use]
    pub fn of(holder: Holder, run_id: String, run_no: i64, trigger: String, now: DateTime<Utc>) -> Self {
        Self {
            run_id,
            run_no,
            holder,
            started_at: now,
            expires_at: lapse(now),
            trigger,
        }
    }

    /// Lasts from `now` on as long as a new one.
    pub fn renew(&mut self, now: DateTime<Utc>) {
        self.expires_at = lapse(now);
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

fn lapse(from: DateTime<Utc>) -> DateTime<Utc> {
    from + Duration::minutes(LAPSE_MINUTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_dies_with_its_holder_or_when_it_lapses() {
        let mut lease = Lease::new("r".into(), 1, "manual".into());
        assert!(!lease.is_dead());
        lease.expires_at = Utc::now() - Duration::seconds(1);
        assert!(lease.is_dead());
        lease.renew(Utc::now());
        lease.holder.started_ticks = Some(1);
        assert!(lease.is_dead());
        lease.holder.host = "elsewhere".into();
        assert!(!lease.is_dead());
    }
}
