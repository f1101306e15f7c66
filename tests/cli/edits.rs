//! What is edited while a run or a server is under way.

use std::time::{Duration, Instant};

use crate::races::held;
use crate::recurring::Folder;
use crate::serve::{Serving, get};
use crate::support::PATIENCE;

#[test]
fn a_schedule_that_is_edited_while_its_run_is_under_way_holds_from_its_next_slot_on() {
    for by_hand in [false, true] {
        let folder = Folder::new();
        folder.fall_due("p");
        let edited = folder.definition("every = \"6h\"\nstart = \"2026-01-01T04:30\"\n");
        let edit = || match by_hand {
            true => folder.home.write("processes/p.toml", &edited),
            false => {
                folder.home.write("edited.toml", &edited);
                let edit = ["process", "edit", "p", "--from", "edited.toml"];
                folder.home.sluice(&edit).succeeded();
            }
        };
        let ran = held(
            &folder.home,
            &["run", "--due"],
            "files_written",
            vec![Box::new(edit)],
        );
        assert_eq!(
            ran.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        let next = folder.state()["next_run_at"].as_str().unwrap().to_owned();
        assert!(next.contains(":30:00"), "by hand: {by_hand}: {next}");
        assert_eq!(folder.home.sql("SELECT n FROM customers"), "n\n1\n");
    }
}

#[test]
fn a_server_goes_by_a_changed_sluice_toml_and_by_the_last_good_one_while_it_is_broken() {
    let folder = Folder::new();
    let mut serving = Serving::start(&folder.home);
    let address = serving.line("/healthz");
    let address = address.split('/').nth(2).unwrap().to_owned();
    let notify = "[[notify]]\non = [\"succeeded\"]\nto = \"command:cat > told.json\"\n";
    folder.configure(&format!("[defaults]\nthreads = 3\n{notify}"));
    let said = serving.line("sluice.toml was changed");
    assert!(said.ends_with("wait for a restart: defaults.threads"), "{said}");
    folder.configure("[[notify]]\non = [\"never\"]\nto = \"command:true\"\n");
    let said = serving.line("sluice.toml cannot be used, the last good one is");
    assert!(said.contains("notify"), "{said}");
    let health = get(&address, "/healthz");
    assert!(
        health.starts_with("HTTP/1.1 200") && health.contains("sluice.toml cannot be used since"),
        "{health}"
    );
    let broken = "\nsluice_config_last_reload_successful 0\n";
    assert!(get(&address, "/metrics").contains(broken));
    folder.fall_due("p");
    serving.line("p/1: completed");
    // The run was told of by the last good one.
    let told = folder.home.path("told.json");
    let begun = Instant::now();
    while !told.exists() {
        assert!(begun.elapsed() < PATIENCE, "nobody is told");
        std::thread::sleep(Duration::from_millis(50));
    }
    folder.configure("");
    serving.line("sluice.toml was changed");
    assert!(get(&address, "/healthz").ends_with("\r\n\r\nok\n"));
    assert_eq!(serving.terminated(), Some(0));
}
