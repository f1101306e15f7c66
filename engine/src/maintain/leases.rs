//! The runs under way, whose files nobody may touch.

use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::ids::is_written_by;
use crate::instance::Instance;
use crate::process::{self, Lease};

/// The runs that hold a lease.
#[derive(Debug, Clone, Default)]
pub(super) struct Leases {
    run_ids: Vec<String>,
    /// When the first of them began.
    pub oldest: Option<DateTime<Utc>>,
}

impl Leases {
    /// Reads the state of all processes.
    pub async fn read(instance: &Instance) -> Result<Self> {
        let mut leases = Self::default();
        for (_, state) in process::states(instance).await? {
            leases.extend(state.lease.filter(|lease| !lease.is_dead()));
        }
        Ok(leases)
    }

    fn extend(&mut self, lease: Option<Lease>) {
        let Some(lease) = lease else { return };
        self.oldest = self.oldest.into_iter().chain([lease.started_at]).min();
        self.run_ids.push(lease.run_id);
    }

    /// Whether a run under way wrote the file.
    pub fn cover(&self, file: &str) -> bool {
        self.run_ids.iter().any(|run_id| is_written_by(run_id, file))
    }
}
