//! Fault points: places where a test may kill the program, or hold it while something else happens.

use std::path::Path;
use std::time::Duration;

/// Kills the program when `SLUICE_FAULT` names `point`. Holds it when `SLUICE_PAUSE` is `point:FOLDER`: there, a file
/// `paused` says that it waits, until somebody makes a file `go`. Only in builds with debug assertions.
pub(crate) fn point(name: &str) {
    if !cfg!(debug_assertions) {
        return;
    }
    if std::env::var("SLUICE_FAULT").is_ok_and(|fault| fault == name) {
        std::process::abort();
    }
    if let Ok(pause) = std::env::var("SLUICE_PAUSE")
        && let Some((point, folder)) = pause.split_once(':')
        && point == name
    {
        hold(Path::new(folder));
    }
}

fn hold(folder: &Path) {
    let (paused, go) = (folder.join("paused"), folder.join("go"));
    // Where signals cannot be written or removed, the test that made the folder notices.
    let _ = std::fs::write(&paused, "");
    while !go.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = std::fs::remove_file(paused);
    let _ = std::fs::remove_file(go);
}
