//! Differences and rollbacks of whatever was ingested, against comparing everything.

use proptest::prelude::*;
use proptest::sample::Index;
use sluice_engine::history::rollback::{LaterWrites, Target};

use super::jobs::{RUNTIME, Step, bench, cases, history};
use super::processes::Process;
use crate::history::{Cells, cells, diff, naive_diff, rollback};
use crate::support::{Bench, request};

proptest! {
    #![proptest_config(cases(5))]

    #[test]
    fn a_diff_is_what_a_comparison_of_everything_finds((processes, steps) in history()) {
        RUNTIME.block_on(async {
            let bench = played(&processes, &steps).await;
            let versions = versions(&bench).await;
            for (from, before) in versions.iter().enumerate() {
                for (to, after) in versions.iter().enumerate() {
                    let lines: Vec<String> = naive_diff(before, after).iter().map(|cell| cell.join("|")).collect();
                    assert_eq!(diff(&bench, from as u64, to as u64).await, lines, "{from} to {to}");
                }
            }
        });
    }

    #[test]
    fn a_run_is_undone_cell_by_cell_or_refused_for_a_reason(
        (processes, steps) in history(),
        which in any::<Index>(),
        back_to in any::<Index>(),
    ) {
        RUNTIME.block_on(async {
            let bench = played(&processes, &steps).await;
            let versions = versions(&bench).await;
            let version = 1 + which.index(versions.len() - 1);
            let run = bench.cell(&format!("SELECT run_id FROM history() WHERE version = {version}")).await;
            let is_refused = is_overwritten(&versions, version);
            let outcome = rollback(&bench, Target::Run(run.clone()), LaterWrites::Refuse).await;
            assert_eq!(outcome.is_err(), is_refused, "{outcome:?}");
            if is_refused {
                rollback(&bench, Target::Run(run), LaterWrites::Overwrite).await.unwrap();
            }
            assert_eq!(cells(&bench, "customers").await, undone(&versions, version));
            let back_to = back_to.index(versions.len());
            rollback(&bench, Target::Version(back_to as u64), LaterWrites::Refuse).await.unwrap();
            assert_eq!(cells(&bench, "customers").await, versions[back_to]);
        });
    }
}

/// An instance in which all steps were made, whatever became of them.
async fn played(processes: &[Process; 2], steps: &[Step]) -> Bench {
    let bench = bench().await;
    for process in processes {
        bench.process(process.name, &process.toml()).await;
    }
    for (number, step) in steps.iter().enumerate() {
        let path = bench.file(&format!("{number}.csv"), step.file.write().0);
        let name = processes[step.process].name;
        bench.run(request(name, Some(&path))).await.unwrap();
    }
    bench
}

/// All versions of `customers`.
async fn versions(bench: &Bench) -> Vec<Cells> {
    let newest: u64 = bench
        .cell("SELECT max(version) FROM history()")
        .await
        .parse()
        .unwrap();
    let mut versions = Vec::new();
    for version in 0..=newest {
        versions.push(cells(bench, &format!("customers_at({version})")).await);
    }
    versions
}

/// The cells in which two versions differ.
fn changed(before: &Cells, after: &Cells) -> Vec<(String, String)> {
    let cells = naive_diff(before, after).into_iter();
    cells.map(|[cid, _, attribute, _, _]| (cid, attribute)).collect()
}

/// Whether a version after `version` changed a cell that it changed.
fn is_overwritten(versions: &[Cells], version: usize) -> bool {
    let own = changed(&versions[version - 1], &versions[version]);
    (version + 1..versions.len()).any(|later| {
        let theirs = changed(&versions[later - 1], &versions[later]);
        theirs.iter().any(|cell| cell.1 != "-" && own.contains(cell))
    })
}

/// The newest version without what `version` changed.
fn undone(versions: &[Cells], version: usize) -> Cells {
    let (before, after) = (&versions[version - 1], &versions[version]);
    let mut cells = versions[versions.len() - 1].clone();
    for (cid, attribute) in changed(before, after) {
        let is_touched = || {
            let later = versions[version..].windows(2);
            later
                .into_iter()
                .any(|pair| pair[0].get(&cid) != pair[1].get(&cid))
        };
        if !before.contains_key(&cid) && !is_touched() {
            cells.remove(&cid);
            continue;
        }
        let Some(values) = cells.get_mut(&cid) else {
            continue;
        };
        match before.get(&cid).and_then(|values| values.get(&attribute)) {
            Some(value) => values.insert(attribute, value.clone()),
            None => values.remove(&attribute),
        };
    }
    cells
}
