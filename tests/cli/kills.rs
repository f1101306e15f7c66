//! `kill -9` at random moments while a stream of files is loaded: every file is applied once, in order, whole.
//!
//! A few dozen kills by default; `SLUICE_KILLS=200` for as many as one likes. What was killed, and when, is printed.

mod driver;

use serde_json::Value;

use crate::support::Home;
use driver::{Place, Stream};

/// A local instance in a home of its own.
fn local() -> Place {
    let home = Home::empty();
    let location = home.path("base").display().to_string();
    home.sluice(&["init", &location]).succeeded();
    let state = home.path("base/processes/p.state.json");
    let written = state.clone();
    Place {
        home,
        location,
        env: Vec::new(),
        state: Box::new(move || serde_json::from_str(&std::fs::read_to_string(&state).unwrap()).unwrap()),
        put_state: Box::new(move |value: &Value| std::fs::write(&written, value.to_string()).unwrap()),
    }
}

#[test]
fn runs_that_are_killed_at_random_apply_every_file_once_and_in_order() {
    let mut stream = Stream::over(local);
    stream.kill_runs(driver::num_kills(24));
    stream.check();
}

#[test]
fn servers_that_are_killed_at_random_apply_every_file_once_and_in_order() {
    let mut stream = Stream::over(local);
    stream.kill_servers(driver::num_kills(24));
    stream.check();
}
