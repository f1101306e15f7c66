//! Which steps there are, in which order, and which need not be tried any more.

use std::time::{Duration, Instant};

use super::finding::{Check, Finding, Outcome};
use crate::spec::Connection;

/// Longest time that one step may take.
const STEP_TIME: Duration = Duration::from_secs(90);

/// A step, and the steps that must not have failed before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) check: Check,
    pub(super) needs: &'static [Check],
}

const fn step(check: Check, needs: &'static [Check]) -> Step {
    Step { check, needs }
}

/// Those of the instance itself.
pub(super) const OF_INSTANCE: &[Step] = &[
    step(Check::Config, &[]),
    step(Check::Write, &[]),
    step(Check::Create, &[Check::Write]),
    step(Check::Replace, &[Check::Write]),
    step(Check::Space, &[]),
];

/// Those of a place that speaks HTTP.
const OF_WEB: &[Step] = &[
    step(Check::Secrets, &[]),
    step(Check::Name, &[]),
    step(Check::Connection, &[Check::Name]),
    step(Check::Encryption, &[Check::Connection]),
    step(Check::Clock, &[Check::Encryption]),
    step(Check::Login, &[Check::Secrets, Check::Encryption]),
    step(Check::List, &[Check::Login]),
    step(Check::Read, &[Check::List]),
];

/// Those of an SSH server.
const OF_SSH: &[Step] = &[
    step(Check::Secrets, &[]),
    step(Check::Name, &[]),
    step(Check::Connection, &[Check::Name]),
    step(Check::HostKey, &[Check::Secrets, Check::Connection]),
    step(Check::Clock, &[]),
    step(Check::Login, &[Check::HostKey]),
    step(Check::List, &[Check::Login]),
    step(Check::Read, &[Check::List]),
];

/// Those of a connection.
pub(super) fn of_connection(connection: &Connection) -> &'static [Step] {
    match connection {
        Connection::S3(_) | Connection::Gcs(_) | Connection::Snowflake(_) => OF_WEB,
        Connection::Sftp(_) => OF_SSH,
    }
}

/// Makes steps.
pub(super) trait Probe {
    /// Makes one.
    async fn probe(&mut self, check: Check) -> Outcome;
}

/// Makes `steps` one after the other; one that needs another that failed, or was left out for that, is left out.
pub(super) async fn follow(subject: &str, steps: &[Step], probe: &mut impl Probe) -> Vec<Finding> {
    let mut findings = Vec::with_capacity(steps.len());
    let mut unmet: Vec<Check> = Vec::new();
    for step in steps {
        let begun = Instant::now();
        let outcome = match step.needs.iter().find(|need| unmet.contains(need)) {
            Some(need) => {
                unmet.push(step.check);
                Outcome::skipped(format!("needs {}", need.word()))
            }
            None => in_time(probe.probe(step.check), STEP_TIME).await,
        };
        if matches!(outcome, Outcome::Failed { .. }) {
            unmet.push(step.check);
        }
        findings.push(Finding {
            subject: subject.to_owned(),
            check: step.check,
            outcome,
            took: begun.elapsed(),
        });
    }
    findings
}

async fn in_time(probe: impl Future<Output = Outcome>, longest: Duration) -> Outcome {
    let outcome = tokio::time::timeout(longest, probe).await;
    outcome.unwrap_or_else(|_| {
        Outcome::failed(
            format!("no answer within {} s", longest.as_secs()),
            "check the network, and whether the service runs",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails at one step, and notes which were made.
    struct Failing {
        at: Check,
        made: Vec<Check>,
    }

    impl Probe for Failing {
        async fn probe(&mut self, check: Check) -> Outcome {
            self.made.push(check);
            match check {
                check if check == self.at => Outcome::failed("no", "do"),
                Check::Clock => Outcome::skipped("nobody tells"),
                _ => Outcome::good("yes"),
            }
        }
    }

    async fn skipped_after(at: Check, steps: &[Step]) -> Vec<Check> {
        let mut probe = Failing { at, made: Vec::new() };
        let findings = follow("x", steps, &mut probe).await;
        let skipped = findings
            .iter()
            .filter(|finding| !probe.made.contains(&finding.check));
        skipped.map(|finding| finding.check).collect()
    }

    #[tokio::test]
    async fn what_rests_on_a_failed_step_is_left_out_and_the_rest_is_not() {
        use Check::{
            Clock, Connection, Create, Encryption, HostKey, List, Login, Name, Read, Replace, Secrets,
        };
        for (failed, steps, left_out) in [
            (
                Name,
                OF_WEB,
                vec![Connection, Encryption, Clock, Login, List, Read],
            ),
            (Secrets, OF_WEB, vec![Login, List, Read]),
            (Encryption, OF_WEB, vec![Clock, Login, List, Read]),
            (Clock, OF_WEB, vec![]),
            (List, OF_WEB, vec![Read]),
            (HostKey, OF_SSH, vec![Login, List, Read]),
            (Check::Write, OF_INSTANCE, vec![Create, Replace]),
        ] {
            assert_eq!(skipped_after(failed, steps).await, left_out, "{failed:?}");
        }
    }

    #[tokio::test]
    async fn a_step_that_was_not_to_be_made_holds_nothing_up() {
        let mut probe = Failing {
            at: Check::Config,
            made: Vec::new(),
        };
        let steps = [step(Check::Clock, &[]), step(Check::Login, &[Check::Clock])];
        let findings = follow("x", &steps, &mut probe).await;
        let words: Vec<_> = findings.iter().map(|finding| finding.outcome.word()).collect();
        assert_eq!(words, ["skipped", "ok"]);
    }

    #[tokio::test]
    async fn a_step_without_end_fails_in_time() {
        let outcome = in_time(std::future::pending(), Duration::from_millis(5)).await;
        assert_eq!(outcome.seen(), "no answer within 0 s");
    }
}
