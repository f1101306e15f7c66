//! Which run a user means.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::prelude::{SessionContext, col};

use crate::error::{Error, Result};
use crate::history::{CommitKind, Timeline};
use crate::instance::Instance;
use crate::table::SnapshotTable;

/// The run_id of RUN: a run_id, a unique ending of one, `P` (its last), `P/NO`; left out, the last run.
///
/// # Errors
/// No such run, or more than one.
pub async fn resolve_run(instance: &Instance, run: Option<&str>) -> Result<String> {
    let runs = all(instance).await?;
    let nothing = || Error::usage("there is no run yet").hint("make one with: sluice run PROCESS");
    let Some(wanted) = run else {
        return runs.into_iter().next_back().map(|r| r.run_id).ok_or_else(nothing);
    };
    let of_process: Vec<&Run> = match wanted.split_once('/') {
        Some((process, number)) => runs
            .iter()
            .filter(|r| r.process == process && r.run_no.to_string() == number)
            .collect(),
        None => runs.iter().filter(|r| r.process == wanted).collect(),
    };
    if let Some(last) = of_process.last() {
        return Ok(last.run_id.clone());
    }
    let ending: Vec<&Run> = runs.iter().filter(|r| r.run_id.ends_with(wanted)).collect();
    match ending.as_slice() {
        [one] => Ok(one.run_id.clone()),
        [] => Err(Error::usage(format!("no run is {wanted:?}")).hint("a RUN is a run_id, a unique ending of one, PROCESS, or PROCESS/NUMBER; list them with: sluice runs")),
        many => Err(Error::usage(format!("{} runs end in {wanted:?}", many.len())).hint("give more of the run_id")),
    }
}

/// The run_id of RUN, which may be a rollback too: those are in the history of `customers` alone.
///
/// # Errors
/// No such run, or more than one.
pub async fn resolve_commit(instance: &Instance, run: &str) -> Result<String> {
    let timeline = Timeline::read(&instance.customers()?).await?;
    let rollbacks = timeline.commits().iter();
    let rollbacks = rollbacks.filter(|commit| commit.kind == CommitKind::Rollback);
    let matching: Vec<&str> = rollbacks
        .filter_map(|commit| commit.run_id().filter(|id| id.ends_with(run)))
        .collect();
    match (resolve_run(instance, Some(run)).await, matching.as_slice()) {
        (Err(_), [one]) => Ok((*one).to_owned()),
        (Ok(run_id), []) => Ok(run_id),
        (Err(error), []) => Err(error),
        (_, many) => Err(Error::usage(format!(
            "{} rollbacks end in {run:?}, or one and a run",
            many.len()
        ))
        .hint("give more of the run_id")),
    }
}

struct Run {
    run_id: String,
    process: String,
    run_no: i64,
}

/// All runs, oldest first.
async fn all(instance: &Instance) -> Result<Vec<Run>> {
    let snapshot = instance.runs()?.snapshot(None).await?;
    let table = SessionContext::new().read_table(Arc::new(SnapshotTable::new(Arc::new(snapshot))))?;
    let sorted = table
        .select_columns(&["run_id", "process", "run_no"])?
        .sort(vec![col("run_id").sort(true, false)])?;
    let mut runs = Vec::new();
    for batch in sorted.collect().await? {
        let text = |position: usize| cast(batch.column(position), &DataType::Utf8);
        let (ids, processes) = (text(0)?, text(1)?);
        let numbers = batch.column(2).as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            runs.push(Run {
                run_id: ids.as_string::<i32>().value(row).to_owned(),
                process: processes.as_string::<i32>().value(row).to_owned(),
                run_no: numbers.value(row),
            });
        }
    }
    Ok(runs)
}
