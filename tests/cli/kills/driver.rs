//! Loads a stream of files and kills whoever loads them. Where the instance is, is the caller's.
//!
//! ```text
//!   file i ─▶ spawn ─▶ some milliseconds ─▶ kill -9 ─▶ customers are as of file i-1 or i ─▶ spawn ... ─▶ file i is in
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::support::Home;

/// Customers that every file sends again, so that half a run would show.
const CUSTOMERS: usize = 400;
/// A lease is held no longer than that after its holder's last sign of life.
const LEASE_TERM: chrono::TimeDelta = chrono::TimeDelta::minutes(10);
/// Longest time that somebody who is not killed may take for one file.
const PATIENCE: Duration = Duration::from_secs(120);

/// An instance, and how a test gets at the state of its process `p`.
pub struct Place {
    /// Folder of the source files; the program is started in it.
    pub home: Home,
    /// What `-i` says.
    pub location: String,
    /// Variables that the program needs to get there.
    pub env: Vec<(String, String)>,
    /// Reads the state of the process.
    pub state: Box<dyn Fn() -> Value>,
    /// Replaces it, while no program is at it.
    pub put_state: Box<dyn Fn(&Value)>,
}

/// Kills that are wanted: `SLUICE_KILLS`, else `usual`.
pub fn num_kills(usual: usize) -> usize {
    let wanted = std::env::var("SLUICE_KILLS").ok();
    wanted.map_or(usual, |text| text.parse().unwrap())
}

/// A process over a folder to which one file comes after the other.
pub struct Stream {
    place: Place,
    dice: Dice,
    /// Files that came so far.
    files: usize,
    kills: Kills,
}

/// What was killed.
#[derive(Debug, Default)]
struct Kills {
    all: usize,
    /// Runs that had the lease.
    runs: BTreeSet<String>,
    /// Of these, after the commit and before it was said.
    after_commit: BTreeSet<String>,
    /// Longest time from a kill to the end of the next run that was left alone.
    longest_recovery: Duration,
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

impl Stream {
    /// On the instance that `make` makes.
    pub fn over(make: impl FnOnce() -> Place) -> Self {
        let place = make();
        std::fs::create_dir(place.home.path("in")).unwrap();
        let folder = place.home.path("in").display().to_string();
        place.home.write(
            "p.toml",
            format!(
                "mode = \"register\"\nkey = \"cid\"\n[source]\nurl = \"{folder}/Customers_%.csv\"\n\
                 [[attribute]]\ncolumn = \"n\"\ntype = \"int\"\n\
                 [schedule]\nevery = \"24h\"\nstart = \"2026-01-01T03:00\"\n"
            ),
        );
        let stream = Self {
            place,
            dice: Dice(0x9e37_79b9_7f4a_7c15),
            files: 0,
            kills: Kills::default(),
        };
        stream.sluice(&["process", "new", "p", "--from", "p.toml"]);
        stream.sluice(&["process", "complete", "p", "--yes"]);
        stream
    }

    /// Kills `sluice run`, so many times.
    pub fn kill_runs(&mut self, wanted: usize) {
        let mut usual = self.undisturbed_run();
        while self.kills.all < wanted {
            let file = self.next_file();
            let mut since_kill = None;
            loop {
                let begun = Instant::now();
                let mut run = self.spawn(&["run", "p", "--file", &file]);
                if self.kills.all < wanted && self.dice.below(3) > 0 && self.kill_within(&mut run, usual) {
                    since_kill = Some(Instant::now());
                    continue;
                }
                let code = run.wait().unwrap().code();
                assert_eq!(code, Some(0), "{file}, after {}", self.kills);
                self.kills.recovered(since_kill);
                usual = begun.elapsed();
                break;
            }
        }
    }

    /// Kills `sluice serve`, so many times.
    pub fn kill_servers(&mut self, wanted: usize) {
        let mut usual = self.undisturbed_run();
        while self.kills.all < wanted {
            self.next_file();
            self.fall_due();
            let mut since_kill = None;
            while !self.is_merged() {
                let begun = Instant::now();
                let mut server = self.spawn(&["serve", "--look-every", "1"]);
                // It lives until the file is in, every now and then.
                if self.kills.all < wanted && self.dice.below(3) > 0 {
                    if self.kill_within(&mut server, usual) {
                        since_kill = Some(Instant::now());
                    }
                    continue;
                }
                let deadline = Instant::now() + PATIENCE;
                while !self.is_merged() {
                    assert!(
                        Instant::now() < deadline,
                        "nothing moves: {}",
                        (self.place.state)()
                    );
                    std::thread::sleep(Duration::from_millis(20));
                }
                self.kills.recovered(since_kill);
                usual = begun.elapsed();
                self.kill(&mut server);
            }
        }
    }

    /// How long a run takes that nobody kills.
    fn undisturbed_run(&mut self) -> Duration {
        let file = self.next_file();
        let begun = Instant::now();
        self.sluice(&["run", "p", "--file", &file]);
        begun.elapsed()
    }

    /// Puts the next file: everybody again, one new customer, one bad record.
    fn next_file(&mut self) -> String {
        self.files += 1;
        let n = self.files;
        let mut text = String::from("cid,n\n");
        for customer in 0..CUSTOMERS {
            text.push_str(&format!("S{customer},{n}\n"));
        }
        text.push_str(&format!("N{n},{n}\n,{n}\n"));
        let path = self.place.home.path(&format!("in/Customers_{n}.csv"));
        std::fs::write(&path, text).unwrap();
        // It has been there for long enough, and came after the others.
        let modified = SystemTime::now() - Duration::from_secs(86_400 - n as u64);
        std::fs::File::options()
            .append(true)
            .open(&path)
            .unwrap()
            .set_modified(modified)
            .unwrap();
        path.display().to_string()
    }

    fn fall_due(&self) {
        let mut state = (self.place.state)();
        assert!(state["lease"].is_null(), "{state}");
        state["next_run_at"] = "2026-01-01T03:00:00Z".into();
        (self.place.put_state)(&state);
    }

    /// Whether the last file is in, and whoever brought it has said so.
    fn is_merged(&self) -> bool {
        let state = (self.place.state)();
        state["lease"].is_null() && state["merged"].as_array().unwrap().len() == self.files
    }

    /// Kills it at some moment of so long a time, unless it ends before.
    fn kill_within(&mut self, child: &mut Child, most: Duration) -> bool {
        let micros = self.dice.below(most.as_micros() as u64);
        std::thread::sleep(Duration::from_micros(micros));
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        self.kill(child);
        true
    }

    fn kill(&mut self, child: &mut Child) {
        child.kill().unwrap();
        child.wait().unwrap();
        self.kills.all += 1;
        let run = self.check_lease();
        let is_new = self.check_whole();
        self.kills.after_commit.extend(run.clone().filter(|_| is_new));
        self.kills.runs.extend(run);
    }

    /// What a dead program left of its lease ends in time. The run that has it.
    fn check_lease(&self) -> Option<String> {
        let state = (self.place.state)();
        let expires = state["lease"]["expires_at"].as_str()?;
        let expires: chrono::DateTime<chrono::Utc> = expires.parse().unwrap();
        assert!(expires - chrono::Utc::now() <= LEASE_TERM, "{state}");
        Some(state["lease"]["run_id"].to_string())
    }

    /// At any moment customers are as of the last file or the one before. Whether they are as of the last.
    fn check_whole(&self) -> bool {
        let query = "SELECT min(n) AS low, max(n) AS high, count(*) AS shared, \
                     (SELECT count(*) FROM customers WHERE customer_id = concat('N', n)) AS own \
                     FROM customers WHERE customer_id LIKE 'S%'";
        let answer = self.sql(query);
        let of_file = |n: usize| format!("low,high,shared,own\n{n},{n},{CUSTOMERS},{n}\n");
        let is_new = answer == of_file(self.files);
        assert!(
            is_new || answer == of_file(self.files - 1),
            "half of file {}: {answer}",
            self.files
        );
        is_new
    }

    /// Every file was applied once, in order, and every run has its row.
    pub fn check(&self) {
        let state = (self.place.state)();
        assert!(state["lease"].is_null(), "{state}");
        let files: String = (1..=self.files).map(|n| format!("{n}\n")).collect();
        let merged = "FROM runs WHERE status LIKE 'completed%'";
        let number = "split_part(split_part(source_file, 'Customers_', 2), '.', 1)";
        let in_order = self.sql(&format!(
            "SELECT {number} AS file {merged} ORDER BY version_after"
        ));
        assert_eq!(in_order, format!("file\n{files}"), "each file once, in order");
        let books = format!("SELECT DISTINCT rows_read, rows_accepted, rows_rejected {merged}");
        let expected = format!("{},{},1\n", CUSTOMERS + 2, CUSTOMERS + 1);
        assert_eq!(self.sql(&books).lines().nth(1), Some(expected.trim_end()));
        let numbers =
            "SELECT count(*) - max(run_no) AS gaps, count(*) - count(DISTINCT run_no) AS twice FROM runs";
        assert_eq!(self.sql(numbers), "gaps,twice\n0,0\n");
        let twice = "SELECT max(n) AS n FROM (SELECT count(*) AS n FROM rejects GROUP BY run_id, record_no)";
        assert_eq!(self.sql(twice), "n\n1\n");
        let kept =
            "SELECT count(*) AS n FROM rejects JOIN runs USING (run_id) WHERE status LIKE 'completed%'";
        assert_eq!(self.sql(kept), format!("n\n{}\n", self.files));
        let statuses = self.sql("SELECT status, count(*) AS n FROM runs GROUP BY status ORDER BY status");
        eprintln!("{} files; {}\n{statuses}", self.files, self.kills);
        assert!(!self.kills.runs.is_empty(), "no run was killed");
    }

    fn command(&self) -> Command {
        let mut command = self.place.home.command();
        command
            .args(["-i", &self.place.location])
            .envs(self.place.env.iter().cloned());
        command
    }

    fn spawn(&self, args: &[&str]) -> Child {
        let mut command = self.command();
        command
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.spawn().unwrap()
    }

    fn sluice(&self, args: &[&str]) -> String {
        let output = self.command().args(args).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn sql(&self, query: &str) -> String {
        self.sluice(&["sql", "--output", "csv", query])
    }
}

impl fmt::Display for Kills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (all, runs, late) = (self.all, self.runs.len(), self.after_commit.len());
        let longest = self.longest_recovery;
        write!(
            f,
            "{all} kills of {runs} runs, {late} of them after the commit; recovered in {longest:?} at most"
        )
    }
}

impl Kills {
    fn recovered(&mut self, since_kill: Option<Instant>) {
        let taken = since_kill.map(|since| since.elapsed()).unwrap_or_default();
        self.longest_recovery = self.longest_recovery.max(taken);
    }
}
