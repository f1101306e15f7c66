//! Where a bench ran.

use serde::{Deserialize, Serialize};

/// What its numbers depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Version of the program.
    pub sluice: String,
    /// Version of DataFusion in it.
    pub datafusion: String,
    /// Version of Arrow in it.
    pub arrow: String,
    /// Whether the compiler optimised it: what a build for debugging measures says nothing.
    pub build: String,
    /// Name of the processor.
    pub processor: String,
    /// Cores that the program may use.
    pub cores: usize,
    /// Memory of the machine, in bytes.
    pub memory_bytes: u64,
    /// Operating system.
    pub system: String,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let build = if cfg!(debug_assertions) { "dev" } else { "release" };
        Self {
            sluice: env!("CARGO_PKG_VERSION").to_owned(),
            datafusion: datafusion::DATAFUSION_VERSION.to_owned(),
            arrow: arrow::ARROW_VERSION.to_owned(),
            build: build.to_owned(),
            processor: value_of("/proc/cpuinfo", "model name")
                .unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: memory_bytes(),
            system: format!("{} {}", std::env::consts::OS, kernel.trim())
                .trim()
                .to_owned(),
        }
    }
}

fn memory_bytes() -> u64 {
    let kilobytes = value_of("/proc/meminfo", "MemTotal");
    let number = kilobytes.and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    number.unwrap_or(0) * 1024
}

/// The value of the first line `name : value` of a file of the kernel.
fn value_of(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
