//! Programs that are held at a fault point, while a test does something else.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::PATIENCE;

/// Where a program says that it waits, and is told to go on.
pub struct Hold {
    folder: TempDir,
}

impl Hold {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    /// Has the program wait whenever it comes to `point`.
    pub fn at(&self, point: &str, command: &mut Command) {
        command.env(
            "SLUICE_PAUSE",
            format!("{point}:{}", self.folder.path().display()),
        );
    }

    /// Whether it waits and has not been told to go on. It takes back what it said before it takes what it was told.
    pub fn is_waiting(&self) -> bool {
        !self.go().exists() && self.folder.path().join("paused").exists()
    }

    /// Waits until it waits.
    pub fn wait(&self) {
        let begun = Instant::now();
        while !self.is_waiting() {
            assert!(begun.elapsed() < PATIENCE, "it never gets there");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn go_on(&self) {
        std::fs::write(self.go(), "").unwrap();
    }

    fn go(&self) -> PathBuf {
        self.folder.path().join("go")
    }
}
