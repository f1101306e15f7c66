//! The report of a run, for people.
//!
//! ```text
//! customers/3: completed with rejects in 3.214 s
//!   source, run, mode, versions
//!   rows: read, accepted (inserted, updated, unchanged), rejected, warned; the books
//!   rules: records that broke each
//!   attributes: cells a dry run would change
//!   merge: how the files of customers are merged, and why
//!   time: by phase
//! next: commands to copy
//! ```

use sluice_engine::report::{RunRecord, RunStatus};
use sluice_engine::run::{GuardOutcome, GuardReading, Report};
use sluice_engine::table::schemas::PHASES;

use super::columns::{Align, columns};
use super::numbers::{megabytes, seconds, thousands};
use crate::shell;

/// The report in words. `program` is how the commands to copy begin.
pub fn report(report: &Report, program: &str) -> String {
    let run = &report.run;
    let sections = [
        head(report),
        rows(run),
        rules(run),
        if report.dry_run {
            attributes(report)
        } else {
            String::new()
        },
        guards(report),
        merge::merge(report),
        time(run),
        report
            .warnings
            .iter()
            .map(|warning| format!("warning: {warning}\n"))
            .collect(),
        next(report, program),
    ];
    sections
        .into_iter()
        .filter(|section| !section.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

fn head(report: &Report) -> String {
    let run = &report.run;
    let time = run
        .duration_ms
        .map(|ms| format!(" in {}", seconds(ms)))
        .unwrap_or_default();
    let status = run.status.word().replace('_', " ");
    let mut text = match report.dry_run {
        true => format!(
            "{}: DRY RUN, nothing was written; the run would be {status}{time}\n",
            run.process
        ),
        false => format!("{}: {status}{time}\n", name(run)),
    };
    if run.status == RunStatus::Skipped {
        text.push_str(match run.parent_run_id {
            None => "nothing to do: this source was merged before, or there is none\n",
            Some(_) => "nothing to do: no open reject was chosen\n",
        });
    }
    let mut lines = vec![("run", run.run_id.clone()), ("mode", run.mode.clone())];
    lines.extend(
        run.parent_run_id
            .as_ref()
            .map(|parent| ("rejects of", parent.clone())),
    );
    lines.extend(run.source_file.as_ref().map(|file| ("source", source(run, file))));
    lines.extend(versions(report).map(|versions| ("version", versions)));
    lines.retain(|(_, what)| !what.is_empty());
    let lines: Vec<_> = lines
        .into_iter()
        .map(|(word, what)| vec![word.to_owned(), what])
        .collect();
    text.push_str(&columns(&[Align::Left, Align::Left], &lines));
    text
}

/// The run in one line.
pub fn run_line(report: &Report) -> String {
    let run = &report.run;
    let rows = match (run.rows_read, run.rows_accepted, run.rows_rejected) {
        (Some(read), Some(accepted), Some(rejected)) => format!(
            ": {} read, {} accepted, {} rejected",
            thousands(read),
            thousands(accepted),
            thousands(rejected)
        ),
        _ => String::new(),
    };
    let time = run.duration_ms.map(|ms| format!(" in {}", seconds(ms)));
    let failure = report.error.as_ref().map(|error| format!(": {error}"));
    format!(
        "{}: {}{}{rows}{}",
        name(run),
        run.status.word().replace('_', " "),
        time.unwrap_or_default(),
        failure.unwrap_or_default()
    )
}

/// `P/NO`, which names a run on the command line.
fn name(run: &RunRecord) -> String {
    format!("{}/{}", run.process, run.run_no)
}

fn source(run: &RunRecord, file: &str) -> String {
    let Some(bytes) = run.source_size_bytes else {
        return file.to_owned();
    };
    let speed = match run.duration_ms {
        Some(ms) if ms > 0 && run.rows_read.is_some() => {
            format!(", {}/s", megabytes((bytes as f64 * 1e3 / ms as f64) as u64))
        }
        _ => String::new(),
    };
    format!("{file} ({}{speed})", megabytes(bytes))
}

fn versions(report: &Report) -> Option<String> {
    let before = report.run.version_before?;
    Some(match report.run.version_after {
        Some(after) if !report.dry_run => format!("{before} before, {after} after"),
        _ => format!("{before}, unchanged"),
    })
}

fn rows(run: &RunRecord) -> String {
    let counts = [
        ("rows read", run.rows_read),
        ("  accepted", run.rows_accepted),
        ("    inserted", run.rows_inserted),
        ("    updated", run.rows_updated),
        ("    unchanged", run.rows_unchanged),
        ("  rejected", run.rows_rejected),
        ("rows warned of", run.rows_warned),
        ("cells changed", run.cells_changed),
        ("  cleared", run.cells_cleared),
    ];
    let lines = counts
        .into_iter()
        .filter_map(|(word, count)| Some(vec![word.to_owned(), thousands(count?)]));
    let text = columns(&[Align::Left, Align::Right], &lines.collect::<Vec<_>>());
    if text.is_empty() { text } else { text + &books(run) }
}

/// What must be equal, said so that everybody can add it up.
fn books(run: &RunRecord) -> String {
    let mut text = String::new();
    if let (Some(read), Some(accepted), Some(rejected)) =
        (run.rows_read, run.rows_accepted, run.rows_rejected)
    {
        let ways = [(accepted, "accepted"), (rejected, "rejected")];
        text.push_str(&balance((read, "read"), &ways, run.status));
    }
    let ways = (run.rows_inserted, run.rows_updated, run.rows_unchanged);
    if let (Some(accepted), (Some(inserted), Some(updated), Some(unchanged))) = (run.rows_accepted, ways) {
        let ways = [
            (inserted, "inserted"),
            (updated, "updated"),
            (unchanged, "unchanged"),
        ];
        text.push_str(&balance((accepted, "accepted"), &ways, run.status));
    }
    text
}

fn balance((whole, word): (u64, &str), parts: &[(u64, &str)], status: RunStatus) -> String {
    let sum = parts
        .iter()
        .fold(0_u64, |sum, (part, _)| sum.saturating_add(*part));
    let words: Vec<_> = parts
        .iter()
        .map(|(part, word)| format!("{} {word}", thousands(*part)))
        .collect();
    let words = words.join(" + ");
    let whole_words = format!("{} {word}", thousands(whole));
    if sum == whole {
        format!("  the books balance: {whole_words} = {words}\n")
    } else if matches!(status, RunStatus::Failed | RunStatus::Interrupted) {
        format!("  the source was not read to its end: {whole_words}, so far {words}\n")
    } else {
        format!("  THE BOOKS DO NOT BALANCE: {whole_words}, but {words}\n")
    }
}

fn rules(run: &RunRecord) -> String {
    if run.rule_counts.is_empty() {
        return String::new();
    }
    let mut lines = vec![["rule", "severity", "records"].map(String::from).to_vec()];
    lines.extend(run.rule_counts.iter().map(|count| {
        vec![
            count.rule.clone(),
            count.severity.clone(),
            thousands(count.records),
        ]
    }));
    let table = columns(&[Align::Left, Align::Left, Align::Right], &lines);
    format!("{table}  a record counts once with every rule it broke\n")
}

fn attributes(report: &Report) -> String {
    if report.attributes.is_empty() {
        return String::new();
    }
    let mut lines = vec![
        ["attribute", "cells to change", "to clear"]
            .map(String::from)
            .to_vec(),
    ];
    lines.extend(report.attributes.iter().map(|cells| {
        vec![
            cells.attribute.clone(),
            thousands(cells.cells_changed),
            thousands(cells.cells_cleared),
        ]
    }));
    columns(&[Align::Left, Align::Right, Align::Right], &lines)
}

/// What the guards of the process read: of a dry run all of it, else what would have stopped the run.
fn guards(report: &Report) -> String {
    let is_said = |reading: &&GuardReading| report.dry_run || reading.outcome == GuardOutcome::Tripped;
    let line = |reading: &GuardReading| match reading.outcome {
        GuardOutcome::Passed => format!("guard: {reading}\n"),
        GuardOutcome::Tripped => format!("guard: {reading}: TOO MUCH\n"),
    };
    report.guards.iter().filter(is_said).map(line).collect()
}

/// Phases in the order they start.
fn time(run: &RunRecord) -> String {
    let mut lines: Vec<_> = PHASES
        .iter()
        .filter_map(|phase| Some(vec![(*phase).to_owned(), seconds(*run.phase_ms.get(*phase)?)]))
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    lines.extend(
        run.peak_rss_bytes
            .map(|bytes| vec!["peak memory".to_owned(), megabytes(bytes)]),
    );
    columns(&[Align::Left, Align::Right], &lines)
}

fn next(report: &Report, program: &str) -> String {
    let run = &report.run;
    if let Some(parent) = &run.parent_run_id {
        return replayed(report, parent, program);
    }
    let process = shell::quoted(&run.process);
    let file = run
        .source_file
        .as_ref()
        .map(|file| format!(" --file {}", shell::quoted(file)))
        .unwrap_or_default();
    let mut commands = Vec::new();
    match (report.dry_run, run.status) {
        (true, _) if run.rows_inserted.is_none() && run.is_merged() => {
            commands.push(format!("run {process}{file} --dry-run --explain"));
            commands.push(format!("run {process}{file}"));
        }
        (true, _) | (false, RunStatus::Interrupted) => commands.push(format!("run {process}{file}")),
        (false, RunStatus::Skipped) => commands.push(format!("run {process}{file} --force")),
        (false, _) => {
            if run.rows_rejected.is_some_and(|rows| rows > 0) {
                commands.push(format!("rejects {} --by-rule", name(run)));
                commands.push(format!("rejects {} --export rejects.csv", name(run)));
            }
            if run.is_merged() {
                commands.push("sql \"SELECT * FROM customers LIMIT 10\"".to_owned());
            }
        }
    }
    if commands.is_empty() {
        return String::new();
    }
    let lines: String = commands
        .iter()
        .map(|command| format!("  {program} {command}\n"))
        .collect();
    format!("next:\n{lines}")
}

/// What is left to do after a replay.
fn replayed(report: &Report, parent: &str, program: &str) -> String {
    match (report.dry_run, report.run.rows_rejected) {
        (true, _) => format!("next:\n  {program} replay {parent}\n"),
        (false, Some(rows)) if rows > 0 => format!("next:\n  {program} rejects {parent}\n"),
        (false, _) => String::new(),
    }
}

mod merge;
#[cfg(test)]
mod tests;
