//! Resident memory of a process at most, looked at while it runs. Linux keeps that number itself; what is missed is what
//! came after the last look.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(10);

/// Looks until `has_ended`; `None` where the system does not say.
pub fn watch(process: u32, has_ended: &AtomicBool) -> Option<u64> {
    let place = format!("/proc/{process}/status");
    let mut peak = None;
    loop {
        let found = std::fs::read_to_string(&place).ok();
        peak = peak.max(found.and_then(|status| high_water_bytes(&status)));
        if has_ended.load(Ordering::Relaxed) {
            return peak;
        }
        sleep(INTERVAL);
    }
}

/// The line `VmHWM:   1234 kB`.
fn high_water_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_read_in_bytes() {
        let status = "Name:\tsluice\nVmPeak:\t 900 kB\nVmHWM:\t   12 kB\nVmRSS:\t 8 kB\n";
        assert_eq!(high_water_bytes(status), Some(12 << 10));
        assert_eq!(high_water_bytes("Name:\tsluice\nState:\tZ (zombie)\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_is_watched_until_it_has_ended() {
        let has_ended = AtomicBool::new(false);
        let peak = std::thread::scope(|scope| {
            let watching = scope.spawn(|| watch(std::process::id(), &has_ended));
            sleep(5 * INTERVAL);
            has_ended.store(true, Ordering::Relaxed);
            watching.join().unwrap()
        });
        assert!(peak.unwrap() > 1 << 20);
    }

    #[test]
    fn a_process_that_nobody_knows_has_no_peak() {
        assert_eq!(watch(u32::MAX, &AtomicBool::new(true)), None);
    }
}
