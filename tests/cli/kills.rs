//! `kill -9` of servers at random moments while file after file comes to a folder: each is applied once, in order, whole.
//!
//! ```text
//!   file i, due ─▶ serve ─▶ some milliseconds ─▶ kill -9 ─▶ customers are as of file i-1 or i ─▶ serve ... ─▶ file i is in
//! ```
//!
//! A few dozen are killed; `SLUICE_TEST_KILLS` says how many else. What was killed, and when, is printed.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::support::{Hold, Home, PATIENCE, Where};

const KILLS: usize = 24;
/// Customers that every file sends again, so that half a run would show.
const CUSTOMERS: usize = 400;
/// A lease is held no longer than that after its holder's last sign of life.
const LEASE_TERM: TimeDelta = TimeDelta::minutes(10);
const STATE: &str = "processes/p.state.json";

/// A process over a folder to which one file comes after the other.
struct Stream {
    home: Home,
    dice: u64,
    /// Files that came so far.
    files: usize,
    /// Servers that were killed.
    kills: usize,
    /// Runs that had the lease when their server was killed.
    runs: BTreeSet<String>,
    /// Of these, after the commit and before it was said.
    after_commit: BTreeSet<String>,
    /// Longest time from a kill to the end of the next run that was left alone.
    longest_recovery: Duration,
}

impl Stream {
    fn begin(place: Where) -> Self {
        let home = Home::with_instance_at(place);
        std::fs::create_dir(home.path("in")).unwrap();
        let folder = home.path("in").display().to_string();
        home.write(
            "p.toml",
            format!(
                "mode = \"register\"\nkey = \"cid\"\n[source]\nurl = \"{folder}/Customers_%.csv\"\n\
                 [[attribute]]\ncolumn = \"n\"\ntype = \"int\"\n\
                 [schedule]\nevery = \"24h\"\nstart = \"2026-01-01T03:00\"\n"
            ),
        );
        home.sluice(&["process", "new", "p", "--from", "p.toml"])
            .succeeded();
        home.sluice(&["process", "complete", "p", "--yes"]).succeeded();
        Self {
            home,
            dice: 0x9e37_79b9_7f4a_7c15,
            files: 0,
            kills: 0,
            runs: BTreeSet::new(),
            after_commit: BTreeSet::new(),
            longest_recovery: Duration::ZERO,
        }
    }

    fn kill_servers(&mut self, wanted: usize) {
        // How long a server takes for a file that nobody disturbs.
        self.put_next_file();
        let mut usual = self.wait_for_the_file(None);
        self.kill_before_the_commit();
        while self.kills < wanted {
            self.put_next_file();
            let mut since_kill = None;
            while self.kills < wanted && self.dice(3) > 0 && !self.is_merged() {
                let mut server = self.serve();
                std::thread::sleep(usual.mul_f64(self.dice(1000) as f64 / 1000.0));
                self.kill(&mut server);
                since_kill = Some(Instant::now());
            }
            // A server that was killed after the commit has left nothing to wait for.
            if !self.is_merged() {
                usual = self.wait_for_the_file(since_kill);
            }
        }
    }

    /// Kills a server whose run has written its files, wherever chance puts the other kills.
    fn kill_before_the_commit(&mut self) {
        self.put_next_file();
        let (hold, mut command) = (Hold::new(), self.server());
        hold.at("files_written", &mut command);
        let mut server = command.spawn().unwrap();
        hold.wait();
        let since_kill = Instant::now();
        self.kill(&mut server);
        self.wait_for_the_file(Some(since_kill));
    }

    /// Lets a server live until the file is in. How long that took.
    fn wait_for_the_file(&mut self, since_kill: Option<Instant>) -> Duration {
        let begun = Instant::now();
        let mut server = self.serve();
        while !self.is_merged() {
            assert!(begun.elapsed() < PATIENCE, "nothing moves: {}", self.state());
            std::thread::sleep(Duration::from_millis(20));
        }
        let recovery = since_kill.map(|since| since.elapsed()).unwrap_or_default();
        self.longest_recovery = self.longest_recovery.max(recovery);
        let taken = begun.elapsed();
        self.kill(&mut server);
        taken
    }

    /// Puts a file with everybody again, one new customer, and one bad record; the process is due.
    fn put_next_file(&mut self) {
        self.files += 1;
        let n = self.files;
        let shared: String = (0..CUSTOMERS)
            .map(|customer| format!("S{customer},{n}\n"))
            .collect();
        let name = format!("in/Customers_{n}.csv");
        self.home.write(&name, format!("cid,n\n{shared}N{n},{n}\n,{n}\n"));
        // It has been there for long enough, and came after the others.
        let modified = SystemTime::now() - Duration::from_secs(86_400 - n as u64);
        let file = std::fs::File::options()
            .append(true)
            .open(self.home.path(&name))
            .unwrap();
        file.set_modified(modified).unwrap();
        let mut state = self.state();
        assert!(state["lease"].is_null(), "{state}");
        state["next_run_at"] = "2026-01-01T03:00:00Z".into();
        self.home.put(STATE, state.to_string());
    }

    fn serve(&self) -> Child {
        self.server().spawn().unwrap()
    }

    fn server(&self) -> Command {
        let mut command = self.home.command();
        command.args(["serve", "--look-every", "1"]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn state(&self) -> Value {
        serde_json::from_str(&self.home.get(STATE)).unwrap()
    }

    /// Whether the last file is in, and whoever brought it has said so.
    fn is_merged(&self) -> bool {
        let state = self.state();
        state["lease"].is_null() && state["merged"].as_array().unwrap().len() == self.files
    }

    fn kill(&mut self, server: &mut Child) {
        server.kill().unwrap();
        server.wait().unwrap();
        self.kills += 1;
        let state = self.state();
        let is_new = self.is_whole_and_new();
        if let Some(expires) = state["lease"]["expires_at"].as_str() {
            let expires: DateTime<Utc> = expires.parse().unwrap();
            assert!(expires - Utc::now() <= LEASE_TERM, "{state}");
            let run = state["lease"]["run_id"].to_string();
            self.after_commit.extend(Some(run.clone()).filter(|_| is_new));
            self.runs.insert(run);
        }
    }

    /// At any moment customers are as of the last file or the one before. Whether they are as of the last.
    fn is_whole_and_new(&self) -> bool {
        let answer = self.home.sql(
            "SELECT coalesce(min(n) FILTER (WHERE customer_id LIKE 'S%'), 0) AS low, \
             coalesce(max(n) FILTER (WHERE customer_id LIKE 'S%'), 0) AS high, \
             count(*) FILTER (WHERE customer_id LIKE 'S%') AS shared, \
             count(*) FILTER (WHERE customer_id = concat('N', n)) AS own FROM customers",
        );
        let of_file = |n: usize| {
            let shared = if n == 0 { 0 } else { CUSTOMERS };
            format!("low,high,shared,own\n{n},{n},{shared},{n}\n")
        };
        let is_new = answer == of_file(self.files);
        let is_old = answer == of_file(self.files - 1);
        assert!(is_new || is_old, "half of file {}: {answer}", self.files);
        is_new
    }

    /// Every file was applied once, in order, and runs say what the log says.
    fn check(&self) {
        let sql = |query: &str| self.home.sql(query);
        let merged = "FROM runs WHERE status LIKE 'completed%'";
        let number = "split_part(split_part(source_file, 'Customers_', 2), '.', 1)";
        let files: String = (1..=self.files).map(|n| format!("{n}\n")).collect();
        let in_order = sql(&format!(
            "SELECT {number} AS file {merged} ORDER BY version_after"
        ));
        assert_eq!(in_order, format!("file\n{files}"));
        let books = sql(&format!(
            "SELECT DISTINCT rows_read, rows_accepted, rows_rejected {merged}"
        ));
        let expected = format!(
            "rows_read,rows_accepted,rows_rejected\n{},{},1\n",
            CUSTOMERS + 2,
            CUSTOMERS + 1
        );
        assert_eq!(books, expected);
        let untold = "SELECT count(*) AS n FROM history() h LEFT JOIN runs r ON r.run_id = h.run_id \
                      WHERE h.kind = 'run' AND coalesce(r.status, '') NOT LIKE 'completed%'";
        assert_eq!(sql(untold), "n\n0\n");
        let numbers =
            "SELECT count(*) - max(run_no) AS gaps, count(*) - count(DISTINCT run_no) AS twice FROM runs";
        assert_eq!(sql(numbers), "gaps,twice\n0,0\n");
        let twice = "SELECT max(n) AS n FROM (SELECT count(*) AS n FROM rejects GROUP BY run_id, record_no)";
        assert_eq!(sql(twice), "n\n1\n");
        let kept =
            "SELECT count(*) AS n FROM rejects JOIN runs USING (run_id) WHERE status LIKE 'completed%'";
        assert_eq!(sql(kept), format!("n\n{}\n", self.files));
        eprintln!(
            "{} kills over {} files, of {} runs, {} of them after the commit; recovered in {:?} at most\n{}",
            self.kills,
            self.files,
            self.runs.len(),
            self.after_commit.len(),
            self.longest_recovery,
            sql("SELECT status, count(*) AS n FROM runs GROUP BY status ORDER BY status")
        );
        assert!(!self.runs.is_empty(), "no run was killed");
    }

    /// A number below `most` that looks random and is the same every time.
    fn dice(&mut self, most: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % most
    }
}

fn kill_servers(place: Where) {
    let kills = std::env::var("SLUICE_TEST_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let mut stream = Stream::begin(place);
    stream.kill_servers(kills);
    stream.check();
}

#[test]
fn servers_that_are_killed_at_any_moment_apply_every_file_once_and_in_order() {
    kill_servers(Where::Folder);
}

#[test]
fn s3_servers_that_are_killed_at_any_moment_apply_every_file_once_and_in_order() {
    kill_servers(Where::S3);
}

#[test]
fn gcs_servers_that_are_killed_at_any_moment_apply_every_file_once_and_in_order() {
    kill_servers(Where::Gcs);
}
