//! Processes over a local folder: each run takes the file that was modified last.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use sluice_engine::process;
use sluice_engine::run::Report;

use crate::support::{Bench, definition, request};

const DAILY: &str = "[schedule]\nevery = \"24h\"\nstart = \"2026-01-01T03:00\"\n";

/// A completed process `p` over `url`, which is in the folder `in` beside the instance.
async fn bench(url: &str, more: &str) -> (Bench, PathBuf) {
    let bench = Bench::new().await;
    let folder = bench.folder.path().join("in");
    std::fs::create_dir(&folder).unwrap();
    bench.process("p", &over(url, more)).await;
    (bench, folder)
}

/// Relative paths start at the instance.
fn over(url: &str, more: &str) -> String {
    definition("register", &["Tier=string"], more).replace("none.csv", &format!("../in/{url}"))
}

/// Puts a file that was modified so long ago.
fn put(folder: &Path, name: &str, tier: &str, seconds_ago: u64) {
    let path = folder.join(name);
    let content = if tier.is_empty() {
        String::new()
    } else {
        format!("cid,Tier\nC1,{tier}\n")
    };
    std::fs::write(&path, content).unwrap();
    let file = std::fs::File::options().append(true).open(&path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds_ago))
        .unwrap();
}

/// Name of the file that a run took, and how it ended.
async fn run(bench: &Bench) -> (Option<String>, &'static str) {
    let report = bench.run(request("p", None)).await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    (taken(&report), report.run.status.word())
}

fn taken(report: &Report) -> Option<String> {
    let file = report.run.source_file.as_deref()?;
    Some(file.rsplit('/').next().unwrap().to_owned())
}

fn named(name: &str) -> Option<String> {
    Some(name.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_taken_file_by_file_as_they_come_and_no_file_twice() {
    let (bench, folder) = bench("", DAILY).await;
    assert_eq!(bench.status("p").await, "scheduled");
    assert_eq!(run(&bench).await, (None, "skipped"));
    put(&folder, "a.csv", "Silver", 300);
    put(&folder, ".b.csv.swp", "Hidden", 200);
    put(&folder, "c.csv", "", 100);
    assert_eq!(run(&bench).await, (named("a.csv"), "completed"));
    assert_eq!(run(&bench).await, (named("a.csv"), "skipped"));
    put(&folder, "anything.csv", "Gold", 60);
    assert_eq!(run(&bench).await, (named("anything.csv"), "completed"));
    assert_eq!(bench.customers().await, ["C1|Gold"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_in_a_folder_takes_the_files_that_fit_it() {
    for (url, more) in [
        ("Customers_%.csv", String::new()),
        ("Customers.csv", "pattern = \"Customers_%\"\n".to_owned()),
        ("", "pattern = \"Customers_%\"\n".to_owned()),
    ] {
        let bench = Bench::new().await;
        let folder = bench.folder.path().join("in");
        std::fs::create_dir(&folder).unwrap();
        let toml = over(url, DAILY).replace("[[attribute]]", &format!("{more}[[attribute]]"));
        bench.process("p", &toml).await;
        put(&folder, "Other.csv", "Other", 10);
        put(&folder, "Customers_1.csv", "Silver", 200);
        assert_eq!(
            run(&bench).await,
            (named("Customers_1.csv"), "completed"),
            "{toml}"
        );
        put(&folder, "Customers_2.csv", "Gold", 100);
        assert_eq!(
            run(&bench).await,
            (named("Customers_2.csv"), "completed"),
            "{toml}"
        );
        // A file that is named is taken whatever it is called.
        let named = bench.run_on("p", &folder.join("Other.csv")).await.unwrap();
        assert_eq!(taken(&named).as_deref(), Some("Other.csv"));
        assert_eq!(bench.customers().await, ["C1|Other"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_process_may_read_a_folder_too() {
    let (bench, folder) = bench("Customers_%.csv", "").await;
    assert_eq!(bench.status("p").await, "ready");
    put(&folder, "Customers_1.csv", "Silver", 100);
    let rows = bench.rows("SELECT tier FROM incoming('p')").await;
    assert_eq!(rows, ["Silver"]);
    assert_eq!(run(&bench).await, (named("Customers_1.csv"), "completed"));
    assert_eq!(bench.status("p").await, "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_still_grows_in_a_folder_is_left_for_the_next_time() {
    let (bench, folder) = bench("", DAILY).await;
    put(&folder, "whole.csv", "Silver", 100);
    put(&folder, "growing.csv", "Gold", 1);
    let growing = folder.join("growing.csv");
    let (ended, is_ended) = mpsc::channel::<()>();
    let writer = tokio::task::spawn_blocking(move || {
        let mut file = std::fs::File::options().append(true).open(growing).unwrap();
        while is_ended.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
            file.write_all(b"C2,Gold\n").unwrap();
        }
    });
    assert_eq!(run(&bench).await, (named("whole.csv"), "completed"));
    drop(ended);
    writer.await.unwrap();
    put(&folder, "growing.csv", "Gold", 30);
    assert_eq!(run(&bench).await, (named("growing.csv"), "completed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_local_file_stays_one_time_and_the_remedy_works() {
    let bench = Bench::new().await;
    std::fs::create_dir(bench.folder.path().join("in")).unwrap();
    let error = bench
        .try_process("p", &over("Customers.csv", DAILY))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("one time"), "{error}");
    assert!(
        error.hints().join(" ").contains("Customers_%.csv"),
        "{:?}",
        error.hints()
    );
    process::edit(&bench.instance, "p", &over("Customers_%.csv", DAILY))
        .await
        .unwrap();
    process::complete(&bench.instance, "p").await.unwrap();
    let twice = over("Customers_%.csv", "").replace("[[attribute]]", "pattern = \"x_%\"\n[[attribute]]");
    let error = bench.try_process("q", &twice).await.unwrap_err();
    assert!(error.to_string().contains("pattern already"), "{error}");
}
