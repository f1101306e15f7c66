//! Global options: what was typed, and what it resolves to.

use std::num::NonZeroUsize;

use clap::{Args, ValueEnum};
use sluice_engine::THREAD_BYTES;
use sluice_engine::source::sftp::NewHosts;
use sluice_engine::spec::{Defaults, parse_bytes};

use crate::printer::OutputFormat;
use crate::render::megabytes;
use crate::talk::Talk;

/// What a run takes whatever it may use: the program, its threads, blocks that are decoded, row groups that are written. A
/// load of ten attributes on two threads was never seen to take less than 270 MB, of a budget of 100 or of 300.
const LEAST_MEMORY_BYTES: usize = 400_000_000;
/// The variable that names the instance.
const INSTANCE_VARIABLE: &str = "SLUICE_INSTANCE";

/// Global options as typed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Folder of the instance, or s3://BUCKET/PREFIX or gs://BUCKET/PREFIX [default: $SLUICE_INSTANCE, else the nearest
    /// folder with sluice.toml]
    #[arg(short, long, global = true, value_name = "PLACE")]
    pub instance: Option<String>,
    /// How data is printed on stdout
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: OutputFormat,
    /// Memory to use, as 8GB or 512MiB [default: three quarters of what there is]
    #[arg(long, global = true, value_name = "SIZE", value_parser = memory)]
    pub memory: Option<usize>,
    /// Cores to use [default: all]
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Note down the key of an SFTP server that is not known yet, and trust it from now on
    #[arg(long, global = true)]
    pub accept_new_host_key: bool,
    /// Print data and errors only
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// How errors and logs are written on stderr; $SLUICE_LOG says which logs
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub log_format: LogFormat,
}

/// How errors and logs are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// Which instance a command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceChoice {
    /// The one that `-i` names.
    Named(String),
    /// The one that the environment names.
    Environment(String),
    /// The nearest, from the current folder upwards.
    Nearest,
}

impl InstanceChoice {
    /// The folder or URL, if one was named.
    pub fn place(&self) -> Option<&str> {
        match self {
            Self::Named(place) | Self::Environment(place) => Some(place),
            Self::Nearest => None,
        }
    }
}

/// Global options with nothing left to decide.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which instance the command is about.
    pub instance: InstanceChoice,
    /// How data is printed.
    pub output: OutputFormat,
    /// Memory that was typed, in bytes.
    pub memory_bytes: Option<usize>,
    /// Cores that were typed.
    pub threads: Option<usize>,
    /// Whether anything but data and errors is said.
    pub talk: Talk,
    /// How errors and logs are written.
    pub log_format: LogFormat,
    /// What becomes of SFTP servers whose keys are not known.
    pub new_hosts: NewHosts,
}

impl Settings {
    /// Fills in what was not typed.
    pub fn resolve(typed: GlobalArgs) -> Self {
        let named = typed.instance.map(InstanceChoice::Named);
        let instance = named.or_else(from_environment).unwrap_or(InstanceChoice::Nearest);
        let talk = if typed.quiet { Talk::Off } else { Talk::On };
        Self {
            instance,
            output: typed.output,
            memory_bytes: typed.memory,
            threads: typed.threads.map(NonZeroUsize::get),
            talk,
            log_format: typed.log_format,
            new_hosts: match typed.accept_new_host_key {
                true => NewHosts::Accepted,
                false => NewHosts::Refused,
            },
        }
    }

    /// What the engine may use: as typed, else as `sluice.toml` says, else what there is.
    pub fn engine(&self, defaults: &Defaults) -> sluice_engine::Settings {
        let detected = sluice_engine::Settings::detect();
        let configured_bytes = defaults
            .memory_bytes
            .and_then(|bytes| usize::try_from(bytes).ok());
        sluice_engine::Settings {
            memory_bytes: self
                .memory_bytes
                .or(configured_bytes)
                .unwrap_or(detected.memory_bytes),
            threads: self.threads.or(defaults.threads).unwrap_or(detected.threads),
        }
        .within_memory()
    }

    /// What was asked for and cannot be had, in words.
    pub fn remarks(&self) -> Vec<String> {
        let used = self.engine(&Defaults::default());
        let [memory, each, least] =
            [used.memory_bytes, THREAD_BYTES, LEAST_MEMORY_BYTES].map(|bytes| megabytes(bytes as u64));
        let is_small = self.memory_bytes.is_some_and(|bytes| bytes < LEAST_MEMORY_BYTES);
        let small = is_small.then(|| {
            format!(
                "--memory: a run takes some {least} in any case; with {memory} it goes to disk early, and takes more \
                 than {memory}"
            )
        });
        let typed = self.threads.filter(|typed| *typed > used.threads);
        let fewer = typed.map(|typed| {
            let used = used.threads;
            let enough = megabytes((typed * THREAD_BYTES) as u64);
            format!(
                "--threads: {used} of {typed} are used: each needs {each}, and --memory is {memory}; {enough} are enough \
                 for all"
            )
        });
        small.into_iter().chain(fewer).collect()
    }
}

fn from_environment() -> Option<InstanceChoice> {
    let place = std::env::var(INSTANCE_VARIABLE).ok()?;
    Some(place)
        .filter(|place| !place.is_empty())
        .map(InstanceChoice::Environment)
}

fn memory(text: &str) -> Result<usize, String> {
    let bytes = parse_bytes(text).map_err(|problem| format!("{}; {}", problem.what, problem.remedy))?;
    usize::try_from(bytes).map_err(|_| "more than this machine can address".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remarks(memory: &str, threads: usize) -> Vec<String> {
        let typed = GlobalArgs {
            instance: None,
            output: OutputFormat::default(),
            memory: Some(super::memory(memory).unwrap()),
            threads: NonZeroUsize::new(threads),
            accept_new_host_key: false,
            quiet: false,
            log_format: LogFormat::default(),
        };
        Settings::resolve(typed).remarks()
    }

    #[test]
    fn threads_that_the_memory_is_not_enough_for_are_named() {
        assert_eq!(remarks("450MB", 2), [""; 0]);
        assert_eq!(
            remarks("1GB", 16),
            [
                "--threads: 4 of 16 are used: each needs 225.0 MB, and --memory is 1000.0 MB; 3600.0 MB are enough for all"
            ]
        );
    }

    #[test]
    fn a_budget_that_a_run_cannot_keep_is_named() {
        let [small, fewer] = remarks("100MB", 2).try_into().unwrap();
        assert!(
            small.starts_with("--memory: a run takes some 400.0 MB in any case"),
            "{small}"
        );
        assert!(fewer.starts_with("--threads: 1 of 2 are used"), "{fewer}");
    }
}
