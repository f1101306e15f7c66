//! Which processes are due.

use chrono::{DateTime, Utc};

use super::ownership::states;
use super::state::ProcessState;
use crate::error::Result;
use crate::instance::Instance;

/// A process that is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// The slot; of slots that were missed, the first.
    pub since: DateTime<Utc>,
    /// Its name.
    pub process: String,
}

/// What is due now, and when to look again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agenda {
    /// Due, the longest first.
    pub due: Vec<Due>,
    /// The next slot of all others.
    pub next: Option<DateTime<Utc>>,
}

impl Agenda {
    /// The agenda of these processes at `now`.
    #[must_use]
    pub fn of(processes: impl IntoIterator<Item = (String, ProcessState)>, now: DateTime<Utc>) -> Self {
        let mut agenda = Self::default();
        for (process, state) in processes {
            match state.due_since(now) {
                Some(since) => agenda.due.push(Due { since, process }),
                None => agenda.next = agenda.next.into_iter().chain(state.due_after(now)).min(),
            }
        }
        agenda.due.sort();
        agenda
    }
}

/// The agenda of an instance at `now`.
///
/// # Errors
/// A state file cannot be read.
pub async fn agenda(instance: &Instance, now: DateTime<Utc>) -> Result<Agenda> {
    Ok(Agenda::of(states(instance).await?, now))
}

#[cfg(test)]
mod tests;
