//! Several programs on one instance: who comes second merges again what changed meanwhile, and nobody sees half a run.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Hold, Home, PATIENCE, Where};

/// Files of customers in [`home`], and customers in each.
const FILES: usize = 8;
const CUSTOMERS: usize = 20;

/// An instance of eight files of customers, and a second process that has not run yet.
fn home(place: Where, way: &str) -> Home {
    let home = Home::with_instance_at(place);
    home.put(
        "sluice.toml",
        format!("format = 1\n[defaults]\nmerge = \"{way}\"\n[maintenance]\nauto = \"off\"\n"),
    );
    for file in 0..FILES {
        home.write(
            "p.csv",
            csv("tier", (0..CUSTOMERS).map(|i| (cid(file, i), "old".into()))),
        );
        let define = ["--key", "cid", "--attribute", "tier=string", "--name", "p"];
        home.sluice(&[&["ingest", "p.csv"][..], &define[..]].concat())
            .succeeded();
    }
    process(&home, "q", "register", "city");
    home
}

fn process(home: &Home, name: &str, mode: &str, attribute: &str) {
    let toml = format!(
        "mode = \"{mode}\"\nkey = \"cid\"\n[source]\nurl = \"none.csv\"\n[[attribute]]\ncolumn = \"{attribute}\"\n\
         type = \"string\"\n[policy]\nallow_none = true\n"
    );
    home.write(&format!("{name}.toml"), toml);
    let file = format!("{name}.toml");
    home.sluice(&["process", "new", name, "--from", &file])
        .succeeded();
    home.sluice(&["process", "complete", name, "--yes"]).succeeded();
}

fn cid(file: usize, customer: usize) -> String {
    format!("F{file}-{customer:02}")
}

fn csv(column: &str, rows: impl Iterator<Item = (String, String)>) -> String {
    let rows: String = rows.map(|(cid, value)| format!("{cid},{value}\n")).collect();
    format!("cid,{column}\n{rows}")
}

/// Every second customer of every file, and two that are new.
fn updates() -> String {
    let old = (0..FILES).flat_map(|file| (0..CUSTOMERS).step_by(2).map(move |i| cid(file, i)));
    let all = old.chain(["NEW-1".to_owned(), "NEW-2".to_owned()]);
    csv("tier", all.map(|cid| (cid, "new".to_owned())))
}

/// What others do while a program waits.
pub type Meanwhile<'a> = Box<dyn FnOnce() + 'a>;

/// Whenever a command waits at `point`, does the next of `meanwhile` and lets it go on.
pub fn held(home: &Home, args: &[&str], point: &str, meanwhile: Vec<Meanwhile<'_>>) -> Output {
    let (hold, mut command) = (Hold::new(), home.command());
    hold.at(point, &mut command);
    command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut meanwhile = meanwhile.into_iter();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < PATIENCE, "{point}: it hangs");
        if hold.is_waiting() {
            if let Some(others) = meanwhile.next() {
                others();
            }
            hold.go_on();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(meanwhile.count(), 0, "{point} is not reached so often");
    child.wait_with_output().unwrap()
}

/// The report of a run of `p` that waits with its files written while others commit.
fn overtaken(home: &Home, meanwhile: impl FnOnce()) -> Value {
    overtaken_often(home, vec![Box::new(meanwhile)])
}

fn overtaken_often(home: &Home, meanwhile: Vec<Meanwhile<'_>>) -> Value {
    home.write("updates.csv", updates());
    let run = ["run", "p", "--file", "updates.csv", "--output", "json"];
    report(&held(home, &run, "files_written", meanwhile))
}

fn report(output: &Output) -> Value {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn run_q(home: &Home, rows: &[(&str, &str)]) {
    let rows = rows
        .iter()
        .map(|(cid, city)| ((*cid).to_owned(), (*city).to_owned()));
    home.write("q.csv", csv("city", rows));
    home.sluice(&["run", "q", "--file", "q.csv", "--force"])
        .succeeded();
}

/// Lost races, kept files, redone files, inserted, updated.
fn counts(report: &Value) -> [u64; 5] {
    let number = |value: &Value| value.as_u64().unwrap();
    let merge = &report["merge"];
    [
        number(&merge["lost_races"]),
        number(&merge["kept_files"]),
        number(&merge["redone_files"]),
        number(&report["rows_inserted"]),
        number(&report["rows_updated"]),
    ]
}

/// Everybody of `p` as [`updates`] leaves them, and the cities.
fn assert_customers(home: &Home, cities: &[(&str, &str)]) {
    let mut expected: BTreeMap<String, [String; 2]> = BTreeMap::new();
    for file in 0..FILES {
        for i in 0..CUSTOMERS {
            let tier = if i % 2 == 0 { "new" } else { "old" };
            expected.insert(cid(file, i), [tier.to_owned(), String::new()]);
        }
    }
    for new in ["NEW-1", "NEW-2"] {
        expected.insert(new.to_owned(), ["new".to_owned(), String::new()]);
    }
    for (cid, city) in cities {
        expected.entry((*cid).to_owned()).or_default()[1] = (*city).to_owned();
    }
    let rows: String = expected
        .iter()
        .map(|(cid, [tier, city])| format!("{cid},{tier},{city}\n"))
        .collect();
    let found = home.sql("SELECT customer_id, tier, city FROM customers ORDER BY 1");
    assert_eq!(found, format!("customer_id,tier,city\n{rows}"));
}

/// What a lost attempt wrote and is not used is gone: every file is in the log.
fn assert_no_leftovers(home: &Home) {
    let entries = home.names("customers/_delta_log").into_iter();
    let entries = entries.filter(|name| name.ends_with(".json") && !name.starts_with('.'));
    let log: String = entries
        .map(|name| home.get(&format!("customers/_delta_log/{name}")))
        .collect();
    for file in home.data_files("customers") {
        assert!(log.contains(&file), "{file} is in no version");
    }
    let vectors: BTreeSet<&str> = log
        .split("\"pathOrInlineDv\":\"")
        .skip(1)
        .map(|rest| &rest[..20])
        .collect();
    let files = home.names("customers").into_iter();
    let files = files.filter(|file| file.ends_with(".bin"));
    assert_eq!(files.count(), vectors.len(), "files of deletion vectors");
}

#[test]
fn after_a_lost_race_only_the_file_that_another_run_touched_is_merged_again() {
    for way in [("deletion_vector", 2), ("splice", 1), ("rewrite", 1)] {
        only_what_another_run_touched_is_merged_again(Where::Folder, way);
    }
}

#[test]
fn s3_after_a_lost_race_only_the_file_that_another_run_touched_is_merged_again() {
    only_what_another_run_touched_is_merged_again(Where::S3, ("deletion_vector", 2));
}

fn only_what_another_run_touched_is_merged_again(place: Where, (way, redone): (&str, u64)) {
    let home = home(place, way);
    let one = [("F3-00", "Lima")];
    let report = overtaken(&home, || run_q(&home, &one));
    // Under a deletion vector the customer that the other run changed is in a file of its own by now.
    let updated = (FILES * CUSTOMERS / 2) as u64;
    assert_eq!(
        counts(&report),
        [1, FILES as u64 - 1, redone, 2, updated],
        "{way}"
    );
    assert_customers(&home, &one);
    assert_no_leftovers(&home);
}

#[test]
fn of_a_new_customer_that_two_runs_register_at_once_the_second_is_an_update() {
    for way in ["deletion_vector", "rewrite"] {
        let home = home(Where::Folder, way);
        let theirs = [("NEW-2", "Lima"), ("X-1", "Porto")];
        let report = overtaken(&home, || run_q(&home, &theirs));
        let updated = (FILES * CUSTOMERS / 2) as u64 + 1;
        assert_eq!(counts(&report), [1, FILES as u64, 1, 1, updated], "{way}");
        assert_customers(&home, &theirs);
        assert_no_leftovers(&home);
    }
}

#[test]
fn customers_that_another_run_registers_cost_a_look_and_no_file() {
    let home = home(Where::Folder, "auto");
    let theirs = [("F3-999", "Lima"), ("X-1", "Porto")];
    let report = overtaken(&home, || run_q(&home, &theirs));
    let updated = (FILES * CUSTOMERS / 2) as u64;
    assert_eq!(counts(&report), [1, FILES as u64, 1, 2, updated]);
    assert_customers(&home, &theirs);
    assert_no_leftovers(&home);
}

#[test]
fn a_run_that_optimize_overtakes_is_merged_into_the_files_that_it_made() {
    for way in ["deletion_vector", "splice"] {
        let home = home(Where::Folder, way);
        let report = overtaken(&home, || {
            home.sluice(&["optimize"]).succeeded();
        });
        let updated = (FILES * CUSTOMERS / 2) as u64;
        assert_eq!(counts(&report), [1, 0, 1, 2, updated], "{way}");
        assert_customers(&home, &[]);
        assert_no_leftovers(&home);
    }
}

#[test]
fn a_record_that_is_accepted_on_the_new_version_only_is_merged_and_its_reject_is_taken_back() {
    let home = home(Where::Folder, "splice");
    process(&home, "u", "update", "mood");
    let moods = ["F0-00", "F5-02", "F5-025"].map(|cid| (cid.to_owned(), "good".to_owned()));
    home.write("moods.csv", csv("mood", moods.into_iter()));
    let run = ["run", "u", "--file", "moods.csv", "--output", "json"];
    let register = || run_q(&home, &[("F5-025", "Lima")]);
    let report = report(&held(&home, &run, "files_written", vec![Box::new(register)]));
    // F5-025 lies within the keys of the sixth file, which is merged again for it, and so is the file it is in.
    assert_eq!(counts(&report), [1, 1, 2, 0, 3]);
    assert_eq!(report["rows_rejected"], 0);
    assert_eq!(
        home.sql("SELECT customer_id, mood FROM customers WHERE mood IS NOT NULL ORDER BY 1"),
        "customer_id,mood\nF0-00,good\nF5-02,good\nF5-025,good\n"
    );
    assert_eq!(home.sql("SELECT count(*) AS n FROM rejects"), "n\n0\n");
    assert_no_leftovers(&home);
}

#[test]
fn a_run_that_loses_twice_keeps_what_neither_race_touched() {
    let home = home(Where::Folder, "deletion_vector");
    let first = [("F3-00", "Lima"), ("F4-01", "Bari")];
    let second = [("F6-00", "Porto")];
    let report = overtaken_often(
        &home,
        vec![
            Box::new(|| run_q(&home, &first)),
            Box::new(|| run_q(&home, &second)),
        ],
    );
    // Of nine files: two that were marked and one of new versions; then one and one.
    let updated = (FILES * CUSTOMERS / 2) as u64;
    assert_eq!(counts(&report), [2, 6 + 8, 3 + 2, 2, updated]);
    assert_customers(&home, &[&first[..], &second[..]].concat());
    assert_no_leftovers(&home);
}

#[test]
fn no_vacuum_runs_while_a_rollback_is_under_way() {
    let home = home(Where::Folder, "auto");
    let rollback = ["rollback", "1", "--yes"];
    let vacuum = || {
        let refused = home.sluice(&["vacuum"]);
        assert_eq!(refused.code(), Some(4), "{}", refused.stderr());
        assert!(
            refused.stderr().contains("rollback (process id"),
            "{}",
            refused.stderr()
        );
    };
    let output = held(&home, &rollback, "rollback_written", vec![Box::new(vacuum)]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(home.sql("SELECT count(*) AS n FROM customers"), "n\n20\n");
    home.sluice(&["vacuum"]).succeeded();
}

#[test]
fn a_dead_maintenance_stops_nobody() {
    dead_maintenance_stops_nobody(Where::Folder);
}

#[test]
fn s3_a_dead_maintenance_stops_nobody() {
    dead_maintenance_stops_nobody(Where::S3);
}

fn dead_maintenance_stops_nobody(place: Where) {
    let home = home(place, "auto");
    let killed = home
        .command()
        .args(["rollback", "1", "--yes"])
        .env("SLUICE_FAULT", "rollback_written")
        .output()
        .unwrap();
    assert_eq!(killed.status.code(), None);
    home.sluice(&["optimize"]).succeeded();
}

/// Writers of [`many_programs_at_once_leave_what_their_versions_say`] and runs of each; the last registers nobody.
const WRITERS: usize = 4;
const RUNS: usize = 5;
/// Customers that every run sets, and those that a run registers.
const SHARED: usize = 12;
const OWN: usize = 3;

fn own(writer: usize, run: usize, i: usize) -> String {
    format!("N{}{writer}-{run}", (writer * 5 + run * 3 + i * 7) % 10)
}

/// The CIDs of a run.
fn sent(writer: usize, run: usize) -> Vec<String> {
    let shared = (0..SHARED).map(|i| format!("S{i:02}"));
    let others = 0..WRITERS - 1;
    let own: Vec<String> = match writer + 1 == WRITERS {
        false => (0..OWN).map(|i| own(writer, run, i)).collect(),
        true => others.map(|other| own(other, run, 0)).collect(),
    };
    shared.chain(own).collect()
}

fn write_all(home: &Home, writer: usize) {
    for run in 0..RUNS {
        let name = format!("w{writer}-{run}.csv");
        let rows = sent(writer, run).into_iter().map(|cid| (cid, run.to_string()));
        home.write(&name, csv(&format!("w{writer}"), rows));
        home.sluice(&["run", &format!("w{writer}"), "--file", &name])
            .succeeded();
    }
}

/// One version as a reader sees it: all shared customers of the same run of each writer, and all that it registered.
fn assert_whole(home: &Home) {
    let columns: String = (0..WRITERS)
        .map(|w| {
            let shared = format!("CASE WHEN customer_id LIKE 'S%' THEN w{w} END");
            format!(", min({shared}) AS min{w}, max({shared}) AS max{w}, count({shared}) AS n{w}")
        })
        .collect();
    let shown = home.sql(&format!("SELECT count(*) AS total{columns} FROM customers"));
    let cells: Vec<&str> = shown.lines().nth(1).unwrap().split(',').collect();
    let mut expected = SHARED;
    for (writer, seen) in cells[1..].chunks(3).enumerate() {
        let is_whole = seen == ["", "", "0"] || (seen[0] == seen[1] && seen[2] == SHARED.to_string());
        assert!(is_whole, "half a run of w{writer}: {shown}");
        if let (Ok(run), true) = (seen[0].parse::<usize>(), writer + 1 < WRITERS) {
            expected += (run + 1) * OWN;
        }
    }
    assert_eq!(cells[0], expected.to_string(), "{shown}");
}

/// The last values of each writer, run after run in the order of their versions.
fn serial(home: &Home) -> (BTreeMap<String, Vec<String>>, usize) {
    let order = home.sql("SELECT process, run_no FROM runs WHERE process LIKE 'w%' ORDER BY version_after");
    let mut customers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for i in 0..SHARED {
        customers.insert(format!("S{i:02}"), vec![String::new(); WRITERS]);
    }
    let mut rejected = 0;
    for line in order.lines().skip(1) {
        let (process, run_no) = line.split_once(',').unwrap();
        let writer: usize = process[1..].parse().unwrap();
        let run = run_no.parse::<usize>().unwrap() - 1;
        for cid in sent(writer, run) {
            if writer + 1 == WRITERS && !customers.contains_key(&cid) {
                rejected += 1;
                continue;
            }
            let values = customers
                .entry(cid)
                .or_insert_with(|| vec![String::new(); WRITERS]);
            values[writer] = run.to_string();
        }
    }
    (customers, rejected)
}

#[test]
fn many_programs_at_once_leave_what_their_versions_say() {
    many_programs_at_once(Where::Folder);
}

#[test]
fn s3_many_programs_at_once_leave_what_their_versions_say() {
    many_programs_at_once(Where::S3);
}

fn many_programs_at_once(place: Where) {
    let home = Home::with_instance_at(place);
    let seed = (0..SHARED).map(|i| (format!("S{i:02}"), "x".to_owned()));
    home.write("seed.csv", csv("seed", seed));
    home.sluice(&["ingest", "seed.csv", "--key", "cid", "--attribute", "seed=string"])
        .succeeded();
    for writer in 0..WRITERS {
        let mode = if writer + 1 < WRITERS {
            "register"
        } else {
            "update"
        };
        process(&home, &format!("w{writer}"), mode, &format!("w{writer}"));
    }
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let home = &home;
        let is_over = &is_over;
        scope.spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                let done = home.sluice(&["optimize"]);
                // Refused while a run looks after the tables.
                assert!(matches!(done.code(), Some(0 | 4)), "{}", done.stderr());
                std::thread::sleep(Duration::from_millis(300));
            }
        });
        scope.spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                assert_whole(home);
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| scope.spawn(move || write_all(home, writer)))
            .collect();
        let ended: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        is_over.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok));
    });
    let versions = "SELECT count(*) AS runs, count(DISTINCT version_after) AS versions FROM runs WHERE process LIKE 'w%'";
    let all = WRITERS * RUNS;
    assert_eq!(home.sql(versions), format!("runs,versions\n{all},{all}\n"));
    let (expected, rejected) = serial(&home);
    let rows: String = expected
        .iter()
        .map(|(cid, values)| format!("{cid},{}\n", values.join(",")))
        .collect();
    let found = home.sql("SELECT customer_id, w0, w1, w2, w3 FROM customers ORDER BY 1");
    assert_eq!(found, format!("customer_id,w0,w1,w2,w3\n{rows}"));
    assert_eq!(
        home.sql("SELECT count(*) AS n FROM rejects"),
        format!("n\n{rejected}\n")
    );
    assert_whole(&home);
}
