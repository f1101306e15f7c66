//! Making, completing, changing and deleting processes, with somebody at a terminal and without.

use serde_json::Value;

use crate::support::Home;
use crate::terminal::converse;

const FILE: &str = "cid,Loyalty Tier,Mail,Spend\nC1,Gold,a@example.com,10\nC2,Silver,b@example.com,much\n\
                    C3,Gold,c@example.com,30\n";

/// A home with a file and a draft `p` that loads mail as text.
fn drafted() -> Home {
    let home = Home::with_instance();
    home.write("in.csv", FILE);
    home.sluice(&[
        "process",
        "new",
        "p",
        "--file",
        "in.csv",
        "--key",
        "cid",
        "--attribute",
        "Loyalty Tier:tier=string",
        "--attribute",
        "Mail=string",
        "--attribute",
        "Spend=int",
    ])
    .succeeded();
    home
}

fn status(home: &Home, process: &str) -> String {
    let status = home.sql(&format!(
        "SELECT status FROM processes WHERE process = '{process}'"
    ));
    status.lines().nth(1).unwrap_or_default().to_owned()
}

fn shown(home: &Home, process: &str) -> String {
    home.sluice(&["process", "show", process]).succeeded().stdout()
}

#[test]
fn completing_shows_what_is_taken_into_use_and_a_dry_run_and_hints_at_mail() {
    let home = drafted();
    insta::assert_snapshot!("complete", home.sluice(&["process", "complete", "p"]).shown());
    assert_eq!(status(&home, "p"), "ready");
    assert_eq!(home.sql("SELECT count(*) AS n FROM runs"), "n\n0\n");
}

#[test]
fn completing_prints_one_object_where_that_is_asked_for() {
    let home = drafted();
    let done = home
        .sluice(&["process", "complete", "p", "--output", "json"])
        .succeeded();
    let object: Value = serde_json::from_str(&done.stdout()).unwrap();
    assert_eq!(object["attributes"][0]["attribute"], "tier");
    assert_eq!(object["policy"]["on_duplicate"], "reject_all");
    assert_eq!(object["dry_run"]["rows_rejected"], 1);
    assert_eq!(object["next_run_at"], Value::Null);
}

#[test]
fn a_draft_that_its_own_file_refutes_is_not_completed_unless_that_is_wanted() {
    let home = drafted();
    home.write("in.csv", "customer,tier\nC1,Gold\n");
    let refused = home.sluice(&["process", "complete", "p"]);
    assert_eq!(refused.code(), Some(3), "{}", refused.stderr());
    assert!(refused.stderr().contains("column_missing") && refused.stderr().contains("--yes"));
    assert_eq!(status(&home, "p"), "draft");
    home.sluice(&["process", "complete", "p", "--yes"]).succeeded();
    assert_eq!(status(&home, "p"), "ready");
}

#[test]
fn a_source_that_is_not_there_yet_hinders_no_completing() {
    let home = drafted();
    std::fs::remove_file(home.path("in.csv")).unwrap();
    let done = home.sluice(&["process", "complete", "p"]).succeeded();
    assert!(
        done.stdout()
            .contains("the dry run failed: the source file does not exist"),
        "{}",
        done.stdout()
    );
    assert_eq!(status(&home, "p"), "ready");
}

#[test]
fn on_a_terminal_completing_asks_and_no_is_no() {
    let home = drafted();
    let answers = [
        ("e-mail attribute of the instance? [Y/n] ", "n"),
        ("cannot be edited then [y/N] ", "n"),
    ];
    let (screen, code) = converse(&home, "process complete p", &answers);
    assert_eq!(code, Some(2), "{screen}");
    assert!(screen.contains("3 read, 2 accepted, 1 rejected"), "{screen}");
    assert_eq!(status(&home, "p"), "draft");
    assert!(!shown(&home, "p").contains("email"));
}

#[test]
fn on_a_terminal_a_column_of_addresses_becomes_the_email_attribute() {
    let home = drafted();
    let answers = [
        ("e-mail attribute of the instance? [Y/n] ", ""),
        ("cannot be edited then [y/N] ", "y"),
    ];
    let (screen, code) = converse(&home, "process complete p", &answers);
    assert_eq!(code, Some(0), "{screen}");
    assert!(
        shown(&home, "p").contains("type = \"email\""),
        "{}",
        shown(&home, "p")
    );
    home.sluice(&["run", "p"]).succeeded();
    assert_eq!(
        home.sql("SELECT attribute FROM attributes WHERE role = 'email'"),
        "attribute\nmail\n"
    );
    // The instance has one: the next process is offered none.
    home.sluice(&[
        "process",
        "new",
        "q",
        "--file",
        "in.csv",
        "--attribute",
        "Mail:other=string",
    ])
    .succeeded();
    let second = home.sluice(&["process", "complete", "q"]).succeeded();
    assert!(!second.stderr().contains("addresses"), "{}", second.stderr());
}

#[test]
fn on_a_terminal_a_new_process_is_gone_through_column_by_column() {
    let home = Home::with_instance();
    home.write("in.csv", FILE);
    let answers = [
        ("file, by path or URL", "in.csv"),
        ("column with the customer id [cid]", ""),
        ("mode [register]", "update"),
        (
            "attribute of \"Loyalty Tier\" [loyalty_tier=string]",
            "tier=varchar(20)",
        ),
        ("attribute of \"Mail\" [mail=email]", "-"),
        ("attribute of \"Spend\" [", "spend=int"),
    ];
    let (screen, code) = converse(&home, "process new p", &answers);
    assert_eq!(code, Some(0), "{screen}");
    let text = shown(&home, "p");
    for part in [
        "mode = \"update\"",
        "type = \"varchar(20)\"",
        "column = \"Spend\"",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("Mail"), "{text}");
    assert_eq!(status(&home, "p"), "draft");
}

#[test]
fn without_a_terminal_flags_say_what_a_new_process_is_and_the_rest_is_guessed() {
    let home = Home::with_instance();
    home.write("in.csv", FILE.replace(',', ";"));
    home.sluice(&[
        "process",
        "new",
        "p",
        "--file",
        "in.csv",
        "--mode",
        "update",
        "--attribute",
        "Spend:total=bigint",
    ])
    .succeeded();
    let text = shown(&home, "p");
    for part in [
        "mode = \"update\"",
        "key = \"cid\"",
        "delimiter = \";\"",
        "name = \"total\"",
        "type = \"bigint\"",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(text.matches("[[attribute]]").count(), 1);
    std::fs::create_dir(home.path("days")).unwrap();
    home.write("days/Customers_1.csv", FILE);
    let file = std::fs::File::options()
        .append(true)
        .open(home.path("days/Customers_1.csv"))
        .unwrap();
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(60))
        .unwrap();
    home.sluice(&[
        "process",
        "new",
        "q",
        "--file",
        "days/Customers_%.csv",
        "--every",
        "6h",
        "--start",
        "2026-01-01T03:00",
        "--time-zone",
        "Europe/Madrid",
    ])
    .succeeded();
    let text = shown(&home, "q");
    assert!(
        text.contains("days/Customers_%.csv\"") && text.contains("every = \"6h\""),
        "{text}"
    );
    let absent = home.sluice(&[
        "process",
        "new",
        "r",
        "--file",
        "in.csv",
        "--attribute",
        "Nope=int",
    ]);
    assert_eq!(absent.code(), Some(2));
    assert!(
        absent.stderr().contains("\"Loyalty Tier\""),
        "{}",
        absent.stderr()
    );
    assert_eq!(home.sql("SELECT count(*) AS n FROM processes"), "n\n2\n");
}

/// The home of [`drafted`] with `p` completed and run, and a text that gives it one attribute more.
fn completed() -> Home {
    let home = Home::with_instance();
    home.write("in.csv", FILE);
    home.sluice(&[
        "process",
        "new",
        "p",
        "--file",
        "in.csv",
        "--attribute",
        "Loyalty Tier:tier=string",
    ])
    .succeeded();
    home.sluice(&["process", "complete", "p", "--yes"]).succeeded();
    home.sluice(&["run", "p"]).succeeded();
    let more = "\n[[attribute]]\ncolumn = \"Spend\"\nname = \"spend\"\ntype = \"int\"\nlabel = \"What they spent\"\n";
    home.write("more.toml", shown(&home, "p") + more);
    home
}

#[test]
fn attributes_added_to_a_completed_process_are_refused_with_the_line_that_makes_a_process_of_them() {
    let home = completed();
    let refused = home.sluice(&["process", "edit", "p", "--from", "more.toml"]);
    assert_eq!(refused.code(), Some(2));
    let told = refused.stderr();
    assert!(told.contains("attribute spend: was absent"), "{told}");
    let line = told
        .lines()
        .find_map(|line| line.split_once("same file: sluice "))
        .unwrap()
        .1;
    assert_eq!(line, "process new p_2 --like p --attribute 'Spend=int'");
    let words = line.replace('\'', "");
    home.sluice(&words.split(' ').collect::<Vec<_>>()).succeeded();
    home.sluice(&["process", "complete", "p_2"]).succeeded();
    home.sluice(&["run", "p_2"]).succeeded();
    assert_eq!(
        home.sql("SELECT customer_id, tier, spend FROM customers ORDER BY 1"),
        "customer_id,tier,spend\nC1,Gold,10\nC2,Silver,\nC3,Gold,30\n"
    );
    let ingest = home.sluice(&[
        "ingest",
        "in.csv",
        "--name",
        "p",
        "--key",
        "cid",
        "--attribute",
        "Loyalty Tier:tier=string",
        "--attribute",
        "Mail=string",
    ]);
    assert_eq!(ingest.code(), Some(2));
    assert!(
        ingest
            .stderr()
            .contains("process new p_3 --like p --attribute 'Mail=string'"),
        "{}",
        ingest.stderr()
    );
}

#[test]
fn on_a_terminal_the_process_for_added_attributes_is_made_at_once() {
    let home = completed();
    let answers = [("make the process p_2 over the same file for spend? [Y/n] ", "y")];
    let (screen, code) = converse(&home, "process edit p --from more.toml", &answers);
    assert_eq!(code, Some(0), "{screen}");
    assert_eq!(
        (status(&home, "p"), status(&home, "p_2")),
        ("completed".to_owned(), "draft".to_owned())
    );
    let text = shown(&home, "p_2");
    assert!(
        text.contains("What they spent") && !text.contains("tier"),
        "{text}"
    );
    assert!(!shown(&home, "p").contains("spend"));
}

#[test]
fn a_process_like_another_has_attributes_of_its_own() {
    let home = completed();
    let twice = home.sluice(&[
        "process",
        "new",
        "q",
        "--like",
        "p",
        "--attribute",
        "Loyalty Tier:tier=string",
    ]);
    assert_eq!(twice.code(), Some(2));
    assert!(
        twice.stderr().contains("tier belongs to the process p"),
        "{}",
        twice.stderr()
    );
    let none = home.sluice(&["process", "new", "q", "--like", "p"]);
    assert!(none.stderr().contains("no --attribute"), "{}", none.stderr());
    assert_eq!(home.sql("SELECT count(*) AS n FROM processes"), "n\n1\n");
}

#[test]
fn deleting_says_what_stays() {
    let home = completed();
    let deleted = home.sluice(&["process", "delete", "p"]).succeeded();
    for part in [
        "its name is not used again",
        "stay in customers: tier",
        "runs, rejects and events stay",
    ] {
        assert!(deleted.stderr().contains(part), "{part}: {}", deleted.stderr());
    }
    assert_eq!(home.sql("SELECT count(*) AS n FROM runs"), "n\n1\n");
    let home = drafted();
    home.sluice(&["process", "complete", "p", "--yes"]).succeeded();
    let deleted = home.sluice(&["process", "delete", "p"]).succeeded();
    assert!(
        deleted
            .stderr()
            .contains("their names are free: tier, mail, spend"),
        "{}",
        deleted.stderr()
    );
}

#[test]
fn status_says_how_a_process_ended_and_when_it_runs_next() {
    let home = Home::with_instance();
    std::fs::create_dir(home.path("in")).unwrap();
    home.write("in/a.csv", "cid,n\n,1\n");
    let file = std::fs::File::options()
        .append(true)
        .open(home.path("in/a.csv"))
        .unwrap();
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(60))
        .unwrap();
    home.sluice(&[
        "process",
        "new",
        "p",
        "--file",
        "in/",
        "--key",
        "cid",
        "--attribute",
        "n=int",
        "--every",
        "24h",
    ])
    .succeeded();
    home.sluice(&["process", "complete", "p", "--yes"]).succeeded();
    assert_eq!(home.sluice(&["run", "p"]).code(), Some(3));
    let told = home.sluice(&["status", "--output", "json"]).succeeded();
    let told: Value = serde_json::from_str(&told.stdout()).unwrap();
    assert_eq!(told[0]["status"], "failed");
    assert_eq!(told[0]["last_status"], "failed");
    assert!(
        told[0]["last_error"].as_str().unwrap().contains("accepted"),
        "{told}"
    );
    assert!(
        told[0]["next_run_at"].is_string(),
        "a failed one runs next: {told}"
    );
    home.sluice(&["process", "pause", "p"]).succeeded();
    let told = home.sluice(&["status", "--output", "json"]).succeeded();
    let told: Value = serde_json::from_str(&told.stdout()).unwrap();
    assert!(told[0]["next_run_at"].is_null(), "a paused one does not: {told}");
}
