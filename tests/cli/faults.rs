//! The program is killed between any two of its steps. The next one that touches the process finds the old version or
//! the new one, never half, no reject twice, and a row in `runs` for every run.

use crate::support::{Home, Where};

const BEFORE: &str = "cid,tier\nC1,Silver\nC2,Silver\n";
/// One reject: the last record has no CID.
const AFTER: &str = "cid,tier\nC1,Gold\nC3,Gold\n,Gold\n";

/// A home with customers C1 and C2, and the next file beside.
fn home() -> Home {
    home_at(Where::Folder)
}

fn home_at(place: Where) -> Home {
    let home = Home::with_instance_at(place);
    home.write("before.csv", BEFORE);
    home.sluice(&[
        "ingest",
        "before.csv",
        "--key",
        "cid",
        "--attribute",
        "tier=string",
        "--name",
        "p",
    ])
    .succeeded();
    home.write("after.csv", AFTER);
    home
}

fn kill_at(home: &Home, point: &str) {
    let killed = home
        .command()
        .args(["run", "p", "--file", "after.csv"])
        .env("SLUICE_FAULT", point)
        .output()
        .unwrap();
    assert_eq!(
        killed.status.code(),
        None,
        "{point}: {}",
        String::from_utf8_lossy(&killed.stderr)
    );
}

const OLD: &str = "customer_id,tier\nC1,Silver\nC2,Silver\n";
const NEW: &str = "customer_id,tier\nC1,Gold\nC2,Silver\nC3,Gold\n";

fn customers(home: &Home) -> String {
    home.sql("SELECT customer_id, tier FROM customers ORDER BY 1")
}

const BEFORE_THE_COMMIT: [&str; 5] = [
    "lease_taken",
    "loaded",
    "rejects_written",
    "rejects_committed",
    "files_written",
];
const AFTER_THE_COMMIT: [&str; 2] = ["customers_committed", "run_recorded"];

#[test]
fn a_kill_before_the_commit_leaves_the_old_version_and_an_interrupted_run() {
    killed_before_the_commit(Where::Folder);
}

#[test]
fn s3_a_kill_before_the_commit_leaves_the_old_version_and_an_interrupted_run() {
    killed_before_the_commit(Where::S3);
}

fn killed_before_the_commit(place: Where) {
    for point in BEFORE_THE_COMMIT {
        let home = home_at(place);
        kill_at(&home, point);
        assert_eq!(customers(&home), OLD, "{point}");

        let again = home.sluice(&["run", "p", "--file", "after.csv"]).succeeded();
        assert_eq!(customers(&home), NEW, "{point}: {}", again.stdout());
        let runs = home.sql("SELECT run_no, status FROM runs ORDER BY run_no");
        assert_eq!(
            runs, "run_no,status\n1,completed\n2,interrupted\n3,completed_with_rejects\n",
            "{point}"
        );
        // The run that was killed may have kept its reject; no run has it twice.
        let rejects = home
            .sql("SELECT max(n) AS n FROM (SELECT count(*) AS n FROM rejects GROUP BY run_id, record_no)");
        assert_eq!(rejects, "n\n1\n", "{point}");
        let live = home.sql("SELECT count(*) AS n FROM rejects r JOIN runs USING (run_id) WHERE run_no = 3");
        assert_eq!(live, "n\n1\n", "{point}");
    }
}

#[test]
fn a_kill_after_the_commit_leaves_the_new_version_and_the_runs_row_is_rebuilt() {
    killed_after_the_commit(Where::Folder);
}

#[test]
fn s3_a_kill_after_the_commit_leaves_the_new_version_and_the_runs_row_is_rebuilt() {
    killed_after_the_commit(Where::S3);
}

fn killed_after_the_commit(place: Where) {
    for point in AFTER_THE_COMMIT {
        let home = home_at(place);
        kill_at(&home, point);
        assert_eq!(customers(&home), NEW, "{point}");

        // The same file again: it was merged, though the program did not live to say so.
        home.sluice(&["run", "p", "--file", "after.csv"]).succeeded();
        assert_eq!(customers(&home), NEW, "{point}");
        let runs = home
            .sql("SELECT run_no, status, rows_read, rows_updated, rows_inserted FROM runs ORDER BY run_no");
        let expected = "run_no,status,rows_read,rows_updated,rows_inserted\n1,completed,2,0,2\n\
                        2,completed_with_rejects,3,1,1\n3,skipped,,,\n";
        assert_eq!(runs, expected, "{point}");
        assert_eq!(home.sql("SELECT count(*) AS n FROM rejects"), "n\n1\n", "{point}");
    }
}

#[test]
fn what_a_killed_run_wrote_and_did_not_commit_is_removed() {
    for (point, table) in [("files_written", "customers"), ("rejects_written", "rejects")] {
        let home = home();
        let before = home.data_files(table).len();
        kill_at(&home, point);
        assert!(home.data_files(table).len() > before);
        home.sluice(&["run", "p", "--file", "before.csv"]).succeeded();
        assert_eq!(home.data_files(table).len(), before);
    }
}

#[test]
fn deletion_vectors_of_a_killed_run_are_removed_too() {
    let home = home();
    home.write(
        "sluice.toml",
        "format = 1\n[defaults]\nmerge = \"deletion_vector\"\n[maintenance]\nauto = \"off\"\n",
    );
    let vectors = || {
        let files = std::fs::read_dir(home.path("customers")).unwrap();
        let names = files.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with("deletion_vector_")).count()
    };
    kill_at(&home, "files_written");
    assert_eq!(vectors(), 1);
    home.sluice(&["run", "p", "--file", "before.csv"]).succeeded();
    assert_eq!(vectors(), 0, "before.csv changes nothing");
    home.sluice(&["run", "p", "--file", "after.csv"]).succeeded();
    assert_eq!(vectors(), 1);
    home.sluice(&["run", "p", "--file", "before.csv", "--force"])
        .succeeded();
    // The new version of C1 was alone in its file, which goes as a whole.
    assert_eq!(vectors(), 1, "what is live or was is no leftover");
}

#[test]
fn while_a_run_is_under_way_a_second_one_is_refused() {
    let home = home();
    // A lease of a living program: this one.
    let state = "processes/p.state.json";
    let mut json: serde_json::Value = serde_json::from_str(&home.get(state)).unwrap();
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let ticks: u64 = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .nth(19)
        .unwrap()
        .parse()
        .unwrap();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    json["lease"] = serde_json::json!({
        "run_id": "01900000-0000-7000-8000-000000000000", "run_no": 2, "trigger": "manual",
        "holder": { "host": host.trim(), "pid": std::process::id(), "started_ticks": ticks },
        "started_at": "2026-01-01T00:00:00Z", "expires_at": "2999-01-01T00:00:00Z",
    });
    home.put(state, json.to_string());
    let refused = home.sluice(&["run", "p", "--file", "after.csv"]);
    assert_eq!(refused.code(), Some(4), "{}", refused.stderr());
    assert_eq!(customers(&home), OLD);
    assert_eq!(
        home.sql("SELECT status FROM runs WHERE run_no = 2"),
        "status\nrunning\n"
    );
}

#[test]
fn a_rollback_that_is_killed_leaves_the_old_version_or_the_new_one() {
    for (point, is_new) in [("rollback_written", false), ("rollback_committed", true)] {
        let home = home();
        home.sluice(&["run", "p", "--file", "after.csv"]).succeeded();
        let killed = home
            .command()
            .args(["rollback", "p", "--yes"])
            .env("SLUICE_FAULT", point)
            .output()
            .unwrap();
        assert_eq!(killed.status.code(), None, "{point}");
        assert_eq!(customers(&home), if is_new { OLD } else { NEW }, "{point}");
        // The file counts as merged exactly if the run still does.
        home.sluice(&["run", "p", "--file", "after.csv"]).succeeded();
        let last = home.sql("SELECT status FROM runs ORDER BY run_no DESC LIMIT 1");
        let expected = if is_new {
            "completed_with_rejects"
        } else {
            "skipped"
        };
        assert_eq!(last, format!("status\n{expected}\n"), "{point}");
        assert_eq!(customers(&home), NEW, "{point}");
        // And the rollback can be made again.
        home.sluice(&["rollback", "p/2", "--yes"]);
        home.sluice(&["rollback", "1", "--yes"]).succeeded();
        assert_eq!(customers(&home), OLD, "{point}");
    }
}

/// So many customers as CSV, whose records are wide.
fn wide(num_rows: usize) -> String {
    let mut text = String::from("cid,tier\n");
    for number in 0..num_rows {
        text.push_str(&format!(
            "C{number:07},{number:0>180}{}\n",
            number * 7919 % 100_003
        ));
    }
    text
}

#[test]
fn a_disk_that_is_full_when_records_do_not_fit_into_memory_ends_in_one_message_and_merges_nothing() {
    let home = home();
    let spill = home.path("spill");
    std::fs::create_dir(&spill).unwrap();
    home.write("after.csv", wide(100_000));
    // No file may grow beyond a megabyte: what the disk says to that is what it says when it is full.
    let script = "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\"";
    let output = std::process::Command::new("sh")
        .args([
            "-c",
            script,
            env!("CARGO_BIN_EXE_sluice"),
            "run",
            "p",
            "--file",
            "after.csv",
            "--memory",
            "12MB",
        ])
        .current_dir(home.folder.path())
        .env("TMPDIR", &spill)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error:")).collect();
    assert_eq!(errors.len(), 1, "{said}");
    assert!(errors[0].contains("could not be written to disk"), "{said}");
    assert!(errors[0].contains(&spill.display().to_string()), "{said}");
    assert!(said.contains("TMPDIR") && said.contains("--memory"), "{said}");
    assert!(said.contains("takes more than 12.0 MB"), "{said}");
    assert!(said.contains("written: "), "{said}");
    assert_eq!(customers(&home), OLD);
    assert_eq!(
        home.sql("SELECT status FROM runs WHERE run_no = 2"),
        "status\nfailed\n"
    );
    assert_eq!(
        std::fs::read_dir(&spill).unwrap().count(),
        0,
        "what was put aside is gone"
    );
    // With room, or memory, the same file is merged.
    home.sluice(&["run", "p", "--file", "after.csv"]).succeeded();
    assert_eq!(home.sql("SELECT count(*) AS n FROM customers"), "n\n100002\n");
}
