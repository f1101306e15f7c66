//! One step: the program again, in a process of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use sluice_engine::Error;

use super::peak;
use crate::error::Result;

/// The program, and the options that each of its steps gets.
#[derive(Debug, Clone)]
pub struct Program {
    executable: PathBuf,
    options: Vec<String>,
}

/// What a step printed, and how long it took from start to exit.
#[derive(Debug)]
pub struct Ran {
    /// From start to exit.
    pub duration: Duration,
    /// The JSON on stdout; NULL if there was none.
    pub answer: Value,
    /// Largest resident memory, where the system says it.
    pub peak_rss_bytes: Option<u64>,
    /// Size of the instance afterwards, where that was asked for.
    pub disk_bytes: Option<u64>,
}

impl Ran {
    /// The same, with the size of the instance as it left it.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn sized(self, instance: &Path) -> io::Result<Self> {
        Ok(Self {
            disk_bytes: Some(folder_bytes(instance)?),
            ..self
        })
    }
}

fn folder_bytes(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += match metadata.is_dir() {
            true => folder_bytes(&entry.path())?,
            false => metadata.len(),
        };
    }
    Ok(bytes)
}

impl Program {
    /// This very program.
    ///
    /// # Errors
    /// The operating system does not say where it is.
    pub fn this(options: Vec<String>) -> Result<Self> {
        Ok(Self {
            executable: std::env::current_exe()?,
            options,
        })
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// It failed, or printed no JSON.
    pub fn run(&self, arguments: &[String]) -> Result<Ran> {
        let mut command = Command::new(&self.executable);
        command
            .args(arguments)
            .args(&self.options)
            .args(["--quiet", "--output", "json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let (output, duration, peak_rss_bytes) = watched(&mut command)?;
        let shown = format!("sluice {}", arguments.join(" "));
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Error::runtime("a step of the bench failed")
                .in_file(shown)
                .because(said.trim().to_owned())
                .into());
        }
        let answer = match output.stdout.trim_ascii() {
            b"" => Value::Null,
            text => serde_json::from_slice(text).map_err(|e| {
                Error::runtime("a step of the bench printed no JSON")
                    .in_file(shown)
                    .because(e)
            })?,
        };
        Ok(Ran {
            duration,
            answer,
            peak_rss_bytes,
            disk_bytes: None,
        })
    }
}

/// Runs a command: what it printed, how long it took, and its memory at most.
fn watched(command: &mut Command) -> io::Result<(Output, Duration, Option<u64>)> {
    let started = Instant::now();
    let child = command.spawn()?;
    let (process, has_ended) = (child.id(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| peak::watch(process, &has_ended));
        let output = child.wait_with_output();
        let duration = started.elapsed();
        has_ended.store(true, Ordering::Relaxed);
        Ok((output?, duration, watching.join().ok().flatten()))
    })
}
