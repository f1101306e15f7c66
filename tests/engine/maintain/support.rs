//! Tables as maintenance finds them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use deltalake_core::kernel::Action;
use sluice_engine::commit::{Commit, append};
use sluice_engine::ids::new_run_id;
use sluice_engine::maintain::{
    MaintainedTable, OptimizeReport, OptimizeRequest, Reason, TableReport, optimize,
};
use sluice_engine::table::Snapshot;
use sluice_engine::write::VectorWriter;

use crate::support::{Bench, definition};

/// Records with one attribute: `values` for the customers from number `from` on.
pub fn records(from: usize, lines: usize, value: &str) -> String {
    let records: String = (from..from + lines)
        .map(|i| format!("C{i:05},{value}{i}\n"))
        .collect();
    format!("cid,A\n{records}")
}

/// An instance with the process `a` of one attribute.
pub async fn bench() -> Bench {
    let bench = Bench::new().await;
    bench
        .process("a", &definition("register", &["A=string"], ""))
        .await;
    bench
}

/// Runs `a` on `lines` records from number `from` on.
pub async fn ingest(bench: &Bench, from: usize, lines: usize, value: &str) {
    let file = bench.file(&format!("{value}{from}.csv"), records(from, lines, value));
    let report = bench.run_on("a", &file).await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
}

pub async fn snapshot(bench: &Bench) -> Snapshot {
    bench.instance.customers().unwrap().snapshot(None).await.unwrap()
}

pub fn whole(bench: &Bench) -> OptimizeRequest {
    OptimizeRequest::whole(&bench.instance.config().maintenance)
}

/// Optimizes all tables, and asserts that a second time nothing is left to do.
pub async fn optimized(bench: &Bench) -> OptimizeReport {
    let report = optimize(&bench.instance, &bench.settings, &whole(bench))
        .await
        .unwrap();
    let again = optimize(&bench.instance, &bench.settings, &whole(bench))
        .await
        .unwrap();
    assert_eq!(again.written_groups(), 0, "{again:#?}");
    report
}

pub fn of(report: &OptimizeReport, table: MaintainedTable) -> &TableReport {
    report.tables.iter().find(|found| found.table == table).unwrap()
}

pub fn reasons(report: &TableReport) -> Vec<Reason> {
    report.groups.iter().map(|group| group.reason).collect()
}

pub fn folder(bench: &Bench, table: &str) -> PathBuf {
    bench.instance.base().join(table)
}

/// Names of what is in a table's folder beside its log, sorted.
pub fn listed(bench: &Bench, table: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder(bench, table)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|name| name != "_delta_log");
    names.sort();
    names
}

/// Paths of the live files and their deletion vectors, sorted.
pub fn live(snapshot: &Snapshot) -> Vec<String> {
    let mut names: Vec<String> = snapshot
        .files
        .iter()
        .flat_map(|file| [Some(file.add.path.clone()), file.vector_path()])
        .flatten()
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Makes a file as old as if it had been written so many days ago.
pub fn age(file: &Path, days: u64) {
    let time = SystemTime::now() - Duration::from_secs(days * 86_400);
    File::options()
        .append(true)
        .open(file)
        .unwrap()
        .set_modified(time)
        .unwrap();
}

/// Makes a version of a table as old, in its entry and in what the entry says.
pub fn age_version(bench: &Bench, table: &str, version: u64, days: u64) {
    let file = folder(bench, table).join(format!("_delta_log/{version:020}.json"));
    let text = std::fs::read_to_string(&file).unwrap();
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let aged = time.as_millis() as u64 - days * 86_400_000;
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            let mut action: serde_json::Value = serde_json::from_str(line).unwrap();
            if let Some(info) = action.get_mut("commitInfo") {
                info["timestamp"] = aged.into();
            }
            action.to_string()
        })
        .collect();
    std::fs::write(&file, lines.join("\n") + "\n").unwrap();
    age(&file, days);
}

/// Commits actions to `customers`.
pub async fn commit(bench: &Bench, actions: Vec<Action>) {
    let commit = Commit {
        actions,
        ..Commit::default()
    };
    append(&bench.instance.customers().unwrap(), commit)
        .await
        .unwrap();
}

/// Marks rows of the only live file of `customers` as dead.
pub async fn mark_dead(bench: &Bench, rows: std::ops::Range<u64>) {
    let snapshot = snapshot(bench).await;
    let [file] = snapshot.files.as_slice() else {
        panic!("{:#?}", snapshot.files)
    };
    let already = file.deleted_rows(snapshot.log.as_ref()).unwrap();
    let mut writer = VectorWriter::new(&snapshot.log, &new_run_id(), 1);
    writer.mark(file, &already, rows).unwrap();
    let written = writer.finish().await.unwrap();
    commit(bench, written.actions.into_iter().map(Action::from).collect()).await;
}
