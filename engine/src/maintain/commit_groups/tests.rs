use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringViewArray};
use datafusion::prelude::SessionContext;

use super::*;
use crate::commit::append;
use crate::instance::Instance;
use crate::maintain::fold::Fold;
use crate::maintain::plan::Layout;
use crate::table::SnapshotTable;
use crate::table::schemas::CUSTOMER_ID;
use crate::write::{RollingWriter, WriterOptions};

async fn customers(folder: &Path) -> TableLog {
    let instance = Instance::init(&folder.join("instance")).await.unwrap();
    instance.customers().unwrap()
}

/// Writes a file of these customers.
async fn file(snapshot: &Snapshot, keys: &[&str]) -> Add {
    let column: ArrayRef = Arc::new(StringViewArray::from(keys.to_vec()));
    let batch = RecordBatch::try_new(Arc::clone(&snapshot.schema), vec![column]).unwrap();
    let store = snapshot.log.object_store(None);
    let options = WriterOptions::clustered(CUSTOMER_ID, snapshot.encoding);
    let mut writer = RollingWriter::new(store, &ids::new_run_id(), batch.schema(), options);
    writer.write(&batch).await.unwrap();
    writer.finish().await.unwrap().remove(0)
}

async fn commit_all(log: &TableLog, actions: Vec<Action>) {
    let commit = Commit {
        actions,
        ..Commit::default()
    };
    append(log, commit).await.unwrap();
}

/// A table with a file of each list.
async fn table(folder: &Path, files: &[&[&str]]) -> TableLog {
    let log = customers(folder).await;
    let snapshot = log.snapshot(None).await.unwrap();
    let mut actions = Vec::new();
    for keys in files {
        actions.push(Action::Add(file(&snapshot, keys).await));
    }
    commit_all(&log, actions).await;
    log
}

/// The files that begin with these keys, written anew as one.
async fn folded(log: &TableLog, first_keys: &[&str]) -> FoldedGroup {
    let snapshot = log.snapshot(None).await.unwrap();
    let is_member = |file: &&LiveFile| {
        file.keys
            .as_ref()
            .is_some_and(|keys| first_keys.contains(&keys.min.as_str()))
    };
    let files: Vec<LiveFile> = snapshot.files.iter().filter(is_member).cloned().collect();
    assert_eq!(files.len(), first_keys.len());
    let fold = Fold {
        snapshot: &snapshot,
        ctx: &SessionContext::new(),
        layout: Layout::Clustered,
        files,
        id: ids::new_run_id(),
        output_files: 1,
    };
    let adds = fold.run().await.unwrap();
    FoldedGroup {
        reason: Reason::SmallFiles,
        files: fold.files,
        adds,
    }
}

async fn rows(log: &TableLog) -> Vec<String> {
    let snapshot = Arc::new(log.snapshot(None).await.unwrap());
    let table = SessionContext::new()
        .read_table(Arc::new(SnapshotTable::new(snapshot)))
        .unwrap();
    let mut keys: Vec<String> = Vec::new();
    for batch in table.collect().await.unwrap() {
        keys.extend(
            batch
                .column(0)
                .as_string_view()
                .iter()
                .flatten()
                .map(str::to_owned),
        );
    }
    keys.sort();
    keys
}

fn outcomes(reports: &[GroupReport]) -> Vec<GroupOutcome> {
    reports.iter().map(|report| report.outcome).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_a_run_overtook_goes_and_the_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let log = table(
        folder.path(),
        &[&["a", "c"], &["b", "d"], &["p", "r"], &["q", "s"]],
    )
    .await;
    let groups = vec![folded(&log, &["a", "b"]).await, folded(&log, &["p", "q"]).await];
    let gone = groups[0].adds[0].path.clone();
    // Meanwhile a run writes the first file anew, with one customer more.
    let now = log.snapshot(None).await.unwrap();
    let run = vec![
        Action::Remove(now.files[0].remove(1)),
        Action::Add(file(&now, &["a", "c", "e"]).await),
    ];
    commit_all(&log, run).await;
    let reports = commit_groups(&log, 1, groups).await.unwrap();
    assert_eq!(
        outcomes(&reports),
        [GroupOutcome::Overtaken, GroupOutcome::Written]
    );
    assert_eq!(rows(&log).await, ["a", "b", "c", "d", "e", "p", "q", "r", "s"]);
    let snapshot = log.snapshot(None).await.unwrap();
    assert_eq!(snapshot.files.len(), 3);
    assert!(!folder.path().join("instance/customers").join(gone).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_that_nobody_touched_are_kept_over_a_new_version() {
    let folder = tempfile::tempdir().unwrap();
    let log = table(folder.path(), &[&["a", "c"], &["b", "d"]]).await;
    let groups = vec![folded(&log, &["a", "b"]).await];
    let now = log.snapshot(None).await.unwrap();
    commit_all(&log, vec![Action::Add(file(&now, &["b1", "z"]).await)]).await;
    let reports = commit_groups(&log, 1, groups).await.unwrap();
    assert_eq!(outcomes(&reports), [GroupOutcome::Written]);
    assert_eq!(rows(&log).await, ["a", "b", "b1", "c", "d", "z"]);
    assert_eq!(log.snapshot(None).await.unwrap().version, now.version + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_every_group_was_overtaken_nothing_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    let log = table(folder.path(), &[&["a", "c"], &["b", "d"]]).await;
    let (one, other) = (folded(&log, &["a", "b"]).await, folded(&log, &["a", "b"]).await);
    let first = commit_groups(&log, 1, vec![one]).await.unwrap();
    let second = commit_groups(&log, 1, vec![other]).await.unwrap();
    assert_eq!(
        (outcomes(&first), outcomes(&second)),
        (vec![GroupOutcome::Written], vec![GroupOutcome::Overtaken])
    );
    assert_eq!(rows(&log).await, ["a", "b", "c", "d"]);
}
