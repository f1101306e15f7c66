//! Processes that run when they are due, and who is told.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::support::{Hold, Home, PATIENCE, Where, service};

const LONG_PAST: &str = "2026-01-01T03:00:00Z";

/// An instance with a recurring process `daily` over a folder of the SFTP server.
struct Daily {
    home: Home,
    /// The folder, as this machine sees it.
    folder: PathBuf,
}

impl std::ops::Deref for Daily {
    type Target = Home;

    fn deref(&self) -> &Home {
        &self.home
    }
}

impl Daily {
    /// Puts a file that has been there for a while.
    fn send(&self, name: &str, content: &str, minutes_ago: u64) {
        let path = self.folder.join(name);
        std::fs::write(&path, content).unwrap();
        let file = std::fs::File::options().append(true).open(&path).unwrap();
        let modified = SystemTime::now() - Duration::from_secs(60 * minutes_ago);
        file.set_modified(modified).unwrap();
    }
}

/// One with a file that has one bad row.
fn home(config: &str) -> Daily {
    home_at(Where::Folder, config)
}

fn home_at(place: Where, config: &str) -> Daily {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let home = Home::with_instance_at(place);
    let name = format!(
        "daily-{}-{}",
        std::process::id(),
        NUMBER.fetch_add(1, Ordering::Relaxed)
    );
    let folder = PathBuf::from(service("sftp", "SLUICE_TEST_SFTP_HOME")).join(&name);
    std::fs::create_dir(&folder).unwrap();
    let address = service("sftp", "SLUICE_TEST_SFTP");
    let (host, port) = address.rsplit_once(':').unwrap();
    home.put(
        "sluice.toml",
        format!(
            "format = 1\n{config}\n[connections.files]\ntype = \"sftp\"\nhost = \"{host}\"\nport = {port}\n\
             user = \"{}\"\npassword = {{ env = \"SLUICE_TEST_SFTP_PASSWORD\" }}\nknown_hosts = \"{}/known_hosts\"\n",
            service("sftp", "SLUICE_TEST_SFTP_USER"),
            service("sftp", "SLUICE_TEST_SFTP_FOLDER")
        ),
    );
    home.write(
        "daily.toml",
        format!(
            "mode = \"register\"\nkey = \"cid\"\n[source]\nurl = \"sftp://{address}/~/{name}/Customers_1.csv\"\n\
             connection = \"files\"\n[[attribute]]\ncolumn = \"spend\"\ntype = \"int\"\n\
             [schedule]\nevery = \"24h\"\nstart = \"2026-01-01T03:00\"\n"
        ),
    );
    let daily = Daily { home, folder };
    daily.send("Customers_1.csv", "cid,spend\nC1,10\nC2,much\nC3,30\n", 60);
    daily
        .sluice(&["process", "new", "daily", "--from", "daily.toml"])
        .succeeded();
    daily
        .sluice(&["process", "complete", "daily", "--yes"])
        .succeeded();
    daily
}

fn state(home: &Home) -> Value {
    serde_json::from_str(&home.get("processes/daily.state.json")).unwrap()
}

/// Makes `daily` due since long ago, as after a long downtime.
fn fall_due(home: &Home) {
    let mut state = state(home);
    state["next_run_at"] = LONG_PAST.into();
    home.put("processes/daily.state.json", state.to_string());
}

fn next_run_at(home: &Home) -> String {
    state(home)["next_run_at"].as_str().unwrap().to_owned()
}

fn triggers(home: &Home) -> String {
    home.sql("SELECT trigger, status FROM runs ORDER BY run_id")
}

#[test]
fn slots_that_were_missed_are_caught_up_once() {
    let home = home("");
    assert!(
        next_run_at(&home).as_str() > LONG_PAST,
        "a start in the past is due at its next slot"
    );
    fall_due(&home);
    home.sluice(&["run", "--due"]).succeeded();
    assert_eq!(
        triggers(&home),
        "trigger,status\nschedule,completed_with_rejects\n"
    );
    assert!(next_run_at(&home).as_str() > LONG_PAST);
    let again = home.sluice(&["run", "--due"]).succeeded();
    assert!(again.stderr().contains("nothing is due"), "{}", again.stderr());
    assert_eq!(
        triggers(&home),
        "trigger,status\nschedule,completed_with_rejects\n"
    );
}

#[test]
fn a_slot_whose_run_failed_is_over_and_the_last_good_data_stay() {
    let home = home("");
    home.sluice(&["run", "daily"]).succeeded();
    home.send("Customers_2.csv", "customer\nC1\n", 1);
    fall_due(&home);
    let failed = home.sluice(&["run", "--due"]);
    assert_ne!(failed.code(), Some(0));
    assert!(next_run_at(&home).as_str() > LONG_PAST);
    assert_eq!(
        home.sql("SELECT customer_id, spend FROM customers ORDER BY 1"),
        "customer_id,spend\nC1,10\nC3,30\n"
    );
    assert!(home.sql("SELECT status FROM processes").contains("failed"));
}

#[test]
fn a_paused_process_is_not_due_and_what_it_missed_is_not_caught_up() {
    let home = home("");
    fall_due(&home);
    home.sluice(&["process", "pause", "daily"]).succeeded();
    let none = home.sluice(&["run", "--due"]).succeeded();
    assert!(none.stderr().contains("nothing is due"), "{}", none.stderr());
    home.sluice(&["process", "resume", "daily"]).succeeded();
    assert!(next_run_at(&home).as_str() > LONG_PAST);
}

#[test]
fn a_command_is_told_with_counts_and_examples_and_without_values() {
    let home = home("[[notify]]\non = [\"rejects\"]\nto = \"command:cat > told.json\"\n");
    home.sluice(&["run", "daily"]).succeeded();
    let told: Value =
        serde_json::from_str(&std::fs::read_to_string(home.path("told.json")).unwrap()).unwrap();
    assert_eq!(told["event"], "rejects");
    assert_eq!(
        (&told["rows_read"], &told["rows_rejected"]),
        (&3.into(), &1.into())
    );
    assert_eq!(told["rules"][0]["rule"], "type_mismatch");
    assert_eq!(told["examples"][0]["line"], 3);
    assert_eq!(told["examples"][0]["column"], "spend");
    assert!(!told.to_string().contains("much"), "{told}");
    assert_eq!(
        home.sql("SELECT kind FROM events WHERE kind LIKE 'notif%'"),
        "kind\nnotified\n"
    );
    assert_eq!(state(&home)["undelivered"], Value::Array(Vec::new()));
}

#[test]
fn three_rejected_records_are_shown_with_their_values_only_where_that_is_allowed() {
    let file = "cid,spend\nC1,10\n,much\nC3,more\nC4,most\nC5,all\n";
    for (allowed, values) in [
        ("", ["", "", ""]),
        ("examples = \"values\"\n", ["much", "more", "most"]),
    ] {
        let home = home(&format!(
            "[[notify]]\non = [\"rejects\"]\nto = \"command:cat > told.json\"\n{allowed}"
        ));
        home.send("Customers_1.csv", file, 30);
        home.sluice(&["run", "daily"]).succeeded();
        let told: Value =
            serde_json::from_str(&std::fs::read_to_string(home.path("told.json")).unwrap()).unwrap();
        let examples = told["examples"].as_array().unwrap();
        // The first record breaks two rules and is one example.
        let records: Vec<_> = examples
            .iter()
            .map(|example| example["record_no"].as_u64().unwrap())
            .collect();
        assert_eq!(records, [2, 3, 4], "{told}");
        let shown = examples
            .iter()
            .map(|example| example["value"].as_str().unwrap_or_default());
        let shown: Vec<&str> = shown.collect();
        match allowed {
            "" => assert_eq!(shown, values),
            _ => assert_eq!(shown[1..], values[1..]),
        }
    }
}

#[test]
fn a_notifier_that_fails_fails_no_run_and_is_tried_again() {
    let home = home("[[notify]]\non = [\"succeeded\"]\nto = \"command:exit 3\"\nexamples = \"values\"\n");
    home.sluice(&["run", "daily"]).succeeded();
    assert_eq!(triggers(&home), "trigger,status\nmanual,completed_with_rejects\n");
    let undelivered = &state(&home)["undelivered"][0];
    assert_eq!(undelivered["to"], "command:exit 3");
    assert!(undelivered["next_attempt_at"].as_str() > undelivered["created_at"].as_str());
}

/// Reads one request and answers it: its head in lower case, and its body.
fn answered(listener: &TcpListener, status: &str) -> (String, String) {
    let (mut stream, _) = listener.accept().unwrap();
    let mut request = Vec::new();
    loop {
        let mut part = [0; 4096];
        let num_bytes = stream.read(&mut part).unwrap();
        request.extend_from_slice(&part[..num_bytes]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let head = head.to_lowercase();
        let length: usize = head
            .split("content-length: ")
            .nth(1)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .parse()
            .unwrap();
        if body.len() >= length {
            write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            .unwrap();
            return (head, body.to_owned());
        }
    }
}

/// A field of a head.
fn field<'a>(head: &'a str, name: &str) -> &'a str {
    let line = head
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("{name} in {head}"))
}

#[test]
fn a_webhook_gets_a_signed_message_and_one_that_fails_gets_it_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = home(&format!(
        "[[notify]]\non = [\"rejects\"]\nto = \"http://{}/hook\"\nsecret = {{ env = \"HOOK_SECRET\" }}\n",
        listener.local_addr().unwrap()
    ));
    let run = |args: &[&str]| {
        home.command()
            .args(args)
            .env("HOOK_SECRET", "hunter2")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut first = run(&["run", "daily"]);
    answered(&listener, "503 Service Unavailable");
    assert!(first.wait().unwrap().success());
    let mut state = state(&home);
    assert_eq!(state["undelivered"].as_array().unwrap().len(), 1);
    state["undelivered"][0]["next_attempt_at"] = LONG_PAST.into();
    home.put("processes/daily.state.json", state.to_string());
    let mut second = run(&["run", "daily"]);
    let (head, body) = answered(&listener, "200 OK");
    assert!(second.wait().unwrap().success());
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&told["run"], &told["rows_rejected"]),
        (&"daily/1".into(), &1.into())
    );
    let signed = format!("{}.{body}", field(&head, "x-sluice-timestamp"));
    home.write("signed", &signed);
    let openssl = ["dgst", "-sha256", "-hmac", "hunter2", "-r", "signed"];
    let openssl = std::process::Command::new("openssl")
        .args(openssl)
        .current_dir(home.path(""))
        .output()
        .unwrap();
    let hex = String::from_utf8(openssl.stdout).unwrap();
    assert_eq!(
        field(&head, "x-sluice-signature"),
        format!("sha256={}", hex.split_whitespace().next().unwrap())
    );
    assert_eq!(
        home.sql("SELECT kind FROM events WHERE kind LIKE 'notif%'"),
        "kind\nnotified\n"
    );
}

#[test]
fn mail_is_sent_in_the_clear_only_where_that_was_asked_for() {
    let at = |variable: &str| service("smtp", variable);
    let (plain, tls) = (at("SLUICE_TEST_SMTP"), at("SLUICE_TEST_SMTP_TLS"));
    let port = |address: &str| address.rsplit_once(':').unwrap().1.to_owned();
    let safe = format!(
        "[smtp]\nhost = \"localhost\"\nport = {}\nfrom = \"Sluice <sluice@example.com>\"\nuser = \"{}\"\n\
         password = {{ env = \"SLUICE_TEST_SMTP_PASSWORD\" }}\nca_file = \"{}\"\n",
        port(&tls),
        at("SLUICE_TEST_SMTP_USER"),
        at("SLUICE_TEST_SMTP_CA")
    );
    let clear = format!(
        "[smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"sluice@example.com\"\n",
        port(&plain)
    );
    let refused = format!(
        "[smtp]\nhost = \"127.0.0.1\"\nport = {}\nfrom = \"sluice@example.com\"\n",
        port(&plain)
    );
    for (number, (smtp, encrypted)) in [(safe, Some(true)), (clear, Some(false)), (refused, None)]
        .into_iter()
        .enumerate()
    {
        let address = format!("ops{number}-{}@example.com", std::process::id());
        let home = home(&format!(
            "{smtp}[[notify]]\non = [\"rejects\"]\nto = \"mailto:{address}\"\n"
        ));
        home.sluice(&["run", "daily"]).succeeded();
        let mails = std::fs::read_to_string(at("SLUICE_TEST_SMTP_MAILS")).unwrap();
        let mails = mails
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mail = mails.rev().find(|mail| mail["to"][0] == address.as_str());
        assert_eq!(
            mail.as_ref().map(|mail| mail["is_encrypted"] == true),
            encrypted,
            "{smtp}"
        );
        if let Some(mail) = mail {
            let content = mail["content"].as_str().unwrap();
            assert!(
                content.contains("Subject: Sluice: daily/1 completed with rejects, 1 rejected"),
                "{content}"
            );
            assert!(
                content.contains("sluice -i") && !content.contains("much"),
                "{content}"
            );
        }
    }
}

#[test]
fn a_mail_server_that_refuses_or_says_nothing_fails_no_run_and_is_tried_again() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    // Nobody listens on port 1.
    for port in [1, silent.local_addr().unwrap().port()] {
        let home = Home::with_instance();
        home.write(
            "sluice.toml",
            format!(
                "format = 1\n[smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n\
                 from = \"sluice@example.com\"\n[[notify]]\non = [\"succeeded\"]\nto = \"mailto:ops@example.com\"\n"
            ),
        );
        home.write("daily.csv", "cid,spend\nC1,1\n");
        let begun = Instant::now();
        home.sluice(&["ingest", "daily.csv", "--key", "cid", "--attribute", "spend=int"])
            .succeeded();
        assert!(begun.elapsed() < PATIENCE, "it took {:?}", begun.elapsed());
        assert_eq!(triggers(&home), "trigger,status\nmanual,completed\n");
        let undelivered = &state(&home)["undelivered"][0];
        assert!(undelivered["next_attempt_at"].as_str() > undelivered["created_at"].as_str());
    }
}

/// A server that is under way.
pub struct Serving {
    child: Child,
    /// What it says.
    said: tempfile::NamedTempFile,
    /// Lines of it that were read.
    num_lines: usize,
}

impl Serving {
    pub fn start(home: &Home) -> Self {
        Self::start_with(home, &[])
    }

    /// With more arguments.
    pub fn start_with(home: &Home, more: &[&str]) -> Self {
        Self::of(home.command(), more)
    }

    /// One that logs, and whose runs are held once they have their lease.
    pub fn start_held(home: &Home, more: &[&str], hold: &Hold) -> Self {
        let mut command = home.command();
        hold.at("lease_taken", &mut command);
        command.env("SLUICE_LOG", "info");
        Self::of(command, more)
    }

    fn of(mut command: Command, more: &[&str]) -> Self {
        let said = tempfile::NamedTempFile::new().unwrap();
        let child = command
            .args(["serve", "--look-every", "1", "--listen", "127.0.0.1:0"])
            .args(more)
            .stderr(said.reopen().unwrap())
            .spawn()
            .unwrap();
        Self {
            child,
            said,
            num_lines: 0,
        }
    }

    /// All that it said so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.said.path()).unwrap()
    }

    /// The next line that has these words.
    pub fn line(&mut self, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = self.said();
            let whole = said.rfind('\n').map_or("", |end| &said[..end]);
            let mut new = whole.lines().enumerate().skip(self.num_lines);
            if let Some((number, line)) = new.find(|(_, line)| line.contains(words)) {
                self.num_lines = number + 1;
                return line.to_owned();
            }
            assert!(Instant::now() < deadline, "it never says {words:?}, but\n{said}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn terminated(self) -> Option<i32> {
        self.terminate();
        self.ended()
    }

    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    }

    pub fn ended(mut self) -> Option<i32> {
        let told = Instant::now();
        let code = self.child.wait().unwrap().code();
        assert!(told.elapsed() < PATIENCE, "it took {:?}", told.elapsed());
        code
    }
}

/// What a server answers, head and body.
pub fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_server_runs_what_is_due_answers_and_ends_when_told() {
    let home = home("");
    fall_due(&home);
    let mut serving = Serving::start(&home);
    let address = serving.line("/healthz");
    let address = address.split('/').nth(2).unwrap();
    serving.line("daily/1: completed with rejects");
    assert!(get(address, "/healthz").starts_with("HTTP/1.1 200"));
    let metrics = get(address, "/metrics");
    assert!(
        metrics.contains("sluice_runs_total{process=\"daily\",status=\"completed_with_rejects\"} 1"),
        "{metrics}"
    );
    fall_due(&home);
    // The same file again: merged already.
    serving.line("daily/2: skipped");
    assert_eq!(serving.terminated(), Some(0));
    assert_eq!(
        triggers(&home),
        "trigger,status\nschedule,completed_with_rejects\nschedule,skipped\n"
    );
}

#[test]
fn of_two_servers_one_runs_a_slot() {
    two_servers(Where::Folder);
}

#[test]
fn s3_of_two_servers_one_runs_a_slot() {
    two_servers(Where::S3);
}

fn two_servers(place: Where) {
    let home = home_at(place, "");
    let mut servers = [Serving::start(&home), Serving::start(&home)];
    servers
        .iter_mut()
        .for_each(|serving| drop(serving.line("/healthz")));
    fall_due(&home);
    let deadline = Instant::now() + PATIENCE;
    while state(&home)["last_run_no"] == 0 || !state(&home)["lease"].is_null() {
        assert!(Instant::now() < deadline, "nobody runs it");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_secs(3));
    for serving in servers {
        assert_eq!(serving.terminated(), Some(0));
    }
    assert_eq!(
        triggers(&home),
        "trigger,status\nschedule,completed_with_rejects\n"
    );
}
