//! Exactly once: what was merged is skipped, one run at a time, a dead run is settled by whoever comes next.

use chrono::{Duration, Utc};
use sluice_engine::Class;
use sluice_engine::process::{Holder, Lease, ProcessStatus};
use sluice_engine::run::{Repeat, Report};

use crate::support::{Bench, LEASE_TERM, definition, failure, request};

const RECORDS: &str = "cid,Tier\nC1,Gold\nC2,Silver\n";

async fn bench() -> Bench {
    let bench = Bench::new().await;
    bench
        .process("p", &definition("register", &["Tier=string"], ""))
        .await;
    bench
}

/// The lease of a program that is gone.
fn dead_lease(run_id: &str, run_no: i64) -> Lease {
    let mut lease = Lease::new(run_id.to_owned(), run_no, "manual".to_owned(), LEASE_TERM);
    lease.holder.started_ticks = Some(1);
    lease
}

/// Leaves the state file as a run that died leaves it.
async fn die(bench: &Bench, lease: Lease) {
    bench
        .state("p")
        .update(|state| {
            state.last_run_no = lease.run_no;
            state.lease = Some(lease.clone());
            Ok(())
        })
        .await
        .unwrap();
}

async fn statuses(bench: &Bench) -> Vec<String> {
    bench
        .rows("SELECT run_no, status FROM runs ORDER BY run_no")
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_merged_is_skipped_with_success() {
    let bench = bench().await;
    let file = bench.file("in.csv", RECORDS);
    let first = bench.run_on("p", &file).await.unwrap();
    let second = bench.run_on("p", &file).await.unwrap();
    assert!(second.error.is_none());
    assert!(second.warnings[0].contains(&first.run.run_id) && second.warnings[0].contains("--force"));
    let row = "SELECT run_no, status, rows_read, rows_inserted, version_after FROM runs ORDER BY run_no";
    assert_eq!(bench.rows(row).await, ["1|completed|2|2|1", "2|skipped|-|-|-"]);
    assert_eq!(bench.status("p").await, "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn force_merges_again_and_finds_nothing_to_change() {
    let bench = bench().await;
    let file = bench.file("in.csv", RECORDS);
    bench.run_on("p", &file).await.unwrap();
    let mut forced = request("p", Some(&file));
    forced.repeat = Repeat::Force;
    let run = bench.run(forced).await.unwrap().run;
    assert_eq!(
        (run.rows_unchanged, run.cells_changed, run.version_after),
        (Some(2), Some(0), Some(2))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_touched_or_moved_is_another_file() {
    let bench = bench().await;
    let file = bench.file("in.csv", RECORDS);
    bench.run_on("p", &file).await.unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    std::fs::File::options()
        .append(true)
        .open(&file)
        .unwrap()
        .set_modified(later)
        .unwrap();
    assert!(bench.run_on("p", &file).await.unwrap().run.is_merged());
    let moved = bench.folder.path().join("moved.csv");
    std::fs::rename(&file, &moved).unwrap();
    assert!(bench.run_on("p", &moved).await.unwrap().run.is_merged());
    // Another way to write the same path is the same file.
    let roundabout = bench.folder.path().join("instance/../moved.csv");
    assert_eq!(
        bench.run_on("p", &roundabout).await.unwrap().run.status.word(),
        "skipped"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_run_failed_is_not_skipped() {
    let bench = Bench::new().await;
    let strict = "[policy]\nmax_rejects = 0\n";
    bench
        .process("p", &definition("register", &["Tier=string"], strict))
        .await;
    let file = bench.file("in.csv", "cid,Tier\nC1,Gold\n,Gold\n");
    assert!(bench.run_on("p", &file).await.unwrap().error.is_some());
    assert!(bench.run_on("p", &file).await.unwrap().error.is_some());
    assert_eq!(statuses(&bench).await, ["1|failed", "2|failed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_merged_another_still_reads() {
    let bench = bench().await;
    let file = bench.file("in.csv", "cid,Tier,City\nC1,Gold,Porto\n");
    bench.run_on("p", &file).await.unwrap();
    bench
        .process("q", &definition("update", &["City=string"], ""))
        .await;
    assert!(bench.run_on("q", &file).await.unwrap().run.is_merged());
    assert_eq!(bench.customers().await, ["C1|Gold|Porto"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_runs_is_not_run_and_shows_as_running() {
    let bench = bench().await;
    die(
        &bench,
        Lease::new(
            "01900000-0000-7000-8000-000000000000".to_owned(),
            1,
            "manual".to_owned(),
            LEASE_TERM,
        ),
    )
    .await;
    let result = bench.run_on("p", &bench.file("in.csv", RECORDS)).await;
    let error = failure(&result);
    assert!(result.is_err(), "a refused attempt is no run");
    assert_eq!(
        (error.class(), error.class().exit_code()),
        (Class::Conflict, 4),
        "{error}"
    );
    assert_eq!(bench.status("p").await, "running");
    let running = "SELECT run_id, run_no, status, trigger, rows_read, ended_at FROM runs";
    assert_eq!(
        bench.rows(running).await,
        ["01900000-0000-7000-8000-000000000000|1|running|manual|-|-"]
    );
    let deleted = sluice_engine::process::delete(&bench.instance, "p")
        .await
        .unwrap_err();
    assert_eq!(deleted.class(), Class::Conflict);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_of_another_host_is_respected_until_it_lapses() {
    let bench = bench().await;
    let file = bench.file("in.csv", RECORDS);
    let mut lease = dead_lease("01900000-0000-7000-8000-000000000000", 1);
    lease.holder.host = "elsewhere".to_owned();
    die(&bench, lease.clone()).await;
    assert_eq!(failure(&bench.run_on("p", &file).await).class(), Class::Conflict);
    lease.expires_at = Utc::now() - Duration::seconds(1);
    die(&bench, lease).await;
    assert!(bench.run_on("p", &file).await.unwrap().run.is_merged());
    assert_eq!(statuses(&bench).await, ["1|interrupted", "2|completed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_died_before_its_commit_is_interrupted_and_its_files_go() {
    let bench = bench().await;
    let run_id = "01900000-0000-7000-8000-000000000000";
    die(&bench, dead_lease(run_id, 1)).await;
    let orphan = bench
        .instance
        .base()
        .join(format!("customers/part-{run_id}-0.parquet"));
    std::fs::write(&orphan, "half a file").unwrap();
    assert_eq!(bench.status("p").await, "failed");
    let report = bench.run_on("p", &bench.file("in.csv", RECORDS)).await.unwrap();
    assert_eq!((report.run.run_no, report.run.status.word()), (2, "completed"));
    assert_eq!(statuses(&bench).await, ["1|interrupted", "2|completed"]);
    assert!(!orphan.exists());
    let row = "SELECT run_id, started_at <= ended_at, error <> '' FROM runs WHERE run_no = 1";
    assert_eq!(bench.rows(row).await, [format!("{run_id}|true|true")]);
}

/// Merges a file and puts the state back to where the run had not ended.
async fn died_after_the_commit(bench: &Bench, file: &std::path::Path) -> Report {
    let before = bench.state("p").read().await.unwrap();
    let report = bench.run_on("p", file).await.unwrap();
    bench
        .state("p")
        .update(|state| {
            *state = before.clone();
            Ok(())
        })
        .await
        .unwrap();
    die(bench, dead_lease(&report.run.run_id, report.run.run_no)).await;
    // The row of `runs` was not written yet either.
    let log = bench.instance.runs().unwrap();
    let newest = log.snapshot(None).await.unwrap().version;
    let entry = format!("runs/_delta_log/{newest:020}.json");
    std::fs::remove_file(bench.instance.base().join(entry)).unwrap();
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_died_after_its_commit_is_rebuilt_from_it_and_not_merged_twice() {
    let bench = bench().await;
    let file = bench.file("in.csv", "cid,Tier\nC1,Gold\nC2,Silver\n,Gold\n");
    let report = died_after_the_commit(&bench, &file).await;
    assert_eq!(bench.cell("SELECT count(*) FROM runs").await, "0");
    let again = bench.run_on("p", &file).await.unwrap();
    assert_eq!(again.run.status.word(), "skipped", "{again:#?}");
    let row = "SELECT run_id, run_no, status, rows_read, rows_rejected, rows_inserted, version_after, source_file IS NOT NULL \
               FROM runs ORDER BY run_no LIMIT 1";
    assert_eq!(
        bench.rows(row).await,
        [format!(
            "{}|1|completed_with_rejects|3|1|2|1|true",
            report.run.run_id
        )]
    );
    assert_eq!(bench.cell("SELECT count(*) FROM rejects").await, "1");
    assert_eq!(bench.customers().await, ["C1|Gold", "C2|Silver"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_run_whose_row_is_written_gets_no_second_one() {
    let bench = bench().await;
    let file = bench.file("in.csv", RECORDS);
    let report = bench.run_on("p", &file).await.unwrap();
    die(&bench, dead_lease(&report.run.run_id, 1)).await;
    bench.run_on("p", &bench.file("next.csv", RECORDS)).await.unwrap();
    assert_eq!(statuses(&bench).await, ["1|completed", "2|completed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_find_a_dead_run_settle_it_once() {
    let bench = bench().await;
    die(&bench, dead_lease("01900000-0000-7000-8000-000000000000", 1)).await;
    let file = bench.file("in.csv", RECORDS);
    let (one, two) = tokio::join!(bench.run_on("p", &file), bench.run_on("p", &file));
    for result in [&one, &two] {
        let conflict = matches!(result, Err(error) if error.class() == Class::Conflict);
        assert!(conflict || failure_free(result), "{result:?}");
    }
    assert_eq!(
        bench
            .cell("SELECT count(*) FROM runs WHERE status = 'interrupted'")
            .await,
        "1"
    );
    assert_eq!(
        bench
            .cell("SELECT count(*) FROM runs WHERE status = 'completed'")
            .await,
        "1"
    );
}

fn failure_free(result: &sluice_engine::Result<Report>) -> bool {
    result.as_ref().is_ok_and(|report| report.error.is_none())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_another_run_committed_under_is_a_conflict() {
    let bench = bench().await;
    bench.run_on("p", &bench.file("1.csv", RECORDS)).await.unwrap();
    // A state file from a backup.
    bench
        .state("p")
        .update(|state| {
            state.last_run_no = 0;
            state.merged.clear();
            state.status = ProcessStatus::Ready;
            Ok(())
        })
        .await
        .unwrap();
    let file = bench.file("2.csv", "cid,Tier\nC1,Bronze\n");
    let report = bench.run_on("p", &file).await.unwrap();
    let error = report.error.as_ref().unwrap();
    assert_eq!(
        (error.class().exit_code(), report.run.status.word()),
        (4, "failed"),
        "{error}"
    );
    assert_eq!(bench.customers().await, ["C1|Gold", "C2|Silver"]);
    // Safe to retry: the next number is free.
    assert!(bench.run_on("p", &file).await.unwrap().run.is_merged());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_run_has_a_number_of_its_own_whatever_became_of_it() {
    let bench = bench().await;
    let file = bench.file("in.csv", RECORDS);
    bench.run_on("p", &file).await.unwrap();
    bench.run_on("p", &file).await.unwrap();
    bench
        .run_on("p", std::path::Path::new("/nowhere.csv"))
        .await
        .unwrap();
    bench.run_on("p", &bench.file("next.csv", RECORDS)).await.unwrap();
    assert_eq!(
        statuses(&bench).await,
        ["1|completed", "2|skipped", "3|failed", "4|completed"]
    );
    let ids = bench.rows("SELECT run_id FROM runs ORDER BY run_no").await;
    assert!(ids.is_sorted(), "{ids:?}");
    assert!(!Holder::this().is_dead());
}
