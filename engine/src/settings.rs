//! What the engine may use of this machine.

/// Memory and cores of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Bytes the engine may hold.
    pub memory_bytes: usize,
    /// Cores it may keep busy.
    pub threads: usize,
}

/// Memory of the budget for each thread that is used. What a thread has in its hands, blocks that it decodes and row groups
/// that it writes, does not depend on the budget: 60 MB at most were seen (docs/benchmarks/README.md).
pub const THREAD_BYTES: usize = 225_000_000;
/// Memory assumed where nothing says how much there is.
const ASSUMED_BYTES: usize = 4 << 30;

impl Settings {
    /// Three quarters of the memory that the control group or the machine allows, and all its cores.
    #[must_use]
    pub fn detect() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).ok();
        let of_group = [
            "/sys/fs/cgroup/memory.max",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        ]
        .iter()
        .find_map(|path| read(path)?.trim().parse::<usize>().ok());
        let of_machine = read("/proc/meminfo").and_then(|text| machine_bytes(&text));
        let allowed = [of_group, of_machine]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(ASSUMED_BYTES);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            memory_bytes: allowed / 4 * 3,
            threads,
        }
    }

    /// The same with no more threads than the memory is enough for, and one at least.
    ///
    /// ```
    /// use sluice_engine::Settings;
    ///
    /// let small = Settings { memory_bytes: 1_000_000_000, threads: 16 };
    /// assert_eq!(small.within_memory().threads, 4);
    /// ```
    #[must_use]
    pub fn within_memory(self) -> Self {
        Self {
            threads: self.threads.min(self.memory_bytes / THREAD_BYTES).max(1),
            ..self
        }
    }
}

fn machine_bytes(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim()
        .trim_end_matches("kB")
        .trim()
        .parse::<usize>()
        .ok()
        .map(|kib| kib << 10)
}
