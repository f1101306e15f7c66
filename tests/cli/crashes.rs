//! Programs that die at any moment of a stream of runs: every file is applied once and in order, nothing is half there,
//! and nobody waits longer than a lease lasts.
//!
//! `SLUICE_TEST_KILLS` says how many die in each place; a few dozen do unless it is set.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Hold, Home, Where};

/// Customers that every file sets.
const SHARED: usize = 12;
/// Of the leases, in seconds.
const TERM: u64 = 5;
/// Runs that are let live, to see how long one takes.
const UNDISTURBED: usize = 2;

/// A stream of files, of which each sets all shared customers to its number, registers one and has one bad row.
struct Stream {
    home: Home,
    /// Files that were applied.
    applied: usize,
}

impl Stream {
    fn begin(place: Where) -> Self {
        let home = Home::with_instance_at(place);
        home.put(
            "sluice.toml",
            format!("format = 1\n[limits]\nlease_seconds = {TERM}\n"),
        );
        let mut stream = Self { home, applied: 0 };
        stream.write();
        let define = ["--key", "cid", "--attribute", "number=int", "--name", "p"];
        let ingest = ["ingest", "0.csv"];
        stream
            .home
            .sluice(&[&ingest[..], &define[..]].concat())
            .succeeded();
        stream.applied = 1;
        stream
    }

    /// Writes the next file.
    fn write(&self) {
        let number = self.applied;
        let shared: String = (0..SHARED).map(|i| format!("S{i:02},{number}\n")).collect();
        let text = format!("cid,number\n{shared}N{number:04},{number}\n,{number}\n");
        self.home.write(&self.file(), text);
    }

    fn file(&self) -> String {
        format!("{}.csv", self.applied)
    }

    fn start(&self) -> Child {
        let mut command = self.home.command();
        command.args(["run", "p", "--file", &self.file()]);
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Applies the next file, undisturbed.
    fn apply(&mut self) {
        self.write();
        self.home
            .sluice(&["run", "p", "--file", &self.file()])
            .succeeded();
        self.applied += 1;
    }

    /// Starts to apply the next file, dies after a while, and begins again.
    fn die_and_apply(&mut self, after: Duration, host: Host) {
        self.write();
        let mut child = self.start();
        std::thread::sleep(after);
        // One that was faster has nobody to kill.
        let _ = child.kill();
        child.wait().unwrap();
        self.assert_whole();
        let is_held = host == Host::Another && self.leave_the_lease_to_another_host();
        let died = Instant::now();
        loop {
            let since_death = died.elapsed();
            let run = self.home.sluice(&["run", "p", "--file", &self.file()]);
            match run.code() {
                Some(0) => break,
                Some(4) if is_held => assert!(
                    since_death < Duration::from_secs(TERM + 10),
                    "the lease outlives its term: {}",
                    run.stderr()
                ),
                other => panic!("{other:?}: {}", run.stderr()),
            }
            std::thread::sleep(Duration::from_millis(300));
        }
        self.applied += 1;
        self.assert_whole();
    }

    /// As if the program that died had run elsewhere: nobody here can tell that it did. False where it left no lease.
    fn leave_the_lease_to_another_host(&self) -> bool {
        edit_lease(&self.home, |lease| {
            lease["holder"]["host"] = "elsewhere".into();
        })
    }

    /// All shared customers are of one file, the last or the one before it, and so is who was registered.
    fn assert_whole(&self) {
        let shown = self.home.sql(
            "SELECT min(number) FILTER (WHERE customer_id LIKE 'S%') AS low, \
             max(number) FILTER (WHERE customer_id LIKE 'S%') AS high, \
             count(*) FILTER (WHERE customer_id LIKE 'S%') AS shared, \
             count(*) FILTER (WHERE customer_id LIKE 'N%') AS registered FROM customers",
        );
        let cells: Vec<usize> = shown
            .lines()
            .nth(1)
            .unwrap()
            .split(',')
            .map(|cell| cell.parse().unwrap())
            .collect();
        let last = cells[0];
        assert_eq!(cells, [last, last, SHARED, last + 1], "{shown}");
        assert!(
            last + 1 == self.applied || last == self.applied,
            "{shown}: {}",
            self.applied
        );
    }

    /// Each file has one run that merged, in order, and its reject once.
    fn assert_applied_once_and_in_order(&self) {
        let merged = "FROM runs WHERE status = 'completed_with_rejects'";
        let files = self.home.sql(&format!(
            "SELECT regexp_replace(source_file, '.*/', '') AS file {merged} ORDER BY version_after"
        ));
        let expected: String = (0..self.applied)
            .map(|number| format!("{number}.csv\n"))
            .collect();
        assert_eq!(files, format!("file\n{expected}"));
        let twice = "SELECT count(*) AS n FROM (SELECT run_id, record_no FROM rejects GROUP BY 1, 2 HAVING count(*) > 1)";
        assert_eq!(self.home.sql(twice), "n\n0\n");
        let kept = self.home.sql(&format!(
            "SELECT count(*) AS n FROM rejects WHERE run_id IN (SELECT run_id {merged})"
        ));
        assert_eq!(kept, format!("n\n{}\n", self.applied));
        let rows =
            "SELECT count(*) - count(DISTINCT run_id) AS n, count(*) - count(DISTINCT run_no) AS m FROM runs";
        assert_eq!(self.home.sql(rows), "n,m\n0,0\n");
        let state: Value = serde_json::from_str(&self.home.get("processes/p.state.json")).unwrap();
        assert!(state["lease"].is_null(), "{state}");
    }
}

/// Where the program that dies was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Host {
    This,
    Another,
}

/// Numbers below 1, the same in every run of the test.
fn draws() -> impl Iterator<Item = f64> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::from_fn(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Some((state >> 11) as f64 / (1_u64 << 53) as f64)
    })
}

/// So many die, or as many as the environment says.
fn die_at_any_moment(place: Where, kills: usize) {
    let kills = std::env::var("SLUICE_TEST_KILLS").map_or(kills, |text| text.parse().unwrap());
    let mut stream = Stream::begin(place);
    let begun = Instant::now();
    for _ in 0..UNDISTURBED {
        stream.apply();
    }
    let usual = begun.elapsed() / UNDISTURBED as u32;
    for (number, draw) in draws().take(kills).enumerate() {
        let host = if number % 8 == 3 {
            Host::Another
        } else {
            Host::This
        };
        stream.die_and_apply(usual.mul_f64(draw), host);
    }
    stream.assert_applied_once_and_in_order();
}

#[test]
fn a_stream_of_runs_that_die_at_any_moment_is_applied_once_and_in_order() {
    die_at_any_moment(Where::Folder, 16);
}

#[test]
fn s3_a_stream_of_runs_that_die_at_any_moment_is_applied_once_and_in_order() {
    die_at_any_moment(Where::S3, 24);
}

#[test]
fn gcs_a_stream_of_runs_that_die_at_any_moment_is_applied_once_and_in_order() {
    die_at_any_moment(Where::Gcs, 8);
}

/// Changes the lease of `p`. False where there is none.
fn edit_lease(home: &Home, edit: impl FnOnce(&mut Value)) -> bool {
    let state = "processes/p.state.json";
    let mut json: Value = serde_json::from_str(&home.get(state)).unwrap();
    let is_held = !json["lease"].is_null();
    if is_held {
        edit(&mut json["lease"]);
        home.put(state, json.to_string());
    }
    is_held
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// A run of `p` on the file, held when its files are written and before it commits.
fn held_before_its_commit(home: &Home, file: &str, hold: &Hold) -> Child {
    let mut command = home.command();
    command.args(["run", "p", "--file", file]);
    hold.at("files_written", &mut command);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    hold.wait();
    child
}

/// A program that stands still for longer than its lease lasts, and then goes on.
fn sleeps_through_its_lease(place: Where) {
    let home = Home::with_instance_at(place);
    home.put("sluice.toml", "format = 1\n[maintenance]\nauto = \"off\"\n");
    for number in 1..=3 {
        home.write(
            &format!("{number}.csv"),
            format!("cid,number\nC1,{number}\nN{number},{number}\n,{number}\n"),
        );
    }
    let define = ["--key", "cid", "--attribute", "number=int", "--name", "p"];
    home.sluice(&[&["ingest", "1.csv"][..], &define[..]].concat())
        .succeeded();
    let hold = Hold::new();
    let sleeper = held_before_its_commit(&home, "2.csv", &hold);
    let refused = home.sluice(&["run", "p", "--file", "3.csv"]);
    assert_eq!(refused.code(), Some(4), "{}", refused.stderr());
    signal(&sleeper, "-STOP");
    // As if it had slept for so long.
    let is_held = edit_lease(&home, |lease| lease["expires_at"] = "2026-01-01T00:00:00Z".into());
    assert!(is_held);
    home.sluice(&["run", "p", "--file", "3.csv"]).succeeded();
    hold.go_on();
    signal(&sleeper, "-CONT");
    let woken = sleeper.wait_with_output().unwrap();
    assert_eq!(
        woken.status.code(),
        Some(4),
        "{}",
        String::from_utf8_lossy(&woken.stderr)
    );
    assert_eq!(
        home.sql("SELECT customer_id, number FROM customers ORDER BY 1"),
        "customer_id,number\nC1,3\nN1,1\nN3,3\n"
    );
    assert_eq!(
        home.sql("SELECT run_no, status FROM runs ORDER BY run_no"),
        "run_no,status\n1,completed_with_rejects\n2,interrupted\n3,completed_with_rejects\n"
    );
    assert_eq!(
        home.sql("SELECT kind FROM history() ORDER BY version"),
        "kind\ncreate\nrun\nsettled\nrun\n"
    );
    assert_eq!(home.sql("SELECT count(*) AS n FROM reject_reasons"), "n\n3\n");
}

#[test]
fn a_program_that_slept_through_its_lease_commits_nothing() {
    sleeps_through_its_lease(Where::Folder);
}

#[test]
fn s3_a_program_that_slept_through_its_lease_commits_nothing() {
    sleeps_through_its_lease(Where::S3);
}
