//! What a bench found out: medians, and how they compare with others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_engine::Error;

use super::checks::count;
use super::machine::Machine;
use super::program::Ran;
use crate::error::Result;
use crate::render::{Align, columns, megabytes, thousands};

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Customers of the base.
    pub customers: u64,
    /// Attributes of the base.
    pub attributes: usize,
    /// Bad records of a million.
    pub bad_per_million: u32,
    /// Rounds.
    pub rounds: u32,
}

/// All of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Where.
    pub machine: Machine,
    /// What was asked for.
    pub settings: Settings,
    /// In the order of their first run.
    pub steps: Vec<Measured>,
}

/// One step: medians of its runs.
#[derive(Debug, Serialize, Deserialize)]
pub struct Measured {
    /// What it does.
    pub step: String,
    /// Rows that it handles: those of its file, or of its table.
    pub rows: u64,
    /// Bytes of its file.
    pub bytes: Option<u64>,
    /// From start to exit of the program.
    pub seconds: f64,
    /// The fastest run.
    pub fastest_seconds: f64,
    /// By `seconds`.
    pub rows_per_second: f64,
    /// By `seconds`, millions of bytes of the file.
    pub mb_per_second: Option<f64>,
    /// Of the phases of a run; they overlap.
    pub phase_ms: BTreeMap<String, u64>,
    /// Bytes of customers that a merge read.
    pub read_bytes: Option<u64>,
    /// Bytes that it copied as they were.
    pub copied_bytes: Option<u64>,
    /// Bytes that it encoded.
    pub encoded_bytes: Option<u64>,
    /// Largest resident memory.
    pub peak_rss_bytes: Option<u64>,
    /// Size of the instance afterwards, older versions included.
    #[serde(default)]
    pub disk_bytes: Option<u64>,
}

/// The runs of one step.
#[derive(Debug)]
pub struct Samples {
    /// What it does.
    pub step: String,
    /// Rows that it handles.
    pub rows: u64,
    /// Bytes of its file.
    pub bytes: Option<u64>,
    /// One a round, or several.
    pub runs: Vec<Ran>,
}

impl Samples {
    /// Their medians.
    pub fn measured(&self) -> Measured {
        let mut seconds: Vec<f64> = self.runs.iter().map(|ran| ran.duration.as_secs_f64()).collect();
        seconds.sort_by(f64::total_cmp);
        let median_seconds = median(&seconds).unwrap_or_default();
        let rate = |number: u64| number as f64 / median_seconds.max(f64::MIN_POSITIVE);
        let of = |path: &[&str]| self.median_of(path);
        Measured {
            step: self.step.clone(),
            rows: self.rows,
            bytes: self.bytes,
            seconds: median_seconds,
            fastest_seconds: seconds.first().copied().unwrap_or_default(),
            rows_per_second: rate(self.rows),
            mb_per_second: self.bytes.map(|bytes| rate(bytes) / 1e6),
            phase_ms: self.phases(),
            read_bytes: of(&["merge", "read_bytes"]),
            copied_bytes: of(&["merge", "copied_bytes"]),
            encoded_bytes: of(&["merge", "encoded_bytes"]),
            peak_rss_bytes: self.middle(|ran| count(&ran.answer, "peak_rss_bytes").or(ran.peak_rss_bytes)),
            disk_bytes: self.middle(|ran| ran.disk_bytes),
        }
    }

    fn middle(&self, number: impl Fn(&Ran) -> Option<u64>) -> Option<u64> {
        let mut numbers: Vec<u64> = self.runs.iter().filter_map(number).collect();
        numbers.sort_unstable();
        median(&numbers)
    }

    fn phases(&self) -> BTreeMap<String, u64> {
        let first = self
            .runs
            .first()
            .and_then(|ran| ran.answer.get("phase_ms")?.as_object());
        let names = first.into_iter().flat_map(|phases| phases.keys());
        names
            .filter_map(|name| Some((name.clone(), self.median_of(&["phase_ms", name])?)))
            .collect()
    }

    /// The median of a number of the answers.
    fn median_of(&self, path: &[&str]) -> Option<u64> {
        self.middle(|ran| {
            let (name, outer) = path.split_last()?;
            let place = outer
                .iter()
                .try_fold(&ran.answer, |value: &Value, name| value.get(name))?;
            count(place, name)
        })
    }
}

/// The middle one of ascending numbers, the lower of two.
fn median<T: Copy>(ascending: &[T]) -> Option<T> {
    ascending.get(ascending.len().saturating_sub(1) / 2).copied()
}

impl Outcome {
    /// Whether a bench of these settings can be set beside it.
    ///
    /// # Errors
    /// It had other data.
    pub fn comparable(&self, settings: &Settings) -> Result<()> {
        let rounds = settings.rounds;
        if (Settings {
            rounds,
            ..self.settings
        }) == *settings
        {
            return Ok(());
        }
        let Settings {
            customers,
            attributes,
            bad_per_million,
            ..
        } = self.settings;
        let bad = f64::from(bad_per_million) / 10_000.0;
        Err(Error::usage("the bench to compare with had other data")
            .hint(format!(
                "the same data: sluice bench --customers {customers} --attributes {attributes} --bad {bad}%"
            ))
            .wrote("nothing")
            .into())
    }

    /// For people; with `other`, how many times as fast this one is.
    pub fn words(&self, other: Option<&Outcome>) -> String {
        let Machine {
            sluice,
            build,
            processor,
            cores,
            memory_bytes,
            system,
            ..
        } = &self.machine;
        let mut text = format!(
            "sluice {sluice} ({build} build), {cores} cores of {processor}, {}, {system}\n\
             {} customers by {} attributes, medians of {} rounds, every answer checked\n",
            megabytes(*memory_bytes),
            thousands(self.settings.customers),
            self.settings.attributes,
            self.settings.rounds
        );
        let mut head = vec![
            "step", "rows", "seconds", "rows/s", "MB/s", "copied", "encoded", "peak",
        ];
        let mut aligns = vec![Align::Left];
        aligns.resize(head.len(), Align::Right);
        if other.is_some() {
            head.push("times as fast");
            aligns.push(Align::Right);
        }
        let mut lines = vec![head.into_iter().map(str::to_owned).collect()];
        lines.extend(self.steps.iter().map(|step| {
            let mut line = step.line();
            line.extend(other.map(|other| other.against(step)));
            line
        }));
        text.push_str(&columns(&aligns, &lines));
        text
    }

    /// How many times as fast as this one's a step is.
    fn against(&self, step: &Measured) -> String {
        let same = self.steps.iter().find(|other| other.step == step.step);
        same.map_or_else(String::new, |other| {
            format!("{:.2}", other.seconds / step.seconds)
        })
    }
}

impl Measured {
    fn line(&self) -> Vec<String> {
        let size = |bytes: Option<u64>| bytes.map(megabytes).unwrap_or_default();
        vec![
            self.step.clone(),
            thousands(self.rows),
            format!("{:.3}", self.seconds),
            thousands(self.rows_per_second as u64),
            self.mb_per_second
                .map(|rate| format!("{rate:.0}"))
                .unwrap_or_default(),
            size(self.copied_bytes),
            size(self.encoded_bytes),
            size(self.peak_rss_bytes),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn samples(step: &str, milliseconds: [u64; 3]) -> Samples {
        Samples {
            step: step.to_owned(),
            rows: 1_000,
            bytes: Some(2_000_000),
            runs: milliseconds
                .map(|duration| Ran {
                    duration: Duration::from_millis(duration),
                    answer: json!({"peak_rss_bytes": duration * 10, "phase_ms": {"load": duration, "sort": null},
                                   "merge": {"copied_bytes": 5}}),
                    peak_rss_bytes: Some(1),
                    disk_bytes: Some(duration),
                })
                .into(),
        }
    }

    fn outcome(milliseconds: [u64; 3]) -> Outcome {
        Outcome {
            machine: Machine::here(),
            settings: Settings {
                customers: 1_000,
                attributes: 3,
                bad_per_million: 0,
                rounds: 3,
            },
            steps: vec![samples("load", milliseconds).measured()],
        }
    }

    #[test]
    fn a_step_is_the_median_of_its_runs() {
        let measured = samples("load", [400, 100, 200]).measured();
        assert_eq!((measured.seconds, measured.fastest_seconds), (0.2, 0.1));
        assert_eq!(
            (measured.rows_per_second, measured.mb_per_second),
            (5_000.0, Some(10.0))
        );
        assert_eq!(
            (measured.peak_rss_bytes, measured.copied_bytes),
            (Some(2_000), Some(5))
        );
        assert_eq!(measured.disk_bytes, Some(200));
        assert_eq!(measured.phase_ms, BTreeMap::from([("load".to_owned(), 200)]));
        assert_eq!(measured.read_bytes, None);
    }

    #[test]
    fn what_a_step_says_of_its_memory_counts_before_what_was_seen() {
        let mut samples = samples("load", [400, 100, 200]);
        for ran in &mut samples.runs {
            ran.answer = Value::Null;
            ran.peak_rss_bytes = Some(7);
        }
        assert_eq!(samples.measured().peak_rss_bytes, Some(7));
    }

    #[test]
    fn two_benches_of_the_same_data_are_set_side_by_side() {
        let (now, before) = (outcome([100, 100, 100]), outcome([250, 250, 250]));
        assert!(now.words(Some(&before)).contains("times as fast"));
        assert_eq!(before.against(&now.steps[0]), "2.50");
        let kept: Outcome = serde_json::from_str(&serde_json::to_string(&before).unwrap()).unwrap();
        assert_eq!(kept.words(None), before.words(None));
    }

    #[test]
    fn a_bench_of_other_data_is_no_comparison() {
        let before = outcome([1, 1, 1]);
        assert!(
            before
                .comparable(&Settings {
                    rounds: 9,
                    ..before.settings
                })
                .is_ok()
        );
        assert!(
            before
                .comparable(&Settings {
                    customers: 9,
                    ..before.settings
                })
                .is_err()
        );
    }
}
