//! What becomes of rejects, on the command line.

use crate::races::held;
use crate::support::Home;

const CSV: &str =
    "cid,Tier,Joined\nC1,Gold,2024-01-01\nC2,Gold,1900-01-01\nC3,Tin,never\nC4,\"a, b\",1900-01-01\n";
const PROCESS: &str = "mode = \"register\"\nkey = \"cid\"\n[source]\nurl = \"a.csv\"\n\
    [[attribute]]\ncolumn = \"Tier\"\ntype = \"string\"\n[[attribute]]\ncolumn = \"Joined\"\ntype = \"date\"\n";

/// A home whose process `p` has run once.
fn home(csv: impl AsRef<[u8]>, source: &str) -> Home {
    let home = Home::with_instance();
    home.write("a.csv", csv);
    home.write(
        "p.toml",
        PROCESS.replace("[source]\n", &format!("[source]\n{source}")),
    );
    home.sluice(&["process", "new", "p", "--from", "p.toml"])
        .succeeded();
    home.sluice(&["process", "complete", "p"]).succeeded();
    home.sluice(&["run", "p"]).succeeded();
    home
}

fn edit(home: &Home, more: &str) {
    home.write("p.toml", format!("{PROCESS}{more}"));
    home.sluice(&["process", "edit", "p", "--from", "p.toml"])
        .succeeded();
}

#[test]
fn the_help_of_what_becomes_of_rejects() {
    let home = Home::empty();
    for command in [
        ["replay", ""],
        ["rejects", "discard"],
        ["rejects", "purge"],
        ["process", "check"],
    ] {
        let mut args: Vec<&str> = command.into_iter().filter(|word| !word.is_empty()).collect();
        args.push("--help");
        insta::assert_snapshot!(format!("help_{}", command.join("_")), home.sluice(&args).shown());
    }
}

#[test]
fn a_replay_reports_like_a_run_and_says_what_is_left() {
    let home = home(CSV, "");
    edit(&home, "[rules]\ndate_default = \"off\"\n");
    insta::assert_snapshot!(
        "replay_dry",
        home.sluice(&["replay", "p", "--dry-run", "--where", "line = 3"])
            .shown()
    );
    insta::assert_snapshot!("replay", home.sluice(&["replay", "p/1"]).shown());
    insta::assert_snapshot!("rejects_after_replay", home.sluice(&["rejects", "p"]).shown());
    insta::assert_snapshot!("discard", home.sluice(&["rejects", "discard", "p/1"]).shown());
    insta::assert_snapshot!("replay_of_nothing", home.sluice(&["replay", "p/1"]).shown());
}

#[test]
fn a_killed_replay_has_replayed_nothing_or_all_of_it() {
    for (point, replayed) in [
        ("replay_noted", "0"),
        ("files_written", "0"),
        ("customers_committed", "2"),
        ("run_recorded", "2"),
    ] {
        let home = home(CSV, "");
        edit(&home, "[rules]\ndate_default = \"off\"\n");
        let killed = home
            .command()
            .args(["replay", "p/1"])
            .env("SLUICE_FAULT", point)
            .output()
            .unwrap();
        assert_eq!(killed.status.code(), None, "{point}");
        home.sluice(&["run", "p"]).succeeded();
        let states = "SELECT count(*) AS n FROM reject_states WHERE state = 'replayed'";
        assert_eq!(home.sql(states), format!("n\n{replayed}\n"), "{point}");
        let customers = home.sql("SELECT count(*) AS n FROM customers");
        assert_eq!(
            customers,
            format!("n\n{}\n", 1 + replayed.parse::<u32>().unwrap()),
            "{point}"
        );
        home.sluice(&["replay", "p/1"]).succeeded();
        assert_eq!(
            home.sql(states),
            "n\n2\n",
            "{point}: a second time the rest is done"
        );
    }
}

#[test]
fn a_mended_export_runs_again_whatever_the_source_is_written_in() {
    let wide: Vec<u8> = std::iter::once(0xfeff)
        .chain(CSV.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let piped = CSV
        .replace("\"a, b\"", "a/ b")
        .replace(',', "|")
        .replace('/', ",");
    for (content, source) in [
        (CSV.as_bytes().to_vec(), ""),
        (CSV.replace('\n', "\r\n").into_bytes(), ""),
        (wide, "encoding = \"utf-16\"\n"),
        (piped.into_bytes(), "delimiter = \"|\"\nquote = \"\"\n"),
    ] {
        let home = home(&content, source);
        home.sluice(&["rejects", "p", "--export", "mend.csv"]).succeeded();
        let exported = std::fs::read(home.path("mend.csv")).unwrap();
        let is_wide = exported.starts_with(&[0xff, 0xfe]);
        let text = match is_wide {
            true => {
                let units = exported
                    .chunks(2)
                    .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
                String::from_utf16(&units.collect::<Vec<_>>()).unwrap()
            }
            false => String::from_utf8(exported).unwrap(),
        };
        assert!(
            text.contains("sluice_reasons") && text.contains("date_default"),
            "{text}"
        );
        let mended = text
            .replace("1900-01-01", "2024-02-02")
            .replace("never", "2024-03-03");
        let mended: Vec<u8> = match is_wide {
            true => mended.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            false => mended.into_bytes(),
        };
        home.write("mend.csv", mended);
        home.sluice(&["run", "p", "--file", "mend.csv", "--strict"])
            .succeeded();
        assert_eq!(
            home.sql("SELECT * FROM customers ORDER BY 1"),
            "customer_id,tier,joined\nC1,Gold,2024-01-01\nC2,Gold,2024-02-02\nC3,Tin,2024-03-03\nC4,\"a, b\",2024-02-02\n",
            "{text}"
        );
    }
}

#[test]
fn exported_records_have_their_reasons_as_columns() {
    let home = home(CSV, "");
    insta::assert_snapshot!(
        "export",
        home.sluice(&["rejects", "p", "--export", "mend.csv"]).shown()
    );
    insta::assert_snapshot!(
        "exported",
        std::fs::read_to_string(home.path("mend.csv")).unwrap()
    );
}

#[test]
fn rows_of_ndjson_are_exported_as_ndjson_and_run_again() {
    let home = Home::with_instance();
    home.write(
        "a.ndjson",
        "{\"cid\":\"C1\",\"n\":1}\n{\"cid\":\"C2\",\"n\":\"x\"}\n",
    );
    home.sluice(&["ingest", "a.ndjson", "--key", "cid", "--attribute", "n=int"])
        .succeeded();
    home.sluice(&["rejects", "--export", "mend.ndjson"]).succeeded();
    let text = std::fs::read_to_string(home.path("mend.ndjson")).unwrap();
    assert!(
        text.starts_with("{\"cid\":\"C2\",\"n\":\"x\",\"sluice_record_no\":\"2\""),
        "{text}"
    );
    home.write("mend.ndjson", text.replace("\"x\"", "2"));
    home.sluice(&["run", "a", "--file", "mend.ndjson", "--strict"])
        .succeeded();
    assert_eq!(
        home.sql("SELECT * FROM customers ORDER BY 1"),
        "customer_id,n\nC1,1\nC2,2\n"
    );
}

#[test]
fn a_purge_says_what_left_and_how_older_versions_lose_it() {
    let home = home(CSV, "");
    insta::assert_snapshot!(
        "purge_dry",
        home.sluice(&["rejects", "purge", "--customer", "C3", "--dry-run"])
            .shown()
    );
    insta::assert_snapshot!(
        "purge",
        home.sluice(&["rejects", "purge", "--customer", "C3"]).shown()
    );
    insta::assert_snapshot!("rejects_after_purge", home.sluice(&["rejects", "p"]).shown());
}

#[test]
fn forgetting_a_customer_asks_says_what_it_does_and_proves_it() {
    let home = home(CSV, "");
    insta::assert_snapshot!(
        "forget_unasked",
        home.sluice(&["customer", "C1", "--forget"]).shown()
    );
    insta::assert_snapshot!(
        "forget_dry",
        home.sluice(&["customer", "C1", "--forget", "--dry-run"]).shown()
    );
    insta::assert_snapshot!(
        "forget",
        home.sluice(&["customer", "C1", "--forget", "--yes"]).shown()
    );
    insta::assert_snapshot!(
        "forget_again",
        home.sluice(&["customer", "C1", "--forget", "--yes"]).shown()
    );
    assert_eq!(home.sql("SELECT count(*) AS n FROM customers"), "n\n0\n");
}

#[test]
fn a_guard_stops_a_run_with_exit_code_3_and_yes_lets_it_pass() {
    let home = home("cid,Tier,Joined\nC1,Gold,2024-01-01\nC2,Tin,2024-01-01\n", "");
    edit(&home, "[guard]\nmax_cleared = \"40%\"\nmax_row_drop = \"90%\"\n");
    home.write("b.csv", "cid,Tier,Joined\nC1,,2024-01-01\nC2,Tin,2024-01-01\n");
    let run = ["run", "p", "--file", "b.csv"];
    insta::assert_snapshot!(
        "guard_dry",
        home.sluice(&[&run[..], &["--dry-run", "--explain"]].concat())
            .shown()
    );
    insta::assert_snapshot!("guard", home.sluice(&run).shown());
    home.sluice(&[&run[..], &["--yes"]].concat()).succeeded();
}

#[test]
fn guards_are_read_again_on_the_version_that_a_lost_race_leaves() {
    let rows = |tier: &dyn Fn(usize) -> &'static str| {
        let rows: String = (0..10)
            .map(|i| format!("C{i},{},2024-01-01\n", tier(i)))
            .collect();
        format!("cid,Tier,Joined\n{rows}")
    };
    let home = home(rows(&|i| if i < 5 { "Tin" } else { "" }), "");
    home.write("b.csv", rows(&|_| "Tin"));
    home.sluice(&["run", "p", "--file", "b.csv"]).succeeded();
    edit(&home, "[guard]\nmax_cleared = \"30%\"\n");
    // Two of ten values: fine, until the second run is rolled back and there are only five.
    home.write("c.csv", rows(&|i| if i < 2 { "" } else { "Tin" }));
    let rolled_back = || {
        home.sluice(&["rollback", "p/2", "--yes"]).succeeded();
    };
    let run = ["run", "p", "--file", "c.csv"];
    let stopped = held(&home, &run, "files_written", vec![Box::new(rolled_back)]);
    let said = String::from_utf8_lossy(&stopped.stderr);
    assert_eq!(stopped.status.code(), Some(3), "{said}");
    assert!(
        said.contains("2 of 5 values of tier cleared (max_cleared allows 30%)"),
        "{said}"
    );
    assert_eq!(home.sql("SELECT count(tier) AS n FROM customers"), "n\n5\n");
    home.sluice(&[&run[..], &["--yes"]].concat()).succeeded();
}

#[test]
fn a_back_test_shows_each_rule_before_and_after() {
    let home = home(CSV, "");
    edit(
        &home,
        "[rules]\ndate_default = \"off\"\n[[rule]]\nid = \"no_gold\"\nsql = \"tier <> 'Gold'\"\n",
    );
    insta::assert_snapshot!(
        "back_test",
        home.sluice(&["process", "check", "p", "--against", "p/1"])
            .shown()
    );
    let json = home
        .sluice(&["process", "check", "p", "--against", "p/1", "--output", "json"])
        .succeeded();
    assert!(
        json.stdout().contains("\"newly_accepted_rows\": 1"),
        "{}",
        json.stdout()
    );
}
