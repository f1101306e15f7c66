//! What maintenance did, for people.

use std::collections::BTreeMap;

use sluice_engine::maintain::plan::Reason;
use sluice_engine::maintain::{
    Expired, GroupOutcome, GroupReport, OptimizeReport, TableReport, TableState, VacuumReport,
};

use super::columns::{Align, columns};
use super::numbers::{megabytes, thousands};

/// The report of optimize in words.
pub fn optimized(report: &OptimizeReport) -> String {
    let mut text = String::new();
    if report.dry_run {
        text.push_str("DRY RUN, nothing was written\n");
    }
    let mut rows = vec![
        ["table", "version", "files", "size", "dead rows", "overlap"]
            .map(String::from)
            .to_vec(),
    ];
    rows.extend(report.tables.iter().map(state));
    let aligns = [
        Align::Left,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
    ];
    text.push_str(&columns(&aligns, &rows));
    let mut lines: Vec<String> = report.tables.iter().flat_map(by_reason).collect();
    lines.extend(report.expired.iter().map(expired));
    match lines.as_slice() {
        [] => text.push_str("nothing to do\n"),
        lines => lines.iter().for_each(|line| text.push_str(&format!("{line}\n"))),
    }
    text
}

/// One line on rejects that outlived the retention of their process.
pub fn expired(expired: &Expired) -> String {
    format!(
        "retention: of run {} of {}, {} rejects lost their payload and {} left",
        expired.run_id,
        expired.process,
        thousands(expired.blanked_rows),
        thousands(expired.removed_rows)
    )
}

/// One line on what was done to a table after a run; nothing where nothing was done.
pub fn maintained(report: &TableReport) -> Option<String> {
    let lines = by_reason(report);
    (!lines.is_empty()).then(|| format!("maintenance: {}", lines.join("; ")))
}

fn state(report: &TableReport) -> Vec<String> {
    let (before, after) = (&report.before, &report.after);
    let cell = |of: &dyn Fn(&TableState) -> String| match (of(before), of(after)) {
        (before, after) if before == after => before,
        (before, after) => format!("{before} -> {after}"),
    };
    let overlap = |state: &TableState| state.max_overlap.map_or(String::new(), thousands);
    vec![
        report.table.word().to_owned(),
        cell(&|state| state.version.to_string()),
        cell(&|state| thousands(state.files)),
        cell(&|state| megabytes(state.bytes)),
        cell(&|state| thousands(state.dead_rows)),
        cell(&overlap),
    ]
}

/// A line for each reason that files of the table were written anew for, and for what others were faster at.
fn by_reason(report: &TableReport) -> Vec<String> {
    let mut sums: BTreeMap<(Reason, bool), GroupReport> = BTreeMap::new();
    for group in &report.groups {
        let overtaken = group.outcome == GroupOutcome::Overtaken;
        sums.entry((group.reason, overtaken))
            .and_modify(|sum| {
                sum.files += group.files;
                sum.bytes += group.bytes;
                sum.output_files += group.output_files;
                sum.output_bytes += group.output_bytes;
            })
            .or_insert_with(|| group.clone());
    }
    sums.values().map(|sum| line(report, sum)).collect()
}

fn line(report: &TableReport, sum: &GroupReport) -> String {
    let (became, about) = match sum.outcome {
        GroupOutcome::Written => ("became", ""),
        GroupOutcome::Planned => ("would become", "about "),
        GroupOutcome::Overtaken => {
            return format!(
                "{}: {}: {} were changed by a run meanwhile and stay as they are",
                report.table.word(),
                sum.reason.word(),
                files(sum.files)
            );
        }
    };
    format!(
        "{}: {}: {} of {} {became} {} of {about}{}",
        report.table.word(),
        sum.reason.word(),
        files(sum.files),
        megabytes(sum.bytes),
        thousands(sum.output_files),
        megabytes(sum.output_bytes)
    )
}

fn files(count: u64) -> String {
    match count {
        1 => "1 file".to_owned(),
        _ => format!("{} files", thousands(count)),
    }
}

/// The report of vacuum in words.
pub fn vacuumed(report: &VacuumReport) -> String {
    let mut text = match report.dry_run {
        true => "DRY RUN, nothing was deleted; these would be:\n".to_owned(),
        false => "deleted:\n".to_owned(),
    };
    let head = [
        "table",
        "data files",
        "vector files",
        "partial files",
        "size",
        "readable versions",
    ];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(report.tables.iter().map(|table| {
        vec![
            table.table.word().to_owned(),
            thousands(table.data_files),
            thousands(table.vector_files),
            thousands(table.partial_files),
            megabytes(table.bytes),
            format!("{} to {}", table.oldest_version, table.latest_version),
        ]
    }));
    let aligns = [
        Align::Left,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
    ];
    text.push_str(&columns(&aligns, &rows));
    if report.dry_run {
        let paths = report.tables.iter().flat_map(|table| {
            table
                .files
                .iter()
                .map(move |file| format!("{}/{file}\n", table.table.word()))
        });
        text.extend(paths);
    }
    text.push_str(&format!(
        "versions of the last {} stay readable\n",
        report.retention
    ));
    text
}
