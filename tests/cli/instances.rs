//! An instance on object storage does what one in a folder does. Servers of `tests/services/serve.py` stand for the
//! clouds.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Home, Where};

fn ingested(place: Where) -> Home {
    let home = Home::with_instance_at(place);
    home.write(
        "first.csv",
        "cid,tier,spend\nC1,Gold,1.50\nC2,Blue,lots\nC3,Blue,3\n",
    );
    let define = [
        "--key",
        "cid",
        "--attribute",
        "tier=string",
        "--attribute",
        "spend=decimal(18,2)",
    ];
    let ingest = ["ingest", "first.csv", "--name", "crm"];
    home.sluice(&[&ingest[..], &define[..]].concat()).succeeded();
    home
}

const CUSTOMERS: &str = "SELECT customer_id, tier, spend FROM customers ORDER BY 1";

fn merges_and_looks_back(home: &Home) {
    assert_eq!(
        home.sql(CUSTOMERS),
        "customer_id,tier,spend\nC1,Gold,1.50\nC3,Blue,3.00\n"
    );
    let rejects = home
        .sluice(&["rejects", "crm", "--output", "csv"])
        .succeeded()
        .stdout();
    assert!(
        rejects.contains("type_mismatch") && rejects.contains("C2"),
        "{rejects}"
    );
    home.sluice(&["rejects", "crm", "--export", "mend.csv"])
        .succeeded();
    let mended = std::fs::read_to_string(home.path("mend.csv")).unwrap();
    home.write("mend.csv", mended.replace("lots", "2"));
    home.sluice(&["run", "crm", "--file", "mend.csv"]).succeeded();
    let skipped = home.sluice(&["run", "crm", "--file", "mend.csv"]).succeeded();
    assert!(skipped.stdout().contains("skipped"), "{}", skipped.stdout());

    home.write("city.csv", "cid,city\nC1,Porto\nC9,Lima\n");
    let define = ["--key", "cid", "--attribute", "city=string", "--mode", "update"];
    home.sluice(&[&["ingest", "city.csv"][..], &define[..]].concat())
        .succeeded();
    assert_eq!(
        home.sql("SELECT customer_id, tier, spend, city FROM customers ORDER BY 1"),
        "customer_id,tier,spend,city\nC1,Gold,1.50,Porto\nC2,Blue,2.00,\nC3,Blue,3.00,\n"
    );
    assert_eq!(
        home.sql("SELECT rule FROM reject_reasons WHERE customer_id = 'C9'"),
        "rule\ncid_unknown\n"
    );
    let of = |args: &[&str]| {
        home.sluice(&[args, &["--output", "csv"]].concat())
            .succeeded()
            .stdout()
    };
    assert!(of(&["customer", "C2", "--history"]).contains("Blue"));
    assert_eq!(of(&["history"]).lines().count(), 5);
    assert!(of(&["diff", "1", "3"]).contains("Porto"));
    assert!(of(&["status"]).contains("crm"));
    assert_eq!(of(&["runs", "crm"]).lines().count(), 4);
}

fn goes_back_and_looks_after_itself(home: &Home) {
    home.sluice(&["rollback", "city", "--yes"]).succeeded();
    assert_eq!(home.sql("SELECT count(city) AS n FROM customers"), "n\n0\n");
    home.sluice(&["run", "city", "--file", "city.csv"]).succeeded();
    assert_eq!(home.sql("SELECT count(city) AS n FROM customers"), "n\n1\n");
    let before = home.data_files("customers").len();
    home.sluice(&["optimize"]).succeeded();
    assert_eq!(
        home.sql("SELECT count(*) AS n, count(city) AS c FROM customers"),
        "n,c\n3,1\n"
    );
    let vacuumed = home
        .sluice(&["vacuum", "--retention", "24h", "--output", "json"])
        .succeeded();
    let report: Value = serde_json::from_str(&vacuumed.stdout()).unwrap();
    assert_eq!(
        report["tables"][0]["files"],
        Value::Array(Vec::new()),
        "all of them are young"
    );
    assert!(home.data_files("customers").len() >= before);
}

fn has_processes_that_change_and_recur(home: &Home) {
    let url = format!("{}/Daily_1.csv", home.place());
    home.put("Daily_1.csv", "cid,mood\nC1,good\n");
    let text = format!(
        "mode = \"update\"\nkey = \"cid\"\n[source]\nurl = \"{url}\"\n[[attribute]]\ncolumn = \"mood\"\n\
         type = \"string\"\n[schedule]\nevery = \"24h\"\nstart = \"2026-01-01T03:00\"\n"
    );
    home.write("daily.toml", &text);
    let process = |args: &[&str]| home.sluice(&[&["process"], args].concat());
    process(&["new", "daily", "--from", "daily.toml"]).succeeded();
    let taken = process(&["new", "daily", "--from", "daily.toml"]);
    assert_eq!(taken.code(), Some(2), "{}", taken.stderr());
    process(&["check", "daily"]).succeeded();
    process(&["complete", "daily"]).succeeded();
    let edited = format!("{text}# edited\n");
    home.write("daily.toml", &edited);
    process(&["edit", "daily", "--from", "daily.toml"]).succeeded();
    assert_eq!(process(&["show", "daily"]).succeeded().stdout(), edited);
    home.write("daily.toml", edited.replace("update", "register"));
    let locked = process(&["edit", "daily", "--from", "daily.toml"]);
    assert_eq!(locked.code(), Some(2), "{}", locked.stderr());
    process(&["pause", "daily"]).succeeded();
    process(&["resume", "daily"]).succeeded();

    let state = "processes/daily.state.json";
    let due = || {
        let mut json: Value = serde_json::from_str(&home.get(state)).unwrap();
        json["next_run_at"] = "2026-01-01T03:00:00Z".into();
        home.put(state, json.to_string());
    };
    due();
    home.sluice(&["run", "--due"]).succeeded();
    home.put("Daily_2.csv", "cid,mood\nC2,fair\n");
    due();
    home.sluice(&["run", "--due"]).succeeded();
    assert_eq!(
        home.sql("SELECT customer_id, mood FROM customers WHERE mood IS NOT NULL ORDER BY 1"),
        "customer_id,mood\nC1,good\nC2,fair\n"
    );
    assert_eq!(
        home.sql("SELECT trigger, status FROM runs WHERE process = 'daily' ORDER BY run_id"),
        "trigger,status\nschedule,completed\nschedule,completed\n"
    );
    process(&["delete", "daily", "--yes"]).succeeded();
    assert!(!home.names("processes").contains(&"daily.toml".to_owned()));
    assert_eq!(process(&["new", "daily", "--from", "daily.toml"]).code(), Some(2));
}

fn lives(place: Where) {
    let home = ingested(place);
    merges_and_looks_back(&home);
    goes_back_and_looks_after_itself(&home);
    has_processes_that_change_and_recur(&home);
    let again = home.sluice(&["init"]);
    assert_eq!(again.code(), Some(2), "{}", again.stderr());
}

#[test]
fn an_instance_in_a_folder_does_all_there_is() {
    // A local file is ingested one time only: the process that recurs is for the others.
    let home = ingested(Where::Folder);
    merges_and_looks_back(&home);
    goes_back_and_looks_after_itself(&home);
}

#[test]
fn s3_an_instance_does_all_that_one_in_a_folder_does() {
    lives(Where::S3);
}

#[test]
fn gcs_an_instance_does_all_that_one_in_a_folder_does() {
    lives(Where::Gcs);
}

#[test]
fn s3_an_edit_by_hand_does_not_overwrite_what_another_program_wrote_meanwhile() {
    let home = ingested(Where::S3);
    let by_another = home.get("processes/crm.toml") + "# by another program\n";
    // On a terminal, with an editor that takes its time: meanwhile the other program writes.
    home.write("other.toml", &by_another);
    home.write(
        "editor.sh",
        "set -e\n\"$SLUICE_TEST_PROGRAM\" process edit crm --from other.toml\necho '# by hand' >> \"$1\"\n",
    );
    let edit = format!("{} process edit crm", env!("CARGO_BIN_EXE_sluice"));
    let mut command = Command::new("script");
    command
        .args(["--quiet", "--return", "--command", &edit, "/dev/null"])
        .current_dir(home.folder.path())
        .env("SLUICE_INSTANCE", home.place())
        .envs(home.environment())
        .env("SLUICE_TEST_PROGRAM", env!("CARGO_BIN_EXE_sluice"))
        .env("VISUAL", "sh editor.sh")
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("changed by another program"), "{said}");
    assert_eq!(home.get("processes/crm.toml"), by_another);
}

#[test]
fn s3_buckets_and_keys_that_are_wrong_are_told_in_words() {
    let home = Home::empty_at(Where::S3);
    let nothing = home.sluice(&["status"]);
    assert_eq!(nothing.code(), Some(2), "{}", nothing.stderr());
    assert!(
        nothing.stderr().contains("there is no instance here"),
        "{}",
        nothing.stderr()
    );
    let failed = |key: &str, value: &str| {
        let output = home.command().args(["init"]).env(key, value).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for (key, value, code, words) in [
        (
            "SLUICE_INSTANCE",
            "s3://no-such-bucket-here/base",
            1,
            "the bucket does not exist",
        ),
        (
            "AWS_SECRET_ACCESS_KEY",
            "wrong",
            1,
            "does not belong to the access key",
        ),
        ("AWS_ALLOW_HTTP", "false", 1, "not encrypted"),
        (
            "SLUICE_INSTANCE",
            "sftp://host/base",
            2,
            "no instance can be there",
        ),
    ] {
        let (found, said) = failed(key, value);
        assert_eq!(found, Some(code), "{value}: {said}");
        assert!(said.contains(words), "{value}: {said}");
    }
}

/// Runs a script of `tests/readers`, and returns what it prints.
fn python(home: &Home, script: &str, args: &[&str]) -> String {
    let python = std::env::var("SLUICE_PYTHON")
        .unwrap_or_else(|_| panic!("the readers are not set up: run the tests with tests/run"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/readers");
    let output = Command::new(python)
        .arg(folder.join(script))
        .arg(format!("{}/customers", home.place()))
        .args(args)
        .envs(home.environment())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{script}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn s3_polars_and_delta_rs_read_an_instance_and_delta_rs_writes_to_it() {
    let home = Home::with_instance_at(Where::S3);
    // delta-rs does not write to a table that has deletion vectors.
    home.put(
        "sluice.toml",
        "format = 1\n[defaults]\ndeletion_vectors = \"off\"\n",
    );
    let rows: String = (0..500).map(|i| format!("C{i:03},Gold,{i}.25\n")).collect();
    home.write("first.csv", format!("cid,tier,spend\n{rows}"));
    let define = [
        "--key",
        "cid",
        "--attribute",
        "tier=string",
        "--attribute",
        "spend=decimal(18,2)",
    ];
    home.sluice(&[&["ingest", "first.csv", "--name", "p"][..], &define[..]].concat())
        .succeeded();
    let same = |expected: &str| {
        for reader in ["polars", "deltalake"] {
            let read = python(&home, "read_customers.py", &[reader]);
            assert_eq!(read, home.sql(CUSTOMERS), "{reader}");
            assert!(read.contains(expected), "{reader}: {expected}");
        }
    };
    same("C499,Gold,499.25\n");

    python(&home, "write_customers.py", &["update", "C001", "By delta-rs"]);
    same("C001,By delta-rs,1.25\n");
    python(&home, "write_customers.py", &["merge", "C002", "Merged"]);
    same("C002,Merged,2.25\n");
    // And on top of both.
    home.write(
        "next.csv",
        "cid,tier,spend\nC001,Blue,7\nC003,Blue,8\nC900,New,9\n",
    );
    home.sluice(&["run", "p", "--file", "next.csv"]).succeeded();
    same("C001,Blue,7.00\nC002,Merged,2.25\nC003,Blue,8.00\n");
    home.sluice(&["optimize"]).succeeded();
    same("C900,New,9.00\n");
    assert_eq!(home.sql("SELECT count(*) AS n FROM customers"), "n\n501\n");
}
