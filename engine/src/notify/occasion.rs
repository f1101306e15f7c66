//! What a run is an occasion for.

use crate::report::{RunRecord, RunStatus};
use crate::spec::{Notify, NotifyOn};

/// What of `notify` the run is an occasion for; `None` if it asks for other things.
#[must_use]
pub fn occasions(notify: &Notify, run: &RunRecord) -> Option<NotifyOn> {
    if !notify.process.includes(&run.process) {
        return None;
    }
    // The gravest first: one message a run is enough.
    [
        NotifyOn::Failed,
        NotifyOn::Rejects,
        NotifyOn::NoFile,
        NotifyOn::Succeeded,
    ]
    .into_iter()
    .filter(|on| notify.on.contains(on))
    .find(|on| is(*on, notify, run))
}

fn is(on: NotifyOn, notify: &Notify, run: &RunRecord) -> bool {
    match on {
        NotifyOn::Failed => matches!(run.status, RunStatus::Failed | RunStatus::Interrupted),
        NotifyOn::Rejects => rejected_share(run) > notify.above_percent / 100.0,
        NotifyOn::Succeeded => run.is_merged(),
        NotifyOn::NoFile => run.status == RunStatus::Skipped && run.source_file.is_none(),
    }
}

/// The part of the records that was rejected, from 0 to 1.
fn rejected_share(run: &RunRecord) -> f64 {
    match (run.rows_rejected, run.rows_read) {
        (Some(rejected), Some(read)) if read > 0 => rejected as f64 / read as f64,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{NotifyExamples, NotifyScope, NotifyTarget};

    fn notify(on: &[NotifyOn], above_percent: f64, scope: NotifyScope) -> Notify {
        Notify {
            on: on.to_vec(),
            to: NotifyTarget::Command("true".into()),
            process: scope,
            above_percent,
            examples: NotifyExamples::Places,
            secret: None,
        }
    }

    fn run(status: RunStatus, read: u64, rejected: u64) -> RunRecord {
        let mut run = RunRecord::started("r".into(), "loyalty", 1, "schedule");
        (run.rows_read, run.rows_rejected) = (Some(read), Some(rejected));
        run.source_file = Some("f.csv".into());
        run.end(status);
        run
    }

    #[test]
    fn rejects_are_told_of_above_the_share_and_no_lower() {
        let above = |percent| notify(&[NotifyOn::Rejects], percent, NotifyScope::Every);
        let one_percent = run(RunStatus::CompletedWithRejects, 1000, 10);
        assert_eq!(occasions(&above(0.5), &one_percent), Some(NotifyOn::Rejects));
        assert_eq!(occasions(&above(1.0), &one_percent), None);
        assert_eq!(occasions(&above(0.0), &run(RunStatus::Completed, 1000, 0)), None);
    }

    #[test]
    fn a_run_is_told_of_once_by_what_is_gravest() {
        let all = notify(
            &[NotifyOn::Succeeded, NotifyOn::Rejects, NotifyOn::Failed],
            0.0,
            NotifyScope::Every,
        );
        assert_eq!(
            occasions(&all, &run(RunStatus::Failed, 10, 9)),
            Some(NotifyOn::Failed)
        );
        assert_eq!(
            occasions(&all, &run(RunStatus::CompletedWithRejects, 10, 9)),
            Some(NotifyOn::Rejects)
        );
        assert_eq!(
            occasions(&all, &run(RunStatus::Completed, 10, 0)),
            Some(NotifyOn::Succeeded)
        );
    }

    #[test]
    fn a_run_that_was_cut_off_has_failed() {
        let failed = notify(&[NotifyOn::Failed, NotifyOn::Succeeded], 0.0, NotifyScope::Every);
        assert_eq!(
            occasions(&failed, &run(RunStatus::Interrupted, 10, 0)),
            Some(NotifyOn::Failed)
        );
    }

    #[test]
    fn a_skipped_run_lacked_a_file_only_if_it_has_none() {
        let no_file = notify(&[NotifyOn::NoFile], 0.0, NotifyScope::Every);
        let mut skipped = run(RunStatus::Skipped, 0, 0);
        assert_eq!(occasions(&no_file, &skipped), None);
        skipped.source_file = None;
        assert_eq!(occasions(&no_file, &skipped), Some(NotifyOn::NoFile));
    }

    #[test]
    fn other_processes_are_not_told_of() {
        let other = notify(&[NotifyOn::Failed], 0.0, NotifyScope::Process("promo".into()));
        assert_eq!(occasions(&other, &run(RunStatus::Failed, 1, 1)), None);
    }
}
