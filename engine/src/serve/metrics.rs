//! What a server counts, in the text format of Prometheus (version 0.0.4).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

use crate::report::RunRecord;

/// Counters since the server started.
#[derive(Debug, Default)]
pub struct Metrics {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Runs by process and status.
    runs: BTreeMap<(String, &'static str), u64>,
    processes: BTreeMap<String, ProcessMetrics>,
    running: u64,
    looked_at: Option<DateTime<Utc>>,
    /// Since when `sluice.toml` cannot be used.
    misconfigured_since: Option<DateTime<Utc>>,
}

#[derive(Debug, Default)]
struct ProcessMetrics {
    seconds: f64,
    rows_read: u64,
    rows_accepted: u64,
    rows_rejected: u64,
    last_success: Option<DateTime<Utc>>,
    last_end: Option<DateTime<Utc>>,
}

impl Metrics {
    /// A run ended.
    pub fn ended(&self, run: &RunRecord) {
        let mut inner = self.lock();
        *inner
            .runs
            .entry((run.process.clone(), run.status.word()))
            .or_default() += 1;
        let process = inner.processes.entry(run.process.clone()).or_default();
        process.seconds += run.duration_ms.unwrap_or(0) as f64 / 1000.0;
        process.rows_read += run.rows_read.unwrap_or(0);
        process.rows_accepted += run.rows_accepted.unwrap_or(0);
        process.rows_rejected += run.rows_rejected.unwrap_or(0);
        process.last_end = run.ended_at;
        if run.is_merged() {
            process.last_success = run.ended_at;
        }
    }

    /// The server looked at the instance and found it readable.
    pub fn looked(&self, at: DateTime<Utc>, running: usize) {
        let mut inner = self.lock();
        inner.looked_at = Some(at);
        inner.running = running as u64;
    }

    /// When the server last found the instance readable.
    #[must_use]
    pub fn looked_at(&self) -> Option<DateTime<Utc>> {
        self.lock().looked_at
    }

    /// `sluice.toml` was changed and cannot be used; `None`: it can again.
    pub fn misconfigured(&self, since: Option<DateTime<Utc>>) {
        self.lock().misconfigured_since = since;
    }

    /// Since when `sluice.toml` cannot be used and the last good one is.
    #[must_use]
    pub fn misconfigured_since(&self) -> Option<DateTime<Utc>> {
        self.lock().misconfigured_since
    }

    /// All metrics as text.
    #[must_use]
    pub fn text(&self) -> String {
        let inner = self.lock();
        let mut text = String::new();
        let build = [("version", env!("CARGO_PKG_VERSION").to_owned())];
        family(
            &mut text,
            "sluice_build_info",
            "gauge",
            "Version of the program.",
            [(build.to_vec(), 1.0)],
        );
        let running = [(Vec::new(), inner.running as f64)];
        family(
            &mut text,
            "sluice_running_runs",
            "gauge",
            "Runs under way.",
            running,
        );
        let is_good = if inner.misconfigured_since.is_none() {
            1.0
        } else {
            0.0
        };
        family(
            &mut text,
            "sluice_config_last_reload_successful",
            "gauge",
            "Whether sluice.toml can be used as it is now.",
            [(Vec::new(), is_good)],
        );
        let runs = inner.runs.iter().map(|((process, status), runs)| {
            let labels = vec![("process", process.clone()), ("status", (*status).to_owned())];
            (labels, *runs as f64)
        });
        family(
            &mut text,
            "sluice_runs_total",
            "counter",
            "Runs that ended.",
            runs,
        );
        for (name, kind, help, value) in BY_PROCESS {
            let samples = inner
                .processes
                .iter()
                .filter_map(|(process, metrics)| Some((vec![("process", process.clone())], value(metrics)?)));
            family(&mut text, name, kind, help, samples);
        }
        text
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Value = fn(&ProcessMetrics) -> Option<f64>;

/// Name, type, help and value of what is told of each process.
const BY_PROCESS: [(&str, &str, &str, Value); 6] = [
    (
        "sluice_run_seconds_total",
        "counter",
        "Seconds that runs took.",
        |p| Some(p.seconds),
    ),
    ("sluice_rows_read_total", "counter", "Records read.", |p| {
        Some(p.rows_read as f64)
    }),
    (
        "sluice_rows_accepted_total",
        "counter",
        "Records accepted.",
        |p| Some(p.rows_accepted as f64),
    ),
    (
        "sluice_rows_rejected_total",
        "counter",
        "Records rejected.",
        |p| Some(p.rows_rejected as f64),
    ),
    (
        "sluice_last_end_timestamp_seconds",
        "gauge",
        "When the last run ended.",
        |p| seconds(p.last_end),
    ),
    (
        "sluice_last_success_timestamp_seconds",
        "gauge",
        "When the last run that merged ended.",
        |p| seconds(p.last_success),
    ),
];

fn seconds(at: Option<DateTime<Utc>>) -> Option<f64> {
    at.map(|at| at.timestamp_millis() as f64 / 1000.0)
}

/// One metric with all its samples; none without samples.
fn family(
    text: &mut String,
    name: &str,
    kind: &str,
    help: &str,
    samples: impl IntoIterator<Item = (Vec<(&'static str, String)>, f64)>,
) {
    let mut samples = samples.into_iter().peekable();
    if samples.peek().is_none() {
        return;
    }
    // Writing to a string does not fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (labels, value) in samples {
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
            .collect();
        let labels = match labels.as_slice() {
            [] => String::new(),
            all => format!("{{{}}}", all.join(",")),
        };
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::RunStatus;

    #[test]
    fn runs_are_counted_by_process_and_status() {
        let metrics = Metrics::default();
        let mut run = RunRecord::started("r".into(), "loyalty", 1, "schedule");
        run.rows_read = Some(10);
        run.rows_rejected = Some(3);
        run.end(RunStatus::CompletedWithRejects);
        metrics.ended(&run);
        run.end(RunStatus::Failed);
        metrics.ended(&run);
        let text = metrics.text();
        for line in [
            "# TYPE sluice_runs_total counter",
            "sluice_runs_total{process=\"loyalty\",status=\"completed_with_rejects\"} 1",
            "sluice_runs_total{process=\"loyalty\",status=\"failed\"} 1",
            "sluice_rows_read_total{process=\"loyalty\"} 20",
            "sluice_rows_rejected_total{process=\"loyalty\"} 6",
            "sluice_running_runs 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn whether_the_configuration_can_be_used_is_told() {
        let metrics = Metrics::default();
        let told = |metrics: &Metrics, value: &str| {
            let line = format!("sluice_config_last_reload_successful {value}");
            metrics.text().lines().any(|found| found == line)
        };
        assert!(told(&metrics, "1"));
        metrics.misconfigured(Some(Utc::now()));
        assert!(told(&metrics, "0"));
    }

    #[test]
    fn a_metric_without_samples_is_left_out() {
        assert!(!Metrics::default().text().contains("sluice_runs_total"));
    }
}
