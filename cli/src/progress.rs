//! One line on stderr that says how far a run is.

use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use datafusion::common::runtime::SpawnedTask;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sluice_engine::run::Watch;

use crate::render::{megabytes, thousands};
use crate::settings::{LogFormat, Settings};
use crate::talk::Talk;

/// What takes less shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(200);

/// The line, while a run is under way. It is taken away by `finish`, or when dropped.
pub struct Progress {
    bar: ProgressBar,
    _task: Option<SpawnedTask<()>>,
}

impl Progress {
    /// Follows the run that `watch` looks at. Nothing is shown where stderr is no terminal, is for programs, or shall
    /// be quiet.
    pub fn follow(watch: &Watch, settings: &Settings) -> Self {
        let wanted = settings.talk == Talk::On && settings.log_format == LogFormat::Text;
        let target = if wanted {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        // It is hidden too where stderr is no terminal.
        if target.is_hidden() {
            return Self {
                bar: ProgressBar::hidden(),
                _task: None,
            };
        }
        let bar = ProgressBar::with_draw_target(None, target).with_style(style());
        let task = SpawnedTask::spawn(look(bar.clone(), watch.clone()));
        Self {
            bar,
            _task: Some(task),
        }
    }

    /// Takes the line away, before anything else is printed.
    pub fn finish(self) {}
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

async fn look(bar: ProgressBar, watch: Watch) {
    let begun = Instant::now();
    tokio::time::sleep(PATIENCE).await;
    loop {
        bar.set_message(line(&Look::at(&watch, begun.elapsed())));
        bar.tick();
        tokio::time::sleep(LOOK).await;
    }
}

/// What is seen of a run at one moment.
struct Look {
    phase: &'static str,
    elapsed: Duration,
    rows: u64,
    rejected_rows: u64,
    read_bytes: u64,
    total_bytes: u64,
}

impl Look {
    fn at(watch: &Watch, elapsed: Duration) -> Self {
        Self {
            phase: *watch.phase.lock().unwrap_or_else(PoisonError::into_inner),
            elapsed,
            rows: watch.meter.read_rows.load(Relaxed),
            rejected_rows: watch.meter.rejected_rows.load(Relaxed),
            read_bytes: watch.meter.read_bytes.load(Relaxed),
            total_bytes: watch.total_bytes.load(Relaxed),
        }
    }

    /// Time until the source is read, at the speed so far; none once it is, or before anything is.
    fn remaining(&self) -> Option<Duration> {
        let left_bytes = self
            .total_bytes
            .checked_sub(self.read_bytes)
            .filter(|bytes| *bytes > 0)?;
        let share = left_bytes as f64 / (self.read_bytes > 0).then_some(self.read_bytes)? as f64;
        Some(self.elapsed.mul_f64(share.min(1e6)))
    }
}

fn line(look: &Look) -> String {
    let seconds = look.elapsed.as_secs();
    let mut line = format!(
        "{}: {} rows",
        if look.phase.is_empty() {
            "start"
        } else {
            look.phase
        },
        thousands(look.rows)
    );
    match look.remaining() {
        Some(left) => {
            let speed = look.read_bytes as f64 / look.elapsed.as_secs_f64().max(f64::EPSILON);
            line.push_str(&format!(", {}/s", megabytes(speed as u64)));
            line.push_str(&format!(
                ", {} rejects, {seconds} s, {} s to go",
                thousands(look.rejected_rows),
                left.as_secs() + 1
            ));
        }
        None => line.push_str(&format!(
            ", {} rejects, {seconds} s",
            thousands(look.rejected_rows)
        )),
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halfway() -> Look {
        Look {
            phase: "load",
            elapsed: Duration::from_secs(4),
            rows: 2_000_000,
            rejected_rows: 1_234,
            read_bytes: 400_000_000,
            total_bytes: 800_000_000,
        }
    }

    #[test]
    fn a_load_under_way_says_its_speed_and_what_is_to_go() {
        assert_eq!(
            line(&halfway()),
            "load: 2,000,000 rows, 100.0 MB/s, 1,234 rejects, 4 s, 5 s to go"
        );
    }

    #[test]
    fn what_comes_after_the_load_has_no_estimate() {
        let merging = Look {
            phase: "merge",
            read_bytes: 800_000_000,
            ..halfway()
        };
        assert_eq!(line(&merging), "merge: 2,000,000 rows, 1,234 rejects, 4 s");
    }

    #[test]
    fn nothing_read_yet_is_no_speed() {
        let starting = Look {
            phase: "",
            rows: 0,
            rejected_rows: 0,
            read_bytes: 0,
            ..halfway()
        };
        assert_eq!(line(&starting), "start: 0 rows, 0 rejects, 4 s");
    }
}
