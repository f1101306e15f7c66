//! What a server starts, and when it looks again. Without I/O.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::Retry;
use crate::error::Class;
use crate::process::{Agenda, Trigger};

/// Hash of a process's definition, by process.
pub(super) type Definitions = BTreeMap<String, String>;

/// What became of runs that were tried.
#[derive(Debug, Default)]
pub(super) struct Plan {
    retries: BTreeMap<String, Retry>,
    refused: BTreeMap<String, Refused>,
}

/// A slot whose process could not be run: not tried again before the next, unless the definition is edited.
#[derive(Debug, PartialEq, Eq)]
struct Refused {
    slot: DateTime<Utc>,
    /// Hash of the definition that was refused, where it can be read.
    definition: Option<String>,
}

impl Plan {
    /// Processes whose definitions the next [`wanted`](Self::wanted) asks for.
    pub fn watched(&self) -> impl Iterator<Item = &str> {
        self.refused.keys().map(String::as_str)
    }

    /// What is to be started at `now`, slots before retries.
    pub fn wanted(
        &self,
        agenda: &Agenda,
        now: DateTime<Utc>,
        definitions: &Definitions,
    ) -> Vec<(String, Trigger)> {
        let stays_refused = |process: &str, slot| {
            let definition = definitions.get(process).cloned();
            self.refused.get(process) == Some(&Refused { slot, definition })
        };
        let slots = agenda
            .due
            .iter()
            .filter(|due| !stays_refused(&due.process, due.since));
        let slots = slots.map(|due| (due.process.clone(), Trigger::Schedule));
        let retries = self.retries.iter().filter(|(_, retry)| retry.at <= now);
        let retries = retries.map(|(process, _)| (process.clone(), Trigger::Retry));
        slots.chain(retries).collect()
    }

    /// The next slot or retry.
    pub fn next(&self, agenda: &Agenda) -> Option<DateTime<Utc>> {
        let retries = self.retries.values().map(|retry| retry.at);
        retries.chain(agenda.next).min()
    }

    /// A run ended; with `failure`, it may be tried again.
    pub fn ended(&mut self, process: &str, failure: Option<Class>, now: DateTime<Utc>) -> Option<Retry> {
        self.refused.remove(process);
        let attempts = self.retries.remove(process).map_or(0, |retry| retry.attempts) + 1;
        let retry = Retry::after(failure?, attempts, now)?;
        self.retries.insert(process.to_owned(), retry);
        Some(retry)
    }

    /// `sluice.toml` was changed: what was refused may be possible now.
    pub fn reconfigured(&mut self) {
        self.refused.clear();
    }

    /// There was no run. `slot` is the one that is still due.
    pub fn refused(&mut self, process: &str, slot: Option<DateTime<Utc>>, definition: Option<String>) {
        self.retries.remove(process);
        if let Some(slot) = slot {
            self.refused
                .insert(process.to_owned(), Refused { slot, definition });
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::process::Due;

    fn due(process: &str, since: DateTime<Utc>) -> Agenda {
        let process = process.to_owned();
        Agenda {
            due: vec![Due { since, process }],
            next: None,
        }
    }

    fn definitions(hash: &str) -> Definitions {
        Definitions::from([("p".to_owned(), hash.to_owned())])
    }

    #[test]
    fn a_refused_slot_is_tried_again_when_a_definition_was_edited_and_at_the_next_slot() {
        let slot: DateTime<Utc> = "2026-01-01T03:00:00Z".parse().unwrap();
        let now = slot + TimeDelta::minutes(1);
        let run = vec![("p".to_owned(), Trigger::Schedule)];
        let mut plan = Plan::default();
        assert_eq!(plan.wanted(&due("p", slot), now, &Definitions::default()), run);
        plan.refused("p", Some(slot), Some("bad".to_owned()));
        assert_eq!(plan.watched().collect::<Vec<_>>(), ["p"]);
        assert_eq!(plan.wanted(&due("p", slot), now, &definitions("bad")), []);
        assert_eq!(plan.wanted(&due("p", slot), now, &definitions("mended")), run);
        let next = slot + TimeDelta::days(1);
        assert_eq!(plan.wanted(&due("p", next), next, &definitions("bad")), run);
        plan.reconfigured();
        assert_eq!(plan.wanted(&due("p", slot), now, &definitions("bad")), run);
        plan.ended("p", None, now);
        assert_eq!(plan.watched().count(), 0);
    }

    #[test]
    fn a_retry_is_wanted_when_its_time_has_come_and_a_success_ends_it() {
        let now = Utc::now();
        let mut plan = Plan::default();
        let retry = plan.ended("p", Some(Class::Runtime), now).unwrap();
        let idle = Agenda::default();
        assert_eq!(plan.wanted(&idle, now, &Definitions::default()), []);
        assert_eq!(plan.next(&idle), Some(retry.at));
        let wanted = plan.wanted(&idle, retry.at, &Definitions::default());
        assert_eq!(wanted, [("p".to_owned(), Trigger::Retry)]);
        assert_eq!(plan.ended("p", Some(Class::Runtime), now).unwrap().attempts, 2);
        assert_eq!(plan.ended("p", None, now), None);
        assert_eq!(plan.next(&idle), None);
    }
}
