//! Fault points: places where a test may kill the program.

/// Kills the program when `SLUICE_FAULT` names `point`; only in builds with debug assertions.
pub(crate) fn point(name: &str) {
    if cfg!(debug_assertions) && std::env::var("SLUICE_FAULT").is_ok_and(|fault| fault == name) {
        std::process::abort();
    }
}
