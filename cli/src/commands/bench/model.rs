//! What the job would cost at another size, from what a bench measured. Pure.
//!
//! ```text
//!                   fixed    rows of the file    customers of the table                           files
//!   load            a run    decode to commit    -                                                -
//!   adopt           start    -                   cells                                            -
//!   merge           a run    decode and judge    copied cells, others; by share that changes      -
//!   merge again     a run    decode and judge    compared; by share                               -
//!   validate only   start    decode and judge    -                                                -
//!   look up, count  start    -                   -                                                listed
//!   optimize        start    -                   cells                                            -
//! ```
//!
//! Every term is a line through what was measured and the cost of doing nothing, and its constants are seconds per row of
//! this bench on this machine. Three are taken from elsewhere: what copying a byte costs, beside decoding and encoding
//! it ([`COPY_BYTE_NS`]), rows of a page ([`Encoding`]), and what a file more in the log costs ([`LISTED_FILE_SECONDS`]).
//! Work of a table is per customer at a share of changed customers, since random customers hit the same share of pages,
//! row groups and files whatever their number; between the shares that were measured it is interpolated.

mod curve;
#[cfg(test)]
mod tests;

use serde::Serialize;
use sluice_engine::merge::cost::COPY_BYTE_NS;
use sluice_engine::write::TARGET_FILE_BYTES;

use self::curve::{Curve, Point};
use super::outcome::{Measured, Outcome, Settings};
use super::steps::{MERGED_SHARES, again, merge};

/// Replaying the action of a file and planning with it, seconds: a log of 20,000 files against an empty one, when a
/// session begins on two cores (2,000 files give 28 millionths, 20,000 give 23).
const LISTED_FILE_SECONDS: f64 = 25e-6;
/// An Add and a Remove in the log, with the path, the row count and the range of keys.
const ACTION_BYTES: [u64; 2] = [432, 219];
/// Bytes of a commit that are not of files: the run's row, the table's schema when it changes.
const COMMIT_BYTES: u64 = 4_000;

/// What a forecast is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Customers.
    pub customers: u64,
    /// Attributes of the base.
    pub attributes: usize,
    /// Rows of change sets, beside those of a bench.
    pub change_rows: Vec<u64>,
    /// Memory that a run may use.
    pub budget_bytes: u64,
}

/// What it would cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// Customers.
    pub customers: u64,
    /// Attributes of the base.
    pub attributes: usize,
    /// What the bench had.
    pub measured: Settings,
    /// Files of customers after optimize.
    pub files: u64,
    /// In the order of a bench.
    pub phases: Vec<Phase>,
    /// What the model does not know.
    pub unknown: Vec<String>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phase {
    /// Its name in a bench.
    pub step: String,
    /// Rows of its file, or customers.
    pub rows: u64,
    /// All terms.
    pub seconds: f64,
    /// What they are made of.
    pub terms: Vec<Term>,
    /// Bytes of its file.
    pub file_bytes: Option<u64>,
    /// Bytes of the instance after it, older versions included.
    pub disk_bytes: Option<u64>,
    /// Bytes of the commit it adds to the log of customers.
    pub log_bytes: Option<u64>,
    /// Resident memory, at most.
    pub peak_rss_bytes: Option<u64>,
    /// Whether its rows stay in memory.
    pub stage: Option<Stage>,
}

/// One summand of a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Term {
    /// What takes it.
    pub what: &'static str,
    /// How long.
    pub seconds: f64,
}

/// Where the rows of a run wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// In memory.
    Memory,
    /// On disk, as they are more than the budget.
    Disk,
}

/// A step that the bench does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing(pub String);

/// What a bench measured, a row or a customer.
#[derive(Debug)]
pub struct Rates<'a> {
    outcome: &'a Outcome,
    /// Starting the program and opening the tables, seconds.
    start: f64,
    /// A run of one row, seconds.
    run: f64,
    /// Resident memory of that run.
    run_bytes: u64,
    /// Decoding and judging a row, seconds.
    judge: f64,
    merge: Curve,
    again: Curve,
}

impl<'a> Rates<'a> {
    /// Those of a bench.
    ///
    /// # Errors
    /// A step of an older program is not there.
    pub fn of(outcome: &'a Outcome) -> Result<Self, Missing> {
        let start = outcome.named("start")?.seconds;
        let least = outcome.named("merge one row")?;
        let judged = outcome.named("validate only")?;
        let judge = rate(judged.seconds - start, judged.rows);
        Ok(Self {
            outcome,
            start,
            run: least.seconds,
            run_bytes: least.peak_rss_bytes.unwrap_or(0),
            judge,
            merge: curve(outcome, least.seconds, judge, merge)?,
            again: curve(outcome, least.seconds, judge, again)?,
        })
    }

    /// What `job` would cost.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn forecast(&self, job: &Job) -> Result<Forecast, Missing> {
        let mut phases = vec![
            self.load(job)?,
            self.table_wide("adopt a base", "cells written", job)?,
        ];
        for percent in MERGED_SHARES {
            let rows = job.customers * percent / 100;
            phases.push(self.merged(merge(percent), rows, job, &self.merge)?);
            phases.push(self.merged(again(percent), rows, job, &self.again)?);
        }
        for rows in &job.change_rows {
            phases.push(self.merged(format!("merge {rows} rows"), *rows, job, &self.merge)?);
        }
        phases.push(self.validated(job)?);
        let files = self.files(job)?;
        for step in ["count the customers", "look up a customer"] {
            phases.push(self.listed(step, files, job)?);
        }
        phases.push(self.table_wide("optimize", "cells read and written", job)?);
        let unknown = self.unknown(job, &phases);
        Ok(Forecast {
            customers: job.customers,
            attributes: job.attributes,
            measured: self.outcome.settings,
            files,
            phases,
            unknown,
        })
    }

    fn load(&self, job: &Job) -> Result<Phase, Missing> {
        let step = self.outcome.named("load")?;
        let per_row = rate(step.seconds - self.run, step.rows);
        let mut phase = Phase::of(step, job.customers);
        phase.terms = vec![
            Term::new("a run", self.run),
            Term::new("rows from decode to commit", scaled(job.customers, per_row)),
        ];
        phase.disk_bytes = step
            .disk_bytes
            .map(|bytes| by_ratio(bytes, job.customers, step.rows));
        Ok(self.with_memory(phase, step, job).summed())
    }

    /// Work on all cells of the table.
    fn table_wide(&self, name: &str, what: &'static str, job: &Job) -> Result<Phase, Missing> {
        let step = self.outcome.named(name)?;
        let per_customer = rate(step.seconds - self.start, self.outcome.settings.customers);
        let mut phase = Phase::of(step, job.customers);
        phase.terms = vec![
            Term::new("start", self.start),
            Term::new(what, scaled(job.customers, per_customer) * self.width(job)),
        ];
        phase.disk_bytes = step.disk_bytes.map(|bytes| self.table_bytes(bytes, job));
        phase.log_bytes = Some(COMMIT_BYTES + ACTION_BYTES[0] * self.files(job)?);
        Ok(phase.summed())
    }

    fn merged(&self, step: String, rows: u64, job: &Job, curve: &Curve) -> Result<Phase, Missing> {
        let share = rows as f64 / job.customers as f64;
        let measured = self.outcome.nearest(share)?;
        let of_table = curve.at(share);
        let mut phase = Phase::of(measured, rows);
        let is_share = self.outcome.steps.iter().find(|known| known.step == step);
        phase.disk_bytes = is_share
            .and_then(|step| step.disk_bytes)
            .map(|bytes| self.table_bytes(bytes, job));
        phase.step = step;
        phase.terms = vec![
            Term::new("a run", self.run),
            Term::new("rows decoded and judged", scaled(rows, self.judge)),
            Term::new(
                "cells copied",
                scaled(job.customers, of_table.copied) * self.width(job),
            ),
            Term::new(
                "files compared and written",
                scaled(job.customers, of_table.other),
            ),
        ];
        phase.log_bytes = Some(COMMIT_BYTES + ACTION_BYTES.iter().sum::<u64>() * self.files(job)?);
        Ok(self.with_memory(phase, measured, job).summed())
    }

    fn validated(&self, job: &Job) -> Result<Phase, Missing> {
        let step = self.outcome.named("validate only")?;
        let mut phase = Phase::of(step, job.customers);
        phase.terms = vec![
            Term::new("start", self.start),
            Term::new("rows decoded and judged", scaled(job.customers, self.judge)),
        ];
        Ok(self.with_memory(phase, step, job).summed())
    }

    /// What reads the log, and of files next to nothing.
    fn listed(&self, name: &str, files: u64, job: &Job) -> Result<Phase, Missing> {
        let step = self.outcome.named(name)?;
        let more = files.saturating_sub(files_of(self.live_bytes()?));
        let mut phase = Phase::of(step, job.customers);
        phase.terms = vec![
            Term::new("start, and pages of one customer", step.seconds),
            Term::new("files listed", scaled(more, LISTED_FILE_SECONDS)),
        ];
        Ok(phase.summed())
    }

    /// Memory grows with the rows of the change set, up to the budget; then they wait on disk.
    fn with_memory(&self, mut phase: Phase, step: &Measured, job: &Job) -> Phase {
        if let Some(peak) = step.peak_rss_bytes.filter(|_| self.run_bytes > 0) {
            let per_row = rate(peak as f64 - self.run_bytes as f64, step.rows);
            let needed = self.run_bytes + scaled(phase.rows, per_row) as u64;
            phase.peak_rss_bytes = Some(needed.min(job.budget_bytes));
            phase.stage = Some(match needed > job.budget_bytes {
                true => Stage::Disk,
                false => Stage::Memory,
            });
        }
        phase
    }

    fn live_bytes(&self) -> Result<u64, Missing> {
        let adopted = self.outcome.named("adopt a base")?;
        adopted
            .disk_bytes
            .ok_or_else(|| Missing("the disk of adopt a base".to_owned()))
    }

    fn files(&self, job: &Job) -> Result<u64, Missing> {
        Ok(files_of(self.table_bytes(self.live_bytes()?, job)))
    }

    fn table_bytes(&self, measured: u64, job: &Job) -> u64 {
        let same_width = by_ratio(measured, job.customers, self.outcome.settings.customers);
        (same_width as f64 * self.width(job)) as u64
    }

    /// How many times as many columns the base has, the key counted.
    fn width(&self, job: &Job) -> f64 {
        (job.attributes + 1) as f64 / (self.outcome.settings.attributes + 1) as f64
    }

    fn unknown(&self, job: &Job, phases: &[Phase]) -> Vec<String> {
        let measured = &self.outcome.settings;
        let mut unknown = vec![
            "a disk that is slower than what was written in the bench: its files fit the page cache"
                .to_owned(),
            format!(
                "the first change set also brings its ten attributes; later ones of {} % cost less, or more where files \
                 overlap",
                MERGED_SHARES[0]
            ),
        ];
        if phases.iter().any(|phase| phase.stage == Some(Stage::Disk)) {
            unknown.push(
                "what does not fit the budget is written to disk and read again; that time is not in it"
                    .to_owned(),
            );
        }
        if job.attributes != measured.attributes {
            unknown.push(format!(
                "other columns than those of the {} attributes that were measured may be wider or narrower",
                measured.attributes
            ));
        }
        if job.customers > 20 * measured.customers {
            unknown.push(
                "more than twenty times what was measured: a larger bench is a better start".to_owned(),
            );
        }
        unknown
    }
}

impl Phase {
    fn of(step: &Measured, rows: u64) -> Self {
        Self {
            step: step.step.clone(),
            rows,
            seconds: 0.0,
            terms: Vec::new(),
            file_bytes: step.bytes.map(|bytes| by_ratio(bytes, rows, step.rows)),
            disk_bytes: None,
            log_bytes: None,
            peak_rss_bytes: None,
            stage: None,
        }
    }

    fn summed(mut self) -> Self {
        self.terms.retain(|term| term.seconds > 0.0);
        self.seconds = self.terms.iter().map(|term| term.seconds).sum();
        self
    }
}

impl Term {
    fn new(what: &'static str, seconds: f64) -> Self {
        Self { what, seconds }
    }
}

impl Outcome {
    fn named(&self, name: &str) -> Result<&Measured, Missing> {
        let step = self.steps.iter().find(|step| step.step == name);
        step.ok_or_else(|| Missing(name.to_owned()))
    }

    /// The merge whose share is next to `share`, on the scale of its ratio.
    fn nearest(&self, share: f64) -> Result<&Measured, Missing> {
        let distance = |percent: u64| (percent as f64 / 100.0 / share.max(f64::MIN_POSITIVE)).ln().abs();
        let nearest = MERGED_SHARES
            .into_iter()
            .min_by(|a, b| distance(*a).total_cmp(&distance(*b)));
        self.named(&merge(nearest.unwrap_or_default()))
    }
}

/// What the merges of a bench cost beside their fixed costs and their rows, by share.
fn curve(outcome: &Outcome, run: f64, judge: f64, name: fn(u64) -> String) -> Result<Curve, Missing> {
    let mut points = Vec::new();
    for percent in MERGED_SHARES {
        let step = outcome.named(&name(percent))?;
        let of_table = rate(
            step.seconds - run - scaled(step.rows, judge),
            outcome.settings.customers,
        );
        let copied_bytes = step.copied_bytes.unwrap_or(0) as f64;
        let cores = outcome.machine.cores.max(1) as f64;
        let copied = copied_bytes * COPY_BYTE_NS / 1e9 / cores / outcome.settings.customers as f64;
        let copied = copied.min(of_table);
        points.push(Point {
            share: percent as f64 / 100.0,
            copied,
            other: of_table - copied,
        });
    }
    Ok(Curve::through(points))
}

/// Files of the target size.
fn files_of(bytes: u64) -> u64 {
    bytes.div_ceil(TARGET_FILE_BYTES as u64)
}

/// Noise must not make a cost negative.
fn rate(seconds: f64, rows: u64) -> f64 {
    (seconds / rows.max(1) as f64).max(0.0)
}

fn scaled(number: u64, each: f64) -> f64 {
    number as f64 * each
}

fn by_ratio(measured: u64, rows: u64, measured_rows: u64) -> u64 {
    (measured as f64 * rows as f64 / measured_rows.max(1) as f64) as u64
}
