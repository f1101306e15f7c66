//! Examinations, and short ways to what they found.

use sluice_engine::doctor::{Check, Finding, Outcome, examine};

use crate::support::Bench;

/// All that was found of the connection `name`, or of everything.
pub async fn examined(bench: &Bench, name: Option<&str>) -> Vec<Finding> {
    examine(&bench.instance, &bench.settings, name).await.unwrap()
}

/// The same of an instance whose `sluice.toml` is this, of its connection `c`.
pub async fn examined_with(toml: &str) -> Vec<Finding> {
    examined(&Bench::with_config(toml).await, Some("c")).await
}

/// How a check ended; there is one of its kind.
pub fn outcome(findings: &[Finding], check: Check) -> &Outcome {
    let of_check: Vec<&Finding> = findings.iter().filter(|finding| finding.check == check).collect();
    assert_eq!(of_check.len(), 1, "{check:?}: {findings:#?}");
    &of_check[0].outcome
}

/// The words of the checks that failed.
pub fn failed(findings: &[Finding]) -> Vec<&'static str> {
    let failed = findings.iter().filter(|finding| finding.is_failure());
    failed.map(|finding| finding.check.word()).collect()
}

/// `check` alone failed, and says `seen` and what to do.
pub fn assert_failed(findings: &[Finding], check: Check, seen: &str, remedy: &str) {
    assert_eq!(failed(findings), [check.word()], "{findings:#?}");
    let outcome = outcome(findings, check);
    assert!(outcome.seen().contains(seen), "{seen}: {outcome:?}");
    assert!(
        outcome.remedy().unwrap().contains(remedy),
        "{remedy}: {outcome:?}"
    );
}
