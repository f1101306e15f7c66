//! A terminal with somebody at it: `script` gives the program one, and answers are typed when their questions come.

use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::{Home, PATIENCE};

/// Runs `sluice` with these arguments on a terminal; each answer is typed when its question has come. What was shown, and
/// the exit code.
#[expect(
    clippy::disallowed_methods,
    reason = "the screen is read beside the test, which ends it"
)]
pub fn converse(home: &Home, args: &str, answers: &[(&str, &str)]) -> (String, Option<i32>) {
    let sluice = env!("CARGO_BIN_EXE_sluice");
    let mut script = std::process::Command::new("script");
    let mut child = script
        .args(["-qefc", &format!("'{sluice}' {args}"), "/dev/null"])
        .current_dir(home.path(""))
        .env_remove("SLUICE_INSTANCE")
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keyboard = child.stdin.take().unwrap();
    let screen = Arc::new(Mutex::new(String::new()));
    let reader = {
        let (screen, mut stdout) = (Arc::clone(&screen), child.stdout.take().unwrap());
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(num_bytes @ 1..) = stdout.read(&mut part) {
                let text = String::from_utf8_lossy(&part[..num_bytes]).into_owned();
                screen.lock().unwrap().push_str(&text);
            }
        })
    };
    let mut seen = 0;
    for (question, answer) in answers {
        let deadline = Instant::now() + PATIENCE;
        seen = loop {
            let shown = screen.lock().unwrap().clone();
            if let Some(place) = shown[seen..].find(question) {
                break seen + place + question.len();
            }
            assert!(Instant::now() < deadline, "{question:?} never comes:\n{shown}");
            std::thread::sleep(Duration::from_millis(20));
        };
        // The prompt is written before the line is read.
        std::thread::sleep(Duration::from_millis(50));
        keyboard.write_all(format!("{answer}\n").as_bytes()).unwrap();
        keyboard.flush().unwrap();
    }
    let code = child.wait().unwrap().code();
    drop(keyboard);
    reader.join().unwrap();
    let shown = screen.lock().unwrap().clone();
    (shown, code)
}
