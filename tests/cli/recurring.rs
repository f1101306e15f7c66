//! Recurring processes over a folder of this machine: how many run at once, how they are stopped, and who is told.

use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::serve::Serving;
use crate::support::{Hold, Home, PATIENCE};

const STATE: &str = "processes/p.state.json";
const DAILY: &str = "every = \"24h\"\nstart = \"2026-01-01T03:00\"\n";
const LONG_PAST: &str = "2026-01-01T03:00:00Z";
/// Records that keep a program busy for a moment.
const MANY: usize = 300_000;

/// An instance with the process `p` over a folder.
pub struct Folder {
    pub home: Home,
}

impl Folder {
    /// One with a file in it.
    pub fn new() -> Self {
        let folder = Self::empty("");
        folder.send(1, 1);
        folder
    }

    /// One without, whose `sluice.toml` says `config`.
    pub fn empty(config: &str) -> Self {
        let home = Home::with_instance();
        std::fs::create_dir(home.path("in")).unwrap();
        let folder = Self { home };
        folder.configure(config);
        folder.process("p", "n");
        folder
    }

    /// A completed process of its own for `attribute`.
    pub fn process(&self, name: &str, attribute: &str) {
        let toml = self
            .definition(DAILY)
            .replace("\"n\"", &format!("\"{attribute}\""));
        self.home.write("new.toml", toml);
        for args in [
            &["process", "new", name, "--from", "new.toml"][..],
            &["process", "complete", name, "--yes"],
        ] {
            self.home.sluice(args).succeeded();
        }
    }

    /// What `p` is, with another schedule.
    pub fn definition(&self, schedule: &str) -> String {
        format!(
            "mode = \"register\"\nkey = \"cid\"\n[source]\nurl = \"{}/Customers_%.csv\"\n\
             [[attribute]]\ncolumn = \"n\"\ntype = \"int\"\n[schedule]\n{schedule}",
            self.home.path("in").display()
        )
    }

    /// Puts the file of this number, with so many customers, as if it had been there for a while.
    pub fn send(&self, number: u64, num_rows: usize) {
        let name = format!("in/Customers_{number}.csv");
        let rows: String = (1..=num_rows)
            .map(|row| format!("C{row},{number},{number},{number}\n"))
            .collect();
        self.home.write(&name, format!("cid,n,m,o\n{rows}"));
        let modified = SystemTime::now() - Duration::from_secs(86_400 - number);
        let file = std::fs::File::options().append(true).open(self.home.path(&name));
        file.unwrap().set_modified(modified).unwrap();
    }

    pub fn state(&self) -> Value {
        serde_json::from_str(&self.home.get(STATE)).unwrap()
    }

    /// Makes a process due since long ago.
    pub fn fall_due(&self, process: &str) {
        let file = format!("processes/{process}.state.json");
        let mut state: Value = serde_json::from_str(&self.home.get(&file)).unwrap();
        state["next_run_at"] = LONG_PAST.into();
        self.home.put(&file, state.to_string());
    }

    /// Replaces `sluice.toml` at once, as editors do.
    pub fn configure(&self, toml: &str) {
        self.home.write("sluice.toml.new", format!("format = 1\n{toml}"));
        std::fs::rename(self.home.path("sluice.toml.new"), self.home.path("sluice.toml")).unwrap();
    }

    /// What a command was told that writes it to this file.
    pub fn told(&self, file: &str) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.home.path(file)).unwrap()).unwrap()
    }
}

#[test]
fn no_more_runs_are_under_way_at_once_than_were_asked_for() {
    for parallel in ["1", "2"] {
        let folder = Folder::new();
        folder.process("q", "m");
        folder.process("r", "o");
        let processes = ["p", "q", "r"];
        processes.iter().for_each(|process| folder.fall_due(process));
        let serving = Serving::start_with(&folder.home, &["--parallel", parallel]);
        let begun = Instant::now();
        let ended = |said: &str| said.matches("/1: completed").count();
        while ended(&serving.said()) < processes.len() {
            assert!(begun.elapsed() < PATIENCE, "{}", serving.said());
            std::thread::sleep(Duration::from_millis(50));
        }
        let (mut running, mut most) = (0_usize, 0);
        for line in serving.said().lines() {
            running += usize::from(line.ends_with(": run starts"));
            most = most.max(running);
            running -= usize::from(line.contains("/1: completed"));
        }
        assert_eq!(most.to_string(), parallel, "{}", serving.said());
        assert_eq!(serving.terminated(), Some(0));
    }
}

#[test]
fn a_server_that_is_told_to_end_stops_its_run_before_the_commit_and_its_slot_stays_due() {
    let folder = Folder::new();
    folder.send(2, MANY);
    folder.fall_due("p");
    let hold = Hold::new();
    let mut serving = Serving::start_held(&folder.home, &[], &hold);
    hold.wait();
    serving.terminate();
    serving.line("stops");
    hold.go_on();
    assert_eq!(serving.ended(), Some(0));
    let state = folder.state();
    assert!(state["lease"].is_null(), "{state}");
    assert_eq!(state["next_run_at"], LONG_PAST);
    assert_eq!(
        folder.home.sql("SELECT status FROM runs"),
        "status\ninterrupted\n"
    );
    assert_eq!(folder.home.sql("SELECT count(*) AS n FROM customers"), "n\n0\n");
    folder.home.sluice(&["run", "--due"]).succeeded();
    assert_eq!(
        folder.home.sql("SELECT count(*) AS n FROM customers"),
        format!("n\n{MANY}\n")
    );
}

#[test]
fn a_server_without_patience_abandons_its_run_and_the_next_one_settles_it_and_goes_on() {
    let folder = Folder::new();
    folder.fall_due("p");
    let hold = Hold::new();
    let serving = Serving::start_held(&folder.home, &["--patience", "0"], &hold);
    hold.wait();
    assert_eq!(serving.terminated(), Some(0));
    folder.home.sluice(&["run", "--due"]).succeeded();
    assert_eq!(
        folder.home.sql("SELECT status FROM runs ORDER BY run_no"),
        "status\ninterrupted\ncompleted\n"
    );
}

#[test]
fn a_slot_without_a_file_is_skipped_and_told_of() {
    let folder = Folder::empty("[[notify]]\non = [\"no_file\"]\nto = \"command:cat > told.json\"\n");
    folder.fall_due("p");
    folder.home.sluice(&["run", "--due"]).succeeded();
    assert_eq!(folder.home.sql("SELECT status FROM runs"), "status\nskipped\n");
    let told = folder.told("told.json");
    assert_eq!((&told["event"], &told["run"]), (&"no_file".into(), &"p/1".into()));
    assert!(folder.state()["next_run_at"].as_str() > Some(LONG_PAST));
}

#[test]
fn a_run_that_was_killed_is_told_of_by_whoever_settles_it() {
    let folder = Folder::new();
    folder.configure("[[notify]]\non = [\"failed\"]\nto = \"command:cat > told.json\"\n");
    folder.fall_due("p");
    let mut killed = folder.home.command();
    killed.args(["run", "--due"]).env("SLUICE_FAULT", "files_written");
    assert_eq!(killed.stderr(Stdio::null()).status().unwrap().code(), None);
    folder.home.sluice(&["run", "--due"]).succeeded();
    let told = folder.told("told.json");
    assert_eq!(
        (&told["event"], &told["status"], &told["run"]),
        (&"failed".into(), &"interrupted".into(), &"p/1".into())
    );
    assert_eq!(folder.home.sql("SELECT n FROM customers"), "n\n1\n");
}

#[test]
fn a_server_logs_its_runs_as_objects_where_that_is_asked_for() {
    let folder = Folder::new();
    folder.fall_due("p");
    let log = folder.home.path("log");
    let mut server = folder.home.command();
    server.args(["serve", "--look-every", "1", "--quiet", "--log-format", "json"]);
    server
        .env("SLUICE_LOG", "info")
        .stderr(std::fs::File::create(&log).unwrap());
    let mut server = server.spawn().unwrap();
    let begun = Instant::now();
    let ended = loop {
        let text = std::fs::read_to_string(&log).unwrap();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut lines = whole
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        if let Some(ended) = lines.find(|line| line["fields"]["message"] == "run ended") {
            break ended;
        }
        assert!(begun.elapsed() < PATIENCE, "{text}");
        std::thread::sleep(Duration::from_millis(50));
    };
    server.kill().unwrap();
    server.wait().unwrap();
    let fields = &ended["fields"];
    assert_eq!(
        (&fields["process"], &fields["status"], &fields["rows_read"]),
        (&"p".into(), &"completed".into(), &1.into())
    );
    assert_eq!(fields["run_id"].as_str().map(str::len), Some(36));
}
